"""Records: the dict of one picture and its vertebrae (Detectron2's dataset format), checked field by field.

A record holds ``file_name`` (absolute path of the PNG), ``height``, ``width``, ``image_id`` and ``annotations``, a list
of ``{"bbox": [x0, y0, x1, y1], "bbox_mode": 0, "category_id": 0, "keypoints": [x, y, v] * K}`` with an optional
``label``. Points are in px with pixel centres at integer + 0.5; v is 0 (unknown or outside the picture; written with
x = y = 0), 1 or 2. Further fields are optional: ``schema``, ``spacing_mm``, ``spacing_source``, ``orientation``,
``view``, ``modality``, ``case``, ``augmentation``, ``origin`` (keyed hashes of patient, series or file: see
:mod:`spinetk.cases.groups`), ``extras`` (landmarks of no vertebra: lists of [x, y] by name), and ``landmarks``
(:mod:`spinetk.landmark`): a list, empty where sacrum and hips were looked for and are not shown, absent where nobody
looked; ``rulers`` (:mod:`spinetk.ruler`): lengths and angles that a reader has drawn; ``facing``
(:mod:`spinetk.facing`): the patient's front, where the orientation does not tell it or a person said otherwise; and
``day`` (:mod:`spinetk.cases.days`): when it was taken, counted from a day that only the case folder's secret tells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.errors import InputError
from spinetk.facing import Facing
from spinetk.fields import extras_from, extras_json
from spinetk.geometry import Frame
from spinetk.landmark import Landmark
from spinetk.reading import Reading
from spinetk.ruler import rulers_from
from spinetk.schema import SCHEMAS, KeypointSchema, schema_field
from spinetk.vertebra import Vertebra
from spinetk.views import VIEWS

Record = dict[str, Any]
FRAME_FIELDS = ("orientation", "pixel_aspect", "exif_orientation")
"""Of a record's frame, what is left out where it says nothing."""

XYXY = 0  # Detectron2's BoxMode.XYXY_ABS
# Published sets round points and boxes to whole px, which puts some just outside the picture.
ROUNDING_PX = 1.0
REMEDY_POINTS = "mend or remove this annotation"


def check_record(
    content: Any,
    source: str | Path,
    schema: KeypointSchema | None = None,
    *,
    left_out: list[InputError] | None = None,
) -> Record:
    """Check the content of one case JSON.

    Args:
        content: What the JSON file holds.
        source: Named in errors.
        schema: The points wanted; of a file that names its own, they are taken by name. None takes the file's own
            ``schema`` field, or the built-in one with as many points.
        left_out: Receives an error for every wrong annotation (a copy of another is one), and the others are kept,
            where there are any. The vertebra of such an annotation then counts as background. None allows no wrong
            annotation.

    Returns:
        The record with plain numbers and its ``schema``; ``file_name`` is left as it was.

    Raises:
        InputError: A field is missing or wrong; the message names it.
    """
    record = _checked_fields(content, source)
    own = own_schema(record, source) if schema is None or record.get("schema") is not None else schema
    schema = schema or own
    if not set(schema.keypoints) <= set(own.keypoints):
        fault = f"has the points of {own.name}, not those of {schema.name}"
        raise InputError(source, fault, "keep cases of different points in folders of their own")
    wrong: list[InputError] = []
    record["annotations"] = _checked_annotations(record, source, own, schema, left_out is not None, wrong)
    if wrong and (left_out is None or not record["annotations"]):
        raise wrong[0]
    if left_out is not None:
        kept = f"and is left out, the other {len(record['annotations'])} of the picture are kept"
        left_out += [InputError(error.source, f"{error.fault}, {kept}", error.remedy) for error in wrong]
    record["schema"] = schema_field(schema)
    return record


def _checked_fields(content: Any, source: str | Path) -> Record:
    """The fields of a case JSON but for its schema, whose annotations are a list."""
    if not isinstance(content, Mapping):
        raise InputError(source, "is not a table of fields", "see the layout of a case JSON in the README")
    record = dict(content)
    for name in ("height", "width"):
        value = record.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 1 or value != int(value):
            raise InputError(source, f"field '{name}' is not a whole number of px", "give the size of the picture")
        record[name] = int(value)
    if not isinstance(record.get("image_id"), str | int):
        raise InputError(source, "field 'image_id' is missing", "give the picture a unique name")
    if not isinstance(record.get("annotations"), list):
        raise InputError(source, "field 'annotations' is missing or not a list", "an empty list means no vertebra")
    if record.get("view", "unknown") not in VIEWS:
        raise InputError(source, f"field 'view' is not one of {', '.join(VIEWS)}", "'unknown' will do")
    Frame.from_json(record, str(source))
    extras_from(record.get("extras"), source)
    origin = record.get("origin", [])
    if not isinstance(origin, list) or not all(isinstance(key, str) and ":" in key for key in origin):
        raise InputError(source, "field 'origin' is not a list of hashes", "remove it or prepare the case again")
    if record.get("landmarks") is not None:
        if not isinstance(record["landmarks"], list) or not all(isinstance(e, Mapping) for e in record["landmarks"]):
            raise InputError(source, "field 'landmarks' is not a list of tables", "see spinetk.landmark")
        record["landmarks"] = [Landmark.from_json(entry, str(source)).to_json() for entry in record["landmarks"]]
    if record.get("rulers") is not None:
        record["rulers"] = [own.to_json() for own in rulers_from(record["rulers"], str(source))]
    if record.get("facing") is not None:
        record["facing"] = facing_of(record["facing"], source)
    if not isinstance(record.get("day", 0), int):
        raise InputError(source, "field 'day' is not a whole number of days", "remove it")
    return record


