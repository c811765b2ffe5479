"""Sight: how a picture looks, as the reader is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from spinetk.geometry import Side
from spinetk.views import View


class Sight(NamedTuple):
    """How a picture looks.

    Attributes:
        view: What it shows; ``unknown`` for what is no spine.
        probability: 0..1 that this is right.
        turn: How the picture is to be turned to stand head up, as an EXIF number (1..8; 1: as it is).
        turn_probability: 0..1 that the turn is right.
        modality: DICOM modality of such pictures, where it looks like one: ``MR`` or ``CT``.
        front: Side of the patient's front once the picture stands head up; None where the view has none.
        front_probability: 0..1 that the front is right.
        words: What it looks like, for the user.
        posed: Whether turn and front were right often enough on real pictures of this kind to be acted on.
    """

    view: View
    probability: float
    turn: int = 1
    turn_probability: float = 1.0
    modality: str | None = None
    front: Side | None = None
    front_probability: float = 0.0
    words: str = ""
    posed: bool = True


ViewFinder = Callable[[np.ndarray], Sight | None]
"""(H, W) uint8 as far upright as its file says, to how it looks; None where it cannot be told."""
