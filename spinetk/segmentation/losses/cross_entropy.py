"""Binary cross-entropy of logits."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from spinetk.segmentation.losses.output import Maps, finest, logit_of


class CrossEntropy(nn.Module):
    """Mean binary cross-entropy; SPiN weighs lesion pixels by 1.5.

    Args:
        positive_weight: Factor of the pixels of the mask.
    """

    needs_distance = False
    positive_weight: Tensor

    def __init__(self, positive_weight: float = 1.0) -> None:
        super().__init__()
        self.register_buffer("positive_weight", torch.tensor(positive_weight), persistent=False)

    def forward(self, output: Tensor | Maps, mask: Tensor) -> Tensor:
        logit = logit_of(output).float()
        return F.binary_cross_entropy_with_logits(logit, finest(mask, logit), pos_weight=self.positive_weight)
