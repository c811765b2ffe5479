"""What a loss reads from a network's output."""

from __future__ import annotations

from typing import Protocol

import torch.nn.functional as F
from torch import Tensor


class Maps(Protocol):
    """An output of several maps."""

    @property
    def logit(self) -> Tensor:
        """(N, 1, *S)."""


def logit_of(output: Tensor | Maps) -> Tensor:
    """The logit (N, 1, *S): the output itself, or the field ``logit`` of an output of several maps."""
    return output if isinstance(output, Tensor) else output.logit


def finest(mask: Tensor, logit: Tensor) -> Tensor:
    """The mask as float at the size of the logit, nearest enlarged where the logit is larger."""
    mask = mask.to(logit.dtype)
    return mask if mask.shape[2:] == logit.shape[2:] else F.interpolate(mask, size=logit.shape[2:], mode="nearest")
