"""Slab: volumes to a mid-sagittal picture, and points of the picture back to the volume's own geometry.

The picture stands: head at the top, the patient's front on the left. A volume may have any orientation and spacing;
an oblique one is cut along its own nearest grid plane.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from scipy.ndimage import label

from spinetk.discs.levels import NUMBERS
from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images.dicom_volume import DicomVolume
from spinetk.images.grid import OBLIQUE_DEGREES, Grid
from spinetk.images.guard import display_name
from spinetk.images.volume import Volume, read_volume

SLICES = 6
SLAB_MM = 6.0
"""As many slices as fill this are averaged, six at most: the original's six, but no more where slices are thick."""
WHOLE = 0.1
"""What is no farther from a whole number is that number: labels written as scaled bytes are off by so much at most."""
SAME_DISC_MM = 10.0
"""Pieces of one label farther apart than this are two discs."""
CRUMB = 0.1
"""Pieces of less than this share of the largest are slips of the brush."""
NO_DISCS = (0, 1, 49, 50)
"""Of Spinal Cord Toolbox: top of C1, groove and junction of pons and medulla; and nothing. They are not remarked."""
STANDING = "PIR"  # voxel axes towards back, feet and the patient's right


@dataclass(frozen=True)
class Slab:
    """The mean of some sagittal slices of a volume, in the resolution of the volume.

    Attributes:
        pixels: (H, W) float32.
        frame: Its scale; +x is to the back and +y to the feet.
        middle: Index of the slice that points of the picture are put on, in the standing volume.
        volume: As stored.
        standing: Grid of the standing volume.
        remarks: What was decided on the way.
    """

    pixels: np.ndarray
    frame: Frame
    middle: int
    volume: Volume
    standing: Grid
    remarks: tuple[str, ...] = field(default=())

    def to_mm(self, points_px: np.ndarray) -> np.ndarray:
        """(N, 2) px of the picture to (N, 3) mm in the axes of NIfTI: right, front and head are positive."""
        points = np.asarray(points_px, float).reshape(-1, 2) - 0.5
        return self.standing.to_mm(np.column_stack([points, np.full(len(points), self.middle)]))

    def to_voxels(self, points_px: np.ndarray) -> np.ndarray:
        """(N, 2) px of the picture to (N, 3) voxel indices (i, j, k) of the volume as stored, whole = voxel centre."""
        return self.volume.grid.to_index(self.to_mm(points_px))

    @property
    def middle_slice(self) -> tuple[str, int | None] | None:
        """Of DICOM the stored slice that points are put on: name of its file, and its frame there, counted from 1.

        The frame is None where the file holds one. None for other volumes, and where no slice is sagittal.
        """
        volume = self.volume
        if not isinstance(volume, DicomVolume) or volume.grid.turn_to(STANDING).order[2] != 2:
            return None
        place = round(float(self.to_voxels(np.array([0.5, 0.5]))[0, 2]))
        if volume.frames:
            return volume.files[0].name, volume.frames[place] + 1
        return volume.files[place].name, None

    def write_labels(self, path: Path, points_px: np.ndarray, numbers: list[int]) -> None:
        """Write single voxels of the given values in the geometry of the volume, as NIfTI."""
        labels = np.zeros(self.volume.values.shape, np.uint8)
        last: np.ndarray = np.array(labels.shape) - 1
        for voxel, number in zip(self.to_voxels(points_px), numbers, strict=True):
            labels[tuple(np.clip(np.round(voxel[::-1]).astype(int), 0, last))] = number
        self.volume.write(labels, path)


