"""Dice losses. All sum over the whole batch, so the loss of a batch is not the mean of the losses of its images."""

from __future__ import annotations

from monai.losses import DiceLoss
from torch import Tensor, nn

from spinetk.segmentation.losses.cross_entropy import CrossEntropy
from spinetk.segmentation.losses.output import Maps, finest, logit_of


class Dice(nn.Module):
    """1 - (2 sum(pg) + s) / (sum(p) + sum(g) + s) with p = sigmoid(logit), by MONAI.

    Args:
        smooth: s. 0 is the loss of the atrium network (its denominator is kept from 0 by 1e-6, where the original takes
            a maximum with 1e-6); 1 is the alternative of SPiN.
        squared: Squares p and g in the denominator: the loss of CLCI-Net.
    """

    needs_distance = False

    def __init__(self, smooth: float = 0.0, squared: bool = False) -> None:
        super().__init__()
        self.dice = DiceLoss(sigmoid=True, batch=True, squared_pred=squared, smooth_nr=smooth, smooth_dr=smooth or 1e-6)

    def forward(self, output: Tensor | Maps, mask: Tensor) -> Tensor:
        logit = logit_of(output).float()
        return self.dice(logit, finest(mask, logit))


class CrossEntropyDice(nn.Module):
    """Binary cross-entropy plus Dice loss (smooth 1): the loss of X-Net."""

    needs_distance = False

    def __init__(self) -> None:
        super().__init__()
        self.cross_entropy = CrossEntropy()
        self.dice = Dice(smooth=1.0)

    def forward(self, output: Tensor | Maps, mask: Tensor) -> Tensor:
        return self.cross_entropy(output, mask) + self.dice(output, mask)
