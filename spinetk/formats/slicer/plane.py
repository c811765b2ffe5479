"""Plane: where a picture lies, in LPS mm of the patient, or in its own plane."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from spinetk.errors import InputError
from spinetk.images.kind import sniff
from spinetk.reading import Reading

if TYPE_CHECKING:
    from pydicom import Dataset


@dataclass(frozen=True)
class Plane:
    """Position of pixel centres: origin + right * (x - 0.5) + down * (y - 0.5), mm in LPS (or px)."""

    origin: np.ndarray
    right: np.ndarray
    down: np.ndarray

    def to_space(self, points_px: np.ndarray) -> np.ndarray:
        """(..., 2) points in px to (..., 3) positions."""
        across = np.asarray(points_px, np.float64) - 0.5
        return self.origin + across[..., :1] * self.right + across[..., 1:] * self.down

    def to_picture(self, positions: np.ndarray) -> np.ndarray:
        """Orthogonal projection into the plane, px."""
        axes = np.stack([self.right, self.down], axis=1)
        return np.linalg.lstsq(axes, (positions - self.origin).T, rcond=None)[0].T + 0.5

    def away(self, positions: np.ndarray) -> np.ndarray:
        """(N,) distances of (N, 3) positions from the plane, in mm (or px)."""
        normal = np.cross(self.right, self.down)
        return np.abs((positions - self.origin) @ normal) / np.linalg.norm(normal)


Placed: TypeAlias = "str | Path | Dataset | Plane | None"
"""What says where a picture lies in the patient: a DICOM file or data set, or a plane."""


def plane_of(reading: Reading, source_dicom: Placed) -> Plane:
    """The plane of a reading: that of the DICOM source, else the picture's own in mm, or in px without a spacing.

    Raises:
        InputError: The DICOM source has no position in the patient.
    """
    if isinstance(source_dicom, Plane):
        return source_dicom
    if source_dicom is not None:
        return _patient_plane(source_dicom)
    row, column = reading.frame.spacing_mm or (1.0, 1.0)
    return Plane(np.zeros(3), np.array([column, 0.0, 0.0]), np.array([0.0, row, 0.0]))


def positioned(reading: Reading, chosen: int | None = None) -> Path | Plane | None:
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


def _patient_plane(source_dicom: str | Path | Dataset) -> Plane:
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
        plane = Plane(position, orientation[:3] * spacing[1], orientation[3:] * spacing[0])
        if np.linalg.matrix_rank(np.stack([plane.right, plane.down])) != 2 or not np.isfinite(position).all():
            raise ValueError("degenerate")
    except (InvalidDicomError, OSError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        fault = "has no position in the patient (image position, orientation and pixel spacing)"
        raise InputError(name, fault, "leave the DICOM source out to use the picture's own plane") from error
    return plane


def _volume_plane(path: Path, chosen: int | None) -> Plane | None:
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
    return Plane(first, place(1.5, 0.5) - first, place(0.5, 1.5) - first)
