"""Reading COCO keypoints, in the dialects of the programs that write it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.errors import InputError
from spinetk.formats.files import clean_name, read_json
from spinetk.formats.item import CaseItem, Pictures, case_named, judged
from spinetk.formats.registry import Source
from spinetk.formats.shapes import Shape, assemble, check_points, meaning
from spinetk.geometry import Frame
from spinetk.schema import KeypointSchema
from spinetk.views import VIEWS

LISTS = ("images", "annotations", "categories")


@dataclass(frozen=True)
class Dialect:
    """Who wrote a file, and what its points have to be shifted by, px."""

    writer: str
    shift_px: float


PLAIN = Dialect("COCO", 0.5)
CVAT = Dialect("CVAT", 0.0)
LABEL_STUDIO = Dialect("Label Studio", 0.0)
ROBOFLOW = Dialect("Roboflow", 0.0)


def dialect_of(content: Mapping[str, Any]) -> Dialect:
    """The program that wrote a file, from the traces it leaves in ``info`` and in the annotations."""
    info = str(content.get("info") or "").lower()
    if "label studio" in info:
        return LABEL_STUDIO
    if "roboflow" in info:
        return ROBOFLOW
    for entry in content["annotations"]:
        # CVAT writes the state of its check boxes with every object.
        attributes = entry.get("attributes")
        if isinstance(attributes, Mapping) and "occluded" in attributes:
            return CVAT
    return PLAIN


def coco_items(source: str | Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The pictures of a COCO keypoint set.

    Args:
        source: The JSON, with the pictures in its folder, or in ``images`` there or one level up (CVAT); or a folder
            that holds such files.
        schema: Points to keep; None takes the built-in schema that the category's names are of, else those names.

    Yields:
        One item per image, or the error that keeps it out. Metadata: the image's ``group`` or ``patient`` field.

    Raises:
        InputError: The file is no COCO keypoint set.
    """
    source = Path(source)
    look = Source(source)
    files = [source] if source.is_file() else [p for p in look.ending(".json") if _is_coco(look.json(p))]
    if not files:
        raise InputError(source, "holds no COCO JSON", "give the file itself")
    for file in files:
        yield from _items(file, schema)


def _is_coco(content: Any) -> bool:
    return isinstance(content, Mapping) and set(LISTS) <= set(content)


def _items(file: Path, schema: KeypointSchema | None) -> Iterator[CaseItem | InputError]:
    content = read_json(file)
    if not isinstance(content, Mapping):
        raise InputError(file, "is not a COCO keypoint set", "export COCO keypoints")
    for name in LISTS:
        if not isinstance(content.get(name), list) or not all(isinstance(e, Mapping) for e in content[name]):
            raise InputError(file, f"field '{name}' is missing or not a list of tables", "export COCO keypoints")
    categories = {_key(c.get("id")): c for c in content["categories"]}
    declared = [[str(n) for n in names] for c in categories.values() if isinstance(names := c.get("keypoints"), list)]
    if not any(declared) and not any(isinstance(e.get("segmentation"), list) for e in content["annotations"]):
        raise InputError(file, "no category names its keypoints", "export COCO keypoints, not COCO instances")
    dialect = dialect_of(content)
    places = [file.parent, file.parent / "images", file.parent.parent / "images"]
    subset = file.stem.removeprefix("person_keypoints_")
    pictures = Pictures(file, *places, *(folder / subset for folder in places))
    known = {_key(image.get("id")) for image in content["images"]}
    drawn: dict[str, list[tuple[Mapping[str, Any], Shape]] | InputError] = {}
    strays: Counter[str] = Counter()
    for entry in content["annotations"]:
        key = _key(entry.get("image_id"))
        if key not in known:
            strays[key] += 1
            continue
        there = drawn.setdefault(key, [])
        if entry.get("iscrowd") or isinstance(there, InputError):
            continue
        try:
            category = categories.get(_key(entry.get("category_id")), {})
            there.append((entry, _shape(entry, category, dialect, f"{file}: annotation {entry.get('id')}")))
        except InputError as error:
            drawn[key] = error
    if strays:
        fault = f"{strays.total()} annotations of {len(strays)} pictures met no image"
        yield InputError(file, fault, "their image_id is no id of 'images': export it again")
    shapes = [shape for found in drawn.values() if not isinstance(found, InputError) for _, shape in found]
    whole = meaning(shapes, schema, declared)
    if schema is not None and declared and not any({*schema.keypoints} & {*names} for names in declared):
        fault = f"has points {', '.join(declared[0][:8])}, not those of schema {schema.name!r}"
        raise InputError(file, fault, "leave --schema out, or name the schema of these points")
    remark = [f"{dialect.writer} wrote it: its points count from the outer corner of the first pixel, not its centre"]
    for image in content["images"]:
        found = drawn.get(_key(image.get("id")), [])
        try:
            if isinstance(found, InputError):
                raise found
            if strays and not found:
                fault = "has no annotation, while others of the file met no image"
                raise InputError(f"{file}: image {image.get('file_name')}", fault, "export it again")
            if dialect is LABEL_STUDIO:
                _check_label_studio(found, f"{file}: image {image.get('file_name')}")
            item = _item(image, [shape for _, shape in found], file, pictures, whole)
        except InputError as error:
            yield error
            continue
        if dialect.shift_px == 0:
            item.remarks += remark
            remark = []
        yield item


