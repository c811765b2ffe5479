"""Counting: how sure the levels are that a network counted of a whole column, and what they may be instead.

A column whose lowest body is hard to see is counted one too high, and its votes can be as sure as any. So three things
are asked that fail in different ways: whether the lowest bodies, shown alone, are counted the same (readers count from
the sacrum); how sure the weakest body is; and how sharp the points of the first are, where C7 is taken for T1. A
logistic function of them (Platt, 1999), fitted on films of patients that the network has not seen, many of them with
ends too dark, too bright, blurred or cut (:mod:`spinetk.keypoints.exposure`), makes them one probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinetk.anchor import spine_with
from spinetk.keypoints.level_decoding import FLOOR
from spinetk.keypoints.logistic import Logistic, Weight
from spinetk.measure.rounding import beside
from spinetk.reading import ABOUT_LEVELS

NAMED = 0.95
"""Least probability of a count whose names are given."""
LOWEST = 9
"""Bodies that are counted by themselves, from the foot: the lumbar spine and the last ribs."""
FARTHEST = LOWEST * -FLOOR
COUNTED = f"{ABOUT_LEVELS}counted by the network"
UNNAMED = f"{ABOUT_LEVELS}none are named"
ROOM = f"{UNNAMED}, as a vertebra may be missing where the count goes on without one"
ONE_OFF = f"{UNNAMED}, as the network's count may be off by one"
Evidence = tuple[float, float, float]


@dataclass(frozen=True)
class Counting(Logistic):
    """What a model card says of its counts: that names with an :func:`evidence` are right."""

    weights: tuple[Weight, Weight, Weight]


@dataclass(frozen=True)
class Count:
    """What a network counted of a column.

    Attributes:
        levels: (N,) names of its bodies, head to foot.
        foot: By how many nats the votes of the ``LOWEST`` bodies, seen alone, prefer the levels to those one higher,
            and to those one lower (:func:`spinetk.keypoints.level_decoding.shifted`).
        seen: Its :func:`evidence`; None for a part of the spine, which can look like another part: it is never named.
        known: All levels that the network tells apart, head to foot: T13 and L6 are counted only where they are known.
    """

    levels: list[str]
    foot: tuple[float, float] = (0.0, 0.0)
    seen: Evidence | None = None
    known: Sequence[str] = ()

    @property
    def spine(self) -> list[str]:
        """What is counted along, and its ends."""
        return ["occiput", *spine_with(self.known), "S2"]

    def skips(self, gaps: Sequence[int]) -> bool:
        """Whether a body seems to be missing between two whose levels are neighbours: those beyond it are one off.

        Args:
            gaps: Positions i such that there is room for a vertebra between i and i + 1.
        """
        places = [self.spine.index(level) for level in self.levels]
        return any(places[i + 1] - places[i] == 1 for i in gaps)

    def probability(self, counting: Counting | None) -> float | None:
        """That its names are right; None where that is not known."""
        return None if counting is None or self.seen is None else counting.probability(self.seen)

    def remark(self, probability: float | None) -> str:
        """What the user should know: how sure the names are, or, where none are given, the two likeliest counts."""
        if probability is not None and probability >= NAMED:
            return (
                f"{COUNTED}, right with probability {probability:.2f}, else off by one: check that the lowest is right"
            )
        other = -1 if self.foot[0] <= self.foot[1] else 1  # the neighbour that the foot holds for likelier
        places = [self.spine.index(self.levels[end]) for end in (0, -1)]
        first, second = (" to ".join(self.spine[place + by] for place in places) for by in (0, other))
        sure = "not calibrated" if probability is None else "probability " + _two_decimals(probability)
        return f"{ONE_OFF}: {first} ({sure}) or {second} (--anchor L5=last names them all)"


def _two_decimals(probability: float) -> str:
    """Never 0.00: what is improbable is not impossible."""
    return beside(probability, lambda own: own >= NAMED, 2) if probability >= 0.005 else "below 0.01"


def evidence(foot: tuple[float, float], scores: np.ndarray, first_points: np.ndarray) -> Evidence:
    """What speaks for the levels of a column, each at most 1.

    Args:
        foot: As of :class:`Count`.
        scores: (N,) calibrated confidence of the bodies.
        first_points: (K,) confidence of the first body's points.

    Returns:
        The foot's preference for these levels, the confidence of the weakest body, and that of the first one's points.
    """
    return min(foot) / FARTHEST, float(scores.min()), float(first_points.mean())
