"""Readers: who reads, and the reading each of them saved of each case.

``<cases>/readings/<reader>/<case>.json`` is a result as ``spinetk predict`` writes it, with ``reader``, ``status`` and
``when`` beside its fields, so that ``spinetk agree cases/readings/anna cases/readings/ben`` compares two readers. A
name is what the page was told: it is no proof of who sat there.

Blinded, a reader sees the own reading and what the case held before anybody's; the others' come into sight once the
reader and one of them have signed.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spinetk.atomic import write_json
from spinetk.errors import InputError
from spinetk.formats.files import check_name, clean_name, read_json
from spinetk.measure import measure
from spinetk.reading import Reading
from spinetk.review.history import Status, version_of

FOLDER = "readings"
LONGEST = 40


def reader_name(given: str) -> str:
    """A reader's name as one printable line of at most 40 characters; empty when nobody said.

    Raises:
        InputError: It is longer, or holds nothing that can be shown.
    """
    plain = " ".join(unicodedata.normalize("NFC", given).split())
    if plain and (len(plain) > LONGEST or not plain.isprintable() or not any(c.isalnum() for c in plain)):
        raise InputError("reader's name", f"is not one line of at most {LONGEST} characters", "choose another")
    return plain


def folder_of(reader: str) -> str:
    """The folder of a reader: two ways to write one name are one reader."""
    return clean_name(reader.casefold())


@dataclass(frozen=True)
class OwnReading:
    """What one reader saved of one case.

    Attributes:
        version: Of its file.
    """

    reader: str
    status: Status
    when: str
    version: str
    reading: Reading


class Readings:
    """The readings of all readers of one case folder.

    Args:
        base: The case folder.
    """

    def __init__(self, base: Path) -> None:
        self.base = base / FOLDER

    def path(self, reader: str, case: str) -> Path:
        """Where a reader's reading of a case belongs."""
        return self.base / folder_of(reader) / f"{check_name(case)}.json"

    def read(self, reader: str, case: str) -> OwnReading | None:
        """What a reader saved of a case; None when that is nothing.

        Raises:
            InputError: The file cannot be read.
        """
        path = self.path(reader, case)
        return _own(path) if reader and path.is_file() else None

    def of(self, case: str) -> list[OwnReading]:
        """All readings of a case, by reader."""
        if not self.base.is_dir():
            return []
        paths = sorted(folder / f"{check_name(case)}.json" for folder in self.base.iterdir() if folder.is_dir())
        return [_own(path) for path in paths if path.is_file()]

    def names(self) -> list[str]:
        """The readers as they wrote themselves."""
        files = (next(iter(sorted((self.base / folder).glob("*.json"))), None) for folder in self.readers())
        return [_own(path).reader for path in files if path is not None]

    def readers(self) -> list[str]:
        """Folder names of the readers."""
        if not self.base.is_dir():
            return []
        return sorted(p.name for p in self.base.iterdir() if p.is_dir() and not p.name.startswith("."))

    def write(self, reader: str, case: str, status: Status, when: str, reading: Reading) -> str:
        """Write a reader's reading; returns its version."""
        path = self.path(reader, case)
        content = measure(reading).to_json() | {"reader": reader, "status": status, "when": when}
        write_json(path, content | {"file": f"{case}.png"})
        return version_of(path)

    def others(self, reader: str, case: str, *, blinded: bool) -> list[OwnReading]:
        """The other readers' readings that a reader may see.

        Args:
            reader: Who asks.
            case: Of what.
            blinded: Whether only signed ones may be seen, and those once the reader has signed too.
        """
        own = self.path(reader, case) if reader else None
        found = [one for one in self.of(case) if own is None or self.path(one.reader, case) != own]
        if not blinded:
            return found
        mine = self.read(reader, case)
        if mine is None or mine.status != "signed":
            return []
        return [one for one in found if one.status == "signed"]


def _own(path: Path) -> OwnReading:
    content: Any = read_json(path)
    if not isinstance(content, dict):
        raise InputError(path, "is not a reading", "remove it and read the picture again")
    status: Status = "signed" if content.get("status") == "signed" else "corrected"
    reading = Reading.from_json(content, str(path))
    who = str(content.get("reader") or path.parent.name)
    return OwnReading(who, status, str(content.get("when") or ""), version_of(path), reading)
