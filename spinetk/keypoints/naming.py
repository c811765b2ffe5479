"""Naming: how sure the names are that are counted up from the sacrum, from what speaks for them.

What was found as S1 may be another endplate, and the body above it the wrong one. Things are asked that fail in
different ways: how sure the endplate is; how sure the lowest body is; whether the two lie to each other as L5 and S1
do; whether femoral heads lie as far from the endplate as a pelvis has them; whether a body is seen, however little,
where the sacrum should be; whether the endplate slopes toward the side to which the spine bends; and whether a network
that sees a body's surroundings alone, not what was found in them, takes the lowest one for L5. A logistic
function of them (Platt, 1999), fitted on films that the network has not seen, makes them one probability. On lateral
films the shape of the lowest bodies speaks, too (:mod:`spinetk.measure.lumbar_shape`): by its own odds, which annotated
films gave, beside what was seen of the sacrum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

from spinetk.keypoints.centre.decoding import Found
from spinetk.keypoints.chain import body_axes
from spinetk.keypoints.logistic import Logistic, Weight
from spinetk.landmark import Landmark
from spinetk.measure import lumbar_shape
from spinetk.measure.body import scale_of, turn_deg
from spinetk.measure.facing import anterior_side, curvature
from spinetk.measure.pelvis import front_of
from spinetk.reading import SURE_LEVELS, Reading
from spinetk.schema import KeypointSchema
from spinetk.validation import between
from spinetk.views import rules_of

# The disc L5/S1 and the pelvis of spinetk.phantoms.spine, with its sources: mean and a generous spread.
ALONG, ALONG_SD = 0.36, 0.2  # from the lowest endplate to that of S1, in heights of L5
SIDEWAYS_SD = 0.15  # in widths of L5
WEDGE_DEG, WEDGE_SD = 14.0, 12.0
TO_HIPS, TO_HIPS_SD = 3.05, 0.5  # from the middle of the endplate to the hip axis, in widths of the endplate
SQUARE = np.ones(2)
UNSEEN_HIPS = 0.5  # neither for nor against
NOT_ASKED = 0.5  # the same, of the surroundings
MOST_SURE = 0.99  # of a confidence that counts by its log odds
# Where the first body below an endplate would have its centre: along its perpendicular and across, in its widths.
BELOW_WIDTHS = (0.1, 1.1)
BESIDE_WIDTHS = 0.6
# A body and a half of the next disc: were an endplate that of a free body, what follows would be seen.
BODY_BELOW = 1.3


class Evidence(NamedTuple):
    """What speaks for the names of a column that lies on an S1 endplate; all but the last 0 to 1.

    Attributes:
        endplate: Its confidence.
        lowest: That of the lowest body.
        seat: How usual its seat on the endplate is.
        hips: How usual their distance from the endplate is; ``UNSEEN_HIPS`` where none are seen.
        free: 1 less the confidence of a body below the endplate.
        front: Whether the endplate's slope and the bend of the spine tell the same front: 1 where both do, 0.5 where
            one is silent, 0 where they disagree.
        looks: How much the lowest body looks like L5 by its surroundings; ``NOT_ASKED`` of models that do not look.
        shape: Log odds of the shape of the lowest bodies, 0 where it is not known or no lateral film.
    """

    endplate: float
    lowest: float
    seat: float
    hips: float = UNSEEN_HIPS
    free: float = 1.0
    front: float = 0.5
    looks: float = NOT_ASKED
    shape: float = 0.0

    @property
    def weighed(self) -> tuple[float, ...]:
        """All that has a weight: the confidences as they are, as cards of before weigh them."""
        return self[:-1]

    @property
    def by_odds(self) -> tuple[float, ...]:
        """The same, the two confidences and the looks by their log odds, 0 to 1 from the least to the most of them."""
        return (_odds_of(self.endplate), _odds_of(self.lowest), *self[2:-2], _odds_of(self.looks))


@dataclass(frozen=True)
class Naming(Logistic):
    """What a model card says of names counted up from its S1: that names with an :func:`evidence` are right.

    The shape has no weight: it has odds that were fitted on films themselves. A card with fewer weights than seven
    weighs the first of the evidence alone; one with four was fitted on endplates sure enough to be measured, and says
    nothing of others.

    Attributes:
        alone: Least confidence at which an endplate names where less than ``BODY_BELOW`` is seen below it: there the
            upper endplate of a body that is cut off looks like that of the sacrum.
        least: Least probability at which names are given; below ``reading.SURE_LEVELS`` they are said to be likely.
        odds: Whether confidences count by their log odds, clipped at ``MOST_SURE``: from 0.9 to 0.99 says as much as
            from 0.5 to 0.91. Cards of before weigh the confidences themselves.
        shape: The share of the shape's log odds that counts: what is seen of the sacrum and the shape are not
            independent.
    """

    weights: Annotated[tuple[Weight, ...], Field(min_length=4, max_length=7)]
    alone: Annotated[float, between(0, 1)] = 0.0
    least: Annotated[float, between(0.5, 1)] = SURE_LEVELS
    odds: bool = False
    shape: Annotated[float, between(0, 1)] = 1.0

    @property
    def knows_unsure(self) -> bool:
        """Whether it was fitted on endplates too unsure to be measured, too."""
        return len(self.weights) > 4

    def chance(self, seen: Evidence) -> float:
        """The probability that names with this evidence are right."""
        weighed = seen.by_odds if self.odds else seen.weighed
        return self.probability(weighed[: len(self.weights)], self.shape * seen.shape)


def _odds_of(confidence: float) -> float:
    sure = float(np.clip(confidence, 1 - MOST_SURE, MOST_SURE))
    return float(1 + np.log(sure / (1 - sure)) / np.log(MOST_SURE / (1 - MOST_SURE))) / 2


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


def evidence(reading: Reading, sacral: Landmark, found: Found | None = None, looks: float = NOT_ASKED) -> Evidence:
    """What speaks for the names of a column that lies on an S1 endplate.

    Args:
        reading: The column.
        sacral: The endplate.
        found: All bodies detected, also where the sacrum lies: ``points`` (N, K, 2) px and ``scores``; None: those of
            the reading.
        looks: How much the lowest body looks like L5 by its surroundings.
    """
    score = reading.vertebrae[-1].score
    return Evidence(
        endplate=float(sacral.score or 0.0),
        lowest=1.0 if score is None else float(score),
        seat=usual(seat_of(reading, sacral)),
        hips=_hips(reading, sacral),
        free=1.0 if found is None else 1.0 - _below(found, sacral),
        front=_agreement(reading, sacral),
        looks=looks,
        shape=_shape(reading),
    )


def seen_below(reading: Reading, sacral: Landmark) -> float:
    """How much of an upright picture lies below the middle of an endplate, in the endplate's widths."""
    scale = scale_of(reading)
    width = float(np.linalg.norm((sacral.points[1] - sacral.points[0]) * scale))
    return float((reading.height - sacral.points[:, 1].mean()) * scale[1]) / max(width, 1e-6)


