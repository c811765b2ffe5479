"""Label Studio: tasks with a box per vertebra and its points, the labelling set-up they need, and the export back.

Coordinates are percent of the picture from its upper left corner, so ``x / 100 * width`` is ours. Label Studio has no
skeletons: which vertebra a point belongs to comes, in this order, from its parent region, from a relation, from a
level in its own label (``L3 top_left``), or from the smallest box it lies in. Its JSON is read here, without
label-studio-sdk, whose converters round points to whole px and join all bodies of a picture (COCO) or need boxes and
parents (YOLO).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse
from xml.etree import ElementTree

import numpy as np

from spinetk.atomic import write_json, write_text
from spinetk.errors import InputError
from spinetk.formats.beside import beside
from spinetk.formats.files import read_json
from spinetk.formats.item import UPLOAD, CaseItem, Pictures, case_named
from spinetk.formats.registry import Format, Source
from spinetk.formats.shapes import Shape, assemble, meaning, split_label, structure_in
from spinetk.measure.levels import TABLE
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6, KeypointSchema

UNNAMED = "vertebra"
"""Label of a box whose level is not known."""
LOCAL_FILES = "/data/local-files/?d="
"""How Label Studio addresses files of a local storage."""
REMEDY = "export the project as JSON (not JSON-MIN)"
KINDS = ("keypointlabels", "rectanglelabels", "polygonlabels", "ellipselabels")


def write_tasks(path: str | Path, readings: Iterable[Reading], address: str = LOCAL_FILES) -> None:
    """Write readings as tasks to import, atomically.

    Args:
        path: The JSON file.
        readings: With all pictures of one schema; points that are not visible are left out.
        address: What comes before the file name of a picture, where Label Studio finds it.
    """
    write_json(path, [_task(reading, address) for reading in readings])


def write_labelling(path: str | Path, schema: KeypointSchema, extras: Sequence[str] = ()) -> None:
    """Write the labelling set-up of a project (Settings, Labeling Interface, Code), atomically.

    Every point has its ``model_index``, without which Label Studio's own YOLO and COCO exports fail.
    """
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Image", {"name": "image", "value": "$image", "zoom": "true", "zoomControl": "true"})
    boxes = ElementTree.SubElement(view, "RectangleLabels", {"name": "vertebra", "toName": "image"})
    for label in (*TABLE, UNNAMED):
        ElementTree.SubElement(boxes, "Label", {"value": label})
    points = ElementTree.SubElement(view, "KeyPointLabels", {"name": "points", "toName": "image"})
    for index, label in enumerate((*schema.keypoints, *extras)):
        ElementTree.SubElement(points, "Label", {"value": label, "model_index": str(index)})
    ElementTree.indent(view)
    write_text(path, ElementTree.tostring(view, encoding="unicode") + "\n")


def write_readings(path: Path, readings: Sequence[Reading], *, chosen: int | None = None) -> list[Path]:
    """Tasks and, beside them, the labelling set-up."""
    extras = list(dict.fromkeys(name for reading in readings for name in beside(reading)))
    write_tasks(path, readings)
    write_labelling(path.with_suffix(".xml"), readings[0].schema if readings else VERTEBRA6, extras)
    return [path, path.with_suffix(".xml")]


def _task(reading: Reading, address: str) -> dict[str, Any]:
    result = []
    for number, vertebra in enumerate(reading.vertebrae):
        result += _regions_of(reading, vertebra, f"v{number}")
    for name, points in beside(reading).items():
        for number, place in enumerate(points):
            region = _region(reading, f"{name}-{number}", "keypointlabels", "points", name, place, {"width": 0.5})
            result.append(region)
    scores = [vertebra.score for vertebra in reading.vertebrae if vertebra.score is not None]
    prediction: dict[str, Any] = {"model_version": reading.model or "spinetk", "result": result}
    if scores:
        prediction["score"] = min(scores)
    return {"data": {"image": address + Path(reading.file).name}, "predictions": [prediction]}


def _regions_of(reading: Reading, vertebra: Vertebra, name: str) -> list[dict[str, Any]]:
    x0, y0, x1, y1 = vertebra.bbox
    level = vertebra.label if vertebra.label in TABLE else UNNAMED
    box = {"width": 100 * (x1 - x0) / reading.width, "height": 100 * (y1 - y0) / reading.height, "rotation": 0}
    regions = [_region(reading, name, "rectanglelabels", "vertebra", level, (x0, y0), box)]
    if vertebra.score is not None:
        regions[0]["score"] = float(vertebra.score)
    for point, place, seen in zip(reading.schema.keypoints, vertebra.points, vertebra.visible, strict=True):
        if seen:
            region = _region(reading, f"{name}-{point}", "keypointlabels", "points", point, place, {"width": 0.5})
            regions.append(region | {"parentID": name})
    return regions


def _region(
    reading: Reading, name: str, kind: str, control: str, label: str, place: Any, more: dict[str, Any]
) -> dict[str, Any]:
    x, y = 100 * float(place[0]) / reading.width, 100 * float(place[1]) / reading.height
    return {
        "id": name,
        "type": kind,
        "from_name": control,
        "to_name": "image",
        "original_width": reading.width,
        "original_height": reading.height,
        "image_rotation": 0,
        "value": {"x": x, "y": y, kind: [label], **more},
    }


def labelstudio_items(source: str | Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The pictures of a Label Studio export, or of a file of tasks that were not annotated yet.

    Args:
        source: The JSON, with the pictures in its folder or in ``images`` there; or a folder that holds such files.
        schema: Points to keep; None takes ``vertebra4`` when only corners were annotated, else ``vertebra6``.

    Yields:
        One item per task and annotation, that which counts first (the one marked as ground truth, else the newest);
        or the error that keeps a task out.

    Raises:
        InputError: There is no such file, or it is no export of annotations.
    """
    source = Path(source)
    look = Source(source)
    files = [source] if source.is_file() else [p for p in look.ending(".json") if is_export(look.json(p))]
    if not files:
        raise InputError(source, "holds no Label Studio export", REMEDY)
    for file in files:
        tasks = read_json(file)
        if not is_export(tasks):
            raise InputError(file, "is no Label Studio export", REMEDY)
        yield from _items(tasks, file, schema)


