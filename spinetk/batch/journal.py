"""Journal: a line for every input that was finished, written the moment it was.

``journal.jsonl`` in the folder of the results. A later line about an input replaces an earlier one; a line that a kill
or a full disk cut off counts as not written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from spinetk.batch.task import Outcome
from spinetk.errors import InputError

NAME = "journal.jsonl"


class Entry(NamedTuple):
    """What the journal says of an input.

    Attributes:
        stem: Of its result files.
        state, why, signature, content, seconds, about: As of :class:`spinetk.batch.task.Outcome`.
        reader: Names the settings it was done with, see :meth:`Journal.readers`.
    """

    stem: str
    state: str
    why: str
    signature: str
    content: str
    seconds: float
    reader: str
    about: dict[str, Any] | None


class Journal:
    """The journal of a folder; one process at a time has it open (see `spinetk.locking`).

    Args:
        out: Folder of the results.

    Raises:
        InputError: There is a journal that cannot be read or added to.
    """

    def __init__(self, out: Path) -> None:
        self.path = out / NAME
        self.entries: dict[str, Entry] = {}
        self.readers: dict[str, dict[str, Any]] = {}
        self._owners: dict[str, str] = {}
        try:
            for line in self._lines():
                self._take(line)
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            end = os.lseek(self._handle, 0, os.SEEK_END)
            if end and os.pread(self._handle, 1, end - 1) != b"\n":
                self._write(b"\n")
        except OSError as error:
            raise InputError(self.path, f"cannot be written ({error.strerror})", "check its permissions") from error

    def close(self) -> None:
        """Have it on the disk and close it."""
        os.fsync(self._handle)
        os.close(self._handle)

    def begin(self, reader: str, settings: dict[str, Any]) -> None:
        """Note the settings of a run under their name."""
        if self.readers.get(reader) != settings:
            self.readers[reader] = settings
            self._line({"reader": reader, "settings": settings})

    def add(self, source: str, stem: str, outcome: Outcome, reader: str) -> None:
        """Note what became of an input; the line has left this process when this returns."""
        line: dict[str, Any] = {"input": source, "stem": stem, "state": outcome.state, "reader": reader}
        for name in ("why", "signature", "content", "seconds", "about"):
            if getattr(outcome, name):
                line[name] = getattr(outcome, name)
        self._line(line)
        self._keep(source, line)

    def owner(self, stem: str) -> str | None:
        """The input whose results have this stem, whatever the letter case."""
        return self._owners.get(stem.casefold())

    def own(self, stem: str, source: str) -> None:
        """Keep a stem for an input."""
        self._owners[stem.casefold()] = source

    def _lines(self) -> Iterator[dict[str, Any]]:
        if not self.path.exists():
            return
        with open(self.path, "rb") as stream:
            for text in stream:
                try:
                    line = json.loads(text)
                except ValueError:
                    continue
                if isinstance(line, dict):
                    yield line

    def _take(self, line: dict[str, Any]) -> None:
        if isinstance(line.get("settings"), dict) and isinstance(line.get("reader"), str):
            self.readers[line["reader"]] = line["settings"]
        elif all(isinstance(line.get(name), str) for name in ("input", "stem", "state", "reader")):
            self._keep(line["input"], line)

    def _keep(self, source: str, line: dict[str, Any]) -> None:
        stem, state, why, signature, content = (
            str(line.get(name) or "") for name in ("stem", "state", "why", "signature", "content")
        )
        seconds, reader = float(line.get("seconds") or 0.0), str(line["reader"])
        self.entries[source] = Entry(stem, state, why, signature, content, seconds, reader, line.get("about"))
        self.own(line["stem"], source)

    def _line(self, content: dict[str, Any]) -> None:
        # Escaped, so that names that are no UTF-8 come back as they were.
        self._write(json.dumps(content, ensure_ascii=True, allow_nan=False).encode() + b"\n")

    def _write(self, data: bytes) -> None:
        written = os.write(self._handle, data)
        if written < len(data):
            raise OSError(28, os.strerror(28), str(self.path))
