"""Names counted up from the sacrum: the body that sits on S1 is L5.

Only an unbroken column that reaches the sacrum is named: the lowest body must lie on the S1 endplate as a body lies on
the next, no body may seem to be missing in between, and the probability, calibrated on held-out pictures, must reach
``NAMED``. A transitional vertebra (L6, a fused L5) cannot be told apart on one picture: every picture named this way
says so in a remark.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinetk.facing import Facing
from spinetk.keypoints.centre.decoding import Found
from spinetk.keypoints.chain import body_axes, find_gaps
from spinetk.keypoints.naming import Naming, Seat, evidence, seat_of
from spinetk.landmark import Landmark
from spinetk.measure.body import scale_of
from spinetk.measure.levels import SEQUENCE, TRANSITIONAL
from spinetk.measure.pelvis import front_of
from spinetk.reading import Reading
from spinetk.schema import KeypointSchema

NAMED = 0.9
# Distance from the lowest endplate to that of S1, in heights of the lowest body, and sideways in its widths.
DISC_HEIGHTS = (0.02, 0.85)
SIDEWAYS_WIDTHS = 0.6
SURE_SACRUM = 0.5
MOST_BELOW = 2
# From the centre of a femoral head to that of a body, in its heights: at least 3.7 on 18 real films.
HIP_HEIGHTS = 2.5
# Between the lowest endplate and that of S1; the disc L5/S1 is a wedge of some 15 degrees, rarely of more than 30.
MOST_WEDGE_DEG = 40.0
INTO_SACRUM = 0.15  # of the endplate's width: a centre farther below it is not that of a free body
SPINE = [level for level in SEQUENCE if level not in (*TRANSITIONAL, "S1")]


def lies_on_sacrum(reading: Reading) -> Landmark | None:
    """The S1 endplate that the lowest body of a reading (head to foot) lies on; None when there is none."""
    sacral = next((own for own in reading.landmarks if own.kind == "s1"), None)
    if sacral is None or not reading.vertebrae or not reading.schema.columns:
        return None
    return sacral if is_near(seat_of(reading, sacral)) else None


def is_near(seat: Seat) -> bool:
    """Whether a body with this seat lies on the endplate as one body lies on the next: a disc above it, not beside."""
    return DISC_HEIGHTS[0] <= seat.along <= DISC_HEIGHTS[1] and seat.sideways <= SIDEWAYS_WIDTHS


def without_stray(reading: Reading) -> Reading:
    """The reading without an S1 endplate that lies below the lowest body as it should, yet at an angle no disc has.

    Names, the front and the pelvic angles would all follow from it: a remark says what was left out.
    """
    sacral = lies_on_sacrum(reading)
    if sacral is None:
        return reading
    wedge = seat_of(reading, sacral).wedge_deg
    if wedge <= MOST_WEDGE_DEG:
        return reading
    remark = f"a sacral endplate at {wedge:.0f} degrees to the lowest body was left out: no disc is such a wedge"
    told = reading.facing is not None and reading.facing.source == "sacrum"
    landmarks = [own for own in reading.landmarks if own is not sacral]
    facing = None if told else reading.facing
    return replace(reading, landmarks=landmarks, facing=facing, remarks=[*reading.remarks, remark])


def below_sacrum(centres: np.ndarray, sacral: Landmark) -> np.ndarray:
    """(N,) whether detections lie in or under the sacrum, where no free body is.

    Args:
        centres: (N, 2) px.
        sacral: The S1 endplate. One that is not sure (``SURE_SACRUM``), or that would leave more than ``MOST_BELOW``
            bodies under it, is rather wrong itself: then nothing lies under it.
    """
    across = sacral.points[1] - sacral.points[0]
    down = np.array([-across[1], across[0]])
    beyond = (centres - sacral.points.mean(axis=0)) @ down > INTO_SACRUM * float(down @ down)
    if (sacral.score or 0.0) < SURE_SACRUM or beyond.sum() > MOST_BELOW:
        return np.zeros(len(centres), bool)
    return beyond


def beside_hips(points: np.ndarray, heads: list[Landmark], schema: KeypointSchema) -> np.ndarray:
    """(N,) whether detections lie so near to a femoral head that they are in the pelvis.

    Args:
        points: (N, K, 2) px.
        heads: Femoral heads; where more than ``MOST_BELOW`` bodies lie near them, they are rather wrong themselves.
        schema: Of the points.
    """
    if not heads or not len(points) or not schema.columns:
        return np.zeros(len(points), bool)
    heights = np.linalg.norm(body_axes(points, schema)[0], axis=1)
    centres = np.array([own.points[0] for own in heads])
    distances = np.linalg.norm(points.mean(axis=1)[:, None] - centres, axis=2).min(axis=1)
    near = distances < HIP_HEIGHTS * heights
    return near if near.sum() <= MOST_BELOW else np.zeros(len(points), bool)


def above_sacrum(found: Found, landmarks: list[Landmark], least: float, schema: KeypointSchema) -> Found:
    """Detections without those, of at least this score, that lie in or under the sacrum or beside the hips."""
    stray = np.zeros(len(found["scores"]), bool)
    seen = found["scores"] >= least
    points = found["points"][seen]
    stray[seen] = beside_hips(points, [own for own in landmarks if own.kind == "femoral_head"], schema)
    for own in landmarks:
        if own.kind == "s1":
            stray[seen] |= below_sacrum(points.mean(axis=1), own)
    return {key: values[~stray] for key, values in found.items()}


def probability(score: float, calibration: tuple[float, float]) -> float:
    """That what follows from an S1 endplate of this score is right: Platt's slope and intercept on the logit."""
    score = min(max(score, 1e-6), 1 - 1e-6)
    return float(1 / (1 + np.exp(-(calibration[0] * np.log(score / (1 - score)) + calibration[1]))))


def facing(reading: Reading, calibration: tuple[float, float] | None) -> Facing | None:
    """The front that the S1 endplate tells, with its calibrated probability; None where it tells none."""
    side = None if calibration is None else front_of(reading.landmarks, scale_of(reading))
    if side is None or calibration is None or reading.frame.anterior is not None:
        return None
    score = next(own.score for own in reading.landmarks if own.kind == "s1")
    return Facing(side, "sacrum", round(probability(score or 0.0, calibration), 4))


def named(reading: Reading, naming: Naming | None) -> Reading:
    """The reading with the names that its sacrum gives, and a remark; unchanged where they would not be sure.

    Args:
        reading: A column, head to foot, without names.
        naming: Makes what speaks for the names a probability; None where the model was not calibrated for it: then
            nothing is named.
    """
    if naming is None or any(vertebra.label for vertebra in reading.vertebrae):
        return reading
    sacral = lies_on_sacrum(reading)
    count = len(reading.vertebrae)
    if sacral is None or count > len(SPINE):
        return reading
    if find_gaps(np.array([vertebra.points for vertebra in reading.vertebrae]), reading.schema):
        return reading
    sure = naming.probability(evidence(reading, sacral))
    if sure < NAMED:
        doubt = f"no level is named: a count up from the sacrum would be right with probability {sure:.2f} only"
        return replace(reading, label_probability=sure, remarks=[*reading.remarks, doubt])
    vertebrae = [replace(v, label=name) for v, name in zip(reading.vertebrae, SPINE[-count:], strict=True)]
    remark = (
        f"levels are counted up from the sacrum (probability {sure:.2f}); "
        "a transitional vertebra would shift them by one"
    )
    return replace(reading, vertebrae=vertebrae, label_probability=sure, remarks=[*reading.remarks, remark])
