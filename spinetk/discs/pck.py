"""PCK: the original's validation score, and its soft Dice."""

from __future__ import annotations

import torch
from torch import Tensor

REACH = 0.5
"""A point is right within this share of a tenth of the width: 12.8 px at 256."""


def peaks(maps: Tensor) -> Tensor:
    """(B, K, 2) column and row of each map's maximum, counted from 1; 0, 0 where no value is above 0."""
    width = maps.shape[-1]
    height, place = maps.flatten(2).max(dim=2)
    points = torch.stack([place % width, place // width], dim=2).float() + 1
    return points * (height > 0)[:, :, None]


def pck(predicted: Tensor, target: Tensor) -> float | None:
    """Share of points within W / 20 of the truth, averaged over the channels that have one.

    Channels whose true point is absent or lies in the first row or column are left out, as the original does.

    Args:
        predicted, target: (B, K, H, W).

    Returns:
        A number in 0..1, or None when no channel counts.
    """
    found, truth = peaks(predicted), peaks(target)
    counted = (truth > 1).all(dim=2)
    distance = (found - truth).norm(dim=2) / (predicted.shape[-1] / 10)
    right = ((distance < REACH) & counted).sum(0).float()
    used = counted.sum(0)
    if not bool(used.any()):
        return None
    return float((right[used > 0] / used[used > 0]).mean())


def soft_dice(predicted: Tensor, target: Tensor) -> float:
    """(2 I + 1) / (A + B + 1) over everything."""
    overlap = (predicted * target).sum()
    return float((2 * overlap + 1) / (predicted.sum() + target.sum() + 1))
