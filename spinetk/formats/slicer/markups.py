"""Point lists of readings: written, read back, and read as cases."""

from __future__ import annotations

import csv
import glob
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.atomic import write_json, write_text
from spinetk.errors import InputError
from spinetk.formats.beside import beside
from spinetk.formats.correction import corrected_by
from spinetk.formats.files import clean_name, read_json
from spinetk.formats.item import CaseItem, in_schema
from spinetk.formats.labels import level_in, split_label
from spinetk.formats.ours import is_result, item_of
from spinetk.formats.registry import Source
from spinetk.formats.shapes import Shape, assemble, meaning
from spinetk.formats.slicer.controls import FCSV, FCSV_COLUMNS, MARKUPS, REMEDY, Control, read_controls
from spinetk.formats.slicer.plane import Placed, Plane, plane_of
from spinetk.formats.slicer.shown import shown_plane
from spinetk.images import read_picture
from spinetk.images.find import are_results
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6, KeypointSchema

PICTURES = (".dcm", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".nii", ".gz", ".nrrd", ".mha", ".mhd", ".ima")
MOST_AWAY = 2.0
"""mm off the slice that points are read on: the views of 3D Slicer stop between slices."""
SCHEMA = (
    "https://raw.githubusercontent.com/Slicer/Slicer/main/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)


def write_markups(path: str | Path, reading: Reading, *, source_dicom: Placed = None) -> None:
    """Write the points of a reading for 3D Slicer, atomically.

    Args:
        path: The file to write; Slicer knows it by the ending ``.mrk.json``.
        reading: Its points; those not visible get the status ``missing``.
        source_dicom: A single-slice DICOM with a position in the patient, for LPS coordinates.

    Raises:
        InputError: The DICOM source has no position in the patient.
    """
    plane = plane_of(reading, source_dicom)
    controls = [
        {
            "id": str(number),
            "label": control.label,
            "description": control.description,
            "position": [float(v) for v in control.position],
            "selected": True,
            "locked": False,
            "visibility": True,
            "positionStatus": "defined" if control.seen else "missing",
        }
        for number, control in enumerate(_written(reading, plane), start=1)
    ]
    markup = {
        "type": "Fiducial",
        "coordinateSystem": "LPS",
        **({"coordinateUnits": "mm"} if plane.scaled else {}),
        "locked": False,
        "labelFormat": "%N-%d",
        "controlPoints": controls,
    }
    write_json(path, {"@schema": SCHEMA, "markups": [markup]})


def write_fcsv(path: str | Path, reading: Reading, *, source_dicom: Placed = None) -> None:
    """Write the points as :func:`write_markups` does, in the older format ``.fcsv``, atomically.

    Raises:
        InputError: The DICOM source has no position in the patient.
    """
    text = io.StringIO()
    text.write(f"# Markups fiducial file version = 5.6\n# CoordinateSystem = LPS\n# columns = {FCSV_COLUMNS}\n")
    writer = csv.writer(text, lineterminator="\n")
    controls = [control for control in _written(reading, plane_of(reading, source_dicom)) if control.seen]
    for number, control in enumerate(controls, start=1):
        place = [f"{v:.6f}" for v in control.position]
        row = [number, *place, 0, 0, 0, 1, 1, 1, 0, control.label, control.description, ""]
        writer.writerow([*row, 2, 0])
    write_text(path, text.getvalue())


def write_reading(path: Path, readings: Sequence[Reading], *, chosen: int | None = None) -> list[Path]:
    """One reading as a point list, where 3D Slicer shows its picture (:mod:`spinetk.formats.slicer.shown`).

    Raises:
        InputError: The picture is no longer there.
    """
    (reading,) = readings
    write = write_fcsv if path.name.lower().endswith(FCSV) else write_markups
    write(path, reading, source_dicom=shown_plane(reading, chosen))
    return [path]


def _written(reading: Reading, plane: Plane) -> Iterator[Control]:
    for name, vertebra in zip(_names(reading), reading.vertebrae, strict=True):
        positions = plane.to_space(vertebra.points)
        for keypoint, position, seen in zip(reading.schema.keypoints, positions, vertebra.visible, strict=True):
            yield Control(f"{name} {keypoint}", vertebra.label or "", position, bool(seen))
    for name, points in beside(reading).items():
        for position in plane.to_space(points):
            yield Control(name, "", position, True)


def _names(reading: Reading) -> list[str]:
    """A name a vertebra: its level where that is unique, else its place counted from the top."""
    levels = [vertebra.label for vertebra in reading.vertebrae]
    return [level if level and levels.count(level) == 1 else f"#{k + 1}" for k, level in enumerate(levels)]


def read_markups(path: str | Path, base: Reading, *, source_dicom: Placed = None) -> Reading:
    """Read corrected points back.

    Args:
        path: The ``.mrk.json`` or ``.fcsv`` file.
        base: The reading that was written: it gives picture, size, spacing and schema.
        source_dicom: As for `write_markups`; give it where it was given there.

    Returns:
        A new reading with the points of the file, head to foot. Points that left the plane are projected back.
        Measurements are left out, and scores and uncertainties of what was moved
        (:func:`spinetk.formats.correction.corrected_by`). Remarks say what was left out.

    Raises:
        InputError: The file is no point list, or none of its points is named after the schema.
    """
    plane = plane_of(base, source_dicom)
    scores = dict(zip(_names(base), (vertebra.score for vertebra in base.vertebrae), strict=True))
    levels = dict(zip(_names(base), (vertebra.label for vertebra in base.vertebrae), strict=True))
    shapes, remarks = _shapes(Path(path), plane, base.schema.keypoints, levels, scores)
    found = assemble(shapes, base.schema, (base.width, base.height))
    item = CaseItem(
        picture=Path(base.file),
        case=stem_of(Path(path)),
        schema=base.schema,
        vertebrae=found.vertebrae,
        landmarks=found.landmarks,
        extras=found.extras,
        remarks=[*remarks, *found.remarks],
    )
    return corrected_by(item, base, holds={"landmarks", "extras"})


def corrected(path: Path, base: Reading) -> Reading:
    """The result ``base`` with the points of a point list that was written from it.

    Raises:
        InputError: It is no point list of this result, or the picture is no longer there.
    """
    return read_markups(path, base, source_dicom=shown_plane(base))


def slicer_items(source: str | Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The pictures of point lists, each beside its result or its picture, of the same name; the result comes first.

    Args:
        source: A ``.mrk.json`` or ``.fcsv``, or a folder of them.
        schema: Meaning of the points; None takes the result's, else the built-in one that the names are of.

    Yields:
        One item per point list, or the error that keeps it out.

    Raises:
        InputError: There is no point list.
    """
    source = Path(source)
    files = [source] if source.is_file() else Source(source).ending(MARKUPS, FCSV)
    if not files:
        raise InputError(source, "holds no point list", "save markups as .mrk.json")
    for file in files:
        try:
            yield _item(file, schema)
        except InputError as error:
            yield error


def _item(file: Path, schema: KeypointSchema | None) -> CaseItem:
    """A point list with the result or the picture beside it."""
    stem = stem_of(file)
    result = file.with_name(f"{stem}.json")
    content: Any = read_json(result) if result.is_file() else None
    if is_result(content):
        return _of_result(file, Reading.from_json(content, str(result)), schema)
    beside = sorted(p for p in file.parent.glob(f"{glob.escape(stem)}.*") if p.suffix.lower() in PICTURES)
    made = are_results(beside)
    picture = next((p for p in beside if p.is_file() and p not in made and not _is_report(p)), None)
    picture = picture or next((p for p in [file.with_name(stem)] if p.exists()), None)
    if picture is None:
        fault = f"has no picture {stem}.dcm (or .png, .nii.gz, ...) or result {stem}.json beside it"
        raise InputError(file, fault, "put it beside what it was drawn on")
    seen = read_picture(picture)
    base = Reading(str(picture), seen.height, seen.width, schema or VERTEBRA6, frame=seen.frame, view=seen.view)
    shapes, remarks = _shapes(file, shown_plane(base), base.schema.keypoints, {}, {})
    whole = meaning(shapes, schema)
    found = assemble(shapes, whole, (base.width, base.height))
    return CaseItem(
        picture=picture,
        case=clean_name(stem),
        schema=whole,
        vertebrae=found.vertebrae,
        landmarks=found.landmarks,
        extras=found.extras,
        view=seen.view,
        size=(base.width, base.height),
        remarks=[*remarks, *found.remarks],
    )


def _of_result(file: Path, base: Reading, schema: KeypointSchema | None) -> CaseItem:
    """A point list of a result: about the result's picture, which is not the overlay that lies beside it."""
    base = replace(base, file=str(item_of(base, file).picture))
    reading = in_schema(corrected(file, base), schema, file)
    item = item_of(reading, file)
    item.case = clean_name(stem_of(file))
    item.remarks = [remark for remark in reading.remarks if remark not in base.remarks]
    return item


def _is_report(path: Path) -> bool:
    """Whether a file beside a point list is a structured report: `report` gives it the name of its picture."""
    from spinetk.formats.sr.items import is_report

    return path.suffix.lower() == ".dcm" and is_report(Source(path).head(path))


def stem_of(file: Path) -> str:
    """The name of a point list without its ending."""
    ending = next((end for end in (MARKUPS, FCSV) if file.name.lower().endswith(end)), file.suffix)
    return file.name[: len(file.name) - len(ending)] or file.stem


def away_from(path: Path, plane: Plane) -> float:
    """How far the points of a point list lie off a plane, at most, in mm (px where the plane has no scale).

    Raises:
        InputError: The file is no point list.
    """
    return _away(read_controls(path)[0], plane)


def _away(controls: Sequence[Control], plane: Plane) -> float:
    positions = np.array([control.position for control in controls if control.seen]).reshape(-1, 3)
    return float(plane.away(positions).max(initial=0))


def _shapes(
    path: Path,
    plane: Plane,
    names: Sequence[str],
    levels: Mapping[str, str | None],
    scores: Mapping[str, float | None],
) -> tuple[list[Shape], list[str]]:
    """A shape a vertebra and one for every other point; and what was left out."""
    controls, remarks = read_controls(path)
    if (away := _away(controls, plane)) > MOST_AWAY:
        off = f"points lie up to {away:.1f} mm off the slice they are read on"
        remarks = [*remarks, f"{off}: if they were drawn on another, its pixels are not these"]
    shapes: dict[str, Shape] = {}
    other: list[Shape] = []
    for control in controls:
        name, point = split_label(control.label, names)
        x, y = plane.to_picture(control.position[None])[0].tolist()
        if not (abs(x) < 1e6 and abs(y) < 1e6):
            raise InputError(path, f"point {control.label[:60]!r} lies far outside the picture", REMEDY)
        if point is None:
            if control.seen:
                other.append(Shape(control.label, loose=np.array([[x, y]])))
            continue
        name = name or stem_of(path)
        level = control.description or levels.get(name) or ("" if name.startswith("#") else name)
        shape = shapes.setdefault(name, Shape(name, score=scores.get(name)))
        shape.level = level_in(level) or (level if name in levels else level_in(name)) or shape.level
        if point in shape.points:
            raise InputError(path, f"has two points {control.label[:60]!r}", "rename or delete one")
        shape.points[point] = (x, y)
        if not control.seen:
            shape.hidden.add(point)
    if not shapes:
        remedy = f"name points 'LEVEL keypoint' with {', '.join(names)}"
        first = f", such as {controls[0].label[:60]!r}" if controls else ""
        raise InputError(path, f"has no point of a vertebra (it has {len(controls)} points{first})", remedy)
    return [*shapes.values(), *other], remarks
