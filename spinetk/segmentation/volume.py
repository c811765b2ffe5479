"""Volumes with the geometry they came with: NIfTI and NRRD in, masks in the same format and geometry out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinetk.atomic import replacing
from spinetk.errors import InputError
from spinetk.images.guard import REMEDY_COPY, display_name, regular_file, silent_stderr
from spinetk.images.kind import sniff
from spinetk.images.voxels import nifti_header, nrrd_header

READERS = {"nifti": (nifti_header, "NiftiImageIO"), "nrrd": (nrrd_header, "NrrdImageIO")}
SUFFIXES = (".nii.gz", ".nii", ".nrrd")


@dataclass
class Volume:
    """A grey volume.

    Attributes:
        values: (D, H, W) as stored: slices, rows, columns.
        spacing_mm: Distance between voxels along those axes.
        origin_mm: Place of the first voxel, (x, y, z) in the patient's frame of DICOM (left, back, head).
        direction: Rows of the 3x3 matrix from (column, row, slice) axes to that frame, one after the other.
    """

    values: np.ndarray
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

    def write(self, values: np.ndarray, path: str | Path) -> None:
        """Write values of this volume's shape with its spacing, origin and directions, atomically.

        Args:
            values: (D, H, W); bool is written as 0 and 1.
            path: Its suffix chooses the format.

        Raises:
            InputError: The suffix names no format of volumes, or the format cannot hold the directions.
        """
        import SimpleITK as sitk

        path = Path(path)
        if not path.name.endswith(SUFFIXES):
            raise InputError(display_name(path), "is no name of a volume", f"end it with {', '.join(SUFFIXES)}")
        if values.shape != self.values.shape:
            raise ValueError(f"values of {values.shape} do not fit a volume of {self.values.shape}")
        image = sitk.GetImageFromArray(values.astype(np.uint8) if values.dtype == bool else values)
        image.SetSpacing(self.spacing_mm[::-1])
        image.SetOrigin(self.origin_mm)
        image.SetDirection(self.direction)
        try:
            with replacing(path) as temporary, silent_stderr():
                sitk.WriteImage(image, str(temporary), useCompression=not path.name.endswith(".nii"))
        except RuntimeError as error:
            raise InputError(display_name(path), "could not be written as a volume", "try .nrrd") from error


def read_volume(path: str | Path) -> Volume:
    """Read a NIfTI or NRRD volume whole.

    Raises:
        InputError: No such file, another kind of file, damaged, or not one grey volume.
    """
    import SimpleITK as sitk

    path = Path(path)
    regular_file(path)
    kind = sniff(path)
    name = display_name(path)
    if kind not in READERS:
        raise InputError(name, "is no volume", "give NIfTI or NRRD")
    check, reader_name = READERS[kind]
    header = check(path)
    reader = sitk.ImageFileReader()
    reader.SetImageIO(reader_name)
    reader.SetFileName(str(path))
    try:
        with silent_stderr():
            image = reader.Execute()
    except RuntimeError as error:
        raise InputError(name, "is damaged", REMEDY_COPY) from error
    if image.GetNumberOfComponentsPerPixel() > 1 or header.volumes > 1 or image.GetDimension() != 3:
        raise InputError(name, "is not one grey volume", "give a volume with one value a voxel")
    spacing = image.GetSpacing()[::-1]
    return Volume(sitk.GetArrayFromImage(image), spacing, image.GetOrigin(), image.GetDirection())
