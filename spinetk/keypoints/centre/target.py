"""Targets and losses of the centre maps: where bodies are, which way their points lie.

The centre map and its loss are those of CornerNet and CenterNet (Law and Deng, ECCV 2018, eq. 1; Zhou et al. 2019,
eq. 1), alpha 2 and beta 4. Points are offsets from a cell to each point as in Vertebra-Focused Landmark Detection
(Yi et al., ISBI 2020), but scaled by 8 cells and supervised in the 3x3 cells around the centre.
"""

from __future__ import annotations

import torch
from torch import Tensor


def centre_maps(centres: Tensor, sizes: Tensor, shape: tuple[int, int]) -> Tensor:
    """Gaussian bumps, one per body, joined by their maximum; 1 in the cell that holds a centre.

    Args:
        centres: (N, 2) x, y in cells.
        sizes: (N,) height of the bodies in cells; the SD is a sixth of it, at least 0.7.
        shape: Cells (rows, columns).
    """
    rows, columns = shape
    if not len(centres):
        return centres.new_zeros(shape)
    sd = (sizes / 6).clamp(min=0.7)[:, None]
    held = centres.floor() + 0.5
    x = torch.arange(columns, device=centres.device) + 0.5
    y = torch.arange(rows, device=centres.device) + 0.5
    across = (-0.5 * ((x - held[:, :1]) / sd).square()).exp()
    below = (-0.5 * ((y - held[:, 1:]) / sd).square()).exp()
    return (below[:, :, None] * across[:, None, :]).amax(0)


def focal_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Penalty-reduced focal loss of (B, H, W) maps, divided by the number of centres."""
    logits = logits.float()
    probability = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    positive = target.eq(1)
    hit = -((1 - probability).square() * probability.log())[positive].sum()
    miss = -((1 - target).pow(4) * probability.square() * (1 - probability).log())[~positive].sum()
    return (hit + miss) / positive.sum().clamp(min=1)
