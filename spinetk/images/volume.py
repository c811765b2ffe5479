"""Volumes: NIfTI, NRRD, MetaImage in, with the place of every voxel; masks out, with the matrices of their volume.

The only reader of volumes: discs, atria, slices and pictures take theirs from here. NIfTI is read by nibabel, which
keeps both matrices and their codes (:mod:`spinetk.images.nifti` says why not ITK, and which matrix wins), NRRD, which
nibabel does not know, by pynrrd, MetaImage by :mod:`spinetk.images.metaimage`. Headers are checked against the bytes
that are there before any memory is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np

from spinetk.atomic import replacing
from spinetk.errors import InputError
from spinetk.images import metaimage, nifti, nrrd
from spinetk.images.grid import Grid, Turn
from spinetk.images.guard import REMEDY_COPY, display_name, quiet, regular_file
from spinetk.images.kind import sniff
from spinetk.images.voxels import VolumeHeader

FORMATS = {"nifti": nifti, "nrrd": nrrd, "metaimage": metaimage}
KINDS = {".nii.gz": "nifti", ".nii": "nifti", ".nrrd": "nrrd", ".mha": "metaimage"}
"""What is written under a suffix."""
SUFFIXES = (*KINDS, ".mhd")
WHY_UNKNOWN = {
    "nifti": "qform and sform codes are 0", "nrrd": "no space of a patient is given",
    "metaimage": "no TransformMatrix is given",
}  # fmt: skip
LOST = 0.01
"""A mask that has more than this share of its foreground outside of an image is not the mask of that image."""

SHEARED_DEGREES = 0.05
WORDS = {"R": "right", "L": "left", "A": "front", "P": "back", "S": "head", "I": "feet"}


@dataclass(frozen=True, eq=False)
class Volume:
    """A grey volume or mask.

    Attributes:
        values: (D, H, W): slices, rows, columns.
        grid: Where its voxels lie.
        header: Of the file it was read from, or None.
        remarks: What was decided on the way, one short sentence each.
    """

    values: np.ndarray
    grid: Grid
    header: VolumeHeader | None = field(default=None, repr=False)
    remarks: tuple[str, ...] = ()

    @property
    def affine(self) -> np.ndarray:
        """(4, 4), voxel index (i, j, k) = (column, row, slice) to mm, RAS+."""
        return self.grid.affine

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxels along slices, rows, columns."""
        return self.grid.spacing_mm

    @property
    def origin_mm(self) -> tuple[float, float, float]:
        """Centre of the first voxel, LPS+ as in DICOM."""
        return self.grid.origin_mm

    @property
    def direction(self) -> tuple[float, ...]:
        """3x3 matrix from (column, row, slice) axes to LPS+, row after row, as ITK has it."""
        return self.grid.direction

    def as_closest(self, axes: str) -> tuple[Volume, Turn]:
        """The volume with its axes i, j, k pointing most nearly to ``axes`` (``LPS``, ``RAS`` ...), and the way back.

        Axes are exchanged and reversed, no value changes: the turned values are a view, and ``turn.back`` gives an
        array of the turned shape back in the stored order exactly.
        """
        turn = self.grid.turn_to(axes)
        return Volume(turn.take(self.values), turn.grid(self.grid), None, self.remarks), turn

    def finite(self, name: str | Path = "volume") -> Self:
        """The volume with every value a number: the others hold the lowest of those, with a remark.

        One voxel that is no number would make the mean of all none, and with it all that a network says.

        Args:
            name: Named in the error.

        Raises:
            InputError: No voxel is a number.
        """
        if self.values.dtype.kind != "f":
            return self
        known = np.isfinite(self.values)
        lost = known.size - int(known.sum())
        if not lost:
            return self
        if lost == known.size:
            raise InputError(display_name(Path(name)), "holds no voxel that is a number", REMEDY_COPY)
        said = f"{lost} of {known.size} voxels are no number: they were taken for the lowest of the others"
        values = np.where(known, self.values, self.values[known].min())
        return replace(self, values=values, remarks=(*self.remarks, said))

    def write(self, values: np.ndarray, path: str | Path) -> None:
        """Write values of this volume's shape where it lies, atomically, with its own matrices, codes and units.

        Nothing else of the volume's header is written: it may hold text about the patient.

        Args:
            values: (D, H, W); bool is written as 0 and 1.
            path: Its suffix chooses the format.

        Raises:
            InputError: The suffix names no format of volumes.
        """
        path = Path(path)
        kind = next((kind for suffix, kind in KINDS.items() if path.name.lower().endswith(suffix)), None)
        if kind is None:
            raise InputError(display_name(path), "is not the name of a volume", f"end it with {', '.join(KINDS)}")
        if values.shape != self.values.shape:
            raise ValueError(f"values of {values.shape} do not fit a volume of {self.values.shape}")
        like = self.header.stored if self.header is not None and self.header.kind == kind else None
        plain = values.astype(np.uint8) if values.dtype == bool else values
        with replacing(path) as temporary:
            FORMATS[kind].write(temporary, plain, self.grid, like)


