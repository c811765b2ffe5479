"""Landmarks as the centre network sees them: S1 and femoral heads drawn as bodies of six points.

The network finds and refines whatever has the six points of a vertebral body. An endplate of S1 becomes the upper side
of a body three quarters as high as it is wide; a femoral head becomes six points of its circle, 60 degrees apart in two
columns and a middle. Both go through the same offsets and crops as the bodies, on maps of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spinetk.keypoints.logistic import calibrated
from spinetk.landmark import Landmark
from spinetk.schema import VERTEBRA6, KeypointSchema

S1_HEIGHT = 0.75  # of the endplate's width: enough of the sacrum below it to know it by
LEAST_OF_KIND = {"s1": 0.1, "femoral_head": 0.4}  # of an unsure S1 the names and the front may still make use
MOST_OF_KIND = 2  # femoral heads; one sacrum may be seen twice
ANGLES_DEG = {
    "top_left": 210.0, "top_middle": 270.0, "top_right": 330.0,
    "bottom_right": 30.0, "bottom_middle": 90.0, "bottom_left": 150.0,
}  # fmt: skip


def usable(schema: KeypointSchema) -> bool:
    """Whether landmarks can be drawn with the points of a schema."""
    return set(schema.keypoints) == set(VERTEBRA6.keypoints)


def as_body(landmark: Landmark, schema: KeypointSchema) -> np.ndarray:
    """(6, 3) x, y, visible of a landmark, in the order of the schema, in the unit of its points."""
    if landmark.kind == "s1":
        left, right = landmark.points
        across = right - left
        down = np.array([-across[1], across[0]]) * S1_HEIGHT
        places = {
            "top_left": left, "top_middle": (left + right) / 2, "top_right": right,
            "bottom_left": left + down, "bottom_middle": (left + right) / 2 + down, "bottom_right": right + down,
        }  # fmt: skip
    else:
        turns = {name: np.radians(angle) for name, angle in ANGLES_DEG.items()}
        centre, radius = landmark.points[0], landmark.radius_px or 0.0
        places = {name: centre + radius * np.array([np.cos(t), np.sin(t)]) for name, t in turns.items()}
    return np.array([[*places[name], 2.0] for name in schema.keypoints])


def from_body(
    kind: str, points: np.ndarray, schema: KeypointSchema, score: float | None, sigma: np.ndarray
) -> Landmark:
    """The landmark that (6, 2) points of the network stand for; ``sigma`` (6,) px."""
    if kind == "s1":
        ends = [schema.index("top_left"), schema.index("top_right")]
        return Landmark("s1", points[ends], None, score, float(sigma[ends].mean()))
    centre, radius = fit_circle(points)
    # Six points share one circle: its centre is surer than each of them.
    return Landmark("femoral_head", centre[None], radius, score, float(sigma.mean() / np.sqrt(len(points) / 2)))


def landmarks_of(
    found: Mapping[str, np.ndarray],
    kinds: Sequence[str],
    schema: KeypointSchema,
    calibration: Mapping[str, tuple[float, float]],
) -> list[Landmark]:
    """The landmarks that detections stand for, surest first.

    Args:
        found: ``points`` (M, 6, 2) and ``sigma`` (M, 6) px, ``scores`` (M,), ``kinds`` (M,) indices into ``kinds``; or
            nothing at all.
        kinds: Names of the kinds.
        schema: Of the points.
        calibration: By kind, slope and intercept that make its scores probabilities.
    """
    landmarks = list[Landmark]()
    for k in np.argsort(-found["scores"], kind="stable") if found else ():
        kind = kinds[int(found["kinds"][k])]
        score = float(calibrated(found["scores"][k], calibration.get(kind, (1.0, 0.0))))
        landmarks.append(from_body(kind, found["points"][k], schema, score, found["sigma"][k]))
    return landmarks


def likely(landmarks: Sequence[Landmark]) -> list[Landmark]:
    """Those, surest first, that are not too unsure: no more of a kind than a body may show."""
    kept = list[Landmark]()
    for own in landmarks:
        alike = sum(other.kind == own.kind for other in kept)
        if (own.score or 0.0) >= LEAST_OF_KIND.get(own.kind, 0.0) and alike < MOST_OF_KIND:
            kept.append(own)
    return kept


def fit_circle(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (2,) and radius of the circle of least algebraic distance (Kasa 1976) through (N, 2) points, N >= 3."""
    middle = points.mean(0)
    x, y = (points - middle).T
    design = np.column_stack([2 * x, 2 * y, np.ones(len(points))])
    a, b, c = np.linalg.lstsq(design, x**2 + y**2, rcond=None)[0]
    return middle + (a, b), float(np.sqrt(max(c + a**2 + b**2, 0.0)))


def known(content: Sequence[dict[str, Any]] | None) -> bool:
    """Whether a record says where the landmarks are, or that there are none; of a femoral head, also how large."""
    heads = [entry for entry in content or [] if entry.get("kind") == "femoral_head"]
    return content is not None and all(entry.get("radius_px") for entry in heads)


def targets(
    content: Sequence[dict[str, Any]] | None, kinds: Sequence[str], schema: KeypointSchema
) -> tuple[np.ndarray, np.ndarray]:
    """(M, 6, 3) points and (M,) indices into ``kinds`` of the landmarks a record holds, in px of its picture."""
    found = [Landmark.from_json(entry) for entry in content or []]
    found = [own for own in found if own.kind in kinds]
    points = np.array([as_body(own, schema) for own in found]).reshape(-1, len(schema), 3)
    return points, np.array([kinds.index(own.kind) for own in found], dtype=np.int64)


def upright_circle(points: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """The six points of a circle after its picture was turned: back at their angles, for a circle has no tilt."""
    centre, radius = points[:, :2].mean(0), float(np.linalg.norm(points[:, :2] - points[:, :2].mean(0), axis=1).mean())
    return as_body(Landmark("femoral_head", centre[None], radius), schema)
