"""3D Slicer markups (``.mrk.json``, or the older ``.fcsv``): a point list a picture, points named ``LEVEL keypoint``.

Slicer puts the centre of the first pixel at the origin of a picture, spinetk its outer corner, so half a pixel lies
between the two. Positions are LPS:

* with the DICOM source, or on a NIfTI or NRRD volume, in mm of its patient coordinate system;
* else, with a known spacing, in mm of the picture's plane (x right, y down, z = 0), as Slicer shows a picture that has
  a spacing but no position;
* else in px of that plane, as Slicer shows a PNG.

slicerio 1.4 reads ``.fcsv`` only, and takes missing points for defined ones: those are left out of ``.fcsv``.
"""

from __future__ import annotations

import csv
import glob
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from spinetk.atomic import write_json, write_text
from spinetk.errors import InputError
from spinetk.formats.beside import beside
from spinetk.formats.files import clean_name
from spinetk.formats.item import CaseItem
from spinetk.formats.registry import Format, Source
from spinetk.formats.shapes import Shape, assemble, level_in, meaning, split_label
from spinetk.images import read_picture
from spinetk.images.kind import sniff
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6, KeypointSchema

if TYPE_CHECKING:
    from pydicom import Dataset

MARKUPS = ".mrk.json"
FCSV = ".fcsv"
FCSV_COLUMNS = "id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID"
PICTURES = (".dcm", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".nii", ".gz", ".nrrd", ".ima")
SCHEMA = (
    "https://raw.githubusercontent.com/Slicer/Slicer/main/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)
REMEDY = "give a point list that `spinetk` wrote and 3D Slicer saved"


@dataclass(frozen=True)
class _Plane:
    """Position of pixel centres: origin + right * (x - 0.5) + down * (y - 0.5), mm in LPS (or px)."""

    origin: np.ndarray
    right: np.ndarray
    down: np.ndarray

    def to_space(self, points_px: np.ndarray) -> np.ndarray:
        across = np.asarray(points_px, np.float64) - 0.5
        return self.origin + across[..., :1] * self.right + across[..., 1:] * self.down

    def to_picture(self, positions: np.ndarray) -> np.ndarray:
        """Orthogonal projection into the plane, px."""
        axes = np.stack([self.right, self.down], axis=1)
        return np.linalg.lstsq(axes, (positions - self.origin).T, rcond=None)[0].T + 0.5


Placed: TypeAlias = "str | Path | Dataset | _Plane | None"
"""What says where a picture lies in the patient: a DICOM file or data set, or a plane."""


def write_markups(path: str | Path, reading: Reading, *, source_dicom: Placed = None) -> None:
    """Write the points of a reading for 3D Slicer, atomically.

    Args:
        path: The file to write; Slicer knows it by the ending ``.mrk.json``.
        reading: Its points; those not visible get the status ``missing``.
        source_dicom: A single-slice DICOM with a position in the patient, for LPS coordinates.

    Raises:
        InputError: The DICOM source has no position in the patient.
    """
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
        for number, control in enumerate(_written(reading, _plane(reading, source_dicom)), start=1)
    ]
    markup = {
        "type": "Fiducial",
        "coordinateSystem": "LPS",
        **({"coordinateUnits": "mm"} if source_dicom is not None or reading.frame.spacing_mm else {}),
        "locked": False,
        "labelFormat": "%N-%d",
        "controlPoints": controls,
    }
    write_json(path, {"@schema": SCHEMA, "markups": [markup]})


