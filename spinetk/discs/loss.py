"""Losses of heatmaps: that of the original, the same weighted, and HCA-Net's skeletal loss with a gradient."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

SHARPNESS = 50.0
"""Heatmap peaks have height 1: this makes a peak outweigh all of a 400 x 400 ground in the softmax."""
PEAK_WEIGHT = 100.0
"""Of a peak's pixel beside one of the ground, of which there are some two thousand times as many."""
# HCA-Net's own constants.
HEATMAP_WEIGHT = 5e4
SKELETON_WEIGHT = 10.0
POINT_SHARE = 0.75
REACH = 0.8


def joints_mse(predicted: Tensor, target: Tensor, present: Tensor | None = None, peak: float = 0.0) -> Tensor:
    """(1/K) sum_j 0.5 mean over batch and pixels of (1 + peak t_j) (v_j p_j - v_j t_j)^2.

    Args:
        predicted, target: (B, K, H, W).
        present: (B, K), 1 where a disc is labelled. Given, absent discs are not supervised (the original); None
            supervises their channels to be empty, which is what makes the number of discs unnecessary in prediction.
        peak: 0 is the original. There a map of nothing is almost right, and a network stays at it for a thousand
            iterations; a weight on the peaks takes it away from there within a hundred.
    """
    difference = _exact(predicted) - _exact(target)
    if present is not None:
        difference = difference * present[:, :, None, None]
    square = difference.square()
    return 0.5 * (square * (1 + peak * target) if peak else square).mean()


def _exact(values: Tensor) -> Tensor:
    """At least float32: mixed precision is too coarse for squares, float64 stays."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def stacked_mse(
    predicted: Sequence[Tensor], target: Tensor, present: Tensor | None = None, peak: float = 0.0
) -> Tensor:
    """Sum of :func:`joints_mse` over the maps of all stacks."""
    return torch.stack([joints_mse(maps, target, present, peak) for maps in predicted]).sum()


def soft_argmax(maps: Tensor) -> Tensor:
    """Mean position under softmax(:data:`SHARPNESS` * map): the place of the peak, with a gradient into the map.

    Args:
        maps: (B, K, H, W).

    Returns:
        (B, K, 2), x / W and y / H in 0..1, pixel centres at integer + 0.5.
    """
    height, width = maps.shape[-2:]
    share = (_exact(maps).flatten(2) * SHARPNESS).softmax(dim=2).view(maps.shape)
    columns = (torch.arange(width, device=maps.device) + 0.5) / width
    rows = (torch.arange(height, device=maps.device) + 0.5) / height
    return torch.stack([(share.sum(2) * columns).sum(2), (share.sum(3) * rows).sum(2)], dim=2)


def pairwise_distances(found: Tensor, truth: Tensor, present: Tensor) -> Tensor:
    """HCA-Net's WPDD: mean over the batch of sum_{i<j} 0.8^(j-i) (|m_i - m_j| - |g_i - g_j|)^2, present pairs only.

    Args:
        found, truth: (B, K, 2) in shares of the picture.
        present: (B, K).
    """
    joints = found.shape[1]
    i, j = torch.triu_indices(joints, joints, 1, device=found.device)
    weight = REACH ** (j - i).float() * present[:, i] * present[:, j]
    # The root has no slope at 0, where points of an untrained network can lie.
    lengths = [((points[:, i] - points[:, j]).square().sum(2) + 1e-12).sqrt() for points in (found, truth)]
    return (weight * (lengths[0] - lengths[1]).square()).sum(1).mean()


def skeletal_loss(maps: Tensor, truth: Tensor, present: Tensor) -> Tensor:
    """HCA-Net's SK = 0.75 mean((m - g)^2 v) + 0.25 WPDD; m by soft-argmax, so that it trains the network.

    In the published code m comes from an argmax and no gradient passes.

    Args:
        maps: (B, K, H, W).
        truth: (B, K, 2) x / W, y / H.
        present: (B, K).
    """
    found = soft_argmax(maps)
    points = ((found - truth).square() * present[:, :, None]).mean()
    return POINT_SHARE * points + (1 - POINT_SHARE) * pairwise_distances(found, truth, present)


def hca_loss(
    predicted: Sequence[Tensor],
    target: Tensor,
    truth: Tensor,
    present: Tensor,
    *,
    supervise_absent: bool = True,
) -> Tensor:
    """HCA-Net's (1 - c) 5e4 MSE + c 10 SK with c = 0.5, averaged over stacks.

    Args:
        predicted: Maps of every stack.
        target: (B, K, H, W).
        truth: (B, K, 2) x / W, y / H.
        present: (B, K).
        supervise_absent: Whether the heatmap term counts absent discs.
    """
    counted = None if supervise_absent else present
    heat = torch.stack([joints_mse(maps, target, counted) for maps in predicted]).mean()
    bones = torch.stack([skeletal_loss(maps, truth, present) for maps in predicted]).mean()
    return 0.5 * (HEATMAP_WEIGHT * heat + SKELETON_WEIGHT * bones)