def usual(seat: Seat) -> float:
    """1 for the usual seat of L5 on S1, less the farther from it."""
    return _usual((seat.along - ALONG) / ALONG_SD, seat.sideways / SIDEWAYS_SD, (seat.wedge_deg - WEDGE_DEG) / WEDGE_SD)


def _below(found: Found, sacral: Landmark) -> float:
    """The confidence of the surest body whose upper side the endplate may be."""
    across = sacral.points[1] - sacral.points[0]
    width = max(float(np.linalg.norm(across)), 1e-6)
    right = across / width
    away = (found["points"].mean(axis=1) - sacral.points.mean(axis=0)) / width
    along, aside = away @ np.array([-right[1], right[0]]), np.abs(away @ right)
    there = (along > BELOW_WIDTHS[0]) & (along < BELOW_WIDTHS[1]) & (aside < BESIDE_WIDTHS)
    return float(found["scores"][there].max(initial=0.0))


def _agreement(reading: Reading, sacral: Landmark) -> float:
    side = front_of([sacral], scale_of(reading))
    toward = 0 if side is None else 1 if side == "right" else -1
    return 0.5 + 0.5 * toward * curvature(reading)


def _shape(reading: Reading) -> float:
    if not rules_of(reading.view).curve_tells:
        return 0.0
    return lumbar_shape.log_odds(reading, anterior_side(reading).side)


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
