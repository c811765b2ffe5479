"""Volumes: NIfTI and NRRD to a mid-sagittal picture, and points of the picture back to the volume's own geometry.

The picture stands: head at the top, the patient's front on the left. A volume may have any orientation and spacing;
an oblique one is cut along its own nearest grid plane.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from spinetk.atomic import replacing
from spinetk.discs.levels import NUMBERS
from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images.guard import display_name, regular_file, silent_stderr
from spinetk.images.kind import sniff
from spinetk.images.voxels import nifti_header, nrrd_header

SLICES = 6
SLAB_MM = 6.0
"""As many slices as fill this are averaged, six at most: the original's six, but no more where slices are thick."""
STANDING = "PIR"  # voxel axes towards back, feet and the patient's right
SUFFIXES = (".nii", ".nii.gz", ".nrrd")


@dataclass(frozen=True)
class Slab:
    """The mean of some sagittal slices of a volume, in the resolution of the volume.

    Attributes:
        pixels: (H, W) float32.
        frame: Its scale; +x is to the back and +y to the feet.
        middle: Index of the slice that points of the picture are put on, in the standing volume.
        image, standing: The volume as stored and turned (SimpleITK images).
        remarks: What was decided on the way.
    """

    pixels: np.ndarray
    frame: Frame
    middle: int
    image: Any
    standing: Any
    remarks: tuple[str, ...] = field(default=())

    def to_mm(self, points_px: np.ndarray) -> np.ndarray:
        """(N, 2) px of the picture to (N, 3) mm in the axes of NIfTI: right, front and head are positive."""
        indices = [(float(x) - 0.5, float(y) - 0.5, float(self.middle)) for x, y in points_px]
        places = [self.standing.TransformContinuousIndexToPhysicalPoint(index) for index in indices]
        return np.array(places).reshape(-1, 3) * (-1, -1, 1)

    def to_voxels(self, points_px: np.ndarray) -> np.ndarray:
        """(N, 2) px of the picture to (N, 3) voxel indices (i, j, k) of the volume as stored, whole = voxel centre."""
        places = self.to_mm(points_px) * (-1, -1, 1)
        found = [self.image.TransformPhysicalPointToContinuousIndex([float(v) for v in place]) for place in places]
        return np.array(found).reshape(-1, 3)

    def write_labels(self, path: Path, points_px: np.ndarray, numbers: list[int]) -> None:
        """Write single voxels of the given values in the geometry of the volume, as NIfTI."""
        import SimpleITK as sitk

        labels = sitk.Image(self.image.GetSize(), sitk.sitkUInt8)
        labels.CopyInformation(self.image)
        size = np.array(labels.GetSize())
        for voxel, number in zip(self.to_voxels(points_px), numbers, strict=True):
            inside = np.clip(np.round(voxel), 0, size - 1)
            labels[tuple(int(v) for v in inside)] = number
        with replacing(path) as temporary:
            sitk.WriteImage(labels, str(temporary), useCompression=True)


