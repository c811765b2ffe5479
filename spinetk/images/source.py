"""Which stored DICOM picture is the one that was read: what a report has to refer to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from spinetk.errors import InputError
from spinetk.images.guard import display_name, quiet, regular_file
from spinetk.images.kind import sniff
from spinetk.images.picture import Picture, SliceChoice, pixel_hash
from spinetk.images.read import read_picture
from spinetk.images.traits import Slice
from spinetk.images.window import to_uint8
from spinetk.reading import Reading

if TYPE_CHECKING:
    from spinetk.images.reformat import Section


def dicom_source(
    path: str | Path, chosen: int | None = None, series: str | int | None = None
) -> tuple[Path, int | None]:
    """The DICOM file, and its frame, whose pixels ``read_picture(path)`` shows.

    Args:
        path: A DICOM file, or a folder with the slices of a series.
        chosen: Place of the slice when it was named to ``read_picture``, else None.
        series: Of ``read_picture``: which of several series.

    Returns:
        The file, and the frame counted from 0; None when the file has only one.

    Raises:
        InputError: It is no DICOM, or the picture is a reformation, which is stored nowhere.
    """
    shown = stored_or_section(path, chosen, series)
    if isinstance(shown, tuple):
        return shown
    fault = "was read as a reformation, which is no stored picture"
    raise InputError(display_name(Path(path)), fault, "a structured report needs sagittal slices or a radiograph")


def stored_or_section(
    path: str | Path, chosen: int | None = None, series: str | int | None = None
) -> tuple[Path, int | None] | Section:
    """As :func:`dicom_source`, but the section itself where the picture is a reformation.

    Raises:
        InputError: It is no DICOM.
    """
    from spinetk.images.headers import open_header  # pydicom takes its time, and a JPEG needs none
    from spinetk.images.series import frame_series, main_series, pick

    path = Path(path)
    with quiet():
        if path.is_dir():
            _, slices, _ = main_series(path, series)
            shown = _shown(path, slices, chosen)
            if not isinstance(shown, Slice):
                return shown
            assert shown.path is not None  # slices of a folder are files
            return shown.path, None
        regular_file(path)
        if sniff(path) != "dicom":
            raise InputError(display_name(path), "is no DICOM file", "a structured report needs the DICOM picture")
        header = open_header(path)
        with header.stream:
            if header.frames == 1:
                return path, None
            groups = frame_series(header)
            if not groups:
                return path, header.frames // 2 if chosen is None else chosen
            _, slices, _ = pick(groups, series, display_name(path))
            shown = _shown(path, slices, chosen)
            return (path, shown.plane.index) if isinstance(shown, Slice) else shown


def picture_of(reading: Reading) -> Picture:
    """The picture a reading is about: the same slice of the same series.

    Raises:
        InputError: It cannot be read any more.
    """
    path = Path(reading.file)
    if not path.is_absolute() and not path.exists():  # a result names its picture as the user did
        fault = "does not exist or cannot be reached from this folder"
        raise InputError(display_name(path), fault, "run spinetk in the folder where the result was made")
    choice: SliceChoice = "central" if reading.slice is None else reading.slice
    return read_picture(reading.file, slice_choice=choice, series=reading.series)


def seen_of(reading: Reading) -> tuple[Picture, np.ndarray]:
    """:func:`picture_of` a reading, and its 8-bit window, (H, W) uint8 as stored; one of another size is not refused.

    Raises:
        InputError: It cannot be read any more, or is not the picture that was read.
    """
    picture = picture_of(reading)
    grey = to_uint8(picture.pixels, picture.padding)
    if grey.shape == (reading.height, reading.width) and not is_same(picture, grey, reading):
        fault = "is not the picture that was read: its pixels differ"
        raise InputError(reading.file, fault, "put that one back, or predict again")
    return picture, grey


class Digested(Protocol):
    """What says which picture it is about: a reading, an annotation."""

    pixels_sha256: str | None
    stored_sha256: str | None


def is_same(picture: Picture, grey: np.ndarray, about: Digested) -> bool:
    """Whether a picture is the one that something is about, as far as it says.

    What its file stores tells, however it was decoded and windowed; else the window: results of before have no other
    digest, and a file may have been stored in another way since.

    Args:
        picture: As read.
        grey: (H, W) uint8 as stored, of :func:`spinetk.images.to_uint8`.
        about: The reading or annotation.
    """
    stored = about.stored_sha256 is not None and picture.stored_sha256 == about.stored_sha256
    return stored or about.pixels_sha256 is None or pixel_hash(grey) == about.pixels_sha256


def source_of(reading: Reading, chosen: int | None = None) -> tuple[Path, int | None]:
    """As :func:`dicom_source`, of the picture a reading is about; a slice named besides comes before the reading's."""
    return dicom_source(reading.file, reading.slice if chosen is None else chosen, reading.series)


def _shown(path: Path, slices: list[Slice], chosen: int | None) -> Slice | Section:
    from spinetk.images.reformat import section_of
    from spinetk.images.series import plan

    planes, usual = plan([entry.plane for entry in slices], [])
    if usual is None:
        return section_of(planes)
    place = usual if chosen is None else chosen
    if not 0 <= place < len(planes):
        raise InputError(display_name(path), f"has no slice {place + 1} any more", "read it again")
    index = planes[place].index
    return next(entry for entry in slices if entry.plane.index == index)
