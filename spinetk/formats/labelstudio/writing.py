"""Readings as tasks to import, and the labelling set-up that they need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from spinetk.atomic import write_json, write_text
from spinetk.formats.beside import beside
from spinetk.formats.labelstudio.regions import NO_MODEL, UNNAMED
from spinetk.formats.names import file_name
from spinetk.measure.levels import TABLE
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6, KeypointSchema
from spinetk.vertebra import Vertebra

LOCAL_FILES = "/data/local-files/?d="
"""How Label Studio addresses files of a local storage."""


def write_tasks(path: str | Path, readings: Iterable[Reading]) -> None:
    """Write readings as tasks to import, atomically.

    Args:
        path: The JSON file.
        readings: With all pictures of one schema; points that are not visible are left out.
    """
    write_json(path, [_task(reading) for reading in readings])


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


def _task(reading: Reading) -> dict[str, Any]:
    result = []
    for number, vertebra in enumerate(reading.vertebrae):
        result += _regions_of(reading, vertebra, f"v{number}")
    for name, points in beside(reading).items():
        for number, place in enumerate(points):
            region = _region(reading, f"{name}-{number}", "keypointlabels", "points", name, place, {"width": 0.5})
            result.append(region)
    scores = [vertebra.score for vertebra in reading.vertebrae if vertebra.score is not None]
    prediction: dict[str, Any] = {"model_version": reading.model or NO_MODEL, "result": result}
    if scores:
        prediction["score"] = min(scores)
    return {"data": {"image": LOCAL_FILES + file_name(reading)}, "predictions": [prediction]}


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
