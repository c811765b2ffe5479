"""The loss of TMUnet: mask, regions and boundary.

loss = 0.7 BCE(mask) + 0.1 MSE(region coefficients, region target) + 0.2 BCE(boundary). The region target is the share
of each 16x16 patch that the mask covers, divided by the largest share of the picture, and zero for an empty mask (the
original divides 0 by 0). The boundary target is the mask dilated by a 7x7 square, less the mask.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from spinetk.segmentation.networks.tmunet import PATCH_PX, TMUnetOutput


class Contextual(nn.Module):
    """Takes a :class:`TMUnetOutput` and a mask (N, 1, H, W)."""

    needs_distance = False

    def forward(self, output: TMUnetOutput, mask: Tensor) -> Tensor:
        mask = mask.float()
        of_mask = F.binary_cross_entropy_with_logits(output.logit.float(), mask)
        of_boundary = F.binary_cross_entropy_with_logits(output.boundary.float(), boundary_target(mask))
        of_regions = F.mse_loss(output.regions.float(), region_target(mask))
        return 0.7 * of_mask + 0.1 * of_regions + 0.2 * of_boundary


def region_target(mask: Tensor) -> Tensor:
    """(N, 1, H, W) mask to (N, 1, ceil(H / 16), ceil(W / 16)) in 0..1."""
    share = F.avg_pool2d(F.pad(mask, (0, -mask.shape[3] % PATCH_PX, 0, -mask.shape[2] % PATCH_PX)), PATCH_PX)
    largest = share.amax((2, 3), keepdim=True)
    return share / torch.where(largest > 0, largest, 1.0)


def boundary_target(mask: Tensor) -> Tensor:
    """(N, 1, H, W) mask to the band of 3 px around it."""
    return F.max_pool2d(mask, 7, 1, 3) - mask
