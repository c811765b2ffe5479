"""NIfTI and NRRD volumes through SimpleITK, after their headers have been checked."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.errors import InputError
from spinetk.geometry import PLAUSIBLE_SPACING_MM, Frame
from spinetk.images.guard import REMEDY_COPY, display_name, silent_stderr
from spinetk.images.orientation import letter
from spinetk.images.picture import Picture, SliceChoice, chosen_slice
from spinetk.images.stack import spine_score
from spinetk.images.voxels import VoxelHeader, check_stream, nifti_header, nrrd_header
from spinetk.views import View

SOURCE = {"nifti": "NIfTI", "nrrd": "NRRD"}


@dataclass(frozen=True)
class Cut:
    """Which slice of a voxel grid is shown, and how it is turned.

    Attributes:
        axis, row_axis, column_axis: Voxel axes (0 = x, 1 = y, 2 = z): across the slices, down and along the picture.
        flip_rows, flip_columns: Whether the picture runs against them.
        count: Slices there are.
        size: (H, W) of the picture.
        frame: Its scale and orientation.
    """

    axis: int
    row_axis: int
    column_axis: int
    flip_rows: bool
    flip_columns: bool
    count: int
    size: tuple[int, int]
    frame: Frame

    @property
    def is_sagittal(self) -> bool:
        """Whether the picture has the back on its right and the feet at its bottom."""
        return (self.frame.toward_right, self.frame.toward_bottom) == ("P", "F")

    @property
    def view(self) -> View:
        """The view as other rooms name it."""
        return "sagittal" if self.is_sagittal else "unknown"

    def layers(self, values: np.ndarray) -> np.ndarray:
        """A view of (z, y, x) voxels as (slices, rows, columns) of the picture."""
        stack = np.moveaxis(values, (2 - self.axis, 2 - self.row_axis, 2 - self.column_axis), (0, 1, 2))
        return stack[:, :: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1]

    def sized(self, layer: np.ndarray) -> np.ndarray:
        """A layer at the size of the picture, float32."""
        layer = np.ascontiguousarray(layer, np.float32)
        if layer.shape == self.size:
            return layer
        import cv2

        return cv2.resize(layer, self.size[::-1], interpolation=cv2.INTER_LINEAR)


def read_volume(path: Path, kind: str, slice_choice: SliceChoice, user_frame: Frame | None) -> Picture:
    """Read the sagittal slice of a volume, or the only slice of a flat one.

    Returns:
        +x to the back and +y to the feet where the header gives directions, square pixels.

    Raises:
        InputError: The header claims more than there is, or the data are damaged.
    """
    remarks: list[str] = []
    with _opened(path, kind) as (reader, header):
        cut = _plan(path, kind, reader, header, remarks)
        if header.volumes > 1:
            reader.SetExtractSize([*reader.GetSize()[:3], *[0] * (len(reader.GetSize()) - 3)])
        check_stream(path, header)
        image = reader.Execute()
    import SimpleITK as sitk

    values = sitk.GetArrayViewFromImage(image)
    layers = cut.layers(values[None] if values.ndim == 2 else values)
    chosen = cut.count // 2
    if slice_choice == "most-spine" and cut.is_sagittal and cut.count > 2:
        chosen = int(np.argmax([spine_score(cut.sized(layer)) for layer in layers]))
    chosen, how = chosen_slice(slice_choice, cut.count, chosen)
    _note_slice(cut, chosen, how, remarks)
    pixels = cut.sized(layers[chosen])
    finite = np.isfinite(pixels)
    if not finite.all():
        remarks.append("pixels that are not finite were left out")
        pixels = np.where(finite, pixels, np.float32(0))
    frame = cut.frame
    if user_frame is not None:
        frame = Frame(user_frame.spacing_mm, "user", frame.toward_right, frame.toward_bottom)
    return Picture(
        pixels=pixels,
        padding=None if finite.all() else ~finite,
        frame=frame,
        kind=kind,
        view=cut.view,
        remarks=tuple(remarks),
        slices=cut.count,
        slice=chosen,
    )


def describe_volume(path: Path, kind: str) -> tuple[Cut, VoxelHeader, list[str]]:
    """The picture :func:`read_volume` would give, from the header alone: how it is cut, the header, and remarks.

    Raises:
        InputError: The header is damaged or claims more than there is.
    """
    remarks: list[str] = []
    with _opened(path, kind) as (reader, header):
        cut = _plan(path, kind, reader, header, remarks)
    _note_slice(cut, cut.count // 2, "central", remarks)
    return cut, header, remarks


@contextmanager
def _opened(path: Path, kind: str) -> Iterator[tuple[Any, VoxelHeader]]:
    """A reader that has read the header.

    It reads through a link of our own: the NIfTI library chooses by name, and takes ``a.nii`` for ``a.nii.gz``.
    """
    header = nifti_header(path) if kind == "nifti" else nrrd_header(path)
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    suffix = ".nrrd" if kind == "nrrd" else ".nii.gz" if header.packed else ".nii"
    with tempfile.TemporaryDirectory() as folder:
        alias = Path(folder) / f"volume{suffix}"
        try:
            alias.symlink_to(path.resolve())
        except OSError:
            shutil.copyfile(path, alias)
        reader = sitk.ImageFileReader()
        reader.SetImageIO("NrrdImageIO" if kind == "nrrd" else "NiftiImageIO")
        reader.SetFileName(str(alias))
        try:
            with silent_stderr():
                reader.ReadImageInformation()
                yield reader, header
        except RuntimeError as error:
            raise InputError(display_name(path), f"is a damaged {SOURCE[kind]} file", REMEDY_COPY) from error


def _plan(path: Path, kind: str, reader: Any, header: VoxelHeader, remarks: list[str]) -> Cut:
    """How the grid is cut, with remarks on what its header says."""
    if header.volumes > 1:
        remarks.append(f"the first of {header.volumes} volumes was read")
    if reader.GetNumberOfComponents() > 1:
        raise InputError(display_name(path), "has several values a voxel", "give one grey volume")
    dimensions = len(reader.GetSize())
    size = np.array([*reader.GetSize(), 1][:3])
    spacing = np.array([*reader.GetSpacing(), 1.0][:3])
    directions = None
    if dimensions >= 3 and header.oriented:
        directions = np.array(reader.GetDirection()).reshape(dimensions, dimensions)[:3, :3]
        directions = directions if np.isfinite(directions).all() else None
    low, high = PLAUSIBLE_SPACING_MM
    scaled = bool(((spacing >= low) & (spacing <= high)).all())
    if not scaled:
        remarks.append("voxel spacing is not plausible and was ignored")
        spacing = np.ones(3)
    if directions is None:
        axes, flips, letters, square = (2, 1, 0), (False, False), (None, None), False
    else:
        axes, flips, letters, square = _orient(size, directions)
        if square and np.abs(directions).max(axis=0).min() < 0.95:
            remarks.append("the volume is oblique: the slice follows its nearest grid plane")
    across, row, column = axes
    shape, step = (int(size[row]), int(size[column])), (float(spacing[row]), float(spacing[column]))
    final = _square_size(shape, step) if square and scaled else shape
    step = shape[0] * step[0] / final[0], shape[1] * step[1] / final[1]
    frame = Frame(step if scaled else None, SOURCE[kind] if scaled else None, *letters)
    return Cut(across, row, column, *flips, int(size[across]), final, frame)


def _orient(
    size: np.ndarray, directions: np.ndarray
) -> tuple[tuple[int, int, int], tuple[bool, bool], tuple[str | None, str | None], bool]:
    """Axes (across, row, column), flips, letters, and whether the pixels are made square."""
    across, back, head = _nearest_axes(directions)
    if size[across] == 1 or size.min() > 1:
        flips = bool(directions[2, head] > 0), bool(directions[1, back] < 0)
        return (across, head, back), flips, ("P", "F"), True
    thin = 2 - int(np.argmin(size[::-1]))  # one slice that is not sagittal: as stored
    column, row = (axis for axis in range(3) if axis != thin)
    return (thin, row, column), (False, False), (letter(directions[:, column]), letter(directions[:, row])), False


def _nearest_axes(directions: np.ndarray) -> tuple[int, ...]:
    """Voxel axis nearest to each of left-right, front-back and head-feet, each used once."""
    from itertools import permutations

    strength = np.abs(directions)
    return max(permutations(range(3)), key=lambda order: sum(strength[i, axis] for i, axis in enumerate(order)))


def _square_size(shape: tuple[int, int], step_mm: tuple[float, float]) -> tuple[int, int]:
    """(H, W) with square pixels of the finer spacing; left alone within 1 %, or when it would be absurd."""
    finest = min(step_mm)
    if max(step_mm) < 1.01 * finest:
        return shape
    height, width = round(shape[0] * step_mm[0] / finest), round(shape[1] * step_mm[1] / finest)
    if height * width > 16 * shape[0] * shape[1] or max(height, width) > 32_000:
        return shape
    return height, width


def _note_slice(cut: Cut, chosen: int, how: str, remarks: list[str]) -> None:
    if cut.is_sagittal:
        kind = f"sagittal slice {chosen + 1} of {cut.count}"
        remarks.insert(0, f"{kind} was read ({how}), turned back to the right, feet down")
    elif cut.count > 1:
        remarks.append(f"slice {chosen + 1} of {cut.count} was read: the header gives no directions")