def _checked_annotations(
    record: Record, source: str | Path, own: KeypointSchema, schema: KeypointSchema, once: bool, wrong: list[InputError]
) -> list[dict[str, Any]]:
    """Those annotations that can be used, with the points of ``schema``; the faults of the others go to ``wrong``."""
    order = [own.index(name) for name in schema.keypoints]
    kept: list[dict[str, Any]] = []
    for n, entry in enumerate(record["annotations"]):
        try:
            checked = _check_annotation(entry, f"annotations[{n}]", source, own, (record["width"], record["height"]))
            if own.keypoints != schema.keypoints:
                points = checked["keypoints"]
                checked["keypoints"] = [value for k in order for value in points[3 * k : 3 * k + 3]]
            same = [(other["keypoints"], other["bbox"]) for other in kept]
            if once and (checked["keypoints"], checked["bbox"]) in same:
                raise InputError(source, f"field 'annotations[{n}]' is a copy of another of its bodies", "remove one")
            kept.append(checked)
        except InputError as error:
            wrong.append(error)
    return kept


def facing_of(content: Any, source: str | Path) -> dict[str, Any]:
    """The field ``facing`` checked.

    Raises:
        InputError: It is malformed.
    """
    try:
        return Facing.from_json(content, str(source)).to_json()
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(source, "field 'facing' is malformed", "mend or remove it") from error


def schema_of(record: Mapping[str, Any]) -> KeypointSchema:
    """The schema a checked record names."""
    named = record["schema"]
    return KeypointSchema.from_json(named, "record") if isinstance(named, Mapping) else SCHEMAS[named]


