"""Facing: which side of the picture is the patient's front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinetk.errors import InputError
from spinetk.geometry import Side
from spinetk.reading import Reading

# Below this an answer is not given.
MIN_CONFIDENCE = 0.8


@dataclass(frozen=True)
class Facing:
    """The anterior side and where it is known from.

    Attributes:
        side: ``left``, ``right``, or None when unknown.
        source: ``user``, ``header``, ``curvature``, ``picture``, ``curvature and picture`` or ``none``.
        confidence: 0..1; 1 for what the user or the header says.
    """

    side: Side | None
    source: str
    confidence: float


def anterior_side(reading: Reading, facing: str = "auto", picture: np.ndarray | None = None) -> Facing:
    """Decide which side is anterior: the user's word, else the header's, else what the spine and the picture show.

    Args:
        reading: The vertebrae, head to foot, and the frame.
        facing: ``left``, ``right`` or ``auto``.
        picture: (H, W) uint8 picture the reading is about, or None.

    Raises:
        InputError: ``facing`` is another word, or the picture has another size.
    """
    if facing not in ("auto", "left", "right"):
        raise InputError("facing", f"{facing!r} is not a side", "give left, right or auto")
    if facing != "auto":
        return Facing(facing, "user", 1.0)
    if reading.frame.anterior is not None:
        return Facing(reading.frame.anterior, "header", 1.0)
    return Facing(None, "none", 0.0)
