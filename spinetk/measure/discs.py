"""Discs: height and angle between two neighbouring endplates, and how far one body has slipped on the other.

* heights: distance between the facing corners (anterior, posterior) and middles of the two endplates;
* angle: between the two endplates, positive when the disc is open to the front (lordosis);
* listhesis: the lower back corner of the upper body, projected on the upper endplate of the lower body and counted from
  that endplate's back corner; positive forward (anterolisthesis), also in percent of the endplate's length (Taillard
  1954). Grades after Meyerding (Surg Gynecol Obstet 1932;54:371-377): 1 up to 25 %, 2 up to 50 %, 3 up to 75 %, 4 up to
  100 %, 5 beyond (spondyloptosis). Below ``LEAST_SLIP_PERCENT`` no slip is claimed (grade 0): readers differ by as
  much, and a turned body shows its two back corners apart.

Points are (..., 2), (x, y) to the right and down, in one unit for both axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinetk.geometry import Side
from spinetk.measure.body import direction_deg, turn_deg

LEAST_SLIP_PERCENT = 8.0
WIDEST_LUMBOSACRAL_DEG = 30.0
"""From L4 to S1, two bodies and two discs, healthy adults standing have a lordosis of 34.2 (SD 8.3) degrees, lying 29.8
(8.0), n = 627 (PMC6680033): one disc that opens as wide is more likely an endplate drawn wrongly."""
MEYERDING_PERCENT = (25.0, 50.0, 75.0, 100.0)


@dataclass(frozen=True)
class Endplate:
    """An endplate by its ends and its middle, each (..., 2); a middle that is not seen is NaN."""

    anterior: np.ndarray
    middle: np.ndarray
    posterior: np.ndarray

    @classmethod
    def of(cls, left: np.ndarray, middle: np.ndarray, right: np.ndarray, side: Side) -> Endplate:
        """From the points as the picture names them and the side of the front."""
        return cls(left, middle, right) if side == "left" else cls(right, middle, left)

    @property
    def length(self) -> np.ndarray:
        """(...) from the front to the back corner."""
        return np.hypot(*np.moveaxis(self.anterior - self.posterior, -1, 0))


def heights(upper: Endplate, lower: Endplate) -> np.ndarray:
    """(..., 3) anterior, middle and posterior height of the disc between the lower endplate of the upper body and the
    upper endplate of the lower one; NaN where a point is missing."""
    pairs = ((upper.anterior, lower.anterior), (upper.middle, lower.middle), (upper.posterior, lower.posterior))
    return np.stack([np.hypot(*np.moveaxis(b - a, -1, 0)) for a, b in pairs], axis=-1)


def angle_deg(upper: Endplate, lower: Endplate, side: Side) -> np.ndarray:
    """(...) angle between the endplates, positive when they open to the front."""
    start, end = (direction_deg(own.anterior - own.posterior) for own in (upper, lower))
    # Facing right, a lower endplate that hangs at the front is turned clockwise: the disc is open there.
    turn = turn_deg(start, end)
    return turn if side == "right" else -turn


def slip(upper: Endplate, lower: Endplate) -> tuple[np.ndarray, np.ndarray]:
    """(...) listhesis in the unit of the points, positive forward, and in percent of the lower body's endplate."""
    plate = lower.anterior - lower.posterior
    length = np.hypot(*np.moveaxis(plate, -1, 0))
    along = ((upper.posterior - lower.posterior) * plate).sum(axis=-1) / np.where(length > 0, length, np.nan)
    return along, 100 * along / np.where(length > 0, length, np.nan)


def meyerding(percent: float) -> int | None:
    """Grade 0 (no slip claimed) to 5 of a listhesis in percent, either way; None when it is not known."""
    if not np.isfinite(percent):
        return None
    if abs(percent) < LEAST_SLIP_PERCENT:
        return 0
    return 1 + sum(abs(percent) > limit for limit in MEYERDING_PERCENT)


def meyerding_interval(percent: list[float] | None) -> list[int] | None:
    """[least, greatest] grade of a slip within an interval of it in percent; from 0 where that holds no slip."""
    if percent is None:
        return None
    grades = [grade for end in percent if (grade := meyerding(end)) is not None]
    if len(grades) < len(percent):
        return None
    return [0 if percent[0] <= 0 <= percent[1] else min(grades), max(grades)]
