"""Where 3D Slicer shows a picture: where ITK, which reads it there, puts its pixels.

ITK's scale is not always ours. As seen with SimpleITK 2.5.7 (ITK 5.4), which the tests ask again:

* projections (CR, DX, MG, IO, XA, RF): ImagerPixelSpacing alone, 1 where it is absent, whatever PixelSpacing says and
  whatever the magnification is; secondary captures: PixelSpacing, else NominalScannedPixelSpacing; RT images:
  ImagePlanePixelSpacing; all others: PixelSpacing. Position and orientation in the patient, each where it is there;
* frames of one file lie behind one another, by their own positions or by SpacingBetweenSlices, else by 1;
* JPEG and TIFF: the density for printing; a JPEG's EXIF turn is ignored, a TIFF's orientation is mirrored, not turned;
* PNG: a scale chunk (sCAL), as ITK itself writes it; not the density;
* volumes without directions: the first voxel at 0, axes along L, P and S.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spinetk.errors import InputError
from spinetk.formats.slicer.plane import Plane
from spinetk.images.kind import VOLUMES, sniff
from spinetk.reading import Reading

if TYPE_CHECKING:
    from pydicom import Dataset

_CLASS = "1.2.840.10008.5.1.4.1.1."
PROJECTIONS = frozenset(_CLASS + kind for kind in ("1", "1.1", "1.1.1", "1.2", "1.2.1", "1.3", "1.3.1", "12.1", "12.2"))
CAPTURE, RT_IMAGE = _CLASS + "7", _CLASS + "481.1"
GROUPED = frozenset(_CLASS + kind for kind in ("7.2", "7.3", "7.4"))
"""Classes of which ITK heeds functional groups alone."""
NO_DEPTH = GROUPED | {_CLASS + "3.1", _CLASS + "6.1"}
"""Classes in which ITK looks for no SpacingBetweenSlices."""

INCH_MM, CM_MM = 25.4, 10.0
JPEG_UNIT_MM = {1: INCH_MM, 2: CM_MM}
TIFF_UNIT_MM = {2: INCH_MM, 3: CM_MM}
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
MIRRORED = {2: (True, False), 6: (True, False), 3: (True, True), 7: (True, True), 4: (False, True), 8: (False, True)}
"""Orientations of a TIFF that ITK mirrors: left to right, top to bottom."""


def shown_plane(reading: Reading, chosen: int | None = None) -> Plane:
    """The plane in which 3D Slicer shows the picture of a reading.

    Args:
        reading: Its file, size, slice and series.
        chosen: The slice instead of the reading's own.

    Raises:
        InputError: The picture is no longer there, or cannot be read any more.
    """
    path = Path(reading.file)
    if not path.exists():
        raise InputError(reading.file, "is no longer there", "give the picture back its place")
    kind = "dicom" if path.is_dir() else sniff(path)
    if kind in VOLUMES:
        return _of_volume(path, kind, reading.slice if chosen is None else chosen)
    return _of_dicom(reading, chosen) if kind == "dicom" else _of_plain(path, kind, reading)


def _plane(origin: np.ndarray, right: np.ndarray, down: np.ndarray, across: float | None, along: float | None) -> Plane:
    """With the spacing ITK finds across columns and along rows; it takes 1 for what it does not find."""
    return Plane(origin, right * (across or 1.0), down * (along or 1.0), scaled=across is not None)


def _of_dicom(reading: Reading, chosen: int | None) -> Plane:
    from spinetk.images.elements import functional_group, word
    from spinetk.images.headers import open_header
    from spinetk.images.orientation import read_axes, read_position
    from spinetk.images.source import stored_or_section

    place = reading.slice if chosen is None else chosen
    shown = stored_or_section(reading.file, place, reading.series)
    if not isinstance(shown, tuple):
        step = np.array([0.0, shown.step_mm, 0.0]), np.array([0.0, 0.0, -shown.step_mm])
        return Plane(np.array([shown.middle_mm, *shown.corner_mm]), *step)
    source, frame = shown
    header = open_header(source)
    with header.stream:
        data = header.dataset
        axes, own = read_axes(data, frame or 0), read_position(data, frame or 0)
        if word(data, "SOPClassUID") in GROUPED and functional_group(data, frame or 0, "PlanePositionSequence") is None:
            own = None
        right, down = axes or (np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
        origin = np.zeros(3) if own is None else own
        if frame and functional_group(data, frame, "PlanePositionSequence") is None:
            origin = origin + np.cross(right, down) * _depth(data) * frame
        across, along = _dicom_spacing(data, frame or 0)
    return _plane(origin, right, down, across, along)


def _dicom_spacing(data: Dataset, frame: int) -> tuple[float | None, float | None]:
    """(across, along) as GDCM finds them by the class of the object."""
    from spinetk.images.elements import functional_group, numbers, word
    from spinetk.images.spacing import PROJECTION

    kind = word(data, "SOPClassUID")
    measures = functional_group(data, frame, "PixelMeasuresSequence")
    keywords = [] if kind in GROUPED else ["PixelSpacing"]
    if measures is not None:
        data, keywords = measures, ["PixelSpacing"]
    elif kind in PROJECTIONS or (not kind and word(data, "Modality") in PROJECTION):
        keywords = ["ImagerPixelSpacing"]
    elif kind == CAPTURE:
        keywords.append("NominalScannedPixelSpacing")
    elif kind == RT_IMAGE:
        keywords = ["ImagePlanePixelSpacing"]
    for keyword in keywords:
        values = numbers(data, keyword)
        if len(values) >= 2 and min(values[:2]) > 0:
            return values[1], values[0]
    return None, None


def _depth(data: Dataset) -> float:
    """Distance of frames that have no positions of their own."""
    from spinetk.images.elements import number, word

    between = None if word(data, "SOPClassUID") in NO_DEPTH else number(data, "SpacingBetweenSlices")
    return between if between and between > 0 else 1.0


def _of_plain(path: Path, kind: str, reading: Reading) -> Plane:
    from spinetk.images.plain import ORIENTATION, open_header

    across = along = None
    mirrored = (False, False)
    if kind == "png":
        across, along = _png_scale(path)
    else:
        with open_header(path, kind) as header:
            if kind == "tiff":
                tags = header.tag_v2  # type: ignore[attr-defined]
                unit = TIFF_UNIT_MM.get(tags.get(RESOLUTION_UNIT))
                density = [float(tags.get(number, 0)) for number in (X_RESOLUTION, Y_RESOLUTION)]
                mirrored = MIRRORED.get(tags.get(ORIENTATION), mirrored)
            else:
                unit = JPEG_UNIT_MM.get(header.info.get("jfif_unit", 0))
                density = [float(value) for value in header.info.get("jfif_density", (0, 0))]
        if unit and min(density) > 0:
            across, along = unit / density[0], unit / density[1]
    origin, axes = np.zeros(3), [np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])]
    for axis, (turned, last, step) in enumerate(
        zip(mirrored, (reading.width, reading.height), (across, along), strict=True)
    ):
        if turned:
            origin[axis] = (last - 1) * (step or 1.0)
            axes[axis] = -axes[axis]
    return _plane(origin, axes[0], axes[1], across, along)


def _png_scale(path: Path) -> tuple[float, float] | tuple[None, None]:
    """Pixel width and height of a PNG's sCAL chunk, taken for mm whatever its unit is."""
    with open(path, "rb") as stream:
        stream.seek(8)
        while len(start := stream.read(8)) == 8 and start[4:] not in (b"IDAT", b"IEND"):
            length = int.from_bytes(start[:4], "big")
            if start[4:] != b"sCAL":
                stream.seek(length + 4, 1)
                continue
            content = stream.read(min(length, 200))
            try:
                width, height = (float(field) for field in content[1:].split(b"\0"))
            except ValueError:
                break
            return (width, height) if content[0] in (1, 2) and min(width, height) > 0 else (None, None)
    return None, None


def _of_volume(path: Path, kind: str, chosen: int | None) -> Plane:
    """The slice of a volume that is shown, in LPS."""
    from spinetk.images.cut import describe_volume
    from spinetk.images.nifti import grid_of_itk

    cut, header, _ = describe_volume(path)
    grid = grid_of_itk(header) if kind == "nifti" else header.grid
    size = grid.shape[::-1]

    def place(x: float, y: float) -> np.ndarray:
        index = np.zeros(3)
        index[cut.axis] = cut.central if chosen is None else chosen
        for axis, flip, share in (
            (cut.column_axis, cut.flip_columns, x / cut.size[1]),
            (cut.row_axis, cut.flip_rows, y / cut.size[0]),
        ):
            index[axis] = size[axis] * (1 - share if flip else share) - 0.5
        if kind == "nifti" and not grid.oriented:
            return index * grid.spacing_mm[::-1]
        return grid.to_mm(index) * (-1, -1, 1)

    first = place(0.5, 0.5)
    return Plane(first, place(1.5, 0.5) - first, place(0.5, 1.5) - first)
