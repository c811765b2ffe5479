"""Structures beside the vertebrae: extras as formats hold them, and the landmarks that measurements know among them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from spinetk.landmark import Landmark
from spinetk.reading import Reading

HEAD = re.compile(r"fem(?:oral|ur)|(?:^|_)hips?(?:_|$)")
ENDPLATE = re.compile(r"(?:^|_)s1(?:_|$)|sacral_(?:end)?plate|sacrum_(?:sup|upper|top|end)")
S1 = ("s1_left", "s1_right")
FEMORAL_HEAD = "femoral_head"


def landmarks_of(
    extras: Mapping[str, np.ndarray], radii: Mapping[tuple[float, float], float] | None = None
) -> tuple[list[Landmark], dict[str, np.ndarray]]:
    """The landmarks among extras, and the rest.

    Up to two points of femoral heads or hips are their centres; exactly two points of S1, or of its endplate, are that
    endplate's ends. More or fewer of a kind could be anything and stay extras.

    Args:
        extras: (N, 2) px by name.
        radii: Radius in px of the circles that some of the points are centres of.
    """
    rest = {name: np.asarray(points, np.float64) for name, points in extras.items()}
    found: list[Landmark] = []
    plate = [name for name in rest if ENDPLATE.search(name)]
    ends = np.concatenate([rest[name] for name in plate]) if plate else np.zeros((0, 2))
    if len(ends) == 2 and not np.allclose(*ends):
        found.append(Landmark("s1", ends[np.argsort(ends[:, 0], kind="stable")]))
        rest = {name: points for name, points in rest.items() if name not in plate}
    heads = [name for name in rest if HEAD.search(name)]
    centres = np.concatenate([rest[name] for name in heads]) if heads else np.zeros((0, 2))
    if 1 <= len(centres) <= 2:
        for x, y in centres.tolist():
            found.append(Landmark(FEMORAL_HEAD, np.array([[x, y]]), (radii or {}).get((x, y))))
        rest = {name: points for name, points in rest.items() if name not in heads}
    return found, rest


def beside(reading: Reading) -> dict[str, np.ndarray]:
    """Everything beside the vertebrae of a reading as named points; :func:`landmarks_of` knows them again."""
    points: dict[str, list[np.ndarray]] = {}
    for landmark in reading.landmarks:
        for name, place in zip(S1 if landmark.kind == "s1" else (FEMORAL_HEAD,), landmark.points, strict=True):
            points.setdefault(name, []).append(place)
    return {name: np.array(places) for name, places in points.items()} | dict(reading.extras)
