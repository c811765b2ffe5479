"""Label Studio: keypoints of an export in the format JSON, with or without boxes around the vertebrae.

Coordinates are percent of the picture from its upper left corner, so ``x / 100 * width`` is ours. Label Studio has no
skeletons: which vertebra a point belongs to comes, in this order, from its parent region, from a level in its own label
(``L3 top_left``), or from the smallest box it lies in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import numpy as np

from spinetk.cases.folder import clean_name, read_json
from spinetk.errors import InputError
from spinetk.formats.item import CaseItem, in_schema, picture_named
from spinetk.measure.levels import TABLE, head_to_foot
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA4, VERTEBRA6, KeypointSchema

REMEDY = "export the project as JSON (not JSON-MIN)"
# Label Studio puts this before the name of an uploaded file.
UPLOAD = re.compile(r"^[0-9a-f]{8}-")
POINTS = tuple(sorted(VERTEBRA6.keypoints, key=len, reverse=True))


def labelstudio_items(source: str | Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The pictures of a Label Studio export.

    Args:
        source: The JSON, with the pictures in its folder or in ``images`` there; or a folder that holds such files.
        schema: Points to keep; None takes ``vertebra4`` when only corners were annotated, else ``vertebra6``.

    Yields:
        One item per annotated task, or the error that keeps it out.

    Raises:
        InputError: There is no such file, or it is no export of annotations.
    """
    source = Path(source)
    files = [source] if source.is_file() else [p for p in sorted(source.glob("*.json")) if is_export(read_json(p))]
    if not files:
        raise InputError(source, "holds no Label Studio export", REMEDY)
    for file in files:
        tasks = read_json(file)
        if not is_export(tasks):
            raise InputError(file, "is no Label Studio export", REMEDY)
        regions = [_regions(task, file) for task in tasks]
        labels = {label for found in regions if not isinstance(found, InputError) for _, label, _ in found[0]}
        names = {point for label in labels if (point := _split(label)[1])}
        whole = VERTEBRA4 if names <= set(VERTEBRA4.keypoints) else VERTEBRA6
        for task, found in zip(tasks, regions, strict=True):
            try:
                if isinstance(found, InputError):
                    raise found
                yield _item(task, *found, file, whole, schema)
            except InputError as error:
                yield error


def is_export(content: Any) -> bool:
    """Whether JSON content is a list of annotated tasks."""
    return (
        isinstance(content, list)
        and bool(content)
        and all(isinstance(t, Mapping) and isinstance(t.get("annotations"), list) and "data" in t for t in content)
    )


def _regions(task: Mapping, file: Path) -> tuple[list[tuple[Any, str, Mapping]], list[str]] | InputError:
    """(kind, label, region) of the annotation that counts, and remarks."""
    where = f"{file}: task {task.get('id')}"
    done = [a for a in task["annotations"] if isinstance(a, Mapping) and not a.get("was_cancelled")]
    done = [a for a in done if isinstance(a.get("result"), list) and a["result"]]
    if not done:
        return InputError(where, "has no annotation", "annotate it or leave it out of the export")
    chosen = max(done, key=lambda a: (bool(a.get("ground_truth")), str(a.get("updated_at") or "")))
    found = []
    for region in chosen["result"]:
        if not isinstance(region, Mapping) or not isinstance(region.get("value"), Mapping):
            continue
        for kind in ("keypointlabels", "rectanglelabels"):
            names = region["value"].get(kind)
            if region.get("type") == kind and isinstance(names, list) and names:
                found.append((kind, str(names[0]).strip(), region))
    if not any(kind == "keypointlabels" for kind, *_ in found):
        return InputError(where, "has no keypoint", "label the corners of the vertebrae as keypoints")
    count = len(done)
    return found, [f"{count} annotations of one picture: the one marked true, else the newest was used"][: count > 1]