def read_markups(path: str | Path, base: Reading, *, source_dicom: Placed = None) -> Reading:
    """Read corrected points back.

    Args:
        path: The ``.mrk.json`` or ``.fcsv`` file.
        base: The reading that was written: it gives picture, size, spacing and schema.
        source_dicom: As for `write_markups`; give it where it was given there.

    Returns:
        A new reading with the points of the file, head to foot. Points that left the plane are projected back.
        Measurements and point uncertainties, no longer true, are left out; scores stay with their vertebra. Remarks
        say what was left out.

    Raises:
        InputError: The file is no point list, or none of its points is named after the schema.
    """
    plane = _plane(base, source_dicom)
    scores = dict(zip(_names(base), (vertebra.score for vertebra in base.vertebrae), strict=True))
    levels = dict(zip(_names(base), (vertebra.label for vertebra in base.vertebrae), strict=True))
    shapes, remarks = _shapes(Path(path), plane, base.schema.keypoints, levels, scores)
    found = assemble(shapes, base.schema, (base.width, base.height))
    remarks = [*base.remarks, *remarks, *found.remarks]
    other = {"landmarks": found.landmarks, "extras": found.extras, "label_probability": None}
    return replace(base, vertebrae=found.vertebrae, **other, angles={}, remarks=remarks)


def corrected(path: Path, base: Reading) -> Reading:
    """The result ``base`` with the points of a point list that was written from it.

    Raises:
        InputError: It is no point list of this result, or the picture is no longer there.
    """
    return read_markups(path, base, source_dicom=_positioned(base))


