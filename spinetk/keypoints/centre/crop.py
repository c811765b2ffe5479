"""Crops: each vertebral body cut out of the picture upright and at one size, and points to and from such a crop.

A body's oriented box is (centre x, centre y, width, height, angle): width along its left-right axis, angle in radians
from the picture's x axis to it, y down. Crop coordinates run from 0 to 1 along the enlarged box.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from spinetk.schema import KeypointSchema


def body_boxes(points: Tensor, schema: KeypointSchema) -> Tensor:
    """Oriented boxes of bodies.

    Args:
        points: (N, K, 2) px.
        schema: Its columns (left to right in storage order) give the axes; without them boxes are upright.

    Returns:
        (N, 5) centre x, y, width, height in px, angle in radians.
    """
    if schema.columns:
        names = [(schema.index(top), schema.index(bottom)) for top, bottom in schema.columns.values()]
        tops, bottoms = points[:, [t for t, _ in names]], points[:, [b for _, b in names]]
        down = (bottoms - tops).mean(1)
        middles = (tops + bottoms) / 2
        across = middles[:, -1] - middles[:, 0]
        centre = middles.mean(1)
        # The quarter turn of the downward axis also points across; both say where "right" is.
        turned = torch.stack([down[:, 1], -down[:, 0]], -1)
        right = across + turned
        angle = torch.atan2(right[:, 1], right[:, 0])
        width, height = across.norm(dim=-1), down.norm(dim=-1)
    else:
        low, high = points.amin(1), points.amax(1)
        centre, (width, height) = (low + high) / 2, (high - low).unbind(-1)
        angle = torch.zeros_like(width)
    size = torch.stack([width, height], -1).clamp(min=2.0)
    return torch.cat([centre, size, angle[:, None]], -1)


def axes(boxes: Tensor, share: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Right-ward and down-ward side vectors, (N, 2) each in px, of boxes enlarged by ``share`` (width, height)."""
    cos, sin = boxes[:, 4].cos(), boxes[:, 4].sin()
    right = torch.stack([cos, sin], -1) * boxes[:, 2:3] * share[0]
    down = torch.stack([-sin, cos], -1) * boxes[:, 3:4] * share[1]
    return right, down


def cut(pictures: Tensor, owner: Tensor, boxes: Tensor, share: tuple[float, float], side_px: int) -> Tensor:
    """Cut bodies out of their pictures.

    Args:
        pictures: (B, 1, H, W).
        owner: (N,) index of the picture of each body.
        boxes: (N, 5) as :func:`body_boxes` gives them.
        share: Enlargement (width, height).
        side_px: Side of a crop.

    Returns:
        (N, 1, side, side), bilinear, black outside the picture, each shifted and scaled to mean 0 and SD 1.
    """
    height, width = pictures.shape[-2:]
    right, down = axes(boxes, share)
    steps = (torch.arange(side_px, device=boxes.device) + 0.5) / side_px - 0.5
    where = (
        boxes[:, None, None, :2]
        + steps[None, None, :, None] * right[:, None, None]
        + (steps[None, :, None, None] * down[:, None, None])
    )
    grid = where / where.new_tensor([width, height]) * 2 - 1
    crops = grid.new_zeros((len(boxes), 1, side_px, side_px))
    for index in range(len(pictures)):
        own = owner == index
        if own.any():
            # One picture at a time, its crops side by side: repeating the picture per crop would cost memory.
            tall = grid[own].reshape(1, -1, side_px, 2)
            crops[own] = F.grid_sample(pictures[index : index + 1], tall, align_corners=False).view(
                -1, 1, side_px, side_px
            )
    if not len(boxes):
        return crops
    mean, spread = crops.mean((2, 3), keepdim=True), crops.std((2, 3), keepdim=True, correction=0)
    return (crops - mean) / (spread + 0.02)


def to_crop(points: Tensor, boxes: Tensor, share: tuple[float, float]) -> Tensor:
    """(N, K, 2) px in the picture to crop coordinates 0..1."""
    right, down = axes(boxes, share)
    offset = points - boxes[:, None, :2]
    along = (offset * right[:, None]).sum(-1) / right.square().sum(-1)[:, None]
    below = (offset * down[:, None]).sum(-1) / down.square().sum(-1)[:, None]
    return torch.stack([along, below], -1) + 0.5


def from_crop(points: Tensor, boxes: Tensor, share: tuple[float, float]) -> Tensor:
    """Inverse of :func:`to_crop`."""
    right, down = axes(boxes, share)
    away = points - 0.5
    return boxes[:, None, :2] + away[..., :1] * right[:, None] + away[..., 1:] * down[:, None]
