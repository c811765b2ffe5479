"""History: every version a case had, who saved it and when, as files beside the case.

``<case>/history/0001.json``, ``0002.json``, ... hold one save each: ``number``, ``version``, ``before`` (the version it
began from), ``when`` (UTC, ISO 8601), ``reader``, ``status``, ``truth`` (whether it became the case's truth, or is the
reading of one of two blinded readers) and the whole ``record``. The version the case had before anybody saved it stays
as ``src-0.original.json``; it is number 0. What another program wrote in between is kept like a save, without a reader.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from spinetk.atomic import write_json
from spinetk.errors import InputError
from spinetk.formats.files import read_json
from spinetk.formats.record import Record, check_record

FOLDER = "history"
ORIGINAL = "src-0.original.json"
VERSION_DIGITS = 16
Status = Literal["given", "corrected", "signed"]


@dataclass(frozen=True)
class Version:
    """One version of a case.

    Attributes:
        number: Counted from 1; 0 is the version before the first save.
        version: Of the truth that was written (:func:`version_of`); empty where it did not become the truth.
        before: The version it began from; empty when there was none.
        when: UTC, ISO 8601, to the second; empty when it is not known.
        reader: Who saved it; empty when nobody said.
        status: ``given`` (before any save, or by another program), ``corrected`` or ``signed``.
        vertebrae: How many it holds.
        truth: Whether it became the truth of the case.
    """

    number: int
    version: str
    before: str
    when: str
    reader: str
    status: Status
    vertebrae: int
    truth: bool = True


def version_of(path: Path) -> str:
    """16 hexadecimal digits that tell the content of a file; empty when there is no file.

    It is the content that counts, not the time, so that two servers on one folder, or a program that writes cases,
    need no clock in common.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ""
    return hashlib.sha256(content).hexdigest()[:VERSION_DIGITS]


def review_of(record: Mapping[str, Any]) -> tuple[Status, str, str]:
    """(status, reader, when) as the last save wrote them into a case JSON."""
    review = record.get("review")
    review = review if isinstance(review, Mapping) else {}
    found = review.get("status")
    status: Status = found if found in ("corrected", "signed") else "given"
    return status, str(review.get("reader") or ""), str(review.get("when") or "")


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class History:
    """The versions of one case.

    Args:
        source: ``<case>/src/0/src-0.json``.
    """

    def __init__(self, source: Path) -> None:
        self.source = source
        self.folder = source.parents[2] / FOLDER

    def versions(self) -> list[Version]:
        """All versions, oldest first; a file that cannot be read is passed by."""
        found = []
        original = self.source.with_name(ORIGINAL)
        if original.is_file():
            record = _record(original)
            if record is not None:
                count = len(record["annotations"])
                found.append(Version(0, version_of(original), "", "", "", "given", count))
        return found + [version for version, _ in self._entries()]

    def record(self, number: int) -> Record:
        """The record of a version.

        Raises:
            InputError: There is no such version.
        """
        path = self._path(number) if number else self.source.with_name(ORIGINAL)
        try:
            content = read_json(path)
            record = content["record"] if number else content
        except (InputError, KeyError, TypeError):
            raise InputError(self.source.parents[2].name, f"has no version {number}", "choose another") from None
        return check_record(record, path)

    def keep_before(self, record: Record) -> None:
        """Keep what lies on the disk before it is written over, where no save of the history made it.

        Args:
            record: What lies there.
        """
        there = version_of(self.source)
        known = self.versions()
        if any(there == version.version for version in known):
            return
        if not any(version.truth for version in known):
            write_json(self.source.with_name(ORIGINAL), record)
            return
        content = check_record(record, self.source)
        status, reader, when = review_of(content)
        self.add(Version(0, there, "", when or now(), reader, status, len(content["annotations"])), record)

    def add(self, version: Version, record: Record) -> Version:
        """Write a version under the next number; returns it with that number."""
        numbers = [int(path.stem) for path in self._paths()]
        numbered = replace(version, number=max(numbers, default=0) + 1)
        write_json(self._path(numbered.number), {**asdict(numbered), "record": record})
        return numbered

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:04d}.json"

    def _paths(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.glob("*.json") if path.stem.isdecimal())

    def _entries(self) -> Iterator[tuple[Version, dict[str, Any]]]:
        for path in self._paths():
            try:
                content = read_json(path)
                yield Version(**{name: content[name] for name in Version.__dataclass_fields__}), content
            except (InputError, KeyError, TypeError):
                continue


def _record(path: Path) -> Record | None:
    try:
        return check_record(read_json(path), path)
    except InputError:
        return None