def read_slab(path: str | Path, middle_mm: np.ndarray | None = None) -> Slab:
    """Read a volume and average the slices about a place.

    Args:
        path: NIfTI or NRRD.
        middle_mm: (3,) a point the middle slice goes through, in mm in the axes of NIfTI; None for the middle of the
            volume.

    Raises:
        InputError: It cannot be read or is no volume.
    """
    import SimpleITK as sitk

    image = load(path)
    standing = sitk.DICOMOrient(image, STANDING)
    across, columns, rows = standing.GetSize()[2], standing.GetSize()[0], standing.GetSize()[1]
    if min(columns, rows) < 16:
        fault = f"has no sagittal extent ({rows} x {columns} voxels)"
        raise InputError(display_name(Path(path)), fault, "give a volume with sagittal slices")
    middle = across // 2
    if middle_mm is not None:
        place = [float(v) for v in np.asarray(middle_mm) * (-1, -1, 1)]
        middle = int(np.clip(round(standing.TransformPhysicalPointToContinuousIndex(place)[2]), 0, across - 1))
    spacing = standing.GetSpacing()
    count = int(np.clip(round(SLAB_MM / spacing[2]), 1, SLICES))
    first = max(0, min(middle - count // 2, across - count))
    last = min(across, first + count)
    values = sitk.GetArrayViewFromImage(standing)[first:last].astype(np.float32)
    values[~np.isfinite(values)] = 0
    remark = f"mean of sagittal slices {first + 1} to {last} of {across}"
    frame = Frame((spacing[1], spacing[0]), "volume", "P", "F")
    return Slab(values.mean(axis=0), frame, middle, image, standing, (remark,))


def read_labels(path: str | Path) -> dict[int, np.ndarray]:
    """Disc points of a label volume: number to (3,) mm in the axes of NIfTI.

    Values that are no disc (1, and from 26 on) are left out; several voxels of a value give their mean.

    Raises:
        InputError: It cannot be read.
    """
    import SimpleITK as sitk

    image = load(path)
    values = sitk.GetArrayViewFromImage(image)
    found = np.argwhere(np.isfinite(values) & (values > 0))
    numbers = np.array([round(float(values[tuple(voxel)])) for voxel in found])
    points = {}
    for number in sorted(set(numbers.tolist()) & set(NUMBERS)):
        centre = found[numbers == number].mean(axis=0)[::-1]
        points[number] = np.array(image.TransformContinuousIndexToPhysicalPoint(centre.tolist())) * (-1, -1, 1)
    return points


def project(slab: Slab, points_mm: dict[int, np.ndarray]) -> dict[int, tuple[float, float]]:
    """Points in mm to (x, y) px of the slab's picture; the distance from its middle slice is dropped."""
    found = {}
    for number, place in points_mm.items():
        index = slab.standing.TransformPhysicalPointToContinuousIndex([float(v) for v in place * (-1, -1, 1)])
        found[number] = (index[0] + 0.5, index[1] + 0.5)
    return found


def to_grid(pixels: np.ndarray, spacing_mm: tuple[float, float], grid_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Resample (H, W) to square pixels of ``grid_mm``.

    Returns:
        The picture, and the (2,) factors (x, y) that coordinates are multiplied by.
    """
    height, width = pixels.shape
    size = [max(1, round(n * mm / grid_mm)) for n, mm in ((width, spacing_mm[1]), (height, spacing_mm[0]))]
    shrinks = size[0] < width or size[1] < height
    picture = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return picture, np.array([size[0] / width, size[1] / height])


def to_bytes(pixels: np.ndarray) -> np.ndarray:
    """Grey values as uint8: 0.5th to 99.5th percentile of what is not background (the minimum) to 0..255."""
    values = np.asarray(pixels, np.float32)
    body = values[values > values.min()]
    if not body.size:
        return np.zeros(values.shape, np.uint8)
    low, high = np.percentile(body, [0.5, 99.5])
    scaled = (values - low) / max(float(high - low), 1e-6)
    return (scaled.clip(0, 1) * 255).round().astype(np.uint8)


def load(path: str | Path) -> Any:
    """A three-dimensional SimpleITK image.

    Raises:
        InputError: The file is no NIfTI or NRRD, is damaged, or has not three dimensions.
    """
    import SimpleITK as sitk

    path = Path(path)
    regular_file(path)
    kind = sniff(path)
    if kind not in ("nifti", "nrrd"):
        raise InputError(display_name(path), "is no NIfTI or NRRD volume", "convert it, for example with dcm2niix")
    header = nifti_header(path) if kind == "nifti" else nrrd_header(path)
    if header.volumes > 1:
        raise InputError(display_name(path), f"holds {header.volumes} volumes", "give one three-dimensional volume")
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        with silent_stderr():
            image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(display_name(path), "cannot be read as a volume", "copy or convert it again") from error
    if image.GetDimension() > 3:
        image = image[(slice(None),) * 3 + (0,) * (image.GetDimension() - 3)]
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() > 1:
        raise InputError(display_name(path), "is no volume of grey values", "give one three-dimensional volume")
    return image
