"""CVAT for images 1.1: one skeleton a vertebra, its points named by sub-labels.

CVAT counts from the outer corner of the upper left pixel, as spinetk does, so coordinates pass unchanged. Not visible
points are marked ``outside``. Level and score are attributes of the skeleton; measurements are not part of the format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from spinetk.atomic import write_text
from spinetk.errors import InputError
from spinetk.measure.levels import head_to_foot
from spinetk.reading import Reading, Vertebra
from spinetk.schema import SCHEMAS, KeypointSchema, get_schema, schema_for_names

REMEDY = "export it as 'CVAT for images 1.1'"


def write_cvat(path: str | Path, readings: Iterable[Reading]) -> None:
    """Write readings as one annotation file, atomically.

    The CVAT task needs a skeleton label named like the schema's category (``vertebra``) whose sub-labels are the
    keypoint names, with the text attribute ``level`` and the number attribute ``score``. Pictures are named by
    their file name without folders.
    """
    readings = list(readings)
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    task = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
    ElementTree.SubElement(task, "size").text = str(len(readings))
    ElementTree.SubElement(task, "mode").text = "annotation"
    labels = ElementTree.SubElement(task, "labels")
    for schema in {reading.schema.category: reading.schema for reading in readings}.values():
        _describe(labels, schema)
    for number, reading in enumerate(readings):
        size = {"width": str(reading.width), "height": str(reading.height)}
        name = Path(reading.file).name
        image = ElementTree.SubElement(root, "image", {"id": str(number), "name": _plain(name), **size})
        for vertebra in reading.vertebrae:
            _write_skeleton(image, reading, vertebra)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    write_text(path, '<?xml version="1.0" encoding="utf-8"?>\n' + text + "\n")


def _describe(labels: ElementTree.Element, schema: KeypointSchema) -> None:
    for name, kind, parent in [(schema.category, "skeleton", None)] + [
        (keypoint, "points", schema.category) for keypoint in schema.keypoints
    ]:
        label = ElementTree.SubElement(labels, "label")
        ElementTree.SubElement(label, "name").text = _plain(name)
        ElementTree.SubElement(label, "type").text = kind
        attributes = ElementTree.SubElement(label, "attributes")
        if parent is not None:
            ElementTree.SubElement(label, "parent").text = _plain(parent)
            continue
        for attribute, input_type in (("level", "text"), ("score", "number")):
            entry = ElementTree.SubElement(attributes, "attribute")
            ElementTree.SubElement(entry, "name").text = attribute
            ElementTree.SubElement(entry, "mutable").text = "False"
            ElementTree.SubElement(entry, "input_type").text = input_type


def _write_skeleton(image: ElementTree.Element, reading: Reading, vertebra: Vertebra) -> None:
    source = "manual" if vertebra.score is None else "auto"
    common = {"source": source, "z_order": "0"}
    skeleton = ElementTree.SubElement(image, "skeleton", {"label": _plain(reading.schema.category), **common})
    for name, value in (("level", vertebra.label), ("score", vertebra.score)):
        if value is not None:
            ElementTree.SubElement(skeleton, "attribute", {"name": name}).text = _plain(str(value))
    for name, point, seen in zip(reading.schema.keypoints, vertebra.points, vertebra.visible, strict=True):
        place = {"label": _plain(name), "source": source, "outside": "0" if seen else "1", "occluded": "0"}
        ElementTree.SubElement(skeleton, "points", {**place, "points": f"{point[0]:.4f},{point[1]:.4f}"})


def _plain(text: str) -> str:
    """Text that XML 1.0 can hold."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c in " \t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def read_cvat(path: str | Path, schema: str | Path | KeypointSchema | None = None) -> list[Reading]:
    """Read an annotation file: skeletons, or plain point groups with all points in the order of the schema.

    Args:
        path: The XML file.
        schema: Meaning of the points; None finds the built-in schema from the sub-label names.

    Returns:
        One reading an image, vertebrae ordered head to foot; the pixel spacing is not known to CVAT.

    Raises:
        InputError: The file is no such XML, or its points do not fit the schema.
    """
    readings = []
    for reading in iter_cvat(path, schema):
        if isinstance(reading, InputError):
            raise reading
        readings.append(reading)
    return readings


