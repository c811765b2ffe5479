"""Exporting: what the page shows, in every format there is a writer of, or as a picture with its overlay."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spinetk.cases.folder import CaseFolder
from spinetk.errors import InputError
from spinetk.formats.registry import Format, format_named, writable
from spinetk.reading import Reading
from spinetk.review.entry import Entry
from spinetk.review.opened import Opened

if TYPE_CHECKING:
    from spinetk.review.session import ReviewSession

OVERLAY = Format(name="png", title="PNG with the overlay", suffix=".png", media_type="image/png")
"""A picture, which is no format of points."""
ZIP = "application/zip"


def choices() -> dict[str, list[list[str]]]:
    """[name, title] of what the page offers of one picture, and of everything that was saved."""
    entries = [((entry.aliases or (entry.name,))[0], entry) for entry in (*writable().values(), OVERLAY)]
    return {
        "one": [[name, entry.title] for name, entry in entries],
        "all": [[name, entry.title] for name, entry in entries if entry.many],
    }


def export_one(kind: str, entry: Entry, opened: Opened, reading: Reading) -> tuple[bytes, Format]:
    """One measured reading in a format; several files are packed as ZIP.

    Raises:
        InputError: It cannot be written so, e.g. a structured report of something that is no DICOM.
    """
    if kind == OVERLAY.name:
        from spinetk.report.overlay import write_overlay

        return _written(OVERLAY, lambda path: write_overlay(path, opened.grey, reading))
    chosen = format_named(kind, writable())
    if chosen.needs == "sr" and entry.kind == "case":
        raise InputError(entry.name, "is a case, which keeps no DICOM header", "open the DICOM file itself")
    # Formats about a stored picture are told where it lies; all others bear the name that the page shows.
    file = reading.file
    if chosen.stored:
        file = entry.stored(reading.file)
    elif chosen.many:
        file = f"{entry.case}.png" if entry.case else entry.name
    about = replace(reading, file=file)
    assert chosen.write is not None
    write = chosen.write
    return _written(chosen, lambda path: write(path, [about], chosen=entry.slice))


def export_saved(kind: str, session: ReviewSession) -> tuple[bytes, Format, int]:
    """The truth of every picture of the list that a person has saved, in a format that holds many.

    Of pictures that are read blinded only those that two readers have signed, and of which it was said whose reading is
    the truth.

    Returns:
        The file, its format, and how many pictures somebody has read that are not in it.

    Raises:
        InputError: None has been saved, or a case cannot be read.
    """
    from spinetk.formats.record import reading_of
    from spinetk.measure import measure

    chosen = format_named(kind, {name: entry for name, entry in writable().items() if entry.many})
    saved = [entry for entry in session.entries.values() if entry.case is not None and session.worklist.reviewed(entry)]
    read = saved
    if session.blinded:
        read = [entry for entry in session.entries.values() if session.is_read(entry)]
        saved = [entry for entry in saved if session.settled(entry)]
    if not saved:
        raise _nothing(read, session)
    readings = []
    for entry in saved:
        assert entry.base is not None
        assert entry.case is not None
        found, failures = CaseFolder(entry.base).records([entry.case], augmented=False)
        if failures:
            raise failures[0]
        # Names that tell the pictures of different cases apart and lead nowhere.
        readings.append(replace(measure(reading_of(found[0])), file=f"{entry.case}.png"))
    assert chosen.write is not None
    write = chosen.write
    return *_written(chosen, lambda path: write(path, readings)), len(set(map(id, read)) - set(map(id, saved)))


def _nothing(read: list[Entry], session: ReviewSession) -> InputError:
    if not read:
        return InputError("export", "nothing has been saved yet", "save a picture first")
    both = sum(session.settled(entry) for entry in read)
    if not both:
        return InputError("export", "no picture has been signed by two readers yet", "sign as each of them first")
    fault = f"has no truth yet to write: {both} picture{'s are' if both > 1 else ' is'} signed by two readers"
    return InputError("export", fault, "hang the other reading beside and say which one is the truth")


def file_name(found: Format, content: bytes, entry: Entry | None) -> str:
    """A name for the download: the case's, which gives no patient away, else a plain one."""
    from spinetk.images.identity import safe_name

    stem = "saved-cases" if entry is None else safe_name(entry.case) if entry.case else f"picture-{entry.id}"
    return stem + (".zip" if _packed(content) else ("-" + found.suffix if found.many else found.suffix))


def media_type(found: Format, content: bytes) -> str:
    """Of a download."""
    return ZIP if _packed(content) else found.media_type


def _packed(content: bytes) -> bool:
    return content.startswith(b"PK\x03\x04")


def _written(found: Format, write: Callable[[Path], object]) -> tuple[bytes, Format]:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        path = found.path_in(base, "export")
        write(path)
        files = sorted(p for p in base.rglob("*") if p.is_file())
        if len(files) == 1:
            return files[0].read_bytes(), found
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.relative_to(base).as_posix())
        return packed.getvalue(), found
