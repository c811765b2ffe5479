"""Read back a structured report that `spinetk.formats.sr.write` wrote. Needs pydicom only."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import error as StructError
from typing import Any
from urllib.parse import unquote

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.sr.codedict import codes

from spinetk.errors import InputError
from spinetk.facing import Facing
from spinetk.fields import scales_from
from spinetk.formats.sr import concepts
from spinetk.geometry import Frame
from spinetk.landmark import POINTS, Landmark
from spinetk.reading import Reading
from spinetk.schema import SCHEMAS, KeypointSchema
from spinetk.vertebra import Vertebra

REMEDY = "give a report of `spinetk report --sr`"
SIDES = {code.value: side for side, code in concepts.SITES.items()}
VALUES: dict[Any, Any] = {code: [] if value == () else value for value, code in concepts.PLAIN.items()}

# Whatever the bytes of a damaged file lead pydicom to.
DAMAGE = (
    InvalidDicomError,
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    IndexError,
    EOFError,
    NotImplementedError,
    RecursionError,
    OverflowError,
    AssertionError,
    StructError,
    MemoryError,
    zlib.error,  # of a deflated one that breaks off
)


@dataclass(frozen=True)
class Report:
    """What a structured report says.

    Attributes:
        reading: The vertebrae, points, measures, angles and remarks. ``file`` is the path of the report: a report names
            its picture by UIDs, not by file.
        sop_class_uid, sop_instance_uid: The picture.
        frame: Frame of the picture, counted from 0; None when it has only one.
        tracking_uids: One a vertebra, in order.
    """

    reading: Reading
    sop_class_uid: str
    sop_instance_uid: str
    frame: int | None
    tracking_uids: list[str]


def read_sr(path: str | Path) -> Report:
    """Read a structured report that `write_sr` wrote.

    Raises:
        InputError: The file is no DICOM SR, or not one of spinetk's.
    """
    try:
        document = pydicom.dcmread(path)
        groups = [(group, _content(group)) for group in _groups(document)]
    except DAMAGE as error:
        raise InputError(path, "is not a readable structured report", REMEDY) from error
    try:
        whole, about = next((group, tree) for group, tree in groups if "picture" in tree)
        picture = about["picture"]
        entries = sorted(((tree, group) for group, tree in groups if "index" in tree), key=lambda e: e[0]["index"])
        named = picture["schema"]
        schema = SCHEMAS[named] if named in SCHEMAS else KeypointSchema.from_json(json.loads(named), path)
        image = next(_items(whole, "IMAGE")).ReferencedSOPSequence[0]
        frame = Frame.from_json(picture, str(path))
        frames = image.get("ReferencedFrameNumber")
        reading = Reading(
            file=str(path),
            height=picture["height_px"],
            width=picture["width_px"],
            schema=schema,
            vertebrae=[_vertebra(schema, frame, tree, group) for tree, group in entries],
            frame=frame,
            view=picture["view"],
            model=picture.get("model"),
            threshold=picture.get("threshold"),
            not_graded=picture.get("not_graded"),
            label_probability=picture.get("label_probability"),
            facing=Facing.from_json(picture["facing"], str(path)) if picture.get("facing") else None,
            interval_scale=scales_from(picture.get("interval_scale") or {}),
            angles=concepts.with_places(about.get("angles", {})),
            remarks=_texts(whole, codes.DCM.Comment.value),
            landmarks=[_landmark(tree, group) for group, tree in groups if "landmark" in tree],
        )
        return Report(
            reading,
            str(image.ReferencedSOPClassUID),
            str(image.ReferencedSOPInstanceUID),
            None if frames is None else int(frames) - 1,
            [next(str(item.UID) for item in _items(group, "UIDREF")) for _, group in entries],
        )
    except (StopIteration, *DAMAGE) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(path, "is not a report of spinetk", REMEDY) from error


def _groups(document: Dataset) -> Iterator[Dataset]:
    """The measurement groups of a TID 1500 document."""
    for container in _items(document, "CONTAINER"):
        if _name(container) == codes.DCM.ImagingMeasurements.value:
            yield from _items(container, "CONTAINER")


def _items(node: Dataset, kind: str) -> Iterator[Dataset]:
    return (item for item in node.get("ContentSequence", []) if item.ValueType == kind)


def _code(concept: Dataset) -> str:
    return str(concept.get("CodeValue") or concept.get("LongCodeValue") or concept.get("URNCodeValue"))


def _name(item: Dataset) -> str:
    return _code(item.ConceptNameCodeSequence[0])


def _texts(group: Dataset, code: str) -> list[str]:
    """The text items of a group under one concept."""
    return [str(item.TextValue) for item in _items(group, "TEXT") if _name(item) == code]


def _number(measured: Dataset) -> float:
    """The number of a measured value; a whole one is an int, as it was written without the floating point value.

    Programs that pass a report on may leave the floating point value out of a fraction, too.
    """
    if "FloatingPointValue" in measured:
        return float(measured.FloatingPointValue)
    value = float(measured.NumericValue)
    return int(value) if value.is_integer() else value


def _content(group: Dataset) -> dict[str, Any]:
    """The nested content of a group, from its measurements and evaluations."""
    leaves: dict[str, Any] = {}
    for item in _items(group, "NUM"):
        measured = item.MeasuredValueSequence[0]
        value = _number(measured)
        name = _name(item)
        if name == codes.DCM.CertaintyOfFinding.value:
            leaves["score"] = value / 100.0
        elif name == codes.DCM.Height.value:
            millimetres = _code(measured.MeasurementUnitsCodeSequence[0]) == codes.UCUM.Millimeter.value
            modifier = item.ContentSequence[0].ContentSequence[0].ConceptCodeSequence[0]
            leaves[f"heights_{'mm' if millimetres else 'px'}.{SIDES[_code(modifier)]}"] = value
        elif item.ConceptNameCodeSequence[0].CodingSchemeDesignator == concepts.SCHEME:
            leaves[name] = value
    for item in _items(group, "CODE"):
        if item.ConceptNameCodeSequence[0].CodingSchemeDesignator == concepts.SCHEME:
            text = _code(item.ConceptCodeSequence[0])
            leaves[_name(item)] = VALUES[text] if text in VALUES else unquote(text)
    return concepts.unflatten(leaves)


def _landmark(tree: dict[str, Any], group: Dataset) -> Landmark:
    points = np.array(next(_items(group, "SCOORD")).GraphicData, np.float64).reshape(-1, 2)
    kind = tree["landmark"]
    return Landmark(kind, points[: len(POINTS[kind])], *(tree.get(n) for n in ("radius_px", "score", "sigma_px")))


def _vertebra(schema: KeypointSchema, frame: Frame, tree: dict[str, Any], group: Dataset) -> Vertebra:
    plain = {"index", "label", "score", "bbox", "point_sigma_px"}
    points, visible = np.zeros((len(schema), 2)), np.zeros(len(schema), bool)
    for region in _items(group, "SCOORD"):
        order = next(t for t in _texts(group, codes.DCM.AlgorithmParameters.value) if t.startswith(concepts.ORDER))
        # A closed outline repeats its first point at the end.
        names = order.removeprefix(concepts.ORDER).split()
        for name, point in zip(names, np.array(region.GraphicData, np.float64).reshape(-1, 2), strict=False):
            points[schema.index(name)], visible[schema.index(name)] = point, True
        points[~visible] = points[visible].mean(axis=0)
    sigma = tree.get("point_sigma_px")
    measures = {key: value for key, value in tree.items() if key not in plain}
    x0, y0, x1, y1 = (float(v) for v in tree["bbox"])
    return Vertebra(
        points=points,
        visible=visible,
        bbox=(x0, y0, x1, y1),
        label=tree.get("label"),
        score=tree.get("score"),
        point_sigma_px=None if sigma is None else np.array([sigma[name] for name in schema.keypoints]),
        measures=concepts.with_twins(concepts.with_pixels(measures, frame.spacing_mm)),
    )
