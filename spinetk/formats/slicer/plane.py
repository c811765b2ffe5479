"""Plane: where a picture lies, in LPS mm of the patient, or in its own plane."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from spinetk.errors import InputError
from spinetk.reading import Reading

if TYPE_CHECKING:
    from pydicom import Dataset


@dataclass(frozen=True)
class Plane:
    """Position of pixel centres: origin + right * (x - 0.5) + down * (y - 0.5), mm in LPS (px where not ``scaled``)."""

    origin: np.ndarray
    right: np.ndarray
    down: np.ndarray
    scaled: bool = True

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
    across, along = np.array([column, 0.0, 0.0]), np.array([0.0, row, 0.0])
    return Plane(np.zeros(3), across, along, scaled=reading.frame.spacing_mm is not None)


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
