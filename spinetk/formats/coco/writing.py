"""Writing COCO keypoint JSON, plain: with places as pixel indices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.atomic import write_json
from spinetk.errors import InputError
from spinetk.formats.beside import beside
from spinetk.formats.coco.reading import PLAIN
from spinetk.formats.names import file_names
from spinetk.formats.record import Record, reading_of, record_of, schema_of
from spinetk.reading import Reading

CATEGORY = 1
FIELDS = (
    "spacing_mm", "spacing_source", "orientation", "pixel_aspect", "exif_orientation", "view", "case", "group", "slice",
    "series", "facing", "not_graded", "threshold", "label_probability",
)  # fmt: skip


def coco_content(records: Sequence[Record], relative_to: str | Path | None = None) -> dict[str, Any]:
    """COCO content of some records.

    Args:
        records: Checked records, all of one schema.
        relative_to: Folder that ``file_name`` is written relative to (the case folder); None writes bare names.

    Returns:
        ``images``, ``annotations`` (unique ids from 1, ``area`` of the box, ``num_keypoints``, v = 0 points as 0, 0)
        and ``categories`` (skeleton from 1). Spacing, view, case, slice, series, label and score are kept as
        further fields; each kind of extras is a category of one point.

    Raises:
        InputError: There is no record, their schemas differ, or two pictures get one name.
    """
    if not records:
        raise InputError("COCO", "there are no records to write", "see whether the part of the split is empty")
    schema = schema_of(records[0])
    images: list[dict[str, Any]] = []
    names: set[str] = set()
    annotations: list[dict[str, Any]] = []
    categories = [schema.coco_category(CATEGORY)]
    kinds: dict[str, int] = {}
    for image_id, record in enumerate(records, start=1):
        own = schema_of(record)
        if own.keypoints != schema.keypoints:
            raise InputError(
                record["file_name"], f"has the points of {own.name}, others of {schema.name}", "split them"
            )
        path = Path(record["file_name"])
        name = path.name if relative_to is None else path.relative_to(Path(relative_to).absolute()).as_posix()
        if name in names:
            raise InputError(name, "is the name of two pictures", "write them apart")
        names.add(name)
        image = {"id": image_id, "file_name": name, "width": record["width"], "height": record["height"]}
        image |= {k: record[k] for k in FIELDS if record.get(k) is not None}
        images.append(image)
        for entry in record["annotations"]:
            x0, y0, x1, y1 = entry["bbox"]
            annotation = _annotation(entry["keypoints"], (x0, y0, x1 - x0, y1 - y0), CATEGORY)
            more = {key: entry[key] for key in ("label", "score") if entry.get(key) is not None}
            if "label" in more:
                more["attributes"] = {"level": more["label"]}  # what CVAT and datumaro keep
            annotations.append({"id": len(annotations) + 1, "image_id": image_id, **annotation, **more})
        for kind, points in beside(reading_of(record)).items():
            for x, y in points.tolist():
                category = kinds.setdefault(kind, CATEGORY + 1 + len(kinds))
                annotation = _annotation([x, y, 2], (x - 0.5, y - 0.5, 1, 1), category)
                annotations.append({"id": len(annotations) + 1, "image_id": image_id, **annotation})
    for kind, category in kinds.items():
        more = {"supercategory": "landmark", "keypoints": [kind], "skeleton": []}
        categories.append({"id": category, "name": kind, **more})
    return {
        "info": {"description": "vertebral landmarks"},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": categories,
    }


def _annotation(keypoints: Sequence[float], box: Sequence[float], category: int) -> dict[str, Any]:
    points = np.array(keypoints, dtype=np.float64).reshape(-1, 3)
    seen = points[:, 2] > 0
    points[:, :2] -= PLAIN.shift_px
    points[~seen] = 0
    return {
        "category_id": category,
        "keypoints": [v for x, y, s in points.tolist() for v in (x, y, int(s))],
        "num_keypoints": int(seen.sum()),
        "bbox": list(box),
        "area": box[2] * box[3],
        "iscrowd": 0,
    }


def write_coco(path: str | Path, records: Sequence[Record], relative_to: str | Path | None = None) -> Path:
    """Write :func:`coco_content` atomically."""
    path = Path(path)
    write_json(path, coco_content(records, relative_to))
    return path


def write_readings(path: Path, readings: Sequence[Reading], *, chosen: int | None = None) -> list[Path]:
    """Write readings as one set; pictures bear their file names, those of cases the names of these."""
    records = []
    names = file_names(readings, path)
    for number, (name, reading) in enumerate(zip(names, readings, strict=True), start=1):
        kept_too = ("slice", "series", "not_graded", "threshold", "label_probability")
        more = {one: getattr(reading, one) for one in kept_too}
        more["facing"] = reading.facing.to_json() if reading.facing else None
        record = record_of(replace(reading, file=name), str(number), case=Path(name).stem, **more)
        kept = [v for v in reading.vertebrae if v.visible.any()]
        if len(kept) == len(record["annotations"]):
            for entry, vertebra in zip(record["annotations"], kept, strict=True):
                entry["score"] = vertebra.score
        records.append(record)
    return [write_coco(path, records)]
