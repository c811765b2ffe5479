"""One DICOM file as a Picture."""

from __future__ import annotations

from pathlib import Path

from spinetk.geometry import Frame
from spinetk.images.decode import check_pixels
from spinetk.images.frames import picture_of_frame
from spinetk.images.headers import open_header
from spinetk.images.picture import Picture, SliceChoice
from spinetk.images.series import read_frames


def read_dicom(
    path: Path, slice_choice: SliceChoice, user_frame: Frame | None, series: str | int | None = None
) -> Picture:
    """Read a DICOM file: its only frame, the central one, or what a volume of frames shows mid-sagittally.

    Raises:
        InputError: It cannot be read.
    """
    header = open_header(path)
    with header.stream:
        options = check_pixels(header)
        if header.frames > 1:
            return read_frames(header, options, slice_choice, user_frame, series)
        return picture_of_frame(header, options, 0, user_frame)