def is_export(content: Any) -> bool:
    """Whether JSON content is a list of tasks with annotations, or with predictions to start from."""
    return (
        isinstance(content, list)
        and bool(content)
        and all(isinstance(t, Mapping) and "data" in t for t in content)
        and any(all(isinstance(t.get(kind), list) for t in content) for kind in ("annotations", "predictions"))
    )


def _items(tasks: Sequence[Mapping], file: Path, schema: KeypointSchema | None) -> Iterator[CaseItem | InputError]:
    pictures = Pictures(file)
    names = _point_names(tasks, schema)
    read: list[tuple[Mapping, Mapping, list[str], tuple[int, int], list[Shape]] | InputError] = []
    for task in tasks:
        where = f"{file}: task {task.get('id')}"
        try:
            for answer, remarks in _answers(task, where):
                size = _size(answer["result"], where)
                read.append((task, answer, remarks, size, _shapes(answer["result"], size, names, where, remarks)))
        except InputError as error:
            read.append(error)
    whole = meaning([s for found in read if not isinstance(found, InputError) for s in found[-1]], schema)
    rank: Counter[int] = Counter()
    for found in read:
        if isinstance(found, InputError):
            yield found
            continue
        task, answer, remarks, size, shapes = found
        assembled = assemble(shapes, whole, size)
        named = _names(task)
        picture, missing = pictures.find(*named)
        yield CaseItem(
            picture=picture,
            case=case_named(named[-1]),
            schema=whole,
            vertebrae=assembled.vertebrae,
            landmarks=assembled.landmarks,
            extras=assembled.extras,
            size=size,
            annotator=_annotator(answer),
            rank=rank[id(task)],
            model=str(answer["model_version"])[:80] if answer.get("model_version") else None,
            remarks=remarks + assembled.remarks,
            missing=missing,
        )
        rank[id(task)] += 1


def _point_names(tasks: Sequence[Mapping], schema: KeypointSchema | None) -> Sequence[str]:
    """Names that keypoints may have: the schema's; without one ours, or all there are when none is ours."""
    if schema is not None:
        return schema.keypoints
    labels = [
        label
        for task in tasks
        for answer in [*_listed(task, "annotations"), *_listed(task, "predictions")]
        for region in _listed(answer, "result")
        if (label := _label(region, "keypointlabels")) is not None
    ]
    if any(split_label(label)[1] for label in labels):
        return VERTEBRA6.keypoints
    return list(dict.fromkeys(label for label in labels if structure_in(label) is None))


