"""Pictures at network size: one resize for training and prediction, area-averaged, aspect kept."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor


def network_scale(height: int, width: int, short_px: int, long_px: int) -> float:
    """Factor that brings the short side to ``short_px`` unless the long side would pass ``long_px``."""
    return min(short_px / min(height, width), long_px / max(height, width))


def resize(picture: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Resize a picture by about ``scale``.

    Args:
        picture: (H, W) uint8.
        scale: New size / old size; both sides are rounded to whole pixels.

    Returns:
        The picture, and the (2,) exact factors (x, y) that points must be multiplied with.
    """
    height, width = picture.shape
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(picture, (new_width, new_height), interpolation=method)
    return resized, np.array([new_width / width, new_height / height])


def to_tensor(picture: np.ndarray) -> Tensor:
    """(H, W) uint8 to a (3, H, W) float tensor in 0..1 (the grey channel repeated without a copy)."""
    grey = torch.from_numpy(np.ascontiguousarray(picture)).float().div_(255)
    return grey.expand(3, -1, -1)
