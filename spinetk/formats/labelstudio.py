"""Label Studio: tasks with a box per vertebra and its points as predictions, and the labelling set-up they need.

Coordinates are percent of the picture from its upper left corner. Corrected and exported as JSON, the tasks are what
``spinetk prepare --from labelstudio`` reads (:mod:`spinetk.formats.labelstudio_export`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from spinetk.atomic import write_json, write_text
from spinetk.measure.levels import TABLE
from spinetk.reading import Reading, Vertebra
from spinetk.schema import KeypointSchema

UNNAMED = "vertebra"
"""Label of a box whose level is not known."""
LOCAL_FILES = "/data/local-files/?d="
"""How Label Studio addresses files of a local storage."""


def write_tasks(path: str | Path, readings: Iterable[Reading], address: str = LOCAL_FILES) -> None:
    """Write readings as tasks to import, atomically.

    Args:
        path: The JSON file.
        readings: With all pictures of one schema; points that are not visible are left out.
        address: What comes before the file name of a picture, where Label Studio finds it.
    """
    write_json(path, [_task(reading, address) for reading in readings])


def write_labelling(path: str | Path, schema: KeypointSchema) -> None:
    """Write the labelling set-up of a project (Settings, Labeling Interface, Code), atomically."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Image", {"name": "image", "value": "$image", "zoom": "true", "zoomControl": "true"})
    for kind, name, labels in (
        ("RectangleLabels", "vertebra", [*TABLE, UNNAMED]),
        ("KeyPointLabels", "points", schema.keypoints),
    ):
        control = ElementTree.SubElement(view, kind, {"name": name, "toName": "image"})
        for label in labels:
            ElementTree.SubElement(control, "Label", {"value": label})
    ElementTree.indent(view)
    write_text(path, ElementTree.tostring(view, encoding="unicode") + "\n")


def _task(reading: Reading, address: str) -> dict[str, Any]:
    result = []
    for number, vertebra in enumerate(reading.vertebrae):
        result += _regions(reading, vertebra, f"v{number}")
    scores = [vertebra.score for vertebra in reading.vertebrae if vertebra.score is not None]
    prediction: dict[str, Any] = {"model_version": reading.model or "spinetk", "result": result}
    if scores:
        prediction["score"] = min(scores)
    return {"data": {"image": address + Path(reading.file).name}, "predictions": [prediction]}


def _regions(reading: Reading, vertebra: Vertebra, name: str) -> list[dict[str, Any]]:
    x0, y0, x1, y1 = vertebra.bbox
    level = vertebra.label if vertebra.label in TABLE else UNNAMED
    box = {"width": 100 * (x1 - x0) / reading.width, "height": 100 * (y1 - y0) / reading.height, "rotation": 0}
    regions = [_region(reading, name, "rectanglelabels", "vertebra", level, (x0, y0), box)]
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
