"""Pictures out of volumes: the sagittal slice of a NIfTI, NRRD or MetaImage volume, or the only slice of a flat one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinetk.errors import InputError
from spinetk.geometry import PLAUSIBLE_SPACING_MM, Frame
from spinetk.images.grid import LPS, OBLIQUE_DEGREES, Grid
from spinetk.images.guard import display_name
from spinetk.images.orientation import letter
from spinetk.images.picture import Picture, SliceChoice, chosen_slice
from spinetk.images.spacing import contradiction
from spinetk.images.stack import spine_score
from spinetk.images.volume import read_volume, read_volume_header
from spinetk.images.voxels import VolumeHeader
from spinetk.views import View

SOURCE = {"nifti": "NIfTI", "nrrd": "NRRD", "metaimage": "MetaImage"}
MAX_SHEAR_DEGREES = 1.0
"""Angles are measured in the picture: they would be off by as much."""


@dataclass(frozen=True)
class Cut:
    """Which slice of a voxel grid is shown, and how it is turned.

    Attributes:
        axis, row_axis, column_axis: Voxel axes (0 = x, 1 = y, 2 = z): across the slices, down and along the picture.
        flip_rows, flip_columns: Whether the picture runs against them.
        count: Slices there are.
        size: (H, W) of the picture.
        frame: Its scale and orientation.
        to_left: Whether slices are counted toward the patient's left.
    """

    axis: int
    row_axis: int
    column_axis: int
    flip_rows: bool
    flip_columns: bool
    count: int
    size: tuple[int, int]
    frame: Frame
    to_left: bool = False

    @property
    def central(self) -> int:
        """The slice in the middle, of two the one on the patient's right (:func:`spinetk.images.stack.central`)."""
        return (self.count - 1 if self.to_left else self.count) // 2

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


def read_volume_picture(path: Path, slice_choice: SliceChoice, user_frame: Frame | None) -> Picture:
    """Read the sagittal slice of a volume, or the only slice of a flat one.

    Returns:
        +x to the back and +y to the feet where the header gives directions, square pixels.

    Raises:
        InputError: The header claims more than there is, the data are damaged, or the axes are sheared.
    """
    volume = read_volume(path, first=True, flat=True)
    assert volume.header is not None
    cut, remarks = _plan(path, volume.header)
    layers = cut.layers(volume.values)
    chosen = cut.central
    if slice_choice == "most-spine" and cut.is_sagittal and cut.count > 2:
        chosen = int(np.argmax([spine_score(cut.sized(layer)) for layer in layers]))
    chosen, how = chosen_slice(slice_choice, cut.count, chosen)
    _note_slice(cut, chosen, how, remarks)
    pixels = cut.sized(layers[chosen])
    finite = np.isfinite(pixels)
    if not finite.all():
        remarks.append("pixels that are not finite were left out")
        pixels = np.where(finite, pixels, np.float32(0))
    modality = None
    if is_hounsfield(volume.values):
        modality = "CT"
        remarks.append("the modality was taken for CT: grey values are those of Hounsfield units")
    frame = cut.frame
    if user_frame is not None:
        remarks += contradiction(user_frame, frame)
        frame = Frame(user_frame.spacing_mm, "user", frame.toward_right, frame.toward_bottom)
    return Picture(
        pixels=pixels,
        padding=None if finite.all() else ~finite,
        frame=frame,
        kind=volume.header.kind,
        modality=modality,
        view=cut.view,
        remarks=tuple(remarks),
        slices=cut.count,
        slice=chosen,
    )


def describe_volume(path: Path) -> tuple[Cut, VolumeHeader, list[str]]:
    """The picture :func:`read_volume_picture` would give, from the header alone: cut, header, and remarks.

    Raises:
        InputError: The header is damaged or claims more than there is, or the axes are sheared.
    """
    header = read_volume_header(path)
    cut, remarks = _plan(path, header)
    _note_slice(cut, cut.central, "central", remarks)
    return cut, header, remarks


def is_hounsfield(values: np.ndarray) -> bool:
    """Whether grey values are Hounsfield units to all appearance: air or padding, soft tissue and bone, no other scale.

    None of the formats says the modality. Grey values of MR are positive, or a few units about 0.
    """
    some = values.ravel()[:: max(1, values.size // 200_000)]
    some = some[np.isfinite(some)]
    if not len(some) or not -8192 <= some.min() <= -800 or some.max() < 150:
        return False
    air, tissue = (some <= -800).mean(), ((some > -200) & (some < 300)).mean()
    return bool(air > 0.005 and tissue > 0.05)


def _plan(path: Path, header: VolumeHeader) -> tuple[Cut, list[str]]:
    """How the grid is cut, with remarks on what its header says."""
    remarks = list(header.remarks)
    grid = header.grid
    if header.volumes > 1:
        remarks.append(f"the first of {header.volumes} volumes was read")
    size, spacing = np.array(grid.shape[::-1]), np.array(grid.spacing_mm[::-1])
    letters: tuple[str | None, str | None] = (None, None)
    if not grid.oriented:
        across, row, column, flips, square = 2, 1, 0, (False, False), False
        remarks.append("the header gives no directions: the picture is shown as stored")
    else:
        if grid.shear_degrees > MAX_SHEAR_DEGREES:
            fault = f"has sheared axes, {grid.shear_degrees:.1f} degrees from right angles"
            raise InputError(display_name(path), fault, "resample it to a straight grid first")
        (across, row, column), flips, letters, square = _orient(grid)
        if square and grid.oblique_degrees > OBLIQUE_DEGREES:
            angle = f"{grid.oblique_degrees:.0f} degrees"
            remarks.append(f"the volume is {angle} oblique: the slice follows its nearest grid plane")
    shape, step = (int(size[row]), int(size[column])), (float(spacing[row]), float(spacing[column]))
    low, high = PLAUSIBLE_SPACING_MM
    scaled = header.spacing_known and all(low <= s <= high for s in step)
    if not scaled:
        remarks.append("voxel spacing is not plausible and was ignored")
    elif not grid.oriented and size[across] == 1 and step == (1.0, 1.0):
        # What converters write for a projection whose spacing they do not know.
        scaled = False
        remarks.append("a spacing of 1 x 1 mm without directions was not believed: converters make it up")
    final = _square_size(shape, step) if square and scaled else shape
    step = shape[0] * step[0] / final[0], shape[1] * step[1] / final[1]
    frame = Frame(step if scaled else None, SOURCE[header.kind] if scaled else None, *letters)
    to_left = grid.oriented and bool(grid.directions[0, across] < 0)
    return Cut(across, row, column, *flips, int(size[across]), final, frame, to_left), remarks


def _orient(
    grid: Grid,
) -> tuple[tuple[int, int, int], tuple[bool, bool], tuple[str | None, str | None], bool]:
    """Axes (across, row, column), flips, letters, and whether the pixels are made square."""
    size, directions = grid.shape[::-1], LPS[:, None] * grid.directions
    turn = grid.turn_to("PIR")
    back, feet, across = turn.order
    if size[across] == 1 or min(size) > 1:
        return (across, feet, back), (turn.flips[1], turn.flips[0]), ("P", "F"), True
    thin = 2 - int(np.argmin(size[::-1]))  # one slice that is not sagittal: as stored
    column, row = (axis for axis in range(3) if axis != thin)
    return (thin, row, column), (False, False), (letter(directions[:, column]), letter(directions[:, row])), False


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
        remarks.insert(0, f"{kind} was read ({how}), shown head up, facing left")
    elif cut.count > 1:
        remarks.append(f"slice {chosen + 1} of {cut.count} was read")
