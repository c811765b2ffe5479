"""Bridge: from vertebral keypoints to discs and back."""

from __future__ import annotations

from itertools import pairwise
from typing import overload

import numpy as np

from spinetk.discs.levels import VERTEBRAE, number_between
from spinetk.discs.points import DiscPoint, DiscReading
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6, KeypointSchema
from spinetk.vertebra import Vertebra

USUAL_STEP = 1.6
"""Steps this many times the median leave room for a vertebra that was not found: no disc is put there."""


@overload
def convert(reading: Reading) -> DiscReading: ...
@overload
def convert(reading: DiscReading) -> Reading: ...
def convert(reading: Reading | DiscReading) -> DiscReading | Reading:
    """Vertebrae to discs, or discs to vertebrae, of the same picture.

    A disc lies between the middles of the two endplates that face each other; its number comes from the names of the
    two vertebrae. The middle is the ``middle`` column of the schema, or the mean of the corners where there is none.

    Back, a vertebra between two neighbouring discs gets the endplate middles its discs remember; from points alone
    both middles are the disc's point, which puts them half a disc too far out (a remark says so). Its corners are not
    visible.

    Args:
        reading: Points in px of the picture, head to foot.
    """
    return _to_discs(reading) if isinstance(reading, Reading) else _to_vertebrae(reading)


def _to_discs(reading: Reading) -> DiscReading:
    centres = np.array([vertebra.centre for vertebra in reading.vertebrae]).reshape(-1, 2)
    steps = np.linalg.norm(np.diff(centres, axis=0), axis=1)
    discs = []
    for step, (upper, lower) in zip(steps, pairwise(reading.vertebrae), strict=True):
        number = number_between(upper.label, lower.label)
        named = upper.label is not None and lower.label is not None
        if (named and number is None) or (not named and step > USUAL_STEP * np.median(steps)):
            continue
        ends = [_middle(upper, reading.schema, 1), _middle(lower, reading.schema, 0)]
        if ends[0] is None or ends[1] is None:
            continue
        plates = np.array(ends)
        x, y = plates.mean(axis=0)
        scores = [v.score for v in (upper, lower) if v.score is not None]
        discs.append(DiscPoint((float(x), float(y)), number, None, min(scores, default=None), plates))
    remarks = [*reading.remarks, "disc points are middles between endplates, not posterior tips"]
    return DiscReading(
        reading.file, reading.height, reading.width, discs, reading.frame, reading.model, remarks=remarks
    )


def _middle(vertebra: Vertebra, schema: KeypointSchema, end: int) -> np.ndarray | None:
    """Middle of the top (0) or bottom (1) endplate, px."""
    columns = {name: vertebra.point(schema, pair[end]) for name, pair in schema.columns.items()}
    if columns.get("middle") is not None:
        return columns["middle"]
    sides = [columns.get(side) for side in ("left", "right")]
    return None if sides[0] is None or sides[1] is None else (sides[0] + sides[1]) / 2


def _to_vertebrae(reading: DiscReading) -> Reading:
    top, bottom = (VERTEBRA6.index(name) for name in ("top_middle", "bottom_middle"))
    vertebrae, guessed = [], False
    for above, below in pairwise(reading.discs):
        if above.number is not None and below.number is not None and below.number != above.number + 1:
            continue
        points = np.zeros((len(VERTEBRA6), 2))
        points[top] = above.point if above.endplates is None else above.endplates[1]
        points[bottom] = below.point if below.endplates is None else below.endplates[0]
        guessed |= above.endplates is None or below.endplates is None
        visible = np.zeros(len(VERTEBRA6), bool)
        visible[[top, bottom]] = True
        # Points that are not visible hold the centre, so that nothing lies outside the picture.
        points[~visible] = points[visible].mean(axis=0)
        label = None if above.number is None or below.number is None else VERTEBRAE[above.number]
        scores = [disc.score for disc in (above, below) if disc.score is not None]
        vertebrae.append(Vertebra.from_points(points, visible, label=label, score=min(scores, default=None)))
    remarks = list(reading.remarks)
    if guessed:
        remarks.append("endplate middles are disc points: heights include half a disc at either end")
    return Reading(
        reading.file, reading.height, reading.width, VERTEBRA6, vertebrae, reading.frame, "sagittal", reading.model,
        remarks=remarks,
    )  # fmt: skip
