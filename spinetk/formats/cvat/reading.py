"""Reading annotations of CVAT, of images and of videos."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from spinetk.errors import InputError
from spinetk.formats.files import clean_name, natural_key
from spinetk.formats.item import CaseItem, Pictures, case_named
from spinetk.formats.labels import split_label
from spinetk.formats.registry import Source
from spinetk.formats.shapes import Shape, assemble, check_points, meaning
from spinetk.reading import Reading
from spinetk.schema import KeypointSchema, get_schema

REMEDY = "export it as 'CVAT for images 1.1'"
FRAME = "frame_{:06d}"
"""How CVAT names the pictures of a video that it saves with the annotations."""
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm", ".bmp")
DRAWN = ("skeleton", "points", "box", "polygon", "polyline", "ellipse", "mask", "cuboid")


def read_cvat(path: str | Path, schema: str | Path | KeypointSchema | None = None) -> list[Reading]:
    """Read an annotation file for images, with its pictures or without.

    Args:
        path: The XML file.
        schema: Meaning of the points; None finds the built-in schema from the sub-label names.

    Returns:
        One reading an image, vertebrae ordered head to foot; the pixel spacing is not known to CVAT.

    Raises:
        InputError: The file is no such XML, or its points do not fit the schema.
    """
    readings = []
    for item in _items(Path(path), None if schema is None else get_schema(schema)):
        if isinstance(item, InputError):
            raise item
        fault = "was read without its pictures"
        item.missing = item.missing or InputError(path, fault, "give the folder that holds them")
        readings.append(item.reading())
    return readings


def cvat_items(source: str | Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The pictures of CVAT annotation files.

    Args:
        source: The XML, with the pictures in its folder or in ``images`` there; or a folder that holds such files.
        schema: Points to keep; None takes those of the skeletons.

    Yields:
        One item per image that has a vertebra, or the error that keeps it out. Of a video, the frames that somebody
        annotated (key frames); those in between are interpolations.

    Raises:
        InputError: There is no CVAT file, or it is damaged.
    """
    source = Path(source)
    look = Source(source)
    files = [source] if source.is_file() else [p for p in look.ending(".xml") if b"<annotations" in look.head(p)]
    if not files:
        raise InputError(source, "holds no CVAT XML", REMEDY)
    for file in files:
        for item in _items(file, schema):
            if isinstance(item, CaseItem) and not (item.vertebrae or item.extras):
                why = f" ({'; '.join(item.remarks)})" if item.remarks else ""
                fault = f"has no annotation of a vertebra{why}"
                item = InputError(f"{file}: image {item.picture.name}", fault, "annotate it or leave it out")
            yield item


def _items(file: Path, schema: KeypointSchema | None) -> Iterator[CaseItem | InputError]:
    root = _parsed(file)
    pictures = Pictures(file)
    frames, remarks = _tracked(root, file) if root.find("track") is not None else ([], [])
    for image in root.iter("image"):
        names = [image.get("name", "")]
        frames.append((names, lambda image=image: _size(file, image), [(e, e.get("label", "")) for e in image]))
    drawn: list[list[Shape] | InputError] = []
    for names, _, elements in frames:
        try:
            drawn.append(_shapes(elements, f"{file}: image {names[0]!r}"))
        except InputError as error:
            drawn.append(error)
    whole = meaning([s for found in drawn if not isinstance(found, InputError) for s in found], schema, _declared(root))
    # A skeleton always has all its points, so that a picture says by itself what they are.
    for (names, size_of, _), found in zip(frames, drawn, strict=True):
        try:
            if isinstance(found, InputError):
                raise found
            size = size_of()
            own = meaning(found, schema) if any(shape.points for shape in found) else whole
            assembled = assemble(found, own, size or (1, 1))
        except InputError as error:
            yield error
            continue
        picture, missing = pictures.find(*names)
        yield CaseItem(
            picture=picture,
            case=clean_name(case_named(names[0])),
            schema=own,
            vertebrae=assembled.vertebrae,
            landmarks=assembled.landmarks,
            extras=assembled.extras,
            size=size,
            remarks=[*remarks, *assembled.remarks],
            missing=missing,
        )
        remarks = []


def _declared(root: ElementTree.Element) -> list[list[str]]:
    """Sub-labels of the skeletons that the task has."""
    parents: dict[str, list[str]] = {}
    for label in root.iter("label"):
        if parent := label.findtext("parent"):
            parents.setdefault(parent, []).append(label.findtext("name") or "")
    return list(parents.values())