def _listed(table: Any, name: str) -> list[Mapping]:
    entries = table.get(name) if isinstance(table, Mapping) else None
    return [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []


def _label(region: Mapping, kind: str) -> str | None:
    value = region.get("value")
    names = value.get(kind) if isinstance(value, Mapping) and region.get("type") == kind else None
    return str(names[0]).strip() if isinstance(names, list) and names else None


def _answers(task: Mapping, where: str) -> Iterator[tuple[Mapping, list[str]]]:
    """The annotations of a task, that which counts first, and remarks; predictions where there are none at all."""
    asked = "annotations" if isinstance(task.get("annotations"), list) else "predictions"
    done = [a for a in _listed(task, asked) if not a.get("was_cancelled") and _listed(a, "result")]
    if not done:
        raise InputError(where, "has no annotation", "annotate it or leave it out of the export")
    done.sort(key=lambda a: (bool(a.get("ground_truth")), str(a.get("updated_at") or "")), reverse=True)
    for number, answer in enumerate(done):
        remarks = []
        if asked == "predictions":
            remarks.append("not annotated yet: the points of the prediction were taken")
        elif len(done) > 1 and number == 0:
            why = "the one marked true" if answer.get("ground_truth") else "the newest"
            remarks.append(f"{len(done)} annotations of one picture: {why} counts (by {_annotator(answer)})")
        yield answer, remarks


def _annotator(answer: Mapping) -> str | None:
    """A number, never a name or an address."""
    by = answer.get("completed_by")
    number = by.get("id") if isinstance(by, Mapping) else by
    if isinstance(number, int):
        return f"annotator {number}"
    return f"annotation {answer['id']}" if isinstance(answer.get("id"), int) else None


def _size(regions: Sequence[Mapping], where: str) -> tuple[int, int]:
    drawn = [r for r in regions if isinstance(r, Mapping) and isinstance(r.get("value"), Mapping)]
    numbers = [(r.get("original_width"), r.get("original_height")) for r in drawn if r.get("type") in KINDS]
    sizes = {pair if all(isinstance(v, int | float) for v in pair) else None for pair in numbers}
    try:
        ((width, height),) = sizes
        width, height = int(width), int(height)
    except (TypeError, ValueError, OverflowError) as error:
        if not sizes:
            raise InputError(where, "has no keypoint", "label the corners of the vertebrae as keypoints") from error
        raise InputError(where, "does not say how large its picture is", REMEDY) from error
    if width < 1 or height < 1 or any(region.get("image_rotation") for region in drawn):
        raise InputError(where, "was annotated on a rotated picture", "turn it back in Label Studio")
    return width, height


def _shapes(
    regions: Sequence[Any], size: tuple[int, int], names: Sequence[str], where: str, remarks: list[str]
) -> list[Shape]:
    """A shape a vertebra, and one for everything else that was drawn."""
    tables = [region for region in regions if isinstance(region, Mapping)]
    shapes: dict[str, Shape] = {}
    boxes: list[tuple[str, np.ndarray, str]] = []
    points: list[tuple[Mapping, str, str | None, np.ndarray]] = []
    other: list[Shape] = []
    skipped = Counter(str(r.get("type"))[:40] for r in tables if r.get("type") not in (*KINDS, "relation"))
    remarks += [f"{count} x region of type {kind!r}: left out" for kind, count in skipped.items()]
    for number, region in enumerate(tables):
        kind = next((kind for kind in KINDS if _label(region, kind) is not None), None)
        if kind is None:
            continue
        label, value = _label(region, kind) or "", region["value"]
        if kind == "rectanglelabels":
            box = _box(region, where)
            key = str(region.get("id") or f"box {number}")
            x, y, width, height, angle = box
            place = None
            if not angle:
                ends = np.array([x, y, x + width, y + height]) / 100 * (*size, *size)
                place = (float(ends[0]), float(ends[1]), float(ends[2]), float(ends[3]))
            shapes[key] = Shape("" if label == UNNAMED else label, box=place, score=_score(region))
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
        key = _vertebra_of(place / size * 100, region, before, boxes, tied)
        if key is None:
            fault = f"keypoint {before + ' ' + str(point)!r} belongs to no vertebra"
            raise InputError(where, fault, "draw a box around each vertebra, or label points as 'L3 top_left'")
        shape = shapes.setdefault(key, Shape(before))
        shape.label = shape.label or before
        if point in shape.points:
            raise InputError(where, f"has two points {point!r} in one vertebra", "see whether two boxes were meant")
        shape.points[str(point)] = (float(place[0]), float(place[1]))
    return [*shapes.values(), *other]


def _tied(regions: Sequence[Mapping], boxes: set[str]) -> dict[str, str]:
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
    ties = {}
    for names in members.values():
        inside = [name for name in names if name in boxes]
        # Points tied to each other without a box are a vertebra too.
        key = inside[0] if len(inside) == 1 else names[0] if not inside else None
        ties |= {} if key is None else dict.fromkeys(names, key)
    return ties


def _vertebra_of(
    place: np.ndarray,
    region: Mapping,
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


def _box(region: Mapping, where: str) -> np.ndarray:
    """x, y, width, height in percent, and the turn in radians."""
    value = region["value"]
    numbers = [_number(value.get(name), where) for name in ("x", "y", "width", "height")]
    angle = math.radians(_number(value.get("rotation", 0), where))
    if angle and region.get("original_width") != region.get("original_height"):
        raise InputError(where, "has a turned box on a picture that is not square", "draw upright boxes")
    return np.array([*numbers, angle])


def _score(region: Mapping) -> float | None:
    score = region.get("score")
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


FORMAT = Format(
    name="labelstudio",
    title="Label Studio tasks",
    suffix="labelstudio.json",
    read=labelstudio_items,
    write=write_readings,
    recognises=lambda source: source.any_json(is_export),
    many=True,
    holds=frozenset({"points", "levels", "visibility", "scores", "extras"}),
    origin="percent of the picture from its upper left corner: outer corner of the first pixel, no shift",
    tools="label-studio-sdk 2.1.2",
    documented="Label Studio 1.2x (JSON)",
    source="https://labelstud.io/guide/export https://labelstud.io/tags/keypointlabels",
)
