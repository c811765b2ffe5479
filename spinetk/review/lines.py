"""Lines: what an angle was taken between, to be drawn on the film: end lines of Cobb angles, endplates, the pelvis."""

from __future__ import annotations

from typing import Any

import numpy as np

from spinetk.measure import angle_words
from spinetk.measure.angles import COBB, SAGITTAL
from spinetk.measure.body import column, endplate_centres, endplates, midline, stack
from spinetk.reading import Reading

COBB_REACH = 1.6
"""Half the length of an end line, in widths of its body: it stands out on both sides."""
PLATE_REACH = 1.0


def lines_of(reading: Reading) -> list[dict[str, Any]]:
    """The drawn lines of a measured reading, px of the stored picture.

    Returns:
        For each angle that is shown, and for the pelvis once: ``key``, ``text`` (name and degrees; empty where the
        line stands for several) and ``segments`` ([[x, y], [x, y]] each).
    """
    points = stack(reading)
    found = []
    for key, _ in angle_words.angles_of(reading):
        text = f"{angle_words.angle_name(reading, key)} {angle_words.angle_text(reading, key)}"
        if key in COBB:
            segments = [_midline(reading, points, k) for k in sorted(set(_ends(reading, key)))]
        elif key in SAGITTAL:
            segments = _sagittal(reading, points, key)
        else:
            continue
        drawn = [segment for segment in segments if segment is not None]
        if len(drawn) == 2:
            found.append({"key": key, "text": text, "segments": drawn})
    pelvis = _pelvis(reading)
    return [*found, pelvis] if pelvis else found


def _ends(reading: Reading, key: str) -> list[int]:
    """Positions of the end vertebrae of a Cobb angle."""
    labels = [vertebra.label for vertebra in reading.vertebrae]
    ends = reading.angles.get(f"{key}_ends") or []
    places = [labels.index(end) if isinstance(end, str) and end in labels else end for end in ends]
    return [place for place in places if isinstance(place, int) and 0 <= place < len(labels)]


def _midline(reading: Reading, points: np.ndarray, index: int) -> list[list[float]] | None:
    body = points[index]
    centre = np.mean(endplate_centres(body, reading.schema), axis=0)
    return _segment(centre, midline(body, reading.schema) * COBB_REACH)


def _sagittal(reading: Reading, points: np.ndarray, key: str) -> list[list[list[float]] | None]:
    labels = [vertebra.label for vertebra in reading.vertebrae]
    top, top_plate, bottom, bottom_plate, _ = SAGITTAL[key]
    found = []
    for level, plate in ((top, top_plate), (bottom, bottom_plate)):
        if level not in labels:
            return []
        body, k = points[labels.index(level)], ("upper", "lower").index(plate)
        found.append(
            _segment(endplate_centres(body, reading.schema)[k], endplates(body, reading.schema)[k] * PLATE_REACH)
        )
    return found


def _segment(centre: np.ndarray, half: np.ndarray) -> list[list[float]] | None:
    ends = np.stack([centre - half, centre + half])
    return np.round(ends, 2).tolist() if np.isfinite(ends).all() else None


def _pelvis(reading: Reading) -> dict[str, Any] | None:
    """From the middle of the S1 endplate to the hip axis, and endplates of S1 where that is a vertebra."""
    plates = [own.points for own in reading.landmarks if own.kind == "s1"]
    heads = [own for own in reading.landmarks if own.kind == "femoral_head"]
    segments = []
    for vertebra in reading.vertebrae:
        if vertebra.label == "S1" and not plates and "left" in reading.schema.columns:
            ends = np.stack([column(vertebra.points, reading.schema, side)[0] for side in ("left", "right")])
            segments.append(np.round(ends, 2).tolist())
    if plates and heads:
        middle, axis = plates[0].mean(axis=0), np.mean([own.points[0] for own in heads], axis=0)
        segments.append(np.round(np.stack([middle, axis]), 2).tolist())
    return {"key": "pelvis", "text": "", "segments": segments} if segments else None