def _key(value: Any) -> str:
    """An id, whether it is written as number or as text."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _item(
    image: Mapping[str, Any], shapes: Sequence[Shape], file: Path, pictures: Pictures, schema: KeypointSchema
) -> CaseItem:
    name = str(image.get("file_name", ""))
    where = f"{file}: image {name}"
    try:
        size = (int(image["width"]), int(image["height"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(where, "field 'width' or 'height' is not a number", "export it again") from error
    if min(size) < 1:
        raise InputError(where, "field 'width' or 'height' is not a size in px", "export it again")
    place, series = image.get("slice"), image.get("series")
    if place is not None and (isinstance(place, bool) or not isinstance(place, int) or place < 0):
        raise InputError(where, "field 'slice' is not the number of a slice", "slices count from 0; or remove it")
    picture, missing = pictures.find(name)
    found = assemble(shapes, schema, size)
    group = next((str(image[k]) for k in ("group", "patient") if image.get(k) is not None), None)
    return CaseItem(
        picture=picture,
        case=clean_name(str(image["case"])) if image.get("case") else case_named(name),
        schema=schema,
        vertebrae=found.vertebrae,
        landmarks=found.landmarks,
        extras=found.extras,
        group=group,
        metadata={} if group is None else {"group": group},
        frame=Frame.from_json(image, where),
        view=image["view"] if image.get("view") in VIEWS else "unknown",
        size=size,
        slice=place,
        series=None if series is None else str(series),
        **judged(image, where),
        remarks=found.remarks,
        missing=missing,
    )


def _shape(entry: Mapping[str, Any], category: Mapping[str, Any], dialect: Dialect, where: str) -> Shape:
    attributes = entry.get("attributes")
    attributes = attributes if isinstance(attributes, Mapping) else {}
    said = (entry.get("label"), attributes.get("level"), attributes.get("label"))
    shape = Shape(str(category.get("name") or ""), level=next((str(one) for one in said if one), None))
    score = entry.get("score", attributes.get("score"))
    if isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1:
        shape.score = float(score)
    try:
        box = None if entry.get("bbox") is None else np.array(entry["bbox"], dtype=np.float64)
        points = np.array(entry.get("keypoints") or [], dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(where, "field 'keypoints' or 'bbox' is not numbers", "export it again") from error
    if box is not None and (box.shape != (4,) or not np.isfinite(box).all()):
        raise InputError(where, "field 'bbox' is not four numbers", "export it again")
    if box is not None and (box[2:] > 0).all():
        shape.box = (float(box[0]), float(box[1]), float(box[0] + box[2]), float(box[1] + box[3]))
    named = category.get("keypoints")
    names = [str(name) for name in named] if isinstance(named, list) else []
    if points.ndim != 1 or (points.size and points.size != 3 * len(names)):
        fault = f"field 'keypoints' has {points.size} numbers, not {3 * len(names)}"
        raise InputError(where, fault, "export it again")
    check_points(points, f"{where}: field 'keypoints'")
    # All 0 is not drawn at all; places without a flag are points that the file calls not visible.
    if points.any():
        for name, (x, y, v) in zip(names, points.reshape(-1, 3).tolist(), strict=True):
            if name in shape.points:
                raise InputError(where, f"its category has two keypoints named {name!r}", "rename one")
            shape.points[name] = (x + dialect.shift_px, y + dialect.shift_px)
            if not v > 0:
                shape.hidden.add(name)
    elif isinstance(outlines := entry.get("segmentation"), list) and len(outlines) == 1:
        shape.outline = _outline(outlines[0], where)
    return shape


def _outline(flat: Any, where: str) -> np.ndarray | None:
    """Polygons are areas, as boxes are: they do not shift."""
    try:
        corners = np.array(flat, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(where, "field 'segmentation' is not numbers", "export it again") from error
    if corners.ndim != 1 or corners.size % 2 or corners.size < 6:
        return None
    check_points(corners, f"{where}: field 'segmentation'")
    return corners.reshape(-1, 2)


def _check_label_studio(found: Sequence[tuple[Mapping[str, Any], Shape]], where: str) -> None:
    """Its own converter puts the points of all bodies of a picture into one annotation."""
    pointed = [shape for _, shape in found if shape.points]
    if len(pointed) == 1 and (pointed[0].label.lower() == "default" or len(found) > 2):
        fault = "has the points of all its vertebrae in one annotation, as Label Studio's COCO export does"
        raise InputError(where, fault, "export JSON or YOLO instead")


def recognises(source: Source) -> bool:
    """Whether a file, or one of a folder, is such a one."""
    return source.any_json(_is_coco)
