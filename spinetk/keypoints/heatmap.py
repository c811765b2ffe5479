"""Keypoint heatmaps: points to training cells and logits back to sub-pixel points.

A region of interest is divided into S x S cells (S = 56). The training target of a point is the cell it lies in
(Mask R-CNN, He et al. 2017, section 5; torchvision's ``keypoints_to_heatmap``); the loss is the cross-entropy over the
S*S cells, so the softmax of the logits is a posterior over cells. Torchvision decodes by the arg-max of a bicubically
enlarged map, one region at a time. We take the posterior mean in a window around the arg-max instead: sub-cell
precision, no loop over regions, and its spread is an uncertainty for the measurements.
"""

from __future__ import annotations

import torch
from torch import Tensor

WINDOW = 4  # cells to either side of the arg-max


def encode(points: Tensor, boxes: Tensor, size: int = 56) -> tuple[Tensor, Tensor]:
    """Cells of points in their boxes.

    Args:
        points: (N, K, 3) x, y, visibility in px.
        boxes: (N, 4) x0, y0, x1, y1 in px.
        size: Cells per side.

    Returns:
        (N, K) int64 cell index (row * size + column) and (N, K) bool, False for points that are invisible or outside
        their box. A point on the right or bottom edge falls in the last cell.
    """
    from torchvision.models.detection.roi_heads import keypoints_to_heatmap

    cells, valid = keypoints_to_heatmap(points, boxes, size)
    return cells, valid.bool()


def decode(logits: Tensor, boxes: Tensor, window: int = WINDOW) -> tuple[Tensor, Tensor, Tensor]:
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
    cell = ((boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-6) / size)[:, None]
    if count == 0:
        empty = logits.new_zeros((0, kinds))
        return logits.new_zeros((0, kinds, 2)), empty, empty
    probability = logits.float().flatten(2).softmax(-1)
    peak = probability.argmax(-1)
    axis = torch.arange(size, device=logits.device)
    near_x = (axis - (peak % size)[..., None]).abs() <= window
    near_y = (axis - peak.div(size, rounding_mode="floor")[..., None]).abs() <= window
    local = probability.view(count, kinds, size, size) * near_y[..., :, None] * near_x[..., None, :]
    score = local.sum((-2, -1))
    local = local / score[..., None, None].clamp(min=1e-12)
    centre = axis + 0.5
    along_x, along_y = local.sum(-2), local.sum(-1)
    mean = torch.stack([(along_x * centre).sum(-1), (along_y * centre).sum(-1)], -1)
    square = torch.stack([(along_x * centre**2).sum(-1), (along_y * centre**2).sum(-1)], -1)
    # 1/12 is the variance inside a cell.
    variance = ((square - mean**2).clamp(min=0) + 1 / 12) * cell**2
    return origin + mean * cell, score, variance.mean(-1).sqrt()
