"""COCO keypoint JSON, out and in; files of CVAT ("COCO Keypoints 1.0") are read as they are.

COCO points are pixel indices (the centre of the first pixel is 0), ours have it at 0.5: points shift by 0.5 px on the
way out and back on the way in. Boxes are areas in both and do not shift; they are [x, y, width, height] in COCO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.atomic import write_json
from spinetk.cases.folder import CaseFolder, clean_name, read_json
from spinetk.errors import InputError
from spinetk.formats.item import CaseItem, picture_named
from spinetk.formats.record import Record, schema_of
from spinetk.geometry import Frame
from spinetk.reading import Vertebra
from spinetk.schema import KeypointSchema, schema_for_names
from spinetk.views import VIEWS

HALF_PX = 0.5
CATEGORY = 1
FRAME_FIELDS = ("spacing_mm", "spacing_source", "orientation")


def coco_content(records: Sequence[Record], relative_to: str | Path | None = None) -> dict[str, Any]:
    """COCO content of some records.

    Args:
        records: Checked records, all of one schema.
        relative_to: Folder that ``file_name`` is written relative to (the case folder); None writes bare names.

    Returns:
        ``images``, ``annotations`` (unique ids from 1, ``area`` of the box, ``num_keypoints``, v = 0 points as 0, 0)
        and ``categories`` (skeleton from 1). Spacing, view, case and label are kept as further fields.

    Raises:
        InputError: There is no record, their schemas differ, or two pictures get one name.
    """
    if not records:
        raise InputError("COCO", "there are no records to write", "see whether the part of the split is empty")
    schema = schema_of(records[0])
    images: list[dict[str, Any]] = []
    names: set[str] = set()
    annotations: list[dict[str, Any]] = []
    for image_id, record in enumerate(records, start=1):
        own = schema_of(record)
        if own.keypoints != schema.keypoints:
            raise InputError(
                record["file_name"], f"has the points of {own.name}, others of {schema.name}", "split them"
            )
        path = Path(record["file_name"])
        name = path.name if relative_to is None else path.relative_to(Path(relative_to).absolute()).as_posix()
        if name in names:
            raise InputError(name, "is the name of two pictures", "write names relative to the case folder")
        names.add(name)
        image = {"id": image_id, "file_name": name, "width": record["width"], "height": record["height"]}
        image |= {k: record[k] for k in (*FRAME_FIELDS, "view", "case") if record.get(k) is not None}
        images.append(image)
        for entry in record["annotations"]:
            points = np.array(entry["keypoints"], dtype=np.float64).reshape(-1, 3)
            seen = points[:, 2] > 0
            points[:, :2] -= HALF_PX
            points[~seen] = 0
            x0, y0, x1, y1 = entry["bbox"]
            annotation = {
                "id": len(annotations) + 1,
                "image_id": image_id,
                "category_id": CATEGORY,
                "keypoints": [v for x, y, s in points.tolist() for v in (x, y, int(s))],
                "num_keypoints": int(seen.sum()),
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "area": (x1 - x0) * (y1 - y0),
                "iscrowd": 0,
            }
            annotations.append(annotation if entry.get("label") is None else {**annotation, "label": entry["label"]})
    return {
        "info": {"description": "vertebral landmarks"},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": [schema.coco_category(CATEGORY)],
    }


def write_coco(path: str | Path, records: Sequence[Record], relative_to: str | Path | None = None) -> Path:
    """Write :func:`coco_content` atomically."""
    path = Path(path)
    write_json(path, coco_content(records, relative_to))
    return path


def export(base: str | Path, out: str | Path, *, part: str | None = None) -> int:
    """Write the source pictures of a case folder, names relative to that folder.

    Args:
        base: The case folder.
        out: The JSON to write.
        part: ``train``, ``val`` or ``test`` of the split on file; None writes all cases.

    Returns:
        Number of pictures written.

    Raises:
        InputError: A case cannot be read, or there is no split on file.
    """
    folder = CaseFolder(base)
    cases = folder.cases()
    if part is not None:
        content = read_json(folder.base / "split.json")
        try:
            cases = [str(case) for case in content["parts"][part]]
        except (KeyError, TypeError) as error:
            raise InputError(folder.base / "split.json", f"has no part {part!r}", "split the cases first") from error
    records, failures = folder.records(cases, augmented=False)
    if failures:
        raise failures[0]
    write_coco(out, records, folder.base)
    return len(records)


def coco_items(source: str | Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The pictures of a COCO keypoint set.

    Args:
        source: The JSON, with the pictures in its folder, or in ``images`` there or one level up (CVAT); or a folder
            that holds such files.
        schema: Meaning of the points in the order of the file's category; None takes the category's names.

    Yields:
        One item per image, or the error that keeps it out. Metadata: the image's ``group`` or ``patient`` field.

    Raises:
        InputError: The file is no COCO keypoint set.
    """
    source = Path(source)
    if source.is_file():
        files = [source]
    else:
        candidates = sorted(source.glob("*.json")) + sorted(source.glob("annotations/*.json"))
        files = [p for p in candidates if isinstance(c := read_json(p), Mapping) and "categories" in c]
    if not files:
        raise InputError(source, "holds no COCO JSON", "give the file itself")
    for file in files:
        yield from _items(file, schema)