def _item(
    task: Mapping,
    regions: Sequence[tuple[str, str, Mapping]],
    remarks: list[str],
    file: Path,
    whole: KeypointSchema,
    schema: KeypointSchema | None,
) -> CaseItem:
    where = f"{file}: task {task.get('id')}"
    sizes = {(region.get("original_width"), region.get("original_height")) for *_, region in regions}
    try:
        (size,) = sizes
        width, height = (int(v) for v in size)
    except (TypeError, ValueError) as error:
        raise InputError(where, "does not say how large its picture is", REMEDY) from error
    if width < 1 or height < 1 or any(region.get("image_rotation") for *_, region in regions):
        raise InputError(where, "was annotated on a rotated picture", "turn it back in Label Studio")
    boxes = [(label, _box(region, where), region) for kind, label, region in regions if kind == "rectanglelabels"]
    groups: dict[Hashable, dict[str, np.ndarray]] = {}
    levels: dict[Hashable, str] = {}
    for kind, label, region in regions:
        if kind != "keypointlabels":
            continue
        level, point = _split(label)
        if point is None or point not in whole.keypoints:
            raise InputError(where, f"keypoint {label!r} has an unknown name", f"use {', '.join(whole.keypoints)}")
        place = np.array([_number(region["value"].get(axis), where) for axis in "xy"])
        key, named = _vertebra_of(place, region, level, boxes)
        if key is None:
            fault = f"keypoint {label!r} belongs to no vertebra"
            raise InputError(where, fault, "draw a box around each vertebra, or label points as 'L3 top_left'")
        points = groups.setdefault(key, {})
        if point in points:
            raise InputError(where, f"has two points {point!r} in one vertebra", "see whether two boxes were meant")
        points[point] = place / 100 * (width, height)
        if named:
            levels[key] = named
    vertebrae = []
    for key, points in groups.items():
        visible = np.array([name in points for name in whole.keypoints])
        places = np.array([points.get(name, (0.0, 0.0)) for name in whole.keypoints])
        vertebrae.append(Vertebra.from_points(places, visible, label=levels.get(key)))
    names = _names(task)
    picture = _picture(names, file)
    reading = Reading(picture.name, height, width, whole, vertebrae)
    reading.vertebrae = [vertebrae[k] for k in head_to_foot(reading)]
    reading = in_schema(reading, schema, file)
    return CaseItem(
        picture=picture,
        case=clean_name(Path(names[-1]).stem),
        schema=reading.schema,
        vertebrae=reading.vertebrae,
        size=(width, height),
        remarks=list(remarks),
    )


def _split(label: str) -> tuple[str | None, str | None]:
    """(level, point) of ``L3 top_left``, ``L3_top_left`` or ``top_left``; the point is None when it is none of ours."""
    for point in POINTS:
        if label == point:
            return None, point
        level = label.removesuffix(point)
        if level != label and level[-1:] in " _-:." and level[:-1].strip():
            return level[:-1].strip(), point
    return None, None


def _vertebra_of(
    place: np.ndarray, region: Mapping, level: str | None, boxes: Sequence[tuple[str, np.ndarray, Mapping]]
) -> tuple[Hashable, str | None]:
    """What tells the vertebra of a point from the others, and its level name."""
    parent = region.get("parentID")
    for label, _, box in boxes:
        if parent and box.get("id") == parent:
            return str(parent), _level(label)
    if parent:
        return str(parent), _level(level)
    if level:
        return level, _level(level)
    inside = []
    for number, (label, (x, y, width, height, angle), _) in enumerate(boxes):
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        along = (place - (x, y)) @ turn
        if 0 <= along[0] <= width and 0 <= along[1] <= height:
            inside.append((width * height, number, label))
    if not inside:
        return None, None
    _, number, label = min(inside)
    return number, _level(label)


def _level(label: str | None) -> str | None:
    return label if label in TABLE else None


def _box(region: Mapping, where: str) -> np.ndarray:
    """x, y, width, height in percent, and the turn in radians."""
    value = region["value"]
    numbers = [_number(value.get(name), where) for name in ("x", "y", "width", "height")]
    angle = math.radians(_number(value.get("rotation", 0), where))
    if angle and region["original_width"] != region["original_height"]:
        raise InputError(where, "has a turned box on a picture that is not square", "draw upright boxes")
    return np.array([*numbers, angle])


def _number(value: Any, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(where, "has a coordinate that is no number", REMEDY) from error
    if not -100 <= number <= 400:
        raise InputError(where, f"has a coordinate of {number} %", REMEDY)
    return number


def _names(task: Mapping) -> list[str]:
    """Names the picture may have: as uploaded, and without the prefix Label Studio gave it."""
    data = task["data"]
    texts = list(data.values()) if isinstance(data, Mapping) else []
    names = []
    for text in (task.get("file_upload"), *texts):
        if not isinstance(text, str) or not text or len(text) > 2000:
            continue
        try:
            address = urlparse(text)
            text = parse_qs(address.query).get("d", [address.path])[0]
        except ValueError:
            continue
        name = text.replace("\\", "/").rpartition("/")[2]
        names += [name, UPLOAD.sub("", name)] if Path(name).suffix else []
    return list(dict.fromkeys(names)) or [""]


def _picture(names: Sequence[str], file: Path) -> Path:
    for name in names:
        try:
            return picture_named(name, file, [file.parent, file.parent / "images"])
        except InputError as error:
            last = error
    raise last
