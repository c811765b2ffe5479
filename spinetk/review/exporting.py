"""Exporting: what the page shows as JSON, CSV, COCO, DICOM SR or a picture with its overlay."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinetk.cases.folder import CaseFolder
from spinetk.errors import InputError
from spinetk.reading import Reading
from spinetk.review.entry import Entry
from spinetk.review.opened import Opened

if TYPE_CHECKING:
    from spinetk.review.session import ReviewSession

TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "coco": "application/json",
    "sr": "application/dicom",
    "png": "image/png",
}
ENDINGS = {"json": ".json", "csv": ".csv", "coco": "-coco.json", "sr": "-sr.dcm", "png": ".png"}


def export_one(kind: str, entry: Entry, opened: Opened, reading: Reading) -> bytes:
    """One measured reading in one of the formats of ``TYPES``.

    Raises:
        InputError: It cannot be written so, e.g. a structured report of something that is no DICOM.
    """
    writers: dict[str, Callable[[Path], Any]] = {
        "json": lambda path: path.write_text(_dump(reading.to_json()), encoding="utf-8"),
        "csv": lambda path: _table(path, [reading]),
        "coco": lambda path: path.write_text(_dump(_coco(entry, reading)), encoding="utf-8"),
        "sr": lambda path: _sr(path, entry, reading),
        "png": lambda path: _overlay(path, opened, reading),
    }
    return _written(kind, writers[kind])


def export_saved(kind: str, desk: ReviewSession) -> bytes:
    """Every picture of the list that a person has saved, as ``csv`` or ``coco``.

    Raises:
        InputError: None has been saved, or a case cannot be read.
    """
    from spinetk.formats.coco import coco_content
    from spinetk.formats.record import reading_of
    from spinetk.measure import measure

    saved = [entry for entry in desk.entries.values() if entry.saved and entry.case is not None]
    if not saved:
        raise InputError("export", "nothing has been saved yet", "save a picture first")
    records = []
    for entry in saved:
        found, failures = CaseFolder(entry.base).records([entry.case], augmented=False)
        if failures:
            raise failures[0]
        # Names that tell the pictures of different cases apart and lead nowhere.
        records.append({**found[0], "file_name": f"{entry.case}.png"})
    if kind == "coco":
        return _dump(coco_content(records)).encode()
    return _written("csv", lambda path: _table(path, [measure(reading_of(record)) for record in records]))


def file_name(kind: str, entry: Entry | None) -> str:
    """A name for the download: the case's, which gives no patient away, else a plain one."""
    from spinetk.images.identity import safe_name

    stem = "saved-cases" if entry is None else safe_name(entry.case) if entry.case else f"picture-{entry.id}"
    return stem + ENDINGS[kind]


def _written(kind: str, write: Callable[[Path], Any]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"export{ENDINGS[kind]}"
        write(path)
        return path.read_bytes()


def _dump(content: Any) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _table(path: Path, readings: list[Reading]) -> None:
    from spinetk.formats.table import write_table

    write_table(path, readings)


def _coco(entry: Entry, reading: Reading) -> dict[str, Any]:
    from spinetk.formats.coco import coco_content
    from spinetk.formats.record import record_of

    record = record_of(reading, entry.id, case=entry.case)
    return coco_content([{**record, "file_name": f"{entry.case or entry.name}.png"}])


def _sr(path: Path, entry: Entry, reading: Reading) -> None:
    from spinetk.formats.sr import write_sr
    from spinetk.images.source import dicom_source

    if entry.kind == "case":
        raise InputError(entry.name, "is a case, which keeps no DICOM header", "open the DICOM file itself")
    source, frame = dicom_source(entry.path if entry.kind == "picture" else reading.file, entry.slice)
    write_sr(path, reading, source, frame=frame)


def _overlay(path: Path, opened: Opened, reading: Reading) -> None:
    from spinetk.report.overlay import write_overlay

    write_overlay(path, opened.grey, reading)
