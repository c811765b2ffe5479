"""Pictures at network size: one resize for training and prediction, area-averaged, aspect kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


def to_grey(picture: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, 3) BGR uint8, as case folders hold it, to (H, W)."""
    return picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)


def network_scale(height: int, width: int, short_px: int, long_px: int) -> float:
    """Factor that brings the short side to ``short_px`` unless the long side would pass ``long_px``."""
    return min(short_px / min(height, width), long_px / max(height, width))


def resize(picture: np.ndarray, scale: float, layout: str = "torchvision") -> tuple[np.ndarray, np.ndarray]:
    """Resize a picture by about ``scale``.

    Args:
        picture: (H, W) uint8.
        scale: New size / old size; both sides are rounded to whole pixels.
        layout: Of the preset; ``detectron2`` resizes by Pillow's bilinear filter, as Detectron2 does.

    Returns:
        The picture, and the (2,) exact factors (x, y) that points must be multiplied with.
    """
    height, width = picture.shape
    if layout == "detectron2":
        from PIL import Image

        # Detectron2 rounds halves up.
        new_width, new_height = max(1, int(width * scale + 0.5)), max(1, int(height * scale + 0.5))
        smooth = Image.fromarray(picture).resize((new_width, new_height), Image.Resampling.BILINEAR)
        return np.array(smooth), np.array([new_width / width, new_height / height])
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(picture, (new_width, new_height), interpolation=method)
    return resized, np.array([new_width / width, new_height / height])


def to_channels(picture: np.ndarray, local_contrast: bool = False) -> np.ndarray:
    """(H, W) uint8 to the (3, H, W) float32 in 0..1 that networks see.

    The three channels are the grey picture, or, with ``local_contrast``, the picture and two contrast-limited
    adaptive equalisations of it (8 and 24 tiles along its long side): thoracic vertebrae in a frontal radiograph
    differ from their discs by a few grey values of 255.
    """
    picture = np.ascontiguousarray(picture)
    channels = [picture] * 3
    if local_contrast:
        long_px = max(picture.shape)
        for index, tiles in enumerate((8, 24), start=1):
            grid = tuple(max(1, round(tiles * side / long_px)) for side in picture.shape[::-1])
            channels[index] = cv2.createCLAHE(3.0, grid).apply(picture)
    return np.stack(channels).astype(np.float32) / np.float32(255)


def to_tensor(picture: np.ndarray, local_contrast: bool = False) -> Tensor:
    """:func:`to_channels` as a tensor, for training."""
    import torch

    return torch.from_numpy(to_channels(picture, local_contrast))
