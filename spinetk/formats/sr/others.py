"""Structured reports of other programs: regions with a level, by TID 1410 and its like, as shapes of a picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from spinetk.errors import InputError
from spinetk.formats.labels import level_in, split_label
from spinetk.formats.shapes import Shape, check_points
from spinetk.formats.sr.concepts import level

GROUP = codes.DCM.MeasurementGroup.value
TRACKING = codes.DCM.TrackingIdentifier.value
REMEDY = "give a report with image regions (SCOORD) of vertebrae"
MOST_DEPTH = 40
# Graphic types that enclose an area when they have enough points.
AREAS = ("POLYLINE", "POLYGON")

Drawn = dict[tuple[str, int | None], list[Shape]]


def drawn_in(document: Dataset, path: Path) -> Drawn:
    """The shapes of a report, by the picture they were drawn in: its SOP instance UID and frame, counted from 0.

    Raises:
        InputError: It has no region of a picture.
    """
    found: Drawn = {}
    for group in _groups(document):
        said, text = _said(group)
        for region in _regions(group):
            key = _picture(region, path)
            shape = _shape(region, said, text, path)
            merged = found.setdefault(key, [])
            # The points of one body come one by one, with the level in their names.
            same = next((s for s in merged if shape.points and s.points and s.label == shape.label), None)
            if same is not None and not set(same.points) & set(shape.points):
                same.points |= shape.points
            else:
                merged.append(shape)
    if not found:
        raise InputError(path, "has no region of a picture", REMEDY)
    return found


def _children(node: Dataset) -> list[Dataset]:
    return list(node.get("ContentSequence") or [])


def _walk(node: Dataset, depth: int = 0) -> Iterator[Dataset]:
    if depth < MOST_DEPTH:
        for item in _children(node):
            yield item
            yield from _walk(item, depth + 1)


def _groups(document: Dataset) -> list[Dataset]:
    """Measurement groups; a report without them is one."""
    return [item for item in _walk(document) if _concept(item) == GROUP] or [document]


def _code_of(item: Dataset, sequence: str) -> Code | None:
    entries = item.get(sequence)
    if not entries:
        return None
    entry = entries[0]
    value = entry.get("CodeValue") or entry.get("LongCodeValue") or entry.get("URNCodeValue") or ""
    return Code(str(value), str(entry.get("CodingSchemeDesignator") or ""), str(entry.get("CodeMeaning") or ""))


def _concept(item: Dataset) -> str | None:
    code = _code_of(item, "ConceptNameCodeSequence")
    return None if code is None else code.value


def _said(group: Dataset) -> tuple[str | None, str]:
    """The level that the codes of a group name, and the words of its tracking identifier and findings."""
    known: str | None = None
    words = []
    for item in _walk(group):
        if item.get("ValueType") == "CODE":
            code = _code_of(item, "ConceptCodeSequence")
            if code is not None:
                named = next((name for name in _names() if level(name) == code), None)
                known = known or named
                words.append(code.meaning)
        elif item.get("ValueType") == "TEXT" and _concept(item) in (TRACKING, codes.DCM.Finding.value):
            words.insert(0, str(item.get("TextValue") or ""))
    return known, next((word for word in words if level_in(word) or split_label(word)[1]), words[0] if words else "")


def _names() -> list[str]:
    return [f"{region}{number}" for region, count in (("C", 7), ("T", 12), ("L", 5)) for number in range(1, count + 1)]


def _regions(group: Dataset) -> list[Dataset]:
    return [item for item in _walk(group) if item.get("ValueType") == "SCOORD" and item.get("GraphicData")]


def _picture(region: Dataset, path: Path) -> tuple[str, int | None]:
    for item in _walk(region):
        references = item.get("ReferencedSOPSequence")
        if references:
            frame = references[0].get("ReferencedFrameNumber")
            frame = frame[0] if isinstance(frame, list | tuple) or hasattr(frame, "__len__") else frame
            return str(references[0].get("ReferencedSOPInstanceUID")), None if not frame else int(frame) - 1
    raise InputError(path, "has a region that names no picture", REMEDY)


def _shape(region: Dataset, said: str | None, text: str, path: Path) -> Shape:
    points = np.array(region.GraphicData, np.float64).reshape(-1, 2)
    check_points(points.ravel(), str(path))
    kind = str(region.get("GraphicType") or "")
    name = _code_of(region, "ConceptNameCodeSequence")
    label = said or text
    if kind == "POINT" and len(points) == 1:
        for words in (name.meaning if name else "", text):
            before, point = split_label(words)
            if point is not None:
                place = (float(points[0, 0]), float(points[0, 1]))
                return Shape(said or before or text, points={point: place}, level=said)
        return Shape(label, loose=points, level=said)
    if kind in AREAS:
        # A closed outline repeats its first point at the end.
        if len(points) > 1 and np.allclose(points[0], points[-1], atol=1e-3):
            points = points[:-1]
        if len(points) >= 4:
            return Shape(label or "vertebra", outline=points, level=said)
    if kind == "CIRCLE":
        return Shape(label, loose=points[:1], level=said)
    if kind == "ELLIPSE" and len(points) == 4:
        return Shape(label, loose=points.mean(axis=0)[None], level=said)
    return Shape(label or kind, loose=points, level=said)
