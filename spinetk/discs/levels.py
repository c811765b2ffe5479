"""Disc levels: Spinal Cord Toolbox numbers and anatomical names.

A disc carries the number of the vertebra below it, counted from C1 = 1: 3 = C2/C3, 8 = C7/T1, 20 = T12/L1, 21 = L1/L2,
25 = L5/S1. The value 1 is the top of C1 and 2 the joint C1/C2; values from 30 on are other structures (49 and 50 are
the groove and the junction of pons and medulla).
"""

from __future__ import annotations

from spinetk.measure.levels import TABLE

VERTEBRAE: dict[int, str] = {level.sct: name for name, level in TABLE.items() if level.sct is not None}
NUMBERS = tuple(range(2, 26))
FIRST_UNKNOWN = 101
"""Label value of the first disc, from the head, whose level is not known; the next ones count on."""


def name_of(number: int) -> str:
    """Name of a disc, e.g. 22 is ``L2/L3``.

    Raises:
        KeyError: No disc has this number.
    """
    return f"{VERTEBRAE[number - 1]}/{VERTEBRAE[number]}"


def number_between(upper: str | None, lower: str | None) -> int | None:
    """Number of the disc between two named vertebrae; None unless they are neighbours with known names."""
    return next((n for n in NUMBERS if (VERTEBRAE[n - 1], VERTEBRAE[n]) == (upper, lower)), None)
