"""Uploads: files dropped on the page, kept under names of our own until the server ends."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from spinetk.errors import InputError
from spinetk.formats.files import clean_name
from spinetk.images import find_series
from spinetk.images.info import describe
from spinetk.review.entry import Entry
from spinetk.review.faults import line

MOST_FILE_BYTES = 512 << 20
MOST_FILES = 5_000
MOST_BYTES = 8 << 30
LONGEST_NAME = 120
COPY = re.compile(r"(\.mrk) ?\(\d+\)(?=\.json$)")
"""A number that browsers put before the last ending, which is only half of Slicer's."""
VOXELS = re.compile(rb"^(\s*ElementDataFile\s*=\s*)([^\r\n]*?)\s*\Z", re.IGNORECASE | re.MULTILINE)
"""The last line of a MetaImage header whose voxels lie in another file."""
MOST_HEADER_BYTES = 64 << 10


@dataclass
class Batch:
    """Files of one drop: stored path to the name they came with."""

    folder: Path
    names: dict[Path, str] = field(default_factory=dict)


class Uploads:
    """All drops of a session; sizes and counts are limited over the whole of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._batches: dict[str, Batch] = {}
        self._bytes = 0
        self._files = 0
        self._lock = threading.Lock()

    def begin(self) -> str:
        """A new batch; returns its id."""
        key = secrets.token_hex(8)
        folder = self.root / key
        folder.mkdir(mode=0o700)
        self._batches[key] = Batch(folder)
        return key

    async def receive(self, key: str, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Store one file of a batch. The name is kept for display only.

        Raises:
            InputError: The batch is unknown, or a limit is reached.
        """
        batch = self._batch(key)
        shown = display(name)
        with self._lock:
            self._files += 1
            if self._files > MOST_FILES:
                raise InputError(
                    shown, f"would be more than {MOST_FILES} files", "start `spinetk serve FOLDER` instead"
                )
            path = batch.folder / f"{self._files:06d}"
        size = 0
        try:
            with open(path, "xb") as stream:
                async for chunk in chunks:
                    size += len(chunk)
                    self._bytes += len(chunk)
                    if size > MOST_FILE_BYTES or self._bytes > MOST_BYTES:
                        limit = f"{MOST_FILE_BYTES >> 20} MB a file, {MOST_BYTES >> 30} GB in all"
                        raise InputError(shown, f"is too large ({limit})", "start `spinetk serve FOLDER` instead")
                    stream.write(chunk)
        except BaseException:
            path.unlink(missing_ok=True)
            self._bytes -= size
            raise
        batch.names[path] = shown

    def finish(self, key: str) -> tuple[list[Entry], list[str]]:
        """Close a batch: DICOM slices of one series become one entry, what is no picture is named and deleted.

        Returns:
            The entries, and one line for each file that is none.

        Raises:
            InputError: The batch is unknown.
        """
        batch = self._batch(key)
        del self._batches[key]
        entries: list[Entry] = []
        refused: list[str] = []
        single = dict(batch.names)
        groups = list(find_series(batch.folder).values()) if len(single) > 1 else []
        for number, files in enumerate(groups, start=1):
            folder = batch.folder / f"series-{number}"
            folder.mkdir(mode=0o700)
            first = single[files[0]]
            for path in files:
                single.pop(path, None)
                path.rename(folder / path.name)
            entries.append(Entry("picture", folder, f"{first} and {len(files) - 1} more slices"))
        _join(single)
        for path, name in single.items():
            try:
                described = describe(path)
                if not described["readable"]:
                    raise InputError(name, "; ".join(described["warnings"]) or "cannot be read", "export it again")
                entries.append(Entry("picture", path, name))
            except InputError as error:
                refused.append(f"{name}: {line(error)}")
                path.unlink(missing_ok=True)
        return entries, refused

    def annotations(self, key: str) -> list[Path]:
        """Close a batch of annotation files: they get the names they came with, by which formats are known.

        Raises:
            InputError: The batch is unknown.
        """
        batch = self._batch(key)
        del self._batches[key]
        found = []
        for number, (path, name) in enumerate(batch.names.items()):
            folder = batch.folder / f"annotations-{number}"
            folder.mkdir(mode=0o700)
            found.append(path.rename(folder / COPY.sub(r"\1", clean_name(name))))
        return found

    def _batch(self, key: str) -> Batch:
        try:
            return self._batches[key]
        except KeyError:
            raise InputError("upload", "has ended already", "drop the files again") from None


def _join(dropped: dict[Path, str]) -> None:
    """Let MetaImage headers find their voxels, dropped with them, under the name they are kept by."""
    for path, name in list(dropped.items()):
        if not name.lower().endswith(".mhd") or path.stat().st_size > MOST_HEADER_BYTES:
            continue
        head = path.read_bytes()
        said = VOXELS.search(head)
        voxels = next((own for own, other in dropped.items() if said and other.encode() == said[2]), None)
        if said is not None and voxels not in (None, path):
            path.write_bytes(head[: said.start(2)] + voxels.name.encode() + b"\n")
            del dropped[voxels]


def display(name: str) -> str:
    """The last part of a file name, as one printable line."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    plain = "".join(c for c in last if c.isprintable()).strip()
    return plain[:LONGEST_NAME] or "unnamed"
