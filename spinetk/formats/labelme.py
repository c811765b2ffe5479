"""labelme JSON: one file a picture, with points in groups, or outlines of the bodies.

labelme counts from the outer corner of the upper left pixel, as spinetk does. Which vertebra a point belongs to comes
from its ``group_id``, else from a level in its label (``L3_top_left``), else from the smallest rectangle it lies in.
Outlines of bodies (polygons) become points as masks do. Its own package opens a window system; the JSON is read here.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.atomic import write_text
from spinetk.errors import InputError
from spinetk.formats.beside import beside
from spinetk.formats.files import clean_name, read_json
from spinetk.formats.item import CaseItem, Pictures
from spinetk.formats.labels import level_in, split_label
from spinetk.formats.registry import Format, Source
from spinetk.formats.shapes import Shape, assemble, check_points, meaning
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6, KeypointSchema

VERSION = "5.5.0"
REMEDY = "save it again in labelme"
POINTED = ("point", "points", "line", "linestrip", "circle")


def is_labelme(content: Any) -> bool:
    """Whether JSON content is a labelme file."""
    return isinstance(content, Mapping) and isinstance(content.get("shapes"), list) and "imagePath" in content


def labelme_items(source: Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The pictures of labelme files.

    Args:
        source: A JSON, with the picture in its folder; or a folder of them.
        schema: Points to keep; None takes ``vertebra4`` when only corners were annotated, else ``vertebra6``.

    Yields:
        One item per file, or the error that keeps it out.

    Raises:
        InputError: There is no such file.
    """
    look = Source(source)
    files = [source] if source.is_file() else [p for p in look.ending(".json") if is_labelme(look.json(p))]
    if not files:
        raise InputError(source, "holds no labelme JSON", "give the folder that holds labelme's files")
    read: list[tuple[Path, Mapping[str, Any], tuple[int, int], list[Shape], list[str]] | InputError] = []
    for file in files:
        try:
            content = read_json(file)
            if not is_labelme(content):
                raise InputError(file, "is not labelme JSON", REMEDY)
            size = _size(content, file)
            remarks: list[str] = []
            read.append((file, content, size, _shapes(content, file, schema, remarks), remarks))
        except InputError as error:
            read.append(error)
    whole = meaning([s for found in read if not isinstance(found, InputError) for s in found[3]], schema)
    for found in read:
        if isinstance(found, InputError):
            yield found
            continue
        file, content, size, shapes, remarks = found
        stem = file.name.removesuffix(".json").removesuffix(".labelme")
        named = str(content.get("imagePath") or "")
        picture, missing = Pictures(file, file.parent, file.parent / "images", file.parent.parent).find(
            named, *(stem + suffix for suffix in (".png", ".jpg", ".jpeg", ".dcm"))
        )
        if missing is None and named and picture.name != (own := named.replace("\\", "/").rpartition("/")[2]):
            remarks.append(f"picture {own[:120]!r} is missing: {picture.name} was taken")
        assembled = assemble(shapes, whole, size)
        yield CaseItem(
            picture=picture,
            case=clean_name(stem),
            schema=whole,
            vertebrae=assembled.vertebrae,
            landmarks=assembled.landmarks,
            extras=assembled.extras,
            size=size,
            remarks=remarks + assembled.remarks,
            missing=missing,
        )


def _size(content: Mapping[str, Any], file: Path) -> tuple[int, int]:
    sizes = [content.get(name) for name in ("imageWidth", "imageHeight")]
    if not all(isinstance(v, int) and not isinstance(v, bool) and 0 < v < 1_000_000 for v in sizes):
        raise InputError(file, "field 'imageWidth' or 'imageHeight' is no size in px", REMEDY)
    return sizes[0], sizes[1]  # type: ignore[return-value]