def iter_cvat(path: str | Path, schema: str | Path | KeypointSchema | None = None) -> Iterator[Reading | InputError]:
    """As :func:`read_cvat`, but one faulty image does not cost the others: its error comes in its place.

    Raises:
        InputError: The file is no such XML.
    """
    given = None if schema is None else get_schema(schema)
    for image in _parsed(path).iter("image"):
        try:
            yield _read_image(path, image, given)
        except InputError as error:
            yield error


def _read_image(path: str | Path, image: ElementTree.Element, given: KeypointSchema | None) -> Reading:
    shapes = [*image.findall("skeleton"), *image.findall("points")]
    names = dict.fromkeys(p.get("label", "") for s in image.findall("skeleton") for p in s.findall("points"))
    meaning = given or _schema_of(list(names))
    reading = Reading(
        file=image.get("name", ""),
        height=_size(path, image, "height"),
        width=_size(path, image, "width"),
        schema=meaning,
        vertebrae=[_read_shape(path, image, shape, meaning) for shape in shapes],
    )
    reading.vertebrae = [reading.vertebrae[k] for k in head_to_foot(reading)]
    return reading


def _parsed(path: str | Path) -> ElementTree.Element:
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
        # Annotation files have no document type; entities that swell or fetch files come through one.
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise InputError(path, "has a document type declaration", REMEDY)
        root = ElementTree.fromstring(text)
    except OSError as error:
        raise InputError(path, "cannot be read", "check the path") from error
    except (ElementTree.ParseError, UnicodeDecodeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(path, "is not valid XML", REMEDY) from error
    if root.tag != "annotations":
        raise InputError(path, "has no <annotations>", REMEDY)
    return root


def _schema_of(names: list[str]) -> KeypointSchema:
    """The smallest built-in schema that has these names, else a plain one."""
    fitting = [schema for schema in SCHEMAS.values() if set(names) <= set(schema.keypoints)]
    return min(fitting, key=len) if fitting else schema_for_names(names)


def _size(path: str | Path, image: ElementTree.Element, name: str) -> int:
    text = image.get(name, "")
    if not text.isdecimal() or int(text) < 1:
        raise InputError(path, f"image {image.get('id')!r} has no {name}", REMEDY)
    return int(text)


def _read_shape(
    path: str | Path, image: ElementTree.Element, shape: ElementTree.Element, schema: KeypointSchema
) -> Vertebra:
    where = f"image {image.get('id')!r}"
    points, visible = np.zeros((len(schema), 2)), np.zeros(len(schema), bool)
    try:
        if shape.tag == "points":
            pairs = [[float(v) for v in pair.split(",")] for pair in shape.get("points", "").split(";")]
            points, visible = np.array(pairs), np.ones(len(pairs), bool)
        else:
            for element in shape.findall("points"):
                k = schema.index(element.get("label", ""))
                x, y = (float(v) for v in element.get("points", "").split(","))
                points[k] = x, y
                visible[k] = element.get("outside", "0") != "1"
        if points.shape != (len(schema), 2) or not np.isfinite(points).all():
            raise ValueError("not a finite x,y for every name")
        attributes = {entry.get("name"): (entry.text or "").strip() for entry in shape.findall("attribute")}
        score = float(attributes["score"]) if attributes.get("score") else None
    except ValueError as error:
        names = ", ".join(schema.keypoints)
        raise InputError(path, f"{where} has points that are not those of {schema.name}", f"use {names}") from error
    return Vertebra.from_points(points, visible, label=attributes.get("level") or None, score=score)
