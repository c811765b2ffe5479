"""How the published recipe of a network moves its weights."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Optimiser:
    """Optimiser with its rate over time.

    Attributes:
        kind: ``adam`` or ``sgd``.
        rate: Learning rate at the start.
        batch: Items a step.
        weight_decay: L2 penalty.
        plateau: (factor, patience in epochs) on a validation loss that falls no more.
        later: (epoch, rate) pairs: the rate from that epoch on.
        cosine: Iterations over which the rate falls to 0 along half a cosine (Loshchilov and Hutter 2017, without
            restarts); 0 for another schedule.
    """

    kind: Literal["adam", "sgd"]
    rate: float
    batch: int
    weight_decay: float = 0.0
    plateau: tuple[float, int] | None = None
    later: tuple[tuple[int, float], ...] = ()
    cosine: int = 0

    def rate_at(self, epoch: int) -> float:
        """Rate of an epoch, counted from 0, before any plateau."""
        return next((rate for start, rate in reversed(self.later) if epoch >= start), self.rate)

    def rate_after(self, iterations: int) -> float:
        """Rate after so many iterations of the falling cosine."""
        return self.rate * (1 + math.cos(math.pi * min(1.0, iterations / self.cosine))) / 2

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """The optimiser of the parameters that are trained; on a CPU a step passes over each of them once."""
        from torch.optim import SGD, Adam

        trained = [parameter for parameter in parameters if parameter.requires_grad]
        # Elsewhere PyTorch's own choice; fused ones there take no clipping beside a scaled loss.
        fused = True if all(parameter.device.type == "cpu" for parameter in trained) else None
        kind = {"adam": Adam, "sgd": SGD}[self.kind]
        return kind(trained, lr=self.rate, weight_decay=self.weight_decay, fused=fused)