def _tracked(root: ElementTree.Element, file: Path) -> tuple[list[Any], list[str]]:
    """Frames of a video: possible names of the picture, its size, and what is drawn there."""
    by_frame: dict[int, list[tuple[ElementTree.Element, str]]] = {}
    keys: set[int] = set()
    for track in root.iter("track"):
        for element in track:
            number = element.get("frame", "")
            if not (number.isascii() and number.isdecimal() and len(number) < 9):
                raise InputError(file, f"track {track.get('id')!r} has a shape without a frame", "export it again")
            by_frame.setdefault(int(number), []).append((element, track.get("label", "")))
            if element.get("keyframe") == "1" and element.get("outside") != "1":
                keys.add(int(number))
    between = len(set(by_frame) - keys)
    remarks = [f"{between} frames between the annotated ones were left out: their points are interpolated"]
    stills = [p for folder in (file.parent, file.parent / "images") if folder.is_dir() for p in folder.iterdir()]
    stills = sorted((p for p in stills if p.suffix.lower() in PICTURES), key=lambda p: natural_key(p.name))
    original = root.find(".//original_size")
    frames = []
    for key in sorted(keys):
        names = [FRAME.format(key) + suffix for ending in PICTURES for suffix in (ending, ending.upper())]
        if not any(p.stem.lower() == FRAME.format(key) for p in stills) and key < len(stills):
            names = [stills[key].name]
        size = None if original is None else {name: original.findtext(name) or "" for name in ("width", "height")}
        frames.append((names, lambda size=size: None if size is None else _size(file, size), by_frame[key]))
    return frames, remarks if between else []


def _parsed(path: str | Path) -> ElementTree.Element:
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
        # Annotation files have no document type; entities that swell or fetch files come through one.
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise InputError(path, "has a document type declaration", REMEDY)
        root = ElementTree.fromstring(text)
    except OSError as error:
        raise InputError(path, "cannot be read", "check the path") from error
    except ElementTree.ParseError as error:
        line, column = error.position
        raise InputError(path, f"is not valid XML (line {line}, column {column})", REMEDY) from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(path, "is not valid XML", REMEDY) from error
    if root.tag != "annotations":
        raise InputError(path, "has no <annotations>", REMEDY)
    return root


def _size(path: Path, image: Any) -> tuple[int, int]:
    texts = [str(image.get(name) or "") for name in ("width", "height")]
    for name, text in zip(("width", "height"), texts, strict=True):
        if not (text.isascii() and text.isdecimal() and 0 < len(text) < 7 and int(text) > 0):
            raise InputError(path, f"image {image.get('id')!r} has no {name}", REMEDY)
    return int(texts[0]), int(texts[1])


def _shapes(elements: Sequence[tuple[ElementTree.Element, str]], where: str) -> list[Shape]:
    shapes: list[Shape] = []
    groups: dict[str, Shape] = {}
    for element, label in elements:
        if element.tag not in DRAWN or element.get("outside") == "1":
            continue
        try:
            shape = _shape(element, label)
        except ValueError as error:
            raise InputError(where, f"has a {element.tag} {label!r} whose points are not numbers", REMEDY) from error
        numbers = [v for points in (shape.loose, shape.outline) if points is not None for v in points.ravel()]
        check_points([*numbers, *(v for point in shape.points.values() for v in point)], where)
        before, point = split_label(label)
        group = element.get("group_id") or "0"
        if point is not None and shape.loose is not None and len(shape.loose) == 1:
            key = group if group != "0" else before
            if key:
                whole = groups.setdefault(key, Shape(before))
                if point in whole.points:
                    raise InputError(where, f"has two points {label!r} in one vertebra", "give each its own group")
                whole.label = whole.label or before
                whole.level = whole.level or shape.level
                whole.points[point] = (float(shape.loose[0, 0]), float(shape.loose[0, 1]))
                continue
        shapes.append(shape)
    return [*shapes, *groups.values()]


def _shape(element: ElementTree.Element, label: str) -> Shape:
    attributes = {(e.get("name") or "").lower(): (e.text or "").strip() for e in element.findall("attribute")}
    shape = Shape(label, level=attributes.get("level") or attributes.get("label") or None)
    if attributes.get("score"):
        score = float(attributes["score"])
        shape.score = score if 0 <= score <= 1 else None
    if element.tag == "skeleton":
        for part in element.findall("points"):
            name = part.get("label", "")
            ((x, y),) = _pairs(part)
            if name in shape.points:
                raise ValueError("one name twice")
            shape.points[name] = (x, y)
            if part.get("outside", "0") == "1":
                shape.hidden.add(name)
    elif element.tag == "points":
        shape.loose = np.array(_pairs(element), np.float64)
    elif element.tag in ("polygon", "polyline"):
        shape.outline = np.array(_pairs(element), np.float64)
    elif element.tag == "ellipse":
        # The middle of a femoral head is what is asked of its circle.
        shape.loose = np.array([[float(element.get(name, "")) for name in ("cx", "cy")]])
        radius = (float(element.get("rx", "")) + float(element.get("ry", ""))) / 2
        shape.radius = radius if 0 < radius < 1e5 else None
    elif element.tag == "box":
        x0, y0, x1, y1 = (float(element.get(name, "")) for name in ("xtl", "ytl", "xbr", "ybr"))
        shape.box = (x0, y0, x1, y1)
    return shape


def _pairs(element: ElementTree.Element) -> list[tuple[float, float]]:
    pairs = [pair.split(",") for pair in element.get("points", "").split(";")]
    return [(float(x), float(y)) for x, y in pairs]


def recognises(source: Source) -> bool:
    """Whether a file, or one of a folder, is such a one."""
    return any(b"<annotations" in source.head(path) for path in source.ending(".xml"))