def slicer_items(source: str | Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The pictures of point lists, each beside its picture or its result, of the same name.

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
    """A point list with the picture beside it."""
    stem = _stem(file)
    beside = sorted(p for p in file.parent.glob(f"{glob.escape(stem)}.*") if p.suffix.lower() in PICTURES)
    picture = next((p for p in beside if p.is_file()), None)
    picture = picture or next((p for p in [file.with_name(stem)] if p.exists()), None)
    if picture is None:
        fault = f"has no picture {stem}.dcm (or .png, .nii.gz, ...) or result {stem}.json beside it"
        raise InputError(file, fault, "put it beside what it was drawn on")
    seen = read_picture(picture)
    base = Reading(str(picture), seen.height, seen.width, schema or VERTEBRA6, frame=seen.frame, view=seen.view)
    shapes, remarks = _shapes(file, _plane(base, _positioned(base)), base.schema.keypoints, {}, {})
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


def _stem(file: Path) -> str:
    ending = next((end for end in (MARKUPS, FCSV) if file.name.lower().endswith(end)), file.suffix)
    return file.name[: len(file.name) - len(ending)] or file.stem


def _shapes(
    path: Path,
    plane: _Plane,
    names: Sequence[str],
    levels: Mapping[str, str | None],
    scores: Mapping[str, float | None],
) -> tuple[list[Shape], list[str]]:
    """A shape a vertebra and one for every other point; and what was left out."""
    controls, remarks = _controls(path)
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
        name = name or _stem(path)
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


def write_fcsv(path: str | Path, reading: Reading, *, source_dicom: Placed = None) -> None:
    """Write the points as :func:`write_markups` does, in the older format ``.fcsv``, atomically.

    Raises:
        InputError: The DICOM source has no position in the patient.
    """
    text = io.StringIO()
    text.write(f"# Markups fiducial file version = 5.6\n# CoordinateSystem = LPS\n# columns = {FCSV_COLUMNS}\n")
    writer = csv.writer(text, lineterminator="\n")
    controls = [control for control in _written(reading, _plane(reading, source_dicom)) if control.seen]
    for number, control in enumerate(controls, start=1):
        place = [f"{v:.6f}" for v in control.position]
        row = [number, *place, 0, 0, 0, 1, 1, 1, 0, control.label, control.description, ""]
        writer.writerow([*row, 2, 0])
    write_text(path, text.getvalue())


def write_reading(path: Path, readings: Sequence[Reading], *, chosen: int | None = None) -> list[Path]:
    """One reading as a point list, in patient coordinates where the picture is a DICOM slice that has them.

    Raises:
        InputError: The picture is no longer there.
    """
    (reading,) = readings
    write = write_fcsv if path.name.lower().endswith(FCSV) else write_markups
    write(path, reading, source_dicom=_positioned(reading, chosen))
    return [path]


def _written(reading: Reading, plane: _Plane) -> Iterator[_Control]:
    for name, vertebra in zip(_names(reading), reading.vertebrae, strict=True):
        positions = plane.to_space(vertebra.points)
        for keypoint, position, seen in zip(reading.schema.keypoints, positions, vertebra.visible, strict=True):
            yield _Control(f"{name} {keypoint}", vertebra.label or "", position, bool(seen))
    for name, points in beside(reading).items():
        for position in plane.to_space(points):
            yield _Control(name, "", position, True)


def _names(reading: Reading) -> list[str]:
    """A name a vertebra: its level where that is unique, else its place counted from the top."""
    levels = [vertebra.label for vertebra in reading.vertebrae]
    return [level if level and levels.count(level) == 1 else f"#{k + 1}" for k, level in enumerate(levels)]


@dataclass(frozen=True)
class _Control:
    """A control point: its label, what is noted beside it, its place in LPS, and whether it is defined."""

    label: str
    description: str
    position: np.ndarray
    seen: bool


def _controls(path: Path) -> tuple[list[_Control], list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(path, "cannot be read", "check the path") from error
    except ValueError as error:
        raise InputError(path, "is not a text file", REMEDY) from error
    if path.name.lower().endswith(FCSV):
        return _csv_controls(text, path), []
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(path, f"is not valid JSON{line}", REMEDY) from error
    found: list[_Control] = []
    other: Counter[str] = Counter()
    try:
        for markup in content["markups"]:
            if markup.get("type", "Fiducial") != "Fiducial":
                other[str(markup["type"])[:40]] += 1
                continue
            turn = _turn(str(markup.get("coordinateSystem", "LPS")), path)
            for control in markup["controlPoints"]:
                seen = control.get("positionStatus", "defined") == "defined"
                place = control.get("position") if seen else (control.get("position") or [0, 0, 0])
                position = np.array(place, dtype=np.float64) * turn
                if position.shape != (3,) or not np.isfinite(position).all():
                    raise ValueError("position")
                note = str(control.get("description") or "").strip()
                found.append(_Control(str(control["label"]).strip(), note, position, seen))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        where = f" (point {len(found) + 1})" if found else ""
        raise InputError(path, f"is not a markups file with points{where}", REMEDY) from error
    return found, [f"{count} x markup of type {kind}: left out" for kind, count in other.items()]


def _turn(system: str, path: Path) -> np.ndarray:
    """Signs that make LPS of a coordinate system; Slicer writes names, older versions numbers."""
    if system not in ("RAS", "0", "LPS", "1"):
        raise InputError(path, f"is in the coordinate system {system[:20]!r}", "save it in LPS or RAS")
    return np.array([-1.0, -1.0, 1.0]) if system in ("RAS", "0") else np.ones(3)


def _csv_controls(text: str, path: Path) -> list[_Control]:
    """``.fcsv``: RAS where nothing is said, as before Slicer 4.6; two columns without a heading end newer rows."""
    notes = dict(re.findall(r"^#\s*([\w ]+?)\s*=\s*(.*?)\s*$", text, re.MULTILINE))
    turn = _turn(notes.get("CoordinateSystem", "RAS"), path)
    columns = [name.strip() for name in notes.get("columns", FCSV_COLUMNS).split(",")]
    if not {"x", "y", "z", "label"} <= set(columns):
        raise InputError(path, "has no columns x, y, z and label", "save it again in 3D Slicer")
    found = []
    rows = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for number, row in enumerate(csv.reader(rows), start=1):
        values = dict(zip(columns, row, strict=False))
        try:
            position = np.array([float(values[axis]) for axis in "xyz"]) * turn
            if not np.isfinite(position).all():
                raise ValueError("position")
        except (KeyError, ValueError) as error:
            raise InputError(path, f"row {number} has no x, y and z", "save it again in 3D Slicer") from error
        status = row[len(columns)].strip() if len(row) > len(columns) else "2"
        label, note = (values.get(name, "").strip() for name in ("label", "desc"))
        found.append(_Control(label, note, position, status == "2"))
    return found


def _plane(reading: Reading, source_dicom: str | Path | Dataset | _Plane | None) -> _Plane:
    if isinstance(source_dicom, _Plane):
        return source_dicom
    if source_dicom is not None:
        return _patient_plane(source_dicom)
    row, column = reading.frame.spacing_mm or (1.0, 1.0)
    return _Plane(np.zeros(3), np.array([column, 0.0, 0.0]), np.array([0.0, row, 0.0]))


def _patient_plane(source_dicom: str | Path | Dataset) -> _Plane:
    """PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    name = "DICOM data set" if isinstance(source_dicom, pydicom.Dataset) else str(source_dicom)
    tags: list[Any] = ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"]
    try:
        data = source_dicom
        if not isinstance(data, pydicom.Dataset):
            data = pydicom.dcmread(source_dicom, stop_before_pixels=True, specific_tags=tags)
        position, orientation, spacing = (np.array(data[tag].value, dtype=np.float64) for tag in tags)
        plane = _Plane(position, orientation[:3] * spacing[1], orientation[3:] * spacing[0])
        if np.linalg.matrix_rank(np.stack([plane.right, plane.down])) != 2 or not np.isfinite(position).all():
            raise ValueError("degenerate")
    except (InvalidDicomError, OSError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        fault = "has no position in the patient (image position, orientation and pixel spacing)"
        raise InputError(name, fault, "leave the DICOM source out to use the picture's own plane") from error
    return plane


def _positioned(reading: Reading, chosen: int | None = None) -> Path | _Plane | None:
    """Where a reading lies in the patient: the DICOM slice it is about, the plane of a volume's slice, or None.

    Raises:
        InputError: The picture is no longer there.
    """
    from spinetk.images.elements import numbers
    from spinetk.images.headers import open_header
    from spinetk.images.source import source_of

    path = Path(reading.file)
    if not path.exists():
        raise InputError(reading.file, "is no longer there", "give the picture back its place")
    if path.is_file() and sniff(path) in ("nifti", "nrrd"):
        return _volume_plane(path, reading.slice if chosen is None else chosen)
    try:
        source, frame = source_of(reading, chosen)
        header = open_header(source)
    except InputError:
        return None
    with header.stream:
        placed = [numbers(header.dataset, name) for name in ("ImagePositionPatient", "ImageOrientationPatient")]
    return source if frame is None and [len(values) for values in placed] == [3, 6] else None


def _volume_plane(path: Path, chosen: int | None) -> _Plane | None:
    """The slice of a volume that is shown, in LPS; None where its header does not say where it lies."""
    from spinetk.images.cut import describe_volume

    cut, header, _ = describe_volume(path)
    if not header.grid.oriented:
        return None
    size = header.grid.shape[::-1]

    def place(x: float, y: float) -> np.ndarray:
        index = np.zeros(3)
        index[cut.axis] = cut.count // 2 if chosen is None else chosen
        for axis, flip, share in (
            (cut.column_axis, cut.flip_columns, x / cut.size[1]),
            (cut.row_axis, cut.flip_rows, y / cut.size[0]),
        ):
            index[axis] = size[axis] * (1 - share if flip else share) - 0.5
        return header.grid.to_mm(index) * (-1, -1, 1)

    first = place(0.5, 0.5)
    return _Plane(first, place(1.5, 0.5) - first, place(0.5, 1.5) - first)


_COMMON: dict[str, Any] = {
    "stored": True,
    "read": slicer_items,
    "write": write_reading,
    "holds": frozenset({"points", "levels", "visibility", "extras"}),
    "origin": "LPS (or RAS) mm of the centre of the first pixel: half a pixel lies between; in the patient where the "
    "picture is a DICOM slice or a volume that has a place there, else in the plane of the picture",
    "source": "https://slicer.readthedocs.io/en/latest/developer_guide/modules/markups.html",
}
FORMAT = (
    Format(
        name="slicer",
        title="3D Slicer markups",
        suffix=MARKUPS,
        recognises=lambda source: bool(source.ending(MARKUPS)),
        tools="slicerio 1.4.0",
        documented="3D Slicer 5.6",
        **_COMMON,
    ),
    Format(
        name="fcsv",
        title="3D Slicer fiducials (fcsv)",
        suffix=FCSV,
        media_type="text/csv; charset=utf-8",
        recognises=lambda source: bool(source.ending(FCSV)),
        tools="slicerio 1.4.0",
        documented="3D Slicer 4.4 to 5.6",
        **_COMMON,
    ),
)
