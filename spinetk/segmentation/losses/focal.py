"""Focal losses: easy voxels count less (Lin et al., ICCV 2017)."""

from __future__ import annotations

import torch
from monai.losses import FocalLoss
from torch import Tensor, nn

from spinetk.segmentation.losses.output import Maps, finest, logit_of


class Focal(nn.Module):
    """Mean of (1 + 199 g) (1 - pt)^2 BCE: that of the atrium network, MONAI's with foreground voxels weighed by 200."""

    needs_distance = False

    def __init__(self) -> None:
        super().__init__()
        self.focal = FocalLoss(gamma=2.0, reduction="none")

    def forward(self, output: Tensor | Maps, mask: Tensor) -> Tensor:
        logit = logit_of(output).float()
        mask = finest(mask, logit)
        return ((1 + 199 * mask) * self.focal(logit, mask)).mean()


class EnhancedMixing(nn.Module):
    """Focal loss minus the logarithm of Dice with squared denominator: the loss of D-UNet.

    Focal with gamma 1.1 and alpha 0.48 on lesion pixels, 0.52 elsewhere; Dice over the batch, smooth 1.
    """

    needs_distance = False

    def __init__(self) -> None:
        super().__init__()
        self.focal = FocalLoss(gamma=1.1, alpha=0.48)

    def forward(self, output: Tensor | Maps, mask: Tensor) -> Tensor:
        logit = logit_of(output).float()
        mask = finest(mask, logit)
        p = logit.sigmoid()
        dice = (2 * (p * mask).sum() + 1) / (p.square().sum() + mask.square().sum() + 1)
        return self.focal(logit, mask) - torch.log(dice)
