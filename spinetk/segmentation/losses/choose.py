"""Losses by name."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from spinetk.errors import InputError
from spinetk.segmentation.losses.boundary import SCHEDULES, Boundary, Hybrid
from spinetk.segmentation.losses.contextual import Contextual
from spinetk.segmentation.losses.cross_entropy import CrossEntropy
from spinetk.segmentation.losses.focal import EnhancedMixing, Focal
from spinetk.segmentation.losses.overlap import CrossEntropyDice, Dice

LOSSES: dict[str, Callable[[], nn.Module]] = {
    "dice": Dice,
    "dice-smooth": lambda: Dice(smooth=1.0),
    "dice-squared": lambda: Dice(smooth=1.0, squared=True),
    "focal": Focal,
    "boundary": Boundary,
    "hybrid": Hybrid,
    "cross-entropy": CrossEntropy,
    "cross-entropy-1.5": lambda: CrossEntropy(1.5),
    "cross-entropy-dice": CrossEntropyDice,
    "enhanced-mixing": EnhancedMixing,
    "contextual": Contextual,
}


def make_loss(name: str, schedule: str | None = None) -> nn.Module:
    """A fresh loss.

    Args:
        name: Key of ``LOSSES``.
        schedule: Of ``hybrid``: key of ``SCHEDULES``.

    Raises:
        InputError: An unknown name, or a schedule for a loss that has none.
    """
    if name not in LOSSES:
        raise InputError(f"loss {name!r}", "is unknown", f"use one of {', '.join(LOSSES)}")
    if schedule is None:
        return LOSSES[name]()
    if name != "hybrid":
        raise InputError(f"loss {name!r}", "has no schedule", "schedules belong to the loss hybrid")
    if schedule not in SCHEDULES:
        raise InputError(f"schedule {schedule!r}", "is unknown", f"use one of {', '.join(SCHEDULES)}")
    return Hybrid(schedule)
