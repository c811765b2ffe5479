"""Which stored DICOM picture is the one that was read: what a report has to refer to."""

from __future__ import annotations

from pathlib import Path

from spinetk.errors import InputError
from spinetk.images.guard import display_name, quiet, regular_file
from spinetk.images.headers import Header, open_header
from spinetk.images.kind import sniff
from spinetk.images.reformat import Plane
from spinetk.images.series import frame_planes, main_series, plan


def dicom_source(path: str | Path, chosen: int | None = None) -> tuple[Path, int | None]:
    """The DICOM file, and its frame, whose pixels ``read_picture(path)`` shows.

    Args:
        path: A DICOM file, or a folder with the slices of a series.
        chosen: Place of the slice when it was named to ``read_picture``, else None.

    Returns:
        The file, and the frame counted from 0; None when the file has only one.

    Raises:
        InputError: It is no DICOM, or the picture is a reformation, which is stored nowhere.
    """
    path = Path(path)
    with quiet():
        if path.is_dir():
            slices, _ = main_series(path)
            index = _index(path, [entry.plane for entry in slices], chosen)
            return next(entry.path for entry in slices if entry.plane.index == index), None
        regular_file(path)
        if sniff(path) != "dicom":
            raise InputError(display_name(path), "is no DICOM file", "a structured report needs the DICOM picture")
        header = open_header(path)
        with header.stream:
            return path, _frame(path, header, chosen) if header.frames > 1 else None


def _frame(path: Path, header: Header, chosen: int | None) -> int:
    planes, _ = frame_planes(header)
    if not planes:
        return header.frames // 2 if chosen is None else chosen
    return _index(path, planes, chosen)


def _index(path: Path, planes: list[Plane], chosen: int | None) -> int:
    planes, usual = plan(planes, [])
    if usual is None:
        fault = "was read as a reformation, which is no stored picture"
        raise InputError(display_name(path), fault, "a structured report needs sagittal slices or a radiograph")
    return planes[usual if chosen is None else chosen].index
