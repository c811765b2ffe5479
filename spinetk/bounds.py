"""Bounds: of numbers that several rooms ask for. Light to import."""

from __future__ import annotations

from spinetk.errors import InputError

MOST_SEED = 2**31 - 1
"""Greatest seed of anything random; the least is 0."""
USUAL_CONFIDENCE = 0.6
"""Least confidence of a vertebra where nobody says another."""


def check_confidence(least: float, name: str = "confidence threshold") -> None:
    """Refuse a least confidence that is no probability.

    Args:
        least: It.
        name: How it was given, for the message.

    Raises:
        InputError: It is not in 0..1.
    """
    if not 0 <= least <= 1:
        raise InputError(f"{name} {least}", "is not in 0..1", f"{USUAL_CONFIDENCE} is a good start")
