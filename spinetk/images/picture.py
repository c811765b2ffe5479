"""Picture: one grey image as it should be seen, with its scale, orientation and history."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.views import View

SliceChoice = Literal["central", "most-spine"] | int


@dataclass(frozen=True)
class Picture:
    """One picture in the display sense: a higher value is brighter.

    Attributes:
        pixels: (H, W) float32. DICOM: after modality LUT or rescale, VOI LUT or window, and at most one inversion;
            a window maps to 0 .. 2**BitsStored - 1, a picture without one keeps its modality units (HU, ...). Colour
            is reduced to luminance (ITU-R BT.601).
        padding: (H, W) bool, True where the file says there is no picture (PixelPaddingValue, transparency), or None.
            These pixels keep the value they were stored with: leave them out of statistics.
        frame: Scale and orientation.
        kind: ``dicom``, ``series``, ``png``, ``jpeg``, ``tiff``, ``bmp``, ``nifti``, ``nrrd`` or ``metaimage``.
        modality: DICOM modality (``CR``, ``DX``, ``MR``, ``CT``, ...), or None.
        body_part: BodyPartExamined, a DICOM code string such as ``LSPINE``, or None.
        view: What the headers say about the projection, ``unknown`` when they do not.
        remarks: What was decided on the way, one short sentence each; no patient text.
        inverted: Whether the stored grey scale was turned over (MONOCHROME1, inverse presentation, white-is-zero).
        burned_in: Whether the file says that text is burned into its pixels (``BurnedInAnnotation`` = YES).
        slices: How many slices or frames there were to choose from; 1 for a reformation, which is none of them.
        slice: Place of the one that was read, counted from 0.
        stored_sha256: Digest of what a DICOM or JPEG file stores of it (:mod:`spinetk.images.digest`), which neither
            decoder nor window changes; None of other files and of reformations.
        frame_number: Of the frame that was read, where the file holds several; counted from 1, as DICOM refers to it.
        series: Key of the series that was read, of a folder or of a file with frames that have places; else None.
    """

    pixels: np.ndarray
    padding: np.ndarray | None = None
    frame: Frame = field(default_factory=Frame)
    kind: str = "png"
    modality: str | None = None
    body_part: str | None = None
    view: View = "unknown"
    remarks: tuple[str, ...] = ()
    inverted: bool = False
    burned_in: bool = False
    slices: int = 1
    slice: int = 0
    series: str | None = None
    frame_number: int | None = None
    stored_sha256: str | None = None

    @property
    def height(self) -> int:
        """Rows of the picture, px."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """Columns of the picture, px."""
        return self.pixels.shape[1]


def pixel_hash(pixels: np.ndarray) -> str:
    """SHA-256 of a picture's pixels and shape, whatever file they came in: one that lost its names has the same."""
    return hashlib.sha256(repr(pixels.shape).encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()


def chosen_slice(slice_choice: SliceChoice, count: int, usual: int) -> tuple[int, str]:
    """Place of the slice asked for, ``usual`` when none is named, and how it was chosen.

    Raises:
        InputError: There is no such slice.
    """
    if not isinstance(slice_choice, int):
        return usual, "central" if slice_choice == "central" else "most spine"
    if not 0 <= slice_choice < count:
        raise InputError("slice", f"{slice_choice + 1} is not among the {count} there are", "choose another")
    return slice_choice, "chosen"
