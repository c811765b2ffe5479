"""Naming: how sure the names are that are counted up from the sacrum, from what speaks for them.

What was found as S1 may be another endplate, and the body above it the wrong one. Four things are asked that fail in
different ways: how sure the endplate is; how sure the lowest body is; whether the two lie to each other as L5 and S1
do; and whether femoral heads lie as far from the endplate as a pelvis has them. A logistic function of them (Platt,
1999), fitted on films that the network has not seen, makes them one probability.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinetk.keypoints.chain import body_axes
from spinetk.keypoints.logistic import Logistic, Weight
from spinetk.landmark import Landmark
from spinetk.measure.body import scale_of, turn_deg
from spinetk.reading import Reading
from spinetk.schema import KeypointSchema

Evidence = tuple[float, float, float, float]

# The disc L5/S1 and the pelvis of spinetk.phantoms.spine, with its sources: mean and a generous spread.
ALONG, ALONG_SD = 0.36, 0.2  # from the lowest endplate to that of S1, in heights of L5
SIDEWAYS_SD = 0.15  # in widths of L5
WEDGE_DEG, WEDGE_SD = 14.0, 12.0
TO_HIPS, TO_HIPS_SD = 3.05, 0.5  # from the middle of the endplate to the hip axis, in widths of the endplate
SQUARE = np.ones(2)
UNSEEN_HIPS = 0.5  # neither for nor against


@dataclass(frozen=True)
class Naming(Logistic):
    """What a model card says of names counted up from its S1: that names with an :func:`evidence` are right."""

    weights: tuple[Weight, Weight, Weight, Weight]


@dataclass(frozen=True)
class Seat:
    """How the lowest body lies on an endplate below it.

    Attributes:
        along: Distance of the endplates' middles along the body's axis, in its heights; positive below it.
        sideways: Distance across that axis, in the body's widths.
        wedge_deg: Angle between its lower endplate and the other, 0 to 180.
    """

    along: float
    sideways: float
    wedge_deg: float


def seat_of(reading: Reading, sacral: Landmark) -> Seat:
    """The seat of the last body of a reading, head to foot, on an S1 endplate; its schema has columns."""
    return seat(reading.vertebrae[-1].points, sacral, reading.schema, scale_of(reading))


def seat(body: np.ndarray, sacral: Landmark, schema: KeypointSchema, scale: np.ndarray = SQUARE) -> Seat:
    """The seat of a body, (K, 2) px, on an S1 endplate; ``scale`` (2,) makes its px square, for the angle."""
    axes, widths = body_axes(body[None], schema)
    bottoms = [body[schema.index(bottom)] for _, bottom in schema.columns.values()]
    height = float(np.linalg.norm(axes[0]))
    down = axes[0] / max(height, 1e-6)
    step = sacral.points.mean(axis=0) - (bottoms[0] + bottoms[-1]) / 2
    plates = ((bottoms[-1] - bottoms[0]) * scale, (sacral.points[1] - sacral.points[0]) * scale)
    wedge = abs(float(turn_deg(*(np.degrees(np.arctan2(y, x)) for x, y in plates))))
    across = abs(float(step[0] * down[1] - step[1] * down[0]))
    return Seat(float(step @ down) / max(height, 1e-6), across / max(float(widths[0]), 1e-6), wedge)


def evidence(reading: Reading, sacral: Landmark) -> Evidence:
    """What speaks for the names of a column that lies on an S1 endplate, each 0 to 1.

    Returns:
        Confidence of the endplate and of the lowest body; how usual its seat is; how usual the distance to the hips is,
        ``UNSEEN_HIPS`` where none are seen.
    """
    seat = seat_of(reading, sacral)
    away = (seat.along - ALONG) / ALONG_SD, seat.sideways / SIDEWAYS_SD, (seat.wedge_deg - WEDGE_DEG) / WEDGE_SD
    score = reading.vertebrae[-1].score
    return (
        float(sacral.score or 0.0),
        1.0 if score is None else float(score),
        _usual(*away),
        _hips(reading, sacral),
    )


def _hips(reading: Reading, sacral: Landmark) -> float:
    heads = [own.points[0] for own in reading.landmarks if own.kind == "femoral_head"]
    if not heads:
        return UNSEEN_HIPS
    scale = scale_of(reading)
    width = float(np.linalg.norm((sacral.points[1] - sacral.points[0]) * scale))
    reach = float(np.linalg.norm((np.mean(heads, axis=0) - sacral.points.mean(axis=0)) * scale))
    return _usual((reach / max(width, 1e-6) - TO_HIPS) / TO_HIPS_SD)


def _usual(*deviations: float) -> float:
    """1 where all deviations, in standard deviations, are 0."""
    return float(np.exp(-0.5 * np.square(deviations).sum()))
