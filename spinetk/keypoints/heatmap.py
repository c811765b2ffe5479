"""Keypoint heatmaps: points to training cells and logits back to sub-pixel points.

A region of interest is divided into S x S cells (S = 56). The training target of a point is the cell it lies in
(Mask R-CNN, He et al. 2017, section 5; torchvision's ``keypoints_to_heatmap``); the loss is the cross-entropy over the
S*S cells, so the softmax of the logits is a posterior over cells. Torchvision decodes by the arg-max of a bicubically
enlarged map, one region at a time. We take the posterior mean in a window around the arg-max instead: sub-cell
precision, no loop over regions, and its spread is an uncertainty for the measurements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

WINDOW = 4  # cells to either side of the arg-max


def decode(logits: np.ndarray, boxes: np.ndarray, window: int = WINDOW) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sub-pixel points from heatmap logits.

    Args:
        logits: (N, K, S, S).
        boxes: (N, 4) x0, y0, x1, y1 in px.
        window: Half width, in cells, of the neighbourhood of the arg-max that is averaged; 0 gives the cell centre.

    Returns:
        points (N, K, 2) in px; scores (N, K), the probability inside the window; sigma (N, K), the standard deviation
        of the posterior inside the window in px (root mean square of both axes).
    """
    count, kinds, size, _ = logits.shape
    origin = boxes[:, None, :2]
    cell = ((boxes[:, 2:] - boxes[:, :2]).clip(1e-6) / size)[:, None]
    flat = logits.reshape(count, kinds, size * size)
    if flat.dtype != np.float64:
        flat = flat.astype(np.float32, copy=False)
    if count == 0:
        return np.zeros((0, kinds, 2), flat.dtype), np.zeros((0, kinds), flat.dtype), np.zeros((0, kinds), flat.dtype)
    peak = flat.argmax(-1)
    height = np.exp(flat - np.take_along_axis(flat, peak[..., None], -1))
    total = height.sum(-1)
    edged = np.pad(height.reshape(count, kinds, size, size), ((0, 0), (0, 0), (window, window), (window, window)))
    near = np.lib.stride_tricks.sliding_window_view(edged, (2 * window + 1, 2 * window + 1), axis=(2, 3))
    one, kind = np.ogrid[:count, :kinds]
    row, column = np.divmod(peak, size)
    local = near[one, kind, row, column].astype(np.float64)
    mass = local.sum((-2, -1))
    axis = np.arange(-window, window + 1) + 0.5
    along = np.stack([local.sum(-2), local.sum(-1)], -2) / mass[..., None, None]
    mean, square = along @ axis, along @ axis**2
    # 1/12 is the variance inside a cell.
    variance = ((square - mean**2).clip(0) + 1 / 12) * cell**2
    points = origin + (mean + np.stack([column, row], -1)) * cell
    kept = (points, mass / total, np.sqrt(variance.mean(-1)))
    return tuple(values.astype(flat.dtype) for values in kept)


def decode_tensors(logits: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """:func:`decode` of tensors, its results on their device."""
    import torch

    found = decode(logits.detach().cpu().to(boxes.dtype).numpy(), boxes.detach().cpu().numpy())
    points, scores, sigma = (torch.from_numpy(values).to(boxes.device) for values in found)
    return points, scores, sigma
