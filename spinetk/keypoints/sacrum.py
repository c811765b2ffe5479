"""Names counted up from the sacrum: the body that sits on S1 is L5.

Only an unbroken column that reaches the sacrum is named: the lowest body must lie on the S1 endplate as a body lies on
the next, no body may seem to be missing in between, and the probability, calibrated on held-out pictures, must reach
what the model's card asks for; names that are likely, but not sure, are said to be that. A transitional vertebra (L6,
a fused L5) cannot be told apart on one picture: every picture named this way says so in a remark.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinetk.anchor import SEQUENCE, TRANSITIONAL
from spinetk.facing import Facing
from spinetk.keypoints.centre.decoding import Found
from spinetk.keypoints.chain import body_axes, find_gaps
from spinetk.keypoints.counting import UNNAMED
from spinetk.keypoints.logistic import calibrated
from spinetk.keypoints.naming import BODY_BELOW, NOT_ASKED, Evidence, Naming, Seat, evidence, seat_of, seen_below, usual
from spinetk.landmark import Landmark
from spinetk.measure.body import scale_of
from spinetk.measure.facing import MIN_CONFIDENCE, curvature
from spinetk.measure.pelvis import front_of
from spinetk.measure.plausibility import too_tall
from spinetk.measure.rounding import beside
from spinetk.reading import ABOUT_LEVELS, SURE_LEVELS, Reading
from spinetk.schema import KeypointSchema

# Distance from the lowest endplate to that of S1, in heights of the lowest body, and sideways in its widths.
DISC_HEIGHTS = (0.02, 0.85)
SIDEWAYS_WIDTHS = 0.6
SURE_SACRUM = 0.5
LEAST_SACRUM = 0.4  # below which an endplate is not measured from
# What sightings that are each less sure than that count together: on phantoms slopes of such endplates are 4 degrees
# off in the median and 16 in one of ten, others 0.8 and 4.
MOST_UNSURE = 0.39
# Endplates that lie nearer than S1 is high, in widths of the surest, are those of one sacrum, seen twice.
SAME_WIDTHS = 0.75
MOST_SURE = 0.99  # of names and of a front: what some hundred phantoms bear out, however much speaks for them
UNUSUAL = 0.01  # what a candidate's seat counts at least, beside its confidence
MOST_BELOW = 2
# From the centre of a femoral head to that of a body, in its heights: at least 3.7 on 18 real films.
HIP_HEIGHTS = 2.5
# Between the lowest endplate and that of S1; the disc L5/S1 is a wedge of some 15 degrees, rarely of more than 30.
MOST_WEDGE_DEG = 40.0
ROOM = f"{UNNAMED}, as a vertebra may be missing between the lowest one and the sacrum"
INTO_SACRUM = 0.15  # of the endplate's width: a centre farther below it is not that of a free body
SPINE = [level for level in SEQUENCE if level not in (*TRANSITIONAL, "S1")]


def lies_on_sacrum(reading: Reading) -> Landmark | None:
    """The S1 endplate that the lowest body of a reading (head to foot) lies on; None when there is none."""
    sacral = next((own for own in reading.landmarks if own.kind == "s1"), None)
    if sacral is None or not reading.vertebrae or not reading.schema.columns:
        return None
    return sacral if is_near(seat_of(reading, sacral)) else None


def surest(landmarks: list[Landmark]) -> Landmark | None:
    """The surest S1 endplate, if it is sure enough to measure from."""
    plates = [own for own in landmarks if own.kind == "s1" and (own.score or 0.0) >= LEAST_SACRUM]
    return max(plates, key=lambda own: own.score or 0.0, default=None)


def seated(reading: Reading) -> Reading:
    """The reading with one S1 endplate of all that were seen, sure or not.

    A network may see one sacrum twice, as the endplate and, steeper, as the front of it, and be unsure of either. What
    lies at the place of the surest is one sacrum, which is there if any of these is (taken as independent); of them
    that one is kept on which the lowest body sits more as L5 does. Two of which neither is sure enough to measure from
    may name, but are not measured from.
    """
    plates = [own for own in reading.landmarks if own.kind == "s1"]
    if len(plates) < 2:
        return reading
    first = max(plates, key=lambda own: own.score or 0.0)
    middle, width = first.points.mean(axis=0), float(np.linalg.norm(first.points[1] - first.points[0]))
    alike = [own for own in plates if np.linalg.norm(own.points.mean(axis=0) - middle) <= SAME_WIDTHS * width]

    def worth(own: Landmark) -> float:
        sits = usual(seat_of(reading, own)) if reading.vertebrae and reading.schema.columns else 0.0
        return (own.score or 0.0) * (UNUSUAL + sits)

    score = 1.0 - float(np.prod([1.0 - (own.score or 0.0) for own in alike]))
    score = score if surest(alike) is not None else min(score, MOST_UNSURE)
    others = [own for own in reading.landmarks if own.kind != "s1"]
    return replace(reading, landmarks=[replace(max(alike, key=worth), score=score), *others])


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
    landmarks = [own for own in reading.landmarks if own is not sacral]
    remark = f"a sacral endplate at {wedge:.0f} degrees to the lowest body was left out: no disc is such a wedge"
    sure = (sacral.score or 0.0) >= LEAST_SACRUM
    return replace(reading, landmarks=landmarks, remarks=[*reading.remarks, remark] if sure else reading.remarks)


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
    sacral = surest(landmarks)
    if sacral is not None:
        stray[seen] |= below_sacrum(points.mean(axis=1), sacral)
    return {key: values[~stray] for key, values in found.items()}


def facing(reading: Reading, calibration: tuple[float, float] | None) -> Facing | None:
    """The front that the S1 endplate tells, with its calibrated probability; None where it tells none.

    An endplate that is not sure enough to be measured tells it where the column lies on it and bends the same way, each
    wrong with what its own confidence leaves, taken as independent; None below ``MIN_CONFIDENCE``.
    """
    side = None if calibration is None else front_of(reading.landmarks, scale_of(reading))
    if side is None or calibration is None or reading.frame.anterior is not None:
        return None
    own = next(own for own in reading.landmarks if own.kind == "s1")
    chance = float(calibrated(own.score or 0.0, calibration))
    if surest([own]) is not None:
        return Facing(side, "sacrum", round(min(chance, MOST_SURE), 4))
    bend = curvature(reading) * (1 if side == "right" else -1)
    both = 1 - (1 - chance) * (1 - bend)
    told = lies_on_sacrum(reading) is own and bend > 0 and both >= MIN_CONFIDENCE
    return Facing(side, "sacrum and curvature", round(min(both, MOST_SURE), 4)) if told else None


def evidence_of(reading: Reading, found: Found | None = None, looks: float = NOT_ASKED) -> Evidence | None:
    """What speaks for the names that the sacrum gives a column without names (:func:`naming.evidence`).

    None where it gives none: no endplate lies under the column, a body seems to be missing, or there are too many.
    """
    sacral = lies_on_sacrum(reading)
    if sacral is None or len(reading.vertebrae) > len(SPINE):
        return None
    if find_gaps(np.array([vertebra.points for vertebra in reading.vertebrae]), reading.schema):
        return None
    return evidence(reading, sacral, found, looks)


def _has_room(reading: Reading) -> bool:
    """Whether a sure S1 endplate lies below the lowest body, too far for a disc."""
    sacral = surest(reading.landmarks)
    if sacral is None or not reading.vertebrae or not reading.schema.columns:
        return False
    return seat_of(reading, sacral).along > DISC_HEIGHTS[1]


def named(
    reading: Reading,
    naming: Naming | None,
    found: Found | None = None,
    looks: float = NOT_ASKED,
    beneath: np.ndarray | None = None,
) -> Reading:
    """The reading with the names that its sacrum gives, and a remark; unchanged where they would not be sure.

    A body so high that it may be two, or hide one (:func:`spinetk.measure.plausibility.too_tall`), ends the count, and
    so does one beneath metal, where bodies are missed: it and those above it get no names.

    Args:
        reading: A column, head to foot, without names.
        naming: Makes what speaks for the names a probability; None where the model was not calibrated for it: then
            nothing is named.
        found, looks: All bodies detected, and how the lowest looks, as of :func:`naming.evidence`.
        beneath: (N,) bool, bodies beneath metal; None: none.
    """
    if naming is None or any(vertebra.label for vertebra in reading.vertebrae):
        return reading
    seen = evidence_of(reading, found, looks)
    if seen is None and _has_room(reading):
        return replace(reading, remarks=[*reading.remarks, ROOM])
    if seen is None or not (naming.knows_unsure or surest(reading.landmarks)):
        return reading
    sacral = lies_on_sacrum(reading)
    if sacral is not None and seen.endplate < naming.alone and seen_below(reading, sacral) < BODY_BELOW:
        doubt = f"{UNNAMED}, as so little is seen below what looks like the sacrum that it may be a body cut off"
        return replace(reading, remarks=[*reading.remarks, doubt])
    sure = min(naming.chance(seen), MOST_SURE)
    if sure < naming.least:
        chance = beside(sure, lambda own: own >= naming.least, 2)
        doubt = f"{UNNAMED}, as a count up from the sacrum would be right with probability {chance} only"
        remarks = reading.remarks if surest(reading.landmarks) is None else [*reading.remarks, doubt]
        return replace(reading, label_probability=sure, remarks=remarks)
    count = len(reading.vertebrae)
    ends = dict.fromkeys(too_tall(reading), "is too high for one body")
    ends |= dict.fromkeys(np.flatnonzero([] if beneath is None else beneath).tolist(), "lies beneath metal")
    first = 1 + max(ends, default=-1)
    if first == count:
        doubt = f"{UNNAMED}, as the lowest body {ends[count - 1]}"
        return replace(reading, remarks=[*reading.remarks, doubt])
    vertebrae = [
        replace(v, label=name) if k >= first else v
        for k, (v, name) in enumerate(zip(reading.vertebrae, SPINE[-count:], strict=True))
    ]
    chance = beside(sure, lambda own: own >= SURE_LEVELS, 2)
    likely = "" if sure >= SURE_LEVELS else "likely, not sure (marked ?): check which is the lowest; "
    remark = (
        f"{ABOUT_LEVELS}{likely}counted up from the sacrum (probability {chance}); "
        "a transitional vertebra would shift them by one"
    )
    remarks = [*reading.remarks, remark]
    if first:
        remarks.append(f"{ABOUT_LEVELS}the count ends below vertebra #{first} from the top, which {ends[first - 1]}")
    return replace(reading, vertebrae=vertebrae, label_probability=sure, remarks=remarks)