def own_schema(record: Mapping[str, Any], source: str | Path) -> KeypointSchema:
    """The schema a file names, else the built-in one with as many points as most of its annotations have."""
    named = record.get("schema")
    if isinstance(named, Mapping):
        return KeypointSchema.from_json(named, source)
    if named is not None:
        # A file may name a built-in schema only: its text must not become a path.
        if not isinstance(named, str) or named not in SCHEMAS:
            raise InputError(source, "field 'schema' is unknown", f"use {', '.join(SCHEMAS)} or write it out in full")
        return SCHEMAS[named]
    entries = record.get("annotations")
    found = (
        [entry.get("keypoints") for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
    )
    lengths = [len(points) for points in found if isinstance(points, list)]
    return max(SCHEMAS.values(), key=lambda schema: lengths.count(3 * len(schema)))


def _numbers(values: Any, count: int, what: str, source: str | Path) -> list[float]:
    if not isinstance(values, list | tuple):
        raise InputError(source, f"field '{what}' is missing or not a list", REMEDY_POINTS)
    if len(values) != count:
        raise InputError(source, f"field '{what}' has {len(values)} numbers instead of {count}", REMEDY_POINTS)
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(source, f"field '{what}' holds something that is not a finite number", REMEDY_POINTS)
    return [float(value) for value in values]


def _check_annotation(
    entry: Any, where: str, source: str | Path, schema: KeypointSchema, size: tuple[int, int]
) -> dict[str, Any]:
    if not isinstance(entry, Mapping):
        raise InputError(source, f"field '{where}' is not a table of fields", REMEDY_POINTS)
    if entry.get("bbox_mode", XYXY) != XYXY:
        raise InputError(source, f"field '{where}.bbox_mode' is not 0", "boxes are [x0, y0, x1, y1]")
    if entry.get("category_id", 0) != 0:
        raise InputError(source, f"field '{where}.category_id' is not 0", "there is one category, the vertebra")
    box = _numbers(entry.get("bbox"), 4, f"{where}.bbox", source)
    if not (box[0] < box[2] and box[1] < box[3]):
        raise InputError(source, f"field '{where}.bbox' is empty or inverted", "boxes are [x0, y0, x1, y1]")
    if min(box[:2]) < -ROUNDING_PX or box[2] > size[0] + ROUNDING_PX or box[3] > size[1] + ROUNDING_PX:
        fault = f"field '{where}.bbox' reaches outside the picture of {size[0]} x {size[1]} px"
        raise InputError(source, fault, REMEDY_POINTS)
    flat = _numbers(entry.get("keypoints"), 3 * len(schema), f"{where}.keypoints", source)
    points = []
    for name, x, y, v in zip(schema.keypoints, flat[0::3], flat[1::3], flat[2::3], strict=True):
        if v not in (0, 1, 2):
            fault = f"field '{where}.keypoints' has a visibility of {v:g} at {name}"
            raise InputError(source, fault, "the third number of a point is 0, 1 or 2")
        outside = min(x, y) < -ROUNDING_PX or x > size[0] + ROUNDING_PX or y > size[1] + ROUNDING_PX
        if v and outside:
            fault = f"field '{where}.keypoints' has {name} outside the picture of {size[0]} x {size[1]} px"
            raise InputError(source, fault, "set its third number to 0")
        points += [x, y, int(v)]
    label = entry.get("label")
    if label is not None and not isinstance(label, str):
        raise InputError(source, f"field '{where}.label' is not text", "use names like 'L3'")
    return {**entry, "bbox": box, "bbox_mode": XYXY, "category_id": 0, "keypoints": points}


def reading_of(record: Mapping[str, Any]) -> Reading:
    """The reading a checked record holds (truth: no scores)."""
    schema = schema_of(record)
    vertebrae = []
    for entry in record["annotations"]:
        points = np.asarray(entry["keypoints"], dtype=np.float64).reshape(-1, 3)
        x0, y0, x1, y1 = (float(v) for v in entry["bbox"])
        vertebrae.append(Vertebra(points[:, :2].copy(), points[:, 2] > 0, (x0, y0, x1, y1), label=entry.get("label")))
    return Reading(
        file=str(record["file_name"]),
        height=record["height"],
        width=record["width"],
        schema=schema,
        vertebrae=vertebrae,
        frame=Frame.from_json(record),
        view=record.get("view", "unknown"),
        extras=extras_from(record.get("extras"), "record"),
        landmarks=[Landmark.from_json(entry) for entry in record.get("landmarks") or []],
        rulers=rulers_from(record.get("rulers"), "record"),
        facing=Facing.from_json(record["facing"]) if record.get("facing") else None,
    )


def record_of(reading: Reading, image_id: str, **fields: Any) -> Record:
    """The record of a reading; inverse of :func:`reading_of`.

    Args:
        reading: Its boxes are cut at the picture; visible points outside the picture become unknown (v = 0).
        image_id: Unique name of the picture.
        fields: Further optional fields; None leaves one out.
    """
    front = reading.facing
    record: Record = {
        "file_name": reading.file,
        "height": reading.height,
        "width": reading.width,
        "image_id": image_id,
        "schema": schema_field(reading.schema),
        "view": reading.view,
        **reading.frame.to_json(),
        **({"extras": extras_json(reading.extras)} if reading.extras else {}),
        **({"landmarks": [own.to_json() for own in reading.landmarks]} if reading.landmarks else {}),
        **({"rulers": [own.to_json() for own in reading.rulers]} if reading.rulers else {}),
        **({"facing": front.to_json()} if front is not None and front.side and front.source != "header" else {}),
        **{name: value for name, value in fields.items() if value is not None},
        "annotations": [],
    }
    for vertebra in reading.vertebrae:
        entry = annotation_of(vertebra.points, vertebra.visible, (reading.width, reading.height), vertebra.bbox)
        if entry is not None:
            record["annotations"].append(entry if vertebra.label is None else {**entry, "label": vertebra.label})
    return record


def annotation_of(
    points: np.ndarray, visible: np.ndarray, size: tuple[int, int], box: tuple[float, ...] | None = None
) -> dict[str, Any] | None:
    """One annotation of a record.

    Args:
        points: (K, 2) px.
        visible: (K,) bool. Those outside the picture are marked unknown.
        size: (width, height) of the picture in px.
        box: [x0, y0, x1, y1] px; None takes the box of the visible points. One without width or height, as that of a
            single point is, becomes one px wide or high.

    Returns:
        The annotation, or None when no point lies in the picture or nothing of the box does.
    """
    points = np.asarray(points, dtype=np.float64)
    seen = np.asarray(visible, bool) & (points >= 0).all(axis=1) & (points <= size).all(axis=1)
    if not seen.any():
        return None
    if box is None:
        box = (*points[seen].min(axis=0), *points[seen].max(axis=0))
    limits = np.array([*size, *size], dtype=np.float64)
    low, high = np.reshape(np.asarray(box, dtype=np.float64), (2, 2))
    flat_sides = low == high
    corners = np.clip(np.concatenate([low - 0.5 * flat_sides, high + 0.5 * flat_sides]), 0, limits)
    if not (corners[:2] < corners[2:]).all():
        return None
    flat = [
        v for (x, y), on in zip(points, seen, strict=True) for v in ((float(x), float(y), 2) if on else (0.0, 0.0, 0))
    ]
    return {"bbox": [float(v) for v in corners], "bbox_mode": XYXY, "category_id": 0, "keypoints": flat}