def _shapes(content: Mapping[str, Any], file: Path, schema: KeypointSchema | None, remarks: list[str]) -> list[Shape]:
    names = VERTEBRA6.keypoints if schema is None else schema.keypoints
    groups: dict[str, Shape] = {}
    other: list[Shape] = []
    boxes: list[tuple[tuple[float, float, float, float], str]] = []
    loose: list[tuple[str, np.ndarray]] = []
    skipped: Counter[str] = Counter()
    for number, entry in enumerate(content["shapes"]):
        where = f"{file}: shape {number}"
        if not isinstance(entry, Mapping):
            raise InputError(where, "is not a table of fields", REMEDY)
        label, kind = str(entry.get("label") or "").strip(), str(entry.get("shape_type") or "polygon")
        try:
            points = np.array(entry.get("points"), dtype=np.float64).reshape(-1, 2)
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(where, f"field 'points' of {label!r} is not a list of x and y", REMEDY) from error
        check_points(points.ravel(), where)
        group = None if entry.get("group_id") is None else f"group {entry['group_id']}"
        before, point = split_label(label, names)
        if kind == "point" and point is not None and len(points) == 1:
            key = group or before
            if key:
                _add(groups.setdefault(key, Shape(before)), before, point, points[0], where)
            else:
                loose.append((point, points[0]))
        elif kind == "rectangle" and len(points) == 2:
            box = (*points.min(axis=0).tolist(), *points.max(axis=0).tolist())
            key = group or f"box {number}"
            shape = groups.setdefault(key, Shape(label))
            shape.label, shape.box = (label if level_in(label) or not shape.label else shape.label), box
            boxes.append((box, key))
        elif kind == "polygon":
            other.append(Shape(label, outline=points))
        elif kind in POINTED:
            if kind == "circle" and len(points) == 2:  # its middle, and a point of its edge
                other.append(Shape(label, loose=points[:1], radius=float(np.hypot(*(points[1] - points[0])))))
            else:
                other.append(Shape(label, loose=points))
        else:
            skipped[kind] += 1
    for point, place in loose:
        inside = [
            ((x1 - x0) * (y1 - y0), key)
            for (x0, y0, x1, y1), key in boxes
            if x0 <= place[0] <= x1 and y0 <= place[1] <= y1
        ]
        if not inside:
            fault = f"point {point!r} belongs to no vertebra"
            raise InputError(file, fault, "give its points one group ID, or label them L3_top_left and so on")
        _add(groups[min(inside)[1]], "", point, place, str(file))
    remarks += [f"{count} x shape of type {kind!r}: left out" for kind, count in skipped.items()]
    return [*groups.values(), *other]


def _add(shape: Shape, before: str, point: str, place: np.ndarray, where: str) -> None:
    if point in shape.points:
        raise InputError(where, f"has two points {point!r} in one vertebra", "give each vertebra a group ID of its own")
    shape.label = shape.label or before
    shape.points[point] = (float(place[0]), float(place[1]))


def write_labelme(path: Path, readings: Sequence[Reading], *, chosen: int | None = None) -> list[Path]:
    """Write one reading; points that are not visible are left out, as labelme knows none."""
    (reading,) = readings
    shapes = []
    for number, vertebra in enumerate(reading.vertebrae, start=1):
        for name, place, seen in zip(reading.schema.keypoints, vertebra.points, vertebra.visible, strict=True):
            if seen:
                shapes.append(_point(f"{vertebra.label}_{name}" if vertebra.label else name, place, number))
    shapes += [_point(name, place, None) for name, points in beside(reading).items() for place in points]
    picture = Path(reading.file)
    # labelme opens the picture by this path, seen from its own file.
    named = os.path.relpath(picture, path.parent) if picture.exists() else picture.name
    content: dict[str, Any] = {
        "version": VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": named,
        "imageData": None,
        "imageHeight": reading.height,
        "imageWidth": reading.width,
    }
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return [path]


def _point(label: str, place: np.ndarray, group: int | None) -> dict[str, Any]:
    return {
        "label": label,
        "points": [[float(place[0]), float(place[1])]],
        "group_id": group,
        "description": "",
        "shape_type": "point",
        "flags": {},
        "mask": None,
    }


FORMAT = Format(
    name="labelme",
    title="labelme JSON",
    suffix=".labelme.json",
    read=labelme_items,
    write=write_labelme,
    recognises=lambda source: source.any_json(is_labelme),
    holds=frozenset({"points", "levels", "visibility", "outside", "landmarks", "extras"}),
    origin="outer corner of the first pixel: coordinates pass unchanged",
    documented="labelme 6.3.1",
    source="https://github.com/wkentaro/labelme",
)
