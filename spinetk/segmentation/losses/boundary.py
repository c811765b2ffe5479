"""Boundary loss (Kervadec et al., MIDL 2019) and its mixtures with Dice.

boundary = mean(p * phi) with p = sigmoid(logit) and phi the signed distance map of the mask in mm
(:func:`spinetk.segmentation.losses.distance.signed_distance`). hybrid = a * Dice + b * boundary, where a schedule
moves the weights (a, b) from epoch to epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from spinetk.segmentation.losses.output import Maps, logit_of
from spinetk.segmentation.losses.overlap import Dice


class Boundary(nn.Module):
    """mean(p * phi), in the unit of phi; negative for a good prediction."""

    needs_distance = True

    def forward(self, output: Tensor | Maps, mask: Tensor, distance: Tensor) -> Tensor:
        return (logit_of(output).float().sigmoid() * distance).mean()


@dataclass(frozen=True)
class Schedule:
    """How the weights of Dice and boundary move.

    Attributes:
        start: alpha of the first epoch.
        step: Added to alpha after an epoch.
        limit: alpha goes no further.
        weigh: Weights (Dice, boundary) from alpha: ``mix`` (alpha, 1 - alpha), ``add`` (1, alpha).
        above: Step only after epochs whose validation Dice coefficient reaches this; None steps after every epoch.
    """

    start: float
    step: float
    limit: float
    weigh: Literal["mix", "add"] = "mix"
    above: float | None = None

    def alpha(self, steps: int) -> float:
        """alpha after so many steps, without the drift of repeated addition."""
        value = self.start + steps * self.step
        return round(max(value, self.limit) if self.step < 0 else min(value, self.limit), 10)


SCHEDULES = {
    "falling": Schedule(1.0, -0.01, 0.15),
    "threshold-dice": Schedule(1.0, -0.01, 0.15, above=0.8),
    "constant": Schedule(0.01, 0.0, 0.01, "add"),
    "increase": Schedule(0.01, 0.01, 1.0, "add"),
    "rebalance": Schedule(0.99, -0.01, 0.01),
}
"""``falling`` is what the atrium code does (1.00, 0.99 ... 0.15 after 85 epochs, then still), ``threshold-dice`` what
its README says: the same, but only after epochs with a high validation Dice (0.8 is this toolkit's choice). The others
are those of the loss's authors."""


class Hybrid(nn.Module):
    """a * Dice + b * boundary. Call :meth:`end_epoch` after every epoch; checkpoints keep the state of the schedule.

    Args:
        schedule: Name in ``SCHEDULES``, or a :class:`Schedule`.
    """

    needs_distance = True
    steps: Tensor

    def __init__(self, schedule: str | Schedule = "falling") -> None:
        super().__init__()
        self.schedule = SCHEDULES[schedule] if isinstance(schedule, str) else schedule
        self.dice = Dice()
        self.boundary = Boundary()
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    @property
    def alpha(self) -> float:
        """alpha of the present epoch."""
        return self.schedule.alpha(int(self.steps))

    @property
    def weights(self) -> tuple[float, float]:
        """Weights of Dice and boundary in the present epoch."""
        return (1.0, self.alpha) if self.schedule.weigh == "add" else (self.alpha, 1 - self.alpha)

    def end_epoch(self, dice: float | None = None) -> None:
        """Move on to the next epoch.

        Args:
            dice: Dice coefficient on the validation part, 0..1; a schedule with a threshold waits without it.
        """
        above = self.schedule.above
        if above is None or (dice is not None and dice >= above):
            self.steps += 1

    def forward(self, output: Tensor | Maps, mask: Tensor, distance: Tensor) -> Tensor:
        a, b = self.weights
        return a * self.dice(output, mask) + b * self.boundary(output, mask, distance)
