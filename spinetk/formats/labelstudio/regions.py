"""Regions: what was drawn in a task, as shapes; which vertebra a point belongs to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spinetk.errors import InputError
from spinetk.formats.labels import split_label
from spinetk.formats.shapes import Shape

UNNAMED = "vertebra"
"""Label of a box whose level is not known."""
NO_MODEL = "spinetk"
"""What tasks call the version of a model whose points are no network's."""
REMEDY = "export the project as JSON (not JSON-MIN)"
KINDS = ("keypointlabels", "rectanglelabels", "polygonlabels", "ellipselabels")


def label_of(region: Mapping[str, Any], kind: str) -> str | None:
    """The label of a region of that kind."""
    value = region.get("value")
    names = value.get(kind) if isinstance(value, Mapping) and region.get("type") == kind else None
    return str(names[0]).strip() if isinstance(names, list) and names else None


def shapes_of(
    regions: Sequence[Any], size: tuple[int, int], names: Sequence[str], where: str, remarks: list[str]
) -> list[Shape]:
    """A shape a vertebra, and one for everything else that was drawn."""
    tables = [region for region in regions if isinstance(region, Mapping)]
    shapes: dict[str, Shape] = {}
    boxes: list[tuple[str, np.ndarray, str]] = []
    points: list[tuple[Mapping[str, Any], str, str, np.ndarray]] = []
    other: list[Shape] = []
    skipped = Counter(str(r.get("type"))[:40] for r in tables if r.get("type") not in (*KINDS, "relation"))
    remarks += [f"{count} x region of type {kind!r}: left out" for kind, count in skipped.items()]
    for number, region in enumerate(tables):
        kind = next((kind for kind in KINDS if label_of(region, kind) is not None), None)
        if kind is None:
            continue
        label, value = label_of(region, kind) or "", region["value"]
        if kind == "rectanglelabels":
            box = _box(region, where)
            key = str(region.get("id") or f"box {number}")
            x, y, width, height, angle = box
            sides = None
            if not angle:
                ends = np.array([x, y, x + width, y + height]) / 100 * (*size, *size)
                sides = (float(ends[0]), float(ends[1]), float(ends[2]), float(ends[3]))
            shapes[key] = Shape("" if label == UNNAMED else label, box=sides, score=_score(region))
            boxes.append((key, box, label))
        elif kind == "polygonlabels":
            corners = value.get("points")
            if not isinstance(corners, list) or not all(isinstance(c, list) and len(c) == 2 for c in corners):
                raise InputError(where, f"polygon {label!r} has no corners", REMEDY)
            outline = np.array([[_number(v, where) for v in c] for c in corners]).reshape(-1, 2)
            other.append(Shape(label, outline=outline / 100 * size))
        else:
            place = np.array([_number(value.get(axis), where) for axis in "xy"]) / 100 * size
            before, point = split_label(label, names)
            if kind == "ellipselabels" or point is None:
                other.append(Shape(label, loose=place[None]))
            else:
                points.append((region, before, point, place))
    if not points and not any(shape.outline is not None for shape in other):
        raise InputError(where, "has no keypoint", "label the corners of the vertebrae as keypoints")
    tied = _tied(tables, set(shapes))
    for region, before, point, place in points:
        owner = _vertebra_of(place / size * 100, region, before, boxes, tied)
        if owner is None:
            fault = f"keypoint {before + ' ' + point!r} belongs to no vertebra"
            raise InputError(where, fault, "draw a box around each vertebra, or label points as 'L3 top_left'")
        shape = shapes.setdefault(owner, Shape(before))
        shape.label = shape.label or before
        if point in shape.points:
            raise InputError(where, f"has two points {point!r} in one vertebra", "see whether two boxes were meant")
        shape.points[point] = (float(place[0]), float(place[1]))
    return [*shapes.values(), *other]


def _tied(regions: Sequence[Mapping[str, Any]], boxes: set[str]) -> dict[str, str]:
    """Region to the one box that relations tie it to, directly or through other regions."""
    group: dict[str, str] = {}

    def root(name: str) -> str:
        while (above := group.get(name, name)) != name:
            name = above
        return name

    for region in regions:
        if region.get("type") == "relation":
            first, second = root(str(region.get("from_id"))), root(str(region.get("to_id")))
            group[first] = second
            group.setdefault(second, second)
    members: dict[str, list[str]] = {}
    for name in list(group):
        members.setdefault(root(name), []).append(name)
    ties: dict[str, str] = {}
    for names in members.values():
        inside = [name for name in names if name in boxes]
        # Points tied to each other without a box are a vertebra too.
        key = inside[0] if len(inside) == 1 else names[0] if not inside else None
        ties |= {} if key is None else dict.fromkeys(names, key)
    return ties


def _vertebra_of(
    place: np.ndarray,
    region: Mapping[str, Any],
    before: str,
    boxes: Sequence[tuple[str, np.ndarray, str]],
    tied: Mapping[str, str],
) -> str | None:
    """The key of the shape that a point at ``place`` (percent) belongs to."""
    if region.get("parentID"):
        return str(region["parentID"])
    if str(region.get("id")) in tied:
        return tied[str(region["id"])]
    if before:
        return next((key for key, _, label in boxes if label == before), before)
    inside = []
    for number, (key, (x, y, width, height, angle), _) in enumerate(boxes):
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        along = (place - (x, y)) @ turn
        if 0 <= along[0] <= width and 0 <= along[1] <= height:
            inside.append((width * height, number, key))
    return min(inside)[2] if inside else None


def _box(region: Mapping[str, Any], where: str) -> np.ndarray:
    """x, y, width, height in percent, and the turn in radians."""
    value = region["value"]
    numbers = [_number(value.get(name), where) for name in ("x", "y", "width", "height")]
    angle = math.radians(_number(value.get("rotation", 0), where))
    if angle and region.get("original_width") != region.get("original_height"):
        raise InputError(where, "has a turned box on a picture that is not square", "draw upright boxes")
    return np.array([*numbers, angle])


def _score(region: Mapping[str, Any]) -> float | None:
    score: Any = region.get("score")
    good = isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1
    return float(score) if good else None


def _number(value: Any, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(where, "has a coordinate that is no number", REMEDY) from error
    if not -100 <= number <= 400:
        raise InputError(where, f"has a coordinate of {number} %", REMEDY)
    return number