def read_volume_header(path: str | Path) -> VolumeHeader:
    """What a NIfTI, NRRD or MetaImage file says of itself.

    Raises:
        InputError: No such file, another kind of file, damaged, or it claims more voxels than it can hold.
    """
    path = Path(path)
    regular_file(path)
    kind = sniff(path)
    if kind not in FORMATS:
        raise InputError(
            display_name(path), "is not a volume", "give NIfTI, NRRD or MetaImage, for example from dcm2niix"
        )
    with quiet():
        header = FORMATS[kind].read_header(path)
    if header.grid.shear_degrees > SHEARED_DEGREES:
        said = f"the axes of the volume are sheared: {header.grid.shear_degrees:.2f} degrees from right angles"
        header = replace(header, remarks=(*header.remarks, said))
    return header


def read_volume(path: str | Path, *, first: bool = False, flat: bool = False) -> Volume:
    """Read a NIfTI, NRRD or MetaImage volume whole, values as stored or scaled as the header says.

    Args:
        path: The file.
        first: Whether the first of several volumes will do.
        flat: Whether a picture of two dimensions will do.

    Raises:
        InputError: No such file, another kind of file, damaged, or not one grey volume.
    """
    path = Path(path)
    name = display_name(path)
    header = read_volume_header(path)
    remarks = list(header.remarks)
    if header.volumes > 1:
        if not first:
            fault = f"holds {header.volumes} volumes, not one grey volume"
            raise InputError(name, fault, "give one three-dimensional volume")
        remarks.append(f"the first of {header.volumes} volumes was read")
    if header.flat and not flat:
        raise InputError(name, "is a picture, not one grey volume", "give a volume with slices")
    if not header.grid.oriented:
        remarks.append(said_guess(header))
    if not header.spacing_known:
        steps = " x ".join(f"{step:.4g}" for step in header.grid.spacing_mm[::-1])
        remarks.append(f"voxel spacing is unknown: it was taken to be {steps} mm")
    try:
        values = FORMATS[header.kind].read_values(path, header)
    except InputError:
        raise
    except MemoryError as error:
        raise InputError(name, "needs more memory than there is", "crop or resample it first") from error
    except (OSError, ValueError) as error:
        raise InputError(name, "is damaged", REMEDY_COPY) from error
    return Volume(values, header.grid, header, tuple(remarks))


def one_file(suffix: str) -> str:
    """The suffix under which a volume of this one is written: a MetaImage with its voxels in the file itself."""
    return ".mha" if suffix.lower() == ".mhd" else suffix


def said_guess(header: VolumeHeader) -> str:
    """That nobody knows where the axes of a file point, and what they were taken for."""
    toward = [WORDS[letter] for letter in FORMATS[header.kind].GUESS]
    why = WHY_UNKNOWN[header.kind]
    return (
        f"directions are unknown ({why}): voxel axes were taken to run to the {toward[0]}, {toward[1]} and {toward[2]}"
    )


def mask_on(mask: Volume, image: Grid, name: str | Path, image_name: str | Path) -> np.ndarray:
    """The foreground (> 0) of a mask on the grid of its image: they meet in mm, never by index.

    A mask on another grid is resampled, nearest voxel.

    Args:
        mask: As read.
        image: Grid of the image.
        name, image_name: Named in errors.

    Returns:
        (D, H, W) bool of the image's shape.

    Raises:
        InputError: Of one only it is known which way its axes point, the mask has the size of its image and another
            place, or its foreground lies outside of the image; both geometries are named.
    """
    found = mask.values > 0
    if mask.grid.same(image):
        return found
    both = f"{mask.grid.described()}; its image {Path(image_name).name}: {image.described()}"
    remedy = "write the mask with the geometry of its image"
    if mask.grid.oriented != image.oriented or not image.oriented:
        raise InputError(name, f"has another grid than its image: {both}", remedy)
    alike = mask.grid.turn_to(image.axes).grid(mask.grid)
    if alike.shape == image.shape:
        off = np.abs(image.to_index(alike.corners()) - image.to_index(image.corners())).max()
        if off > 1:  # saved without the geometry of its image, most likely
            raise InputError(name, f"has the size of its image and lies elsewhere: {both}", remedy)
    voxels = np.argwhere(found)[:, ::-1]
    place = image.to_index(mask.grid.to_mm(voxels))
    size = np.array(image.shape[::-1])
    outside = float(((place < -0.5 - 1e-6) | (place > size - 0.5 + 1e-6)).any(axis=1).mean()) if len(voxels) else 0.0
    if outside > LOST:
        raise InputError(name, f"has {outside:.0%} of its foreground outside of its image: {both}", remedy)
    from scipy.ndimage import affine_transform

    # Image index (k, j, i) to mask index (k, j, i): the nearest voxel of the mask is read.
    matrix = (np.linalg.inv(mask.affine) @ image.affine)[:3][::-1]
    moved = affine_transform(
        found.view(np.uint8), matrix[:, 2::-1], matrix[:, 3], image.shape, np.uint8, order=0, mode="grid-constant"
    ).astype(bool)  # fmt: skip
    if found.any() and not moved.any():
        raise InputError(name, f"loses its foreground on the grid of its image: {both}", remedy)
    return moved
