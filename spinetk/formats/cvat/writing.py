"""Writing annotations of CVAT, a skeleton a vertebra."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree

from spinetk.atomic import write_text
from spinetk.formats.beside import beside
from spinetk.formats.names import file_names
from spinetk.reading import Reading
from spinetk.schema import KeypointSchema
from spinetk.vertebra import Vertebra


def write_cvat(path: str | Path, readings: Iterable[Reading]) -> None:
    """Write readings as one annotation file, atomically.

    The CVAT task needs a skeleton label named like the schema's category (``vertebra``) whose sub-labels are the
    keypoint names, with the text attribute ``level`` and the number attribute ``score``; and a points label for each
    kind of extras. Pictures are named by their file name without folders, those of cases by their case.

    Raises:
        InputError: Two pictures have one name, so that they could not be told apart on the way back.
    """
    readings = list(readings)
    names = file_names(readings, Path(path))
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    task = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
    ElementTree.SubElement(task, "size").text = str(len(readings))
    ElementTree.SubElement(task, "mode").text = "annotation"
    labels = ElementTree.SubElement(task, "labels")
    for schema in {reading.schema.category: reading.schema for reading in readings}.values():
        _describe(labels, schema)
    for extra in dict.fromkeys(name for reading in readings for name in beside(reading)):
        label = ElementTree.SubElement(labels, "label")
        ElementTree.SubElement(label, "name").text = _plain(extra)
        ElementTree.SubElement(label, "type").text = "points"
        ElementTree.SubElement(label, "attributes")
    for number, (name, reading) in enumerate(zip(names, readings, strict=True)):
        size = {"width": str(reading.width), "height": str(reading.height)}
        image = ElementTree.SubElement(root, "image", {"id": str(number), "name": _plain(name), **size})
        for vertebra in reading.vertebrae:
            _write_skeleton(image, reading, vertebra)
        for extra, points in beside(reading).items():
            place = {"label": _plain(extra), "source": "manual", "occluded": "0", "z_order": "0"}
            text = ";".join(f"{x:.4f},{y:.4f}" for x, y in points)
            ElementTree.SubElement(image, "points", {**place, "points": text})
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    write_text(path, '<?xml version="1.0" encoding="utf-8"?>\n' + text + "\n")


def write_readings(path: Path, readings: Sequence[Reading], *, chosen: int | None = None) -> list[Path]:
    """:func:`write_cvat`, as the registry calls it."""
    write_cvat(path, readings)
    return [path]


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
