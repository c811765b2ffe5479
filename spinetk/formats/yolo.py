"""YOLO-pose: a text file a picture, a line a vertebra, and ``data.yaml``; Ultralytics' and Label Studio's layouts.

A line is ``class cx cy w h`` and ``x y v`` for every point, all but v as shares of the picture's width and height: the
outer corner of the first pixel is 0, so that ``x * width`` is ours. A class a level (``L1``, ``L2``, ...) names levels.
``data.yaml`` says how many points there are but often not which: then they are named by their place in the bodies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.anchor import SEQUENCE
from spinetk.atomic import write_text
from spinetk.errors import InputError
from spinetk.formats.files import natural_key, read_json
from spinetk.formats.item import UPLOAD, CaseItem, case_from
from spinetk.formats.names import case_source, file_names
from spinetk.formats.registry import Format, Source
from spinetk.formats.shapes import Shape, assemble, meaning, named_points
from spinetk.images import read_picture
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA4, VERTEBRA6, KeypointSchema

UNNAMED = "vertebra"
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".dcm")
REMEDY = "export it again as YOLO pose"
MOST_POINTS = 200


@dataclass
class _Set:
    """What ``data.yaml`` (or Label Studio's ``notes.json``) says: classes, points, numbers a point."""

    classes: dict[int, str]
    names: list[str]
    count: int
    dimensions: int


Sized = Callable[[Sequence[str]], tuple[Path, tuple[int, int]]]
"""A picture and its (width, height) in px, by the names without ending that it may have."""


def yolo_items(
    source: Path, schema: KeypointSchema | None = None, *, sized: Sized | None = None
) -> Iterator[CaseItem | InputError]:
    """The pictures of a YOLO-pose set.

    Args:
        source: The folder with ``data.yaml``, or that file. Labels lie in folders ``labels``, pictures in ``images``
            beside them, or next to the set.
        schema: Points to keep, in the order of the file where it names none; None takes its names, or their places.
        sized: Knows the pictures; None looks for them beside the labels.

    Yields:
        One item per label file, or the error that keeps it out.

    Raises:
        InputError: There is no such set.
    """
    folder = source if source.is_dir() else source.parent
    described = _described(folder if source.is_dir() else source)
    files = [p for p in sorted(folder.rglob("*.txt"), key=lambda p: natural_key(str(p))) if "labels" in p.parts]
    if not files:
        raise InputError(source, "has no labels/*.txt", REMEDY)
    read: list[tuple[Path, Path, tuple[int, int], list[tuple[Shape, np.ndarray]]] | InputError] = []
    for file in files:
        try:
            picture, size = _beside(file, folder) if sized is None else sized(_stems(file))
            read.append((file, picture, size, _lines(file, described, size)))
        except InputError as error:
            read.append(error)
    drawn = [pair for found in read if not isinstance(found, InputError) for pair in found[3]]
    names, remark = _names(described, [points for _, points in drawn], schema)
    for shape, points in drawn:
        for name, (x, y, v) in zip(names, points.tolist(), strict=True):
            shape.points[name] = (x, y)
            if not v > 0:
                shape.hidden.add(name)
    whole = meaning([shape for shape, _ in drawn], schema, [names])
    remarks = [remark] if remark else []
    for found in read:
        if isinstance(found, InputError):
            yield found
            continue
        file, picture, size, shapes = found
        assembled = assemble([shape for shape, _ in shapes], whole, size)
        yield CaseItem(
            picture=picture,
            case=case_from(file, file.parent),
            schema=whole,
            vertebrae=assembled.vertebrae,
            landmarks=assembled.landmarks,
            extras=assembled.extras,
            size=size,
            remarks=remarks + assembled.remarks,
        )
        remarks = []


def _described(given: Path) -> _Set:
    """From ``data.yaml``, or from what Label Studio writes in its place."""
    paths = [given] if given.is_file() else [*sorted(given.glob("*.yaml")), *sorted(given.glob("*.yml"))]
    for path in paths:
        content = _yaml(path)
        shape = content.get("kpt_shape")
        if isinstance(shape, list) and len(shape) == 2 and all(isinstance(v, int) for v in shape):
            if not (1 <= shape[0] <= MOST_POINTS and shape[1] in (2, 3)):
                raise InputError(path, f"field 'kpt_shape' is {shape}", "it is [number of points, 2 or 3]")
            classes = content.get("names") or {0: UNNAMED}
            pairs = classes.items() if isinstance(classes, Mapping) else enumerate(classes)
            known = content.get("kpt_names")
            listed: Any = next(iter(known.values()), []) if isinstance(known, Mapping) else known
            names = [str(name) for name in listed] if isinstance(listed, list) and len(listed) == shape[0] else []
            try:
                return _Set({int(k): str(v) for k, v in pairs}, names, shape[0], shape[1])
            except (TypeError, ValueError) as error:
                raise InputError(path, "field 'names' is not a table of classes", REMEDY) from error
    notes = (given if given.is_dir() else given.parent) / "notes.json"
    content = read_json(notes) if notes.is_file() else {}
    listed = content.get("categories") if isinstance(content, Mapping) else None
    categories = [c for c in listed if isinstance(c, Mapping)] if isinstance(listed, list) else []
    pointed = next((c["keypoints"] for c in categories if isinstance(c.get("keypoints"), list)), None)
    if pointed and len(pointed) <= MOST_POINTS and all(isinstance(c.get("id"), int) for c in categories):
        classes = {c["id"]: str(c.get("name")) for c in categories}
        return _Set(classes, [str(name) for name in pointed], len(pointed), 3)
    raise InputError(given, "has no data.yaml with 'kpt_shape'", "give the data.yaml of a YOLO pose set")


def _yaml(path: Path) -> Mapping[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(path, "cannot be read", "check the path and its permissions") from error
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise InputError(path, f"is not valid YAML{line}", REMEDY) from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(path, "is not valid YAML", REMEDY) from error
    return content if isinstance(content, Mapping) else {}


def _stems(file: Path) -> list[str]:
    """What the picture of a label file may be called."""
    # Label Studio names labels after its own addresses of the pictures.
    local = file.stem.rpartition("?d=")[2]
    return list(dict.fromkeys([file.stem, local, UPLOAD.sub("", file.stem)]))


def _beside(file: Path, folder: Path) -> tuple[Path, tuple[int, int]]:
    picture = _picture(file, folder)
    seen = read_picture(picture)
    return picture, (seen.width, seen.height)


def _picture(file: Path, folder: Path) -> Path:
    parts = list(file.parts)
    at = len(parts) - 1 - parts[::-1].index("labels")
    beside = Path(*parts[:at], "images", *parts[at + 1 :])
    stems = _stems(file)
    for place in (beside.parent, file.parent, folder / "images", folder, folder.parent):
        for stem in stems:
            for suffix in (*PICTURES, *(s.upper() for s in PICTURES)):
                if (picture := place / f"{stem}{suffix}").is_file():
                    return picture
            if (picture := case_source(f"{stem}.png", place)).is_file():
                return picture
    raise InputError(file, f"has no picture {min(stems, key=len)}.png (or .jpg, ...)", "put the pictures into 'images'")


def _lines(file: Path, described: _Set, size: tuple[int, int]) -> list[tuple[Shape, np.ndarray]]:
    """A shape a line without its points, and these: (K, 3) px and visibility."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(file, "cannot be read", REMEDY) from error
    wanted = 5 + described.count * described.dimensions
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            values = np.array([float(v) for v in line.split()])
            kind = int(values[0])
        except (ValueError, OverflowError, IndexError) as error:
            raise InputError(file, f"line {number} is not numbers", REMEDY) from error
        if len(values) not in (wanted, wanted + 1):
            fault = f"line {number} has {len(values)} numbers, not {wanted} (kpt_shape has {described.count} points)"
            raise InputError(file, fault, REMEDY)
        if not (np.isfinite(values).all() and (np.abs(values[1:wanted]) <= 4).all()):
            raise InputError(file, f"line {number} holds something that is not a share of the picture", REMEDY)
        centre, extent = values[1:3] * size, values[3:5] * size
        box = (*(centre - extent / 2).tolist(), *(centre + extent / 2).tolist())
        points = np.full((described.count, 3), 2.0)
        points[:, : described.dimensions] = values[5:wanted].reshape(described.count, described.dimensions)
        if described.dimensions == 2:
            points[:, 2] = (points[:, :2] != 0).any(axis=1)  # what was not seen is written as 0 0
        points[:, :2] *= size
        # Predictions end with their confidence.
        score = float(values[-1]) if len(values) > wanted and 0 <= values[-1] <= 1 else None
        found.append((Shape(described.classes.get(kind, f"class {kind}"), box=box, score=score), points))
    return found


def _names(described: _Set, bodies: Sequence[np.ndarray], schema: KeypointSchema | None) -> tuple[list[str], str]:
    """Names of the points in the order of the file, and how they were found."""
    if described.names:
        return described.names, ""
    if schema is not None and len(schema) == described.count:
        return list(schema.keypoints), f"its points have no names: taken in the order of {schema.name}"
    known = {len(s): s for s in (VERTEBRA4, VERTEBRA6)}.get(described.count)
    whole = [points[:, :2] for points in bodies if (points[:, 2] > 0).all()]
    if known is None or not whole:
        if known is not None:
            return list(known.keypoints), f"its points have no names: taken in the order of {known.name}"
        return [f"point{k}" for k in range(1, described.count + 1)], "its points have no names"
    (order, count), *_ = Counter(filter(None, (_placed(points, known) for points in whole))).most_common(1) or [((), 0)]
    if count <= len(whole) / 2:
        raise InputError("YOLO set", "does not name its points, and they lie in no one order", "give --schema")
    return list(order), f"its points have no names: named by their places in {count} of {len(whole)} bodies"


def _placed(points: np.ndarray, schema: KeypointSchema) -> tuple[str, ...]:
    """The name of each point of a body by its place, nothing where that is not clear."""
    corners = points
    if len(schema) == len(VERTEBRA6):
        # The four corners span the largest area; what lies between them are the middles.
        across = points - points.mean(axis=0)
        corners = points[np.sort(np.argsort(-np.abs(across[:, 0]), kind="stable")[:4])]
    ideal = dict(zip(VERTEBRA6.keypoints, named_points(corners, VERTEBRA6), strict=True))
    names = schema.keypoints
    near = [names[int(np.argmin([np.hypot(*(ideal[name] - p)) for name in names]))] for p in points]
    return tuple(near) if len(set(near)) == len(near) else ()


def write_yolo(path: Path, readings: Sequence[Reading], *, chosen: int | None = None) -> list[Path]:
    """Write ``data.yaml`` at ``path`` and, in ``labels`` beside it, a text file per picture.

    A class a level, and ``vertebra`` for bodies without one. Pictures are not copied: they belong into ``images``.

    Raises:
        InputError: Two pictures have one name, or other points than the rest.
    """
    if not readings:
        raise InputError(path, "there is nothing to write", "give a result")
    schema = readings[0].schema
    stems = file_names(readings, path, ending=False)
    other = next((r for r in readings if r.schema.keypoints != schema.keypoints), None)
    if other is not None:
        raise InputError(path, f"{other.file} has other points", "export their results apart")
    levels = {v.label for reading in readings for v in reading.vertebrae if v.label in SEQUENCE}
    classes = [level for level in SEQUENCE if level in levels] + [UNNAMED]
    written = []
    for stem, reading in zip(stems, readings, strict=True):
        size = np.array([reading.width, reading.height])
        lines = []
        for vertebra in reading.vertebrae:
            x0, y0, x1, y1 = np.array(vertebra.bbox) / [*size, *size]
            numbers = [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0]
            points = [
                f"{x:.9f} {y:.9f} 2" if seen else "0 0 0"
                for (x, y), seen in zip(vertebra.points / size, vertebra.visible, strict=True)
            ]
            kind = classes.index(vertebra.label) if vertebra.label in levels else len(classes) - 1
            lines.append(" ".join([str(kind), *(f"{v:.9f}" for v in numbers), *points]))
        label = path.parent / "labels" / f"{stem}.txt"
        write_text(label, "".join(line + "\n" for line in lines))
        written.append(label)
    write_text(path, _data(schema, classes))
    return [path, *written]


def _data(schema: KeypointSchema, classes: Sequence[str]) -> str:
    import yaml

    content = {
        "path": ".",
        "train": "images",
        "val": "images",
        "kpt_shape": [len(schema), 3],
        "flip_idx": list(schema.flip_indices),
        "names": dict(enumerate(classes)),
        "kpt_names": {k: list(schema.keypoints) for k in range(len(classes))},
    }
    return "# Put the pictures into the folder images, and name other ones for val.\n" + yaml.safe_dump(
        content, sort_keys=False
    )


def _recognises(source: Source) -> bool:
    for path in source.ending(".yaml", ".yml"):
        if b"kpt_shape" in source.head(path):
            return True
    return any(p.name == "notes.json" and b'"keypoints"' in source.head(p) for p in source.files)


FORMAT = Format(
    name="yolo",
    title="YOLO pose",
    suffix="yolo/data.yaml",
    media_type="application/yaml",
    read=yolo_items,
    write=write_yolo,
    recognises=_recognises,
    many=True,
    holds=frozenset({"points", "levels", "visibility", "outside"}),
    origin="shares of the width and height from the outer corner of the first pixel: no shift",
    tools="Label Studio's YOLO export (label-studio-sdk 2.1.2)",
    documented="Ultralytics 8.3 (pose)",
    source="https://docs.ultralytics.com/datasets/pose/",
)
