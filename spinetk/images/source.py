"""Which stored DICOM picture is the one that was read: what a report has to refer to."""

from __future__ import annotations

from pathlib import Path

from spinetk.errors import InputError
from spinetk.images.guard import display_name, quiet, regular_file
from spinetk.images.headers import Header, open_header
from spinetk.images.read import sniff
from spinetk.images.reformat import Plane
from spinetk.images.series import frame_planes, main_series, plan


def dicom_source(path: str | Path) -> tuple[Path, int | None]:
    """The DICOM file, and its frame, whose pixels ``read_picture(path)`` shows.

    Args:
        path: A DICOM file, or a folder with the slices of a series.

    Returns:
        The file, and the frame counted from 0; None when the file has only one.

    Raises:
        InputError: It is no DICOM, or the picture is a reformation, which is stored nowhere.
    """
    path = Path(path)
    with quiet():
        if path.is_dir():
            slices, _ = main_series(path)
            chosen = _chosen(path, [entry.plane for entry in slices])
            return next(entry.path for entry in slices if entry.plane.index == chosen), None
        regular_file(path)
        if sniff(path) != "dicom":
            raise InputError(display_name(path), "is no DICOM file", "a structured report needs the DICOM picture")
        header = open_header(path)
        with header.stream:
            return path, _frame(path, header) if header.frames > 1 else None


def _frame(path: Path, header: Header) -> int:
    planes, _ = frame_planes(header)
    return _chosen(path, planes) if planes else header.frames // 2


def _chosen(path: Path, planes: list[Plane]) -> int:
    planes, chosen = plan(planes, [])
    if chosen is None:
        fault = "was read as a reformation, which is no stored picture"
        raise InputError(display_name(path), fault, "a structured report needs sagittal slices or a radiograph")
    return planes[chosen].index
