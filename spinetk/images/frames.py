"""One frame of a DICOM file as a Picture: grey values, scale, orientation, view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spinetk.errors import InputError
from spinetk.geometry import SQUARE, Frame
from spinetk.images.decode import decode_frame, frame_code
from spinetk.images.digest import of_code, of_values
from spinetk.images.display import is_inverted, padding_mask, to_display
from spinetk.images.elements import number, word
from spinetk.images.guard import REMEDY_COPY, display_name
from spinetk.images.headers import Header
from spinetk.images.orientation import read_axes, read_letters, read_view
from spinetk.images.picture import Picture
from spinetk.images.plain import to_grey
from spinetk.images.spacing import contradiction, other_shapes, read_aspect, read_spacing
from spinetk.views import View

if TYPE_CHECKING:
    from pydicom import Dataset

PADDING = "padding was left out of statistics"
BURNED_IN = "BurnedInAnnotation is YES: the pixels may show the patient's name"


def picture_of_frame(header: Header, options: dict[str, Any], index: int, user_frame: Frame | None) -> Picture:
    """Decode one frame and describe it."""
    dataset = header.dataset
    remarks = list(header.remarks)
    stored = decode_frame(header, options, index, remarks)
    digest = of_values(stored) if header.pixel_length is not None else of_code(frame_code(header, index))
    pixels, padding, inverted = grey(stored, header, index, remarks)
    frame, view = frame_of(header, index, user_frame, remarks)
    burned_in = word(dataset, "BurnedInAnnotation") == "YES"
    if burned_in:
        remarks.append(BURNED_IN)
    return Picture(
        pixels=pixels,
        padding=padding,
        frame=frame,
        kind="dicom",
        modality=modality_of(header),
        body_part=code_of(header, "BodyPartExamined"),
        view=view,
        remarks=tuple(remarks),
        inverted=inverted,
        burned_in=burned_in,
        frame_number=index + 1 if header.frames > 1 else None,
        stored_sha256=digest,
    )


def grey(
    stored: np.ndarray, header: Header, index: int, remarks: list[str], window: bool = True
) -> tuple[np.ndarray, np.ndarray | None, bool]:
    """Stored values as (H, W) float32 grey, the padding mask, and whether the scale was inverted.

    ``window=False`` stops after the modality LUT (and the inversion).
    """
    dataset = header.dataset
    if word(dataset, "PhotometricInterpretation") == "PALETTE COLOR" and stored.ndim == 2:
        from pydicom.pixels.processing import apply_color_lut

        try:
            stored = apply_color_lut(stored, dataset)
        except Exception as error:
            raise InputError(display_name(header.path), "has a damaged colour palette", REMEDY_COPY) from error
    if stored.ndim == 3:
        return to_grey(stored, remarks), None, False
    if stored.dtype.kind == "f" and not np.isfinite(stored).all():
        stored = np.nan_to_num(stored, nan=0.0, posinf=0.0, neginf=0.0)
        remarks.append("pixels that are not finite were set to 0")
    padding = padding_mask(stored, dataset)
    if padding is not None:
        remarks.append(PADDING)
    pixels, inverted = to_display(stored, dataset, index, padding, remarks, window)
    return pixels, padding, inverted


def values_of(header: Header, options: dict[str, Any], index: int) -> tuple[np.ndarray, list[str]]:
    """(H, W) float32 of a frame that is one layer of a volume, and what was decided about it.

    They end at the modality LUT and the inversion: windows differ from slice to slice. Where the file says there is no
    picture, the lowest of the other values stands.
    """
    remarks = list(header.remarks)
    stored = decode_frame(header, options, index, remarks)
    values, padding, _ = grey(stored, header, index, remarks, window=False)
    if padding is not None:
        values[padding] = values[~padding].min()
        remarks[remarks.index(PADDING)] = "padding was taken for the lowest of the other values"
    return values, remarks


def frame_of(header: Header, index: int, user_frame: Frame | None, remarks: list[str]) -> tuple[Frame, View]:
    """Spacing and orientation of one frame, and its view; the user's spacing wins."""
    dataset = header.dataset
    spacing, source = read_spacing(dataset, index, remarks if user_frame is None else [])
    aspect = None if spacing else read_aspect(dataset, remarks)
    if spacing and user_frame is None:
        remarks += other_shapes(dataset, spacing)
    axes = read_axes(dataset, index)
    view, letters = read_view(dataset, index, axes, read_letters(dataset, index, axes, remarks), remarks)
    frame = Frame(spacing, source, *letters, aspect)
    if user_frame is not None:
        remarks += contradiction(user_frame, frame)
        across, down = frame.square / user_frame.square
        if abs(down / across - 1) > SQUARE:
            remarks.append("the spacing given shapes pixels otherwise than the file does: it was believed")
        frame = Frame(user_frame.spacing_mm, user_frame.spacing_source, *letters)
    if word(dataset, "PresentationIntentType") == "FOR PROCESSING":
        dark = ", its bones are dark" if _bones_are_dark(dataset) else ""
        remarks.append(f"the film is FOR PROCESSING: its values are raw{dark}; give the one for presentation")
    return frame, view


def _bones_are_dark(dataset: Dataset) -> bool:
    """Whether fewer X-rays gave a darker pixel (PS3.3 C.8.11.3.1.2), as in films that were not processed."""
    sign = number(dataset, "PixelIntensityRelationshipSign")
    return sign is not None and (sign == 1) != is_inverted(dataset)


def modality_of(header: Header) -> str | None:
    """Modality, as :func:`code_of`."""
    return code_of(header, "Modality")


def code_of(header: Header, keyword: str) -> str | None:
    """A value when it looks like a DICOM code string, so that no free text travels on."""
    value = word(header.dataset, keyword)
    return value if value.isalnum() and value.isascii() and len(value) <= 16 else None
