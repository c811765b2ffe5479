"""Further look: a network is shown a picture, or a part of it, once more where its first look leaves vertebrae unseen.

Smaller: a piece cut small is enlarged to the network's input until its bodies are larger than any the network met; half
as large they are found. Closer: the place where the upper edge cuts the column (:mod:`spinetk.keypoints.edge`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from spinetk.keypoints import edge
from spinetk.keypoints.centre.decoding import Found, Worth
from spinetk.reading import Reading
from spinetk.schema import KeypointSchema

FEWEST = 3
"""Bodies, below which a picture is shown once more, smaller."""
SHARE = 0.5
"""Of the square's side, that it then takes."""
SURE = 0.8
"""Mean confidence of at least as many bodies that must be found then: in what shows no spine some are found, too."""
REMARK = "the vertebrae were seen when the picture was shown once more, at half the size: at first hardly one was"
Column = tuple[Reading, Found]
"""A column and all bodies found, in px of the picture."""


def smaller(first: Sequence[Column], look: Callable[[float], Sequence[Column]]) -> list[Column]:
    """Columns, or what a smaller look shows where hardly a body is found, marked by a remark.

    Args:
        first: Of the first look, at each threshold.
        look: The columns at the same thresholds, with the picture at a share of the square's side.
    """
    few = [len(own.vertebrae) < FEWEST for own, _ in first]
    if not any(few):
        return list(first)
    # Each threshold by what reaches it: a column is the same, whatever else is asked for beside it.
    return [
        (replace(own, remarks=[*own.remarks, REMARK]), found) if hardly and _shows_column(own) else one
        for one, (own, found), hardly in zip(first, look(SHARE), few, strict=True)
    ]


def _shows_column(reading: Reading) -> bool:
    """Whether there are bodies enough, and of enough confidence in the mean."""
    scores = [vertebra.score or 0.0 for vertebra in reading.vertebrae]
    return len(scores) >= FEWEST and float(np.mean(scores)) >= SURE


def closer(
    picture: np.ndarray,
    found: Found,
    schema: KeypointSchema,
    sure: float,
    least: float,
    look: Callable[[edge.Window, Worth], Found],
) -> Found:
    """Detections, and what a closer look at the picture's upper edge adds to them.

    Args:
        picture: (H, W) uint8, upright.
        found: ``points``, ``scores``, ``sigma`` in its px.
        schema: Of the points.
        sure, least: Confidences, as of :func:`spinetk.keypoints.edge.window`.
        look: What of a part of the picture is worth it, in px of the picture.
    """
    place = edge.window(picture, found["points"], found["scores"], schema, sure, least)
    if place is None:
        return found
    part, highest = place

    def worth(points: np.ndarray, scores: np.ndarray, rough: bool) -> np.ndarray:
        return part.is_near(points) if rough else np.ones(len(points), bool)

    return edge.added(found, look(part, worth), schema, highest)
