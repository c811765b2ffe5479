"""read_picture: any file or series folder becomes a Picture or one clear line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images.guard import REMEDY_COPY, display_name, quiet, regular_file
from spinetk.images.kind import PLAIN, VOLUMES, sniff
from spinetk.images.orientation import standing
from spinetk.images.picture import Picture, SliceChoice


def read_picture(
    path: str | Path,
    *,
    slice_choice: SliceChoice = "central",
    spacing_mm: tuple[float, float] | None = None,
    series: str | int | None = None,
) -> Picture:
    """Read one picture.

    Args:
        path: A DICOM, PNG, JPEG, TIFF, BMP, NIfTI, NRRD or MetaImage file, or a folder with the slices of a DICOM
            series.
        slice_choice: Which sagittal slice of a volume: the ``central`` one, the one with ``most-spine``, or its place
            counted from 0 (of what ``Picture.slices`` says; also of frames that are no volume).
        spacing_mm: The user's own (row, column) distance between pixel centres in mm; wins over the file's, and is
            about the picture as stored (reformations of volumes keep the file's).
        series: Which of several series of a folder, or of kinds of frames in one file: its number, counted from 1 as
            ``spinetk info`` lists them, or its key (``Picture.series``). None takes the main one (sagittal slices
            first, then the most), and a remark names what else there is. Other files hold one and are read as ever;
            where another than the first was asked for, a remark says so.

    Returns:
        The picture, in the pixel grid of the file, turned or not: :func:`spinetk.upright.upright` makes it stand.
        CT and MR volumes that are not sagittal give a mid-sagittal reformation with square pixels.

    Raises:
        InputError: The file cannot be read; no other exception leaves this function.
    """
    path = Path(path)
    if slice_choice not in ("central", "most-spine") and not isinstance(slice_choice, int):
        fault = f"{slice_choice!r} is not 'central' or 'most-spine'"
        raise InputError("slice choice", fault, "or give the number of a slice, from 0")
    frame = None if spacing_mm is None else _user_frame(spacing_mm)
    try:
        with quiet():
            picture = _read(path, slice_choice, frame, series)
        alone = not_chosen(series) if picture.series is None else []
        return replace(picture, remarks=(*picture.remarks, *alone, *standing(picture.frame)))
    except InputError:
        raise
    except MemoryError as error:
        raise InputError(display_name(path), "needs more memory than there is", "crop or resample it first") from error
    except RecursionError as error:
        raise InputError(display_name(path), "is nested too deeply to be a picture", REMEDY_COPY) from error
    except Exception as error:
        # Whatever a damaged file does to a decoder ends here. The error's own text may quote patient data.
        raise InputError(display_name(path), f"is damaged ({type(error).__name__})", REMEDY_COPY) from error


def not_chosen(series: str | int | None) -> list[str]:
    """A remark that a file which holds no several series was read although another than the first was asked for."""
    if series is None or str(series) == "1":
        return []
    return [f"series {series} was asked for, but this file holds no several series: it was read as it is"]


def _read(path: Path, slice_choice: SliceChoice, frame: Frame | None, series: str | int | None) -> Picture:
    if path.is_dir():
        from spinetk.images.series import read_series

        return read_series(path, slice_choice, frame, series)
    regular_file(path)
    kind = sniff(path)
    if kind in PLAIN:
        from spinetk.images.plain import read_plain

        return read_plain(path, kind, frame)
    if kind in VOLUMES:
        from spinetk.images.cut import read_volume_picture

        return read_volume_picture(path, slice_choice, frame)
    from spinetk.images.dicom import read_dicom

    return read_dicom(path, slice_choice, frame, series)


def _user_frame(spacing_mm: tuple[float, float]) -> Frame:
    try:
        row, column = (float(v) for v in spacing_mm)
    except (TypeError, ValueError) as error:
        raise InputError("pixel spacing", "is not two numbers", "give row and column spacing in mm") from error
    return Frame(spacing_mm=(row, column), spacing_source="user")
