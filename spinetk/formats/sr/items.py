"""Structured reports as annotations of pictures: our own in full, others by the regions that are drawn in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import pydicom

from spinetk.errors import InputError
from spinetk.formats.files import clean_name
from spinetk.formats.item import CaseItem, in_schema
from spinetk.formats.ours import is_result
from spinetk.formats.registry import Source
from spinetk.formats.shapes import assemble, meaning
from spinetk.formats.sr.others import drawn_in
from spinetk.formats.sr.read import DAMAGE, read_sr
from spinetk.images import read_picture
from spinetk.images.guard import quiet
from spinetk.images.kind import sniff
from spinetk.images.source import dicom_source
from spinetk.schema import KeypointSchema

REPORTS = b"1.2.840.10008.5.1.4.1.1.88."
"""How the SOP class UIDs of structured reports begin."""
Known = Callable[[str], Path | None]
"""Finds the picture of a SOP instance UID."""


def items(source: Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The pictures of structured reports: a report names its picture by UID.

    It is looked for beside the report, and among the pictures that results beside it are about.

    Args:
        source: A report, or a folder of them and of the pictures.
        schema: Points to keep; None takes the report's, and ``vertebra6`` for outlines.

    Yields:
        One item per picture that a report is about, or the error that keeps it out.
    """
    look = Source(source)
    reports = [source] if source.is_file() else [p for p in look.files if is_report(look.head(p))]
    known = _around(source if source.is_dir() else source.parent)
    for path in reports:
        try:
            found: list[CaseItem | InputError] = [*items_of(path, known, schema)]
        except InputError as error:
            found = [error]
        yield from found


def items_of(path: Path, known: Known, schema: KeypointSchema | None = None) -> list[CaseItem]:
    """The pictures that one report is about; ``missing`` says of which there is none.

    Raises:
        InputError: It is no report, or one of another program about a picture that is not known.
    """
    with quiet():
        return list(_items(path, known, schema))


def is_report(head: bytes) -> bool:
    """Whether a file that begins so is a structured report."""
    return head[128:132] == b"DICM" and REPORTS in head


def _items(path: Path, known: Known, schema: KeypointSchema | None) -> Iterator[CaseItem]:
    try:
        report = read_sr(path)
    except InputError as error:
        yield from _of_others(path, known, schema, error)
        return
    reading = in_schema(report.reading, schema, path)
    picture = known(report.sop_instance_uid)
    place, said = (None, []) if picture is None or report.frame is None else _place(picture, report.frame)
    yield CaseItem(
        picture=picture or Path(path.name),
        case=clean_name(path.stem),
        schema=reading.schema,
        vertebrae=reading.vertebrae,
        landmarks=reading.landmarks,
        extras=reading.extras,
        interval_scale=reading.interval_scale,
        frame=reading.frame,
        view=reading.view,
        size=(reading.width, reading.height),
        model=reading.model,
        slice=place,
        facing=reading.facing,
        not_graded=reading.not_graded,
        threshold=reading.threshold,
        label_probability=reading.label_probability,
        remarks=[*reading.remarks, *said],
        missing=None if picture else _no_picture(path),
    )


def _no_picture(path: Path) -> InputError:
    return InputError(path, "is about a picture that is not there", "put the DICOM file beside it, or into the list")


def _of_others(path: Path, known: Known, schema: KeypointSchema | None, fault: InputError) -> Iterator[CaseItem]:
    try:
        document = pydicom.dcmread(path)
        if not str(document.get("SOPClassUID", "")).startswith(REPORTS.decode()):
            raise fault
        drawn = drawn_in(document, path)
    except InputError:
        raise
    except DAMAGE as error:
        raise InputError(path, "is not a readable structured report", "copy it again from where it came") from error
    for number, ((uid, frame), shapes) in enumerate(drawn.items()):
        picture = known(uid)
        if picture is None:
            raise _no_picture(path)
        size, frames = _size(picture)
        whole = meaning(shapes, schema)
        found = assemble(shapes, whole, size)
        remarks = ["a report of another program: its regions were taken"]
        place = None
        if frame is not None and frames > 1:
            place, said = _place(picture, frame)
            remarks += said
        yield CaseItem(
            picture=picture,
            case=clean_name(path.stem if number == 0 else f"{path.stem}-{number + 1}"),
            schema=whole,
            vertebrae=found.vertebrae,
            landmarks=found.landmarks,
            extras=found.extras,
            size=size,
            slice=place,
            remarks=remarks + found.remarks,
        )


def _size(picture: Path) -> tuple[tuple[int, int], int]:
    """(width, height) and number of frames of a DICOM file, or of the PNG that a case keeps of one."""
    if sniff(picture) != "dicom":
        shown = read_picture(picture)
        return (shown.width, shown.height), 1
    header = pydicom.dcmread(picture, stop_before_pixels=True, specific_tags=["Rows", "Columns", "NumberOfFrames"])
    return (int(header.Columns), int(header.Rows)), int(header.get("NumberOfFrames") or 1)


def _place(picture: Path, frame: int) -> tuple[int | None, list[str]]:
    """By which place a frame of a file is read; where it has another one, None and a remark."""
    try:
        if dicom_source(picture, frame) == (picture, frame):
            return frame, []
    except InputError:
        pass  # a reformation shows no frame
    return None, [f"it is about frame {frame + 1}, which may not be the one that is shown"]


def _around(folder: Path) -> Known:
    """The DICOM files of a folder and of the folders in it, then those that results in the folder name."""

    @cache
    def beside() -> dict[str, Path]:
        return by_uid((*folder.glob("*"), *folder.glob("*/*")))

    @cache
    def of_results() -> dict[str, Path]:
        look = Source(folder)
        contents = (look.json(path) for path in folder.glob("*.json"))
        named = {Path(str(content["file"])) for content in contents if is_result(content)}
        return by_uid(file for path in named for file in (path.glob("*") if path.is_dir() else [path]))

    return lambda uid: beside().get(uid) or of_results().get(uid)


def by_uid(paths: Iterable[Path]) -> dict[str, Path]:
    """SOP instance UID to file of the DICOM pictures among some files."""
    found: dict[str, Path] = {}
    with quiet():
        for path in sorted(paths):
            if path.is_file():
                try:
                    header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SOPInstanceUID", "Rows"])
                except DAMAGE:
                    continue
                if header.get("Rows"):
                    found[str(header.get("SOPInstanceUID"))] = path
    return found
