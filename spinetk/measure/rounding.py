"""Rounding: a figure beside what was decided from it never reads as if it lay on the other side of the threshold."""

from __future__ import annotations

from collections.abc import Callable

DECIMALS = 4
"""What a result file keeps of a measurement (:func:`spinetk.measure.body.number`)."""


def beside(value: float, decided: Callable[[float], object], decimals: int = 0) -> str:
    """A number in words, with as few decimals as leave what was decided from it the same.

    Args:
        value: The number.
        decided: What follows from a number: a grade, or on which side of a threshold it lies.
        decimals: The fewest.

    Returns:
        E.g. ``19.96`` beside a grade that begins at 20, where 18.96 is ``19``; no more than ``DECIMALS`` decimals.
    """
    same = (text for d in range(decimals, DECIMALS) if decided(float(text := f"{value:z.{d}f}")) == decided(value))
    text = next(same, f"{value:z.{DECIMALS}f}")
    if decided(float(text)) != decided(value):
        # What lies nearer to the threshold than a file can tell stays on its side of it all the same.
        text = f"{int(value * 10**DECIMALS) / 10**DECIMALS:z.{DECIMALS}f}"
    return text