def read_slab(path: str | Path, middle_mm: np.ndarray | None = None, volume: Volume | None = None) -> Slab:
    """Read a volume and average the slices about a place.

    Args:
        path: NIfTI, NRRD or MetaImage, or what ``volume`` was read from.
        middle_mm: (3,) a point the middle slice goes through, in mm in the axes of NIfTI; None for the middle of the
            volume.
        volume: What :func:`spinetk.images.dicom_volume.volume_of` gave of it, where it has been read.

    Raises:
        InputError: It cannot be read or is no volume.
    """
    volume = (read_volume(path) if volume is None else volume).finite(path)
    standing, _ = volume.as_closest(STANDING)
    across, rows, columns = standing.values.shape
    if min(columns, rows) < 16:
        fault = f"has no sagittal extent ({rows} x {columns} voxels)"
        raise InputError(display_name(Path(path)), fault, "give a volume with sagittal slices")
    middle = across // 2
    if middle_mm is not None:
        middle = int(np.clip(round(float(standing.grid.to_index(middle_mm)[2])), 0, across - 1))
    spacing = standing.spacing_mm
    count = int(np.clip(round(SLAB_MM / spacing[0]), 1, SLICES))
    first = max(0, min(middle - count // 2, across - count))
    last = min(across, first + count)
    values = standing.values[first:last].astype(np.float32)
    several = last > first + 1
    remark = f"mean of sagittal slices {first + 1} to {last}" if several else f"sagittal slice {last}"
    remark += f" of {across}"
    remarks = [remark, *volume.remarks]
    oblique = volume.grid.oblique_degrees
    if volume.grid.oriented and oblique > OBLIQUE_DEGREES:
        remarks.append(f"the volume is {oblique:.0f} degrees oblique: the slices are those of its nearest grid plane")
    try:
        frame = Frame((spacing[1], spacing[2]), "volume", "P", "F")
    except InputError as error:
        fault = f"has voxels of {spacing[1]:.4g} x {spacing[2]:.4g} mm, which is not plausible"
        raise InputError(display_name(Path(path)), fault, "correct its affine or its units") from error
    return Slab(values.mean(axis=0), frame, middle, volume, standing.grid, tuple(remarks))


def read_labels(path: str | Path, image: Grid | None = None, remarks: list[str] | None = None) -> dict[int, np.ndarray]:
    """Disc points of a label volume: number to (3,) mm in the axes of NIfTI.

    Values that are no disc (1, and from 26 on) are left out, and so is one that stands at two places; several voxels
    of a value give their mean.

    Args:
        path: NIfTI, NRRD or MetaImage.
        image: Grid of the image they are of; labels outside of it are left out.
        remarks: Receives what was left out.

    Raises:
        InputError: It cannot be read, values are not whole numbers, numbers do not run from head to feet, or only one
            of label volume and image says which way its axes point.
    """
    labels = read_volume(path)
    if image is not None and labels.grid.oriented != image.oriented:
        fault = f"has another geometry than its image: {labels.grid.described()}; the image: {image.described()}"
        raise InputError(path, fault, "write labels with the geometry of their image")
    values = labels.values
    found = np.argwhere(np.isfinite(values) & (values > 0))
    exact = np.array([float(values[tuple(voxel)]) for voxel in found])
    numbers = exact.round().astype(int)
    if len(broken := exact[np.abs(exact - numbers) > WHOLE]):
        fault = f"holds {broken[0]:.4g}, which is no whole number: interpolated labels name other discs"
        raise InputError(path, fault, "resample labels by nearest neighbours")
    points, said = {}, []
    if strange := sorted({*numbers.tolist()} - {*NUMBERS, *NO_DISCS}):
        said.append(f"values that are no discs were left out: {', '.join(map(str, strange[:6]))}")
    for number in sorted({*numbers.tolist()} & {*NUMBERS}):
        places = labels.grid.to_mm(found[numbers == number][:, ::-1])
        apart = _apart_mm(found[numbers == number], places)
        if apart > SAME_DISC_MM:
            said.append(f"{number} stands at two places, {apart:.0f} mm apart, and was left out")
            continue
        point = places.mean(axis=0)
        if image is not None and not is_inside(image, point):
            said.append(f"{number} lies outside of the image and was left out")
            continue
        points[number] = point
    for upper, lower in pairwise(points):
        if points[lower][2] >= points[upper][2]:
            fault = f"has disc {lower} above disc {upper}: numbers must run from head to feet"
            raise InputError(path, fault, "correct the labels, or the directions in their header")
    if remarks is not None:
        remarks += said
    return points


def _apart_mm(voxels: np.ndarray, places_mm: np.ndarray) -> float:
    """How far apart the pieces of a label lie in the sagittal plane, mm; 0 for one piece, and crumbs do not count."""
    if len(voxels) == 1:
        return 0.0
    low = voxels.min(axis=0)
    box: np.ndarray = np.zeros(voxels.max(axis=0) - low + 1, bool)
    box[tuple((voxels - low).T)] = True
    pieces = label(box, np.ones((3, 3, 3)))[0][tuple((voxels - low).T)]
    sizes = np.bincount(pieces)[1:]
    large = np.flatnonzero(sizes >= CRUMB * sizes.max()) + 1
    centres = np.array([places_mm[pieces == piece, 1:].mean(axis=0) for piece in large])
    return float(np.linalg.norm(centres[:, None] - centres[None], axis=2).max())


def is_inside(image: Grid, point_mm: np.ndarray) -> bool:
    """Whether a point, in mm in the axes of NIfTI, lies in a volume or less than a voxel beside it."""
    index = image.to_index(point_mm)
    return bool((index > -1).all() and (index < np.array(image.shape[::-1])).all())


def project(slab: Slab, points_mm: dict[int, np.ndarray]) -> dict[int, tuple[float, float]]:
    """Points in mm to (x, y) px of the slab's picture; the distance from its middle slice is dropped."""
    found = {}
    for number, place in points_mm.items():
        column, row, _ = slab.standing.to_index(place)
        found[number] = (float(column) + 0.5, float(row) + 0.5)
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
