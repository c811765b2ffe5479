"""Shapes: what was drawn in a picture, and what of it is a vertebra, its level, another structure, or neither.

Every annotation tool has skeletons, points, boxes or outlines with free labels. A reader hands them over as they stand;
here, once for all formats, a level is read from an attribute or a label, points get the names of the schema, known
structures beside the vertebrae are kept as extras, and whatever fits nowhere is counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from spinetk.errors import InputError
from spinetk.formats.beside import landmarks_of
from spinetk.formats.labels import DISC, level_in, point_in, structure_in
from spinetk.landmark import Landmark
from spinetk.measure.levels import TABLE, head_to_foot
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA4, VERTEBRA6, KeypointSchema, schema_for_names
from spinetk.vertebra import Vertebra

Point = tuple[float, float]

BODY = re.compile(r"vertebra|(?:^|[^a-z])(?:body|bodies|vb)(?:[^a-z]|$)", re.IGNORECASE)


@dataclass
class Shape:
    """One drawn object, in px with pixel centres at integer + 0.5.

    Attributes:
        label: Its class, as the file names it.
        points: Named points, visible or not.
        hidden: Names of those that are not visible.
        loose: (N, 2) points without names, or None.
        outline: (N, 2) corners of a polygon, or None.
        radius: Of the circle that the one loose point is the centre of, or None.
        box: x0, y0, x1, y1, or None.
        level: What an attribute says about the level.
        score: Confidence of a network, or None.
    """

    label: str
    points: dict[str, Point] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    loose: np.ndarray | None = None
    outline: np.ndarray | None = None
    radius: float | None = None
    box: tuple[float, float, float, float] | None = None
    level: str | None = None
    score: float | None = None


@dataclass
class Assembled:
    """The vertebrae of a picture head to foot, the other known structures, and what was left out."""

    vertebrae: list[Vertebra]
    landmarks: list[Landmark]
    extras: dict[str, np.ndarray]
    remarks: list[str]


def meaning(
    shapes: Sequence[Shape], given: KeypointSchema | None = None, declared: Sequence[Sequence[str]] = ()
) -> KeypointSchema:
    """The schema of a set: the user's; else the built-in one that its points belong to; else one of their own names.

    Args:
        shapes: Of all pictures of the set.
        given: The user's word.
        declared: Names of points that the file announces for its classes, whether or not they were drawn.
    """
    if given is not None:
        return given
    drawn = [tuple(s.points) for s in shapes if s.points and not _is_other(s)]
    for sets in (drawn, [tuple(names) for names in declared]):
        named = {point for names in sets for name in names if (point := point_in(name))}
        if named:
            corners = named <= set(VERTEBRA4.keypoints) and not any(_is_body(s) for s in shapes)
            return VERTEBRA4 if corners else VERTEBRA6
        own = Counter(names for names in sets if names and not all(structure_in(name) for name in names))
        if own:
            return schema_for_names(own.most_common(1)[0][0])
    outlines = [len(s.outline) for s in shapes if s.outline is not None and _is_body(s)]
    if outlines:
        return VERTEBRA4 if max(outlines) == len(VERTEBRA4) else VERTEBRA6
    loose = [len(s.loose) for s in shapes if s.loose is not None and not _is_other(s)]
    return VERTEBRA4 if loose and max(loose) == len(VERTEBRA4) else VERTEBRA6


def assemble(shapes: Sequence[Shape], schema: KeypointSchema, size: tuple[int, int]) -> Assembled:
    """What the shapes of one picture are.

    Args:
        shapes: As drawn.
        schema: Points of a vertebra.
        size: (width, height) of the picture in px.
    """
    vertebrae: list[Vertebra] = []
    extras: dict[str, list[Point]] = {}
    left: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    for shape in shapes:
        vertebra = _vertebra(shape, schema, taken)
        if vertebra is not None:
            if vertebra.visible.any():
                vertebrae.append(vertebra)
            else:
                left["without a visible point"] += 1
            rest = {n: p for n, p in shape.points.items() if point_in(n, schema.keypoints) is None}
        else:
            rest = dict(shape.points)
        found = {name: p for name, p in rest.items() if name not in shape.hidden}
        structure = structure_in(shape.label)
        for name, point in found.items():
            extra = structure_in(name) or (f"{structure}_{'_'.join(name.lower().split())}" if structure else None)
            if extra is None:
                left[f"point {name!r}" if vertebra else f"{shape.label!r} with other points"] += 1
            else:
                whole = extra if structure is None or structure in extra else f"{structure}_{extra}"
                extras.setdefault(whole, []).append(point)
        if vertebra is None and shape.points and not found:
            left["without a visible point"] += 1
        if vertebra is None and not shape.points:
            points = shape.loose if shape.loose is not None else shape.outline
            if structure is not None and points is not None:
                extras.setdefault(structure, []).extend((float(x), float(y)) for x, y in points)
            else:
                kind = "box" if points is None else "outline" if shape.loose is None else "point"
                left[f"{kind} {shape.label!r} without the points of {schema.name}"] += 1
    remarks = [f"{count} x {what}: left out" for what, count in left.items()]
    remarks += [f"{what} ({count} vertebrae)" for what, count in taken.items()]
    if off := sum(map(_lies_off_its_box, shapes)):
        whose = "a body lie off its own box" if off == 1 else f"{off} bodies lie off their own boxes"
        remarks.append(f"points of {whose}: are all x before y, and in px?")
    reading = Reading("", size[1], size[0], schema, vertebrae)
    vertebrae = [vertebrae[k] for k in head_to_foot(reading)]
    twice = [level for level, count in Counter(v.label for v in vertebrae if v.label).items() if count > 1]
    remarks += [f"{level} is named twice" for level in twice]
    radii = {
        (float(s.loose[0, 0]), float(s.loose[0, 1])): s.radius
        for s in shapes
        if s.radius and s.loose is not None and len(s.loose) == 1
    }
    landmarks, beside = landmarks_of({name: np.array(points) for name, points in extras.items()}, radii)
    return Assembled(vertebrae, landmarks, beside, remarks)


def _lies_off_its_box(shape: Shape) -> bool:
    """Whether half of the points seen, or more, lie farther from the box than a quarter of its size."""
    seen = np.array([point for name, point in shape.points.items() if name not in shape.hidden]).reshape(-1, 2)
    if shape.box is None or not len(seen):
        return False
    low, high = np.reshape(shape.box, (2, 2))
    margin = np.maximum((high - low) / 4, 2)
    return bool(((seen < low - margin) | (seen > high + margin)).any(axis=1).mean() >= 0.5)


def _is_other(shape: Shape) -> bool:
    """Whether the label names a known structure and the points are not those of a vertebra."""
    own = {name for name in shape.points if point_in(name)}
    return structure_in(shape.label) is not None and len(own) < 3


def _is_body(shape: Shape) -> bool:
    """Whether it is the outline of a vertebral body."""
    if shape.outline is None or shape.points or _is_other(shape) or DISC.search(shape.label):
        return False
    return bool(level_in(shape.label) or shape.level or BODY.search(shape.label))


def _vertebra(shape: Shape, schema: KeypointSchema, taken: Counter[str]) -> Vertebra | None:
    names = {point_in(name, schema.keypoints): name for name in shape.points}
    names.pop(None, None)
    level = _level_of(shape)
    if names and not (_is_other(shape) and len(names) < min(3, len(schema))):
        # Points that are not there stand where the others have their middle.
        visible = np.array([n in names and names[n] not in shape.hidden for n in schema.keypoints])
        known = [shape.points[own] for own in names.values()]
        middle = np.mean([p for n, p in shape.points.items() if n not in shape.hidden] or known, axis=0)
        places = np.array([shape.points[names[n]] if n in names else middle for n in schema.keypoints], np.float64)
    elif _is_body(shape) and set(schema.keypoints) <= set(VERTEBRA6.keypoints):
        try:
            outline = np.asarray(shape.outline)
            places = named_points(outline, schema)
            # Four corners say nothing of what an endplate does between them.
            visible = np.array([len(outline) > 4 or not n.endswith("middle") for n in schema.keypoints])
        except ValueError as error:
            taken[f"outline that is not a vertebral body ({error}), left out"] += 1
            return None
        taken["points taken from outlines"] += 1
    elif shape.loose is not None and len(shape.loose) == len(schema) and not _is_other(shape):
        places, visible = np.array(shape.loose, np.float64), np.ones(len(schema), bool)
        taken[f"points without names taken in the order of {schema.name}"] += 1
    else:
        return None
    vertebra = Vertebra.from_points(places, visible, label=level, score=shape.score)
    if shape.box is not None and shape.box[0] < shape.box[2] and shape.box[1] < shape.box[3]:
        vertebra.bbox = shape.box
    return vertebra


def _level_of(shape: Shape) -> str | None:
    """An attribute's level as it stands when it is none of ours; a label's only when it is one."""
    said = (shape.level or "").strip()
    if said:
        return said if said in TABLE else level_in(said) or said
    return level_in(shape.label) or ("S1" if "sacr" in shape.label.lower() else None)


def named_points(outline: np.ndarray, schema: KeypointSchema = VERTEBRA6) -> np.ndarray:
    """The points of a vertebral body from its outline: its corners where it has four, else as masks are read.

    Args:
        outline: (N, 2) corners, px.
        schema: Any whose names are among those of ``vertebra6``.

    Returns:
        (K, 2) points in the order of the schema. Left is the side of smaller x.

    Raises:
        ValueError: It is too small, or has no four corners.
    """
    outline = np.asarray(outline, np.float64)
    if len(outline) == 4:
        # Around the middle, starting from the corner nearest to the upper left one of the picture.
        centre = outline.mean(axis=0)
        turn = np.arctan2(*(outline - centre).T[::-1])
        top_left, top_right, bottom_right, bottom_left = outline[np.argsort(turn)]
        points = {"top_left": top_left, "top_right": top_right}
        points |= {"bottom_left": bottom_left, "bottom_right": bottom_right}
        for edge in ("top", "bottom"):
            points[f"{edge}_middle"] = (points[f"{edge}_left"] + points[f"{edge}_right"]) / 2
        return np.stack([points[name] for name in schema.keypoints])
    from spinetk.formats.outline import six_points

    if len(outline) < 4:
        raise ValueError("it has fewer than four corners")
    import cv2

    corner = np.floor(outline.min(axis=0)) - 2
    extent = np.ceil(outline.max(axis=0) - corner) + 2
    if not (extent < 20_000).all():
        raise ValueError("it is too large")
    # Drawn finer than the picture: a polygon knows its edge better than its pixels do.
    fine = max(1, min(8, int(600 / extent.max())))
    mask = np.zeros(tuple(int(v) for v in (extent[::-1] * fine)), np.uint8)
    inner = (outline - corner) * fine - 0.5
    cv2.fillPoly(mask, [np.round(inner * 16).astype(np.int32)], 1, shift=4)
    found = six_points(mask > 0, np.array([0.0, 1.0])) / fine + corner
    order = [VERTEBRA6.index(name) for name in schema.keypoints]
    return found[order]


def check_points(values: Iterable[float], where: str) -> None:
    """Refuse coordinates that are no places.

    Raises:
        InputError: One is not finite, or farther off than any picture reaches.
    """
    if not all(np.isfinite(v) and abs(v) < 1e6 for v in values):
        raise InputError(where, "has a coordinate that is no place in a picture", "export it again")