def _items(file: Path, schema: KeypointSchema | None) -> Iterator[CaseItem | InputError]:
    content = read_json(file)
    if not isinstance(content, Mapping):
        raise InputError(file, "is not a COCO keypoint set")
    for field in ("images", "annotations", "categories"):
        if not isinstance(content.get(field), list) or not all(isinstance(e, Mapping) for e in content[field]):
            raise InputError(file, f"field '{field}' is missing or not a list of tables", "export COCO keypoints")
    schemas = _schemas(content["categories"], file, schema)
    places = [file.parent, file.parent / "images", file.parent.parent / "images"]
    subset = file.stem.removeprefix("person_keypoints_")
    folders = [*places, *(folder / subset for folder in places)]
    by_image: dict[Any, list[Mapping]] = {}
    for entry in content["annotations"]:
        by_image.setdefault(entry.get("image_id"), []).append(entry)
    for image in content["images"]:
        try:
            yield _item(image, by_image.get(image.get("id"), []), file, folders, schemas)
        except InputError as error:
            yield error


def _schemas(categories: Sequence[Mapping], file: Path, schema: KeypointSchema | None) -> dict[Any, KeypointSchema]:
    found = {}
    for category in categories:
        names = category.get("keypoints")
        if not isinstance(names, list) or not names:
            continue
        names = [str(name) for name in names]
        if schema is not None and set(schema.keypoints) != set(names):
            raise InputError(file, f"has points {', '.join(names)}, not those of schema {schema.name!r}")
        own = schema_for_names(names)
        found[category.get("id")] = own if schema is None or schema.keypoints != tuple(names) else schema
    if not found:
        raise InputError(file, "no category names its keypoints", "export COCO keypoints, not COCO instances")
    return found


def _item(
    image: Mapping, entries: Sequence[Mapping], file: Path, folders: Sequence[Path], schemas: Mapping
) -> CaseItem:
    name = str(image.get("file_name", ""))
    picture = picture_named(name, file, folders)
    where = f"{file}: image {name}"
    try:
        size = (int(image["width"]), int(image["height"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(where, "field 'width' or 'height' is not a number") from error
    schema = next(iter(schemas.values()))
    vertebrae = []
    for entry in entries:
        # Other categories of the set (sacrum, implant, a person) are none of ours.
        if entry.get("category_id") not in schemas or entry.get("iscrowd"):
            continue
        own = schemas[entry["category_id"]]
        if own.keypoints != schema.keypoints:
            raise InputError(where, "mixes categories with different keypoints", "export one category at a time")
        vertebra = _vertebra(entry, schema, where)
        if vertebra is not None:
            vertebrae.append(vertebra)
    vertebrae.sort(key=lambda v: v.centre[1])
    group = next((str(image[k]) for k in ("group", "patient") if image.get(k) is not None), None)
    return CaseItem(
        picture=picture,
        case=clean_name(str(image.get("case") or Path(name).with_suffix("").as_posix().replace("/", "_"))),
        schema=schema,
        vertebrae=vertebrae,
        group=group,
        metadata={} if group is None else {"group": group},
        frame=Frame.from_json(image, where),
        view=image["view"] if image.get("view") in VIEWS else "unknown",
        size=size,
    )


def _vertebra(entry: Mapping, schema: KeypointSchema, where: str) -> Vertebra | None:
    """None for an object without a single point, which COCO allows."""
    try:
        points = np.array(entry["keypoints"], dtype=np.float64)
        box = None if entry.get("bbox") is None else np.array(entry["bbox"], dtype=np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(where, f"annotation {entry.get('id')}: field 'keypoints' or 'bbox' is not numbers") from error
    if points.shape != (3 * len(schema),):
        fault = f"annotation {entry.get('id')}: field 'keypoints' has {points.size} numbers, not {3 * len(schema)}"
        raise InputError(where, fault, "export it again")
    if not np.isfinite(points).all():
        raise InputError(where, f"annotation {entry.get('id')}: field 'keypoints' is not finite", "export it again")
    if box is not None and (box.shape != (4,) or not np.isfinite(box).all()):
        raise InputError(where, f"annotation {entry.get('id')}: field 'bbox' is not four numbers", "export it again")
    points = points.reshape(-1, 3)
    visible = points[:, 2] > 0
    if not visible.any():
        return None
    places = points[:, :2] + HALF_PX
    places[~visible] = 0
    label = entry.get("label") or (entry.get("attributes") or {}).get("label")
    vertebra = Vertebra.from_points(places, visible, label=str(label) if label else None)
    if box is not None and (box[2:] > 0).all():
        vertebra.bbox = (float(box[0]), float(box[1]), float(box[0] + box[2]), float(box[1] + box[3]))
    return vertebra
