"""Worklist: what each picture of the list has come to, kept beside the cases so that thousands are listed at once.

``.worklist.json`` in a case folder holds a line for each file, with its time and size: a cache. It may be removed at
any time, and is filled in the background, so that the page does not wait for a folder of 5,000 to be read.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spinetk.atomic import write_json
from spinetk.errors import InputError
from spinetk.measure import measure, words
from spinetk.reading import Reading
from spinetk.review.entry import Entry
from spinetk.review.history import ORIGINAL, Status, review_of
from spinetk.review.readers import Readings

CACHE = ".worklist.json"
NOTHING = {"vertebrae": None, "grade": None, "score": None, "view": None, "reader": "", "when": ""}
"""What a line says besides its name and state, where nothing is known."""
REST_S = 0.0005  # between two files, so that the page is served meanwhile
MOST_REST_S = 0.05


@dataclass(frozen=True)
class Digest:
    """A reading in one line.

    Attributes:
        vertebrae: How many there are.
        grade: The highest deformity grade; None where nothing is graded.
        score: The confidence of the least sure body; None for what a person has set.
        view: What the picture shows.
        status, reader, when: Of the last save.
    """

    vertebrae: int
    grade: int | None
    score: float | None
    view: str
    status: Status = "given"
    reader: str = ""
    when: str = ""


def digest_of(reading: Reading, status: Status = "given", reader: str = "", when: str = "") -> Digest:
    """The line of a reading; it is measured for it."""
    measured = measure(reading)
    grades = [grade for vertebra in measured.vertebrae if (grade := words.grade_of(vertebra)) is not None]
    scores = [vertebra.score for vertebra in reading.vertebrae if vertebra.score is not None]
    least = round(float(min(scores)), 3) if scores else None
    return Digest(len(reading.vertebrae), max(grades, default=None), least, reading.view, status, reader, when)


class Worklist:
    """The digests of all files of a session, by path.

    Args:
        entries: The list, as it is when it is asked.
        blinded: Whether a reader's row must not tell what another has read.
    """

    def __init__(self, entries: Callable[[], Iterable[Entry]], *, blinded: bool = False) -> None:
        self.blinded = blinded
        self.scanning = False
        self._entries = entries
        self._digests: dict[Path, tuple[list[int], Digest]] = {}
        self._caches: set[Path] = set()
        self._predicted: dict[str, tuple[Reading, Digest]] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def row(self, entry: Entry, reader: str = "", predicted: Reading | None = None) -> dict[str, Any]:
        """The JSON of one line of the list, as one reader may see it; nothing is read from the disk for it.

        ``state`` is ``new``, ``predicted``, ``nothing found``, ``truth`` (from elsewhere), ``corrected`` or ``signed``;
        empty as long as the files of a case or result have not been looked at.
        """
        found = self._seen_by(entry, reader)
        state: str = found.status if found is not None else "new"
        if found is None and entry.kind != "picture" and self._known(entry.source or entry.path) is None:
            state = ""
        if state == "given":
            state = "predicted" if entry.kind == "result" else "truth"
            if found is not None and not found.vertebrae:
                state, found = ("nothing found", found) if entry.kind == "result" else ("new", None)
        if state == "new" and predicted is not None:
            found = self._of_prediction(entry.id, predicted)
            state = "predicted" if found.vertebrae else "nothing found"
        row = {"id": entry.id, "name": entry.title, "state": state}
        if found is None:
            return row | NOTHING
        return row | {name: getattr(found, name) for name in NOTHING}

    def reviewed(self, entry: Entry) -> bool:
        """Whether a person has saved the truth of an entry; it is looked up on the disk."""
        path = entry.source
        found = None if path is None else self._read(path, entry)
        return found is not None and found.status != "given"

    def update(self, entry: Entry, reader: str = "") -> None:
        """Look at the files of an entry again, e.g. after a save."""
        for path in self._files(entry, (reader,) if reader else ()):
            self._read(path, entry)

    def scan(self) -> None:
        """Look at every file of the list, in the background; what the cache knows is only asked for its time."""
        with self._lock:
            if self.scanning:
                return
            self.scanning = True
        threading.Thread(target=self._scan, name="worklist", daemon=True).start()

    def recall(self, base: Path) -> None:
        """Take what the cache of a case folder knows, until the scan has looked at its files."""
        if base in self._caches:
            return
        self._caches.add(base)
        with suppress(OSError, ValueError, TypeError, AttributeError):
            for name, (mark, content) in json.loads((base / CACHE).read_text(encoding="utf-8")).items():
                self._digests.setdefault(base / name, (list(mark), Digest(**content)))

    def stop(self) -> None:
        """End the scan."""
        self._stop.set()

    def _scan(self) -> None:
        changed: set[Path] = set()
        try:
            readers: dict[Path, list[str]] = {}
            for entry in list(self._entries()):
                if self._stop.is_set():
                    return
                base = entry.base
                if base is not None and base not in readers:
                    self.recall(base)
                    readers[base] = Readings(base).readers() if self.blinded else []
                for path in self._files(entry, readers.get(base, []) if base is not None else ()):
                    began, before = time.perf_counter(), self._digests.get(path)
                    if self._read(path, entry) is not None and self._digests[path] is not before and base is not None:
                        changed.add(base)
                        # Half of the time is left to the page.
                        time.sleep(min(MOST_REST_S, max(REST_S, time.perf_counter() - began)))
        finally:
            for base in changed:
                self._store(base)
            self.scanning = False

    def _seen_by(self, entry: Entry, reader: str) -> Digest | None:
        path = entry.source
        truth = None if path is None else self._known(path)
        if entry.kind == "result" and truth is None:
            return self._known(entry.path)
        if not self.blinded or entry.base is None or entry.case is None:
            return truth
        own = self._known(Readings(entry.base).path(reader, entry.case)) if reader else None
        if own is not None:
            return own
        return truth if truth is not None and truth.status == "given" else None

    def _files(self, entry: Entry, readers: Iterable[str]) -> list[Path]:
        found = [entry.path] if entry.kind == "result" else []
        if entry.base is not None and entry.case is not None and entry.source is not None:
            found.append(entry.source)
            found += [Readings(entry.base).path(reader, entry.case) for reader in readers]
        return found

    def _known(self, path: Path) -> Digest | None:
        found = self._digests.get(path)
        return None if found is None else found[1]

    def _read(self, path: Path, entry: Entry) -> Digest | None:
        try:
            stat = path.stat()
        except OSError:
            self._digests.pop(path, None)
            return None
        mark = [stat.st_mtime_ns, stat.st_size]
        found = self._digests.get(path)
        if found is None or found[0] != mark:
            with suppress(InputError, ValueError, KeyError, TypeError):
                found = mark, _digest(path, truth=path == entry.source)
                self._digests[path] = found
        return None if found is None else found[1]

    def _of_prediction(self, key: str, reading: Reading) -> Digest:
        found = self._predicted.get(key)
        if found is None or found[0] is not reading:
            found = self._predicted[key] = reading, digest_of(reading)
        return found[1]

    def _store(self, base: Path) -> None:
        mine = {path: found for path, found in list(self._digests.items()) if path.is_relative_to(base)}
        content = {path.relative_to(base).as_posix(): [mark, asdict(own)] for path, (mark, own) in mine.items()}
        with suppress(OSError):  # a cache: a folder that cannot be written is read again next time
            write_json(base / CACHE, content)


def _digest(path: Path, *, truth: bool) -> Digest:
    from spinetk.formats.files import read_json
    from spinetk.formats.record import check_record, reading_of

    content = read_json(path)
    if not truth:
        status: Status = content.get("status") if content.get("status") in ("corrected", "signed") else "given"
        reading = Reading.from_json(content, str(path))
        return digest_of(reading, status, str(content.get("reader") or ""), str(content.get("when") or ""))
    record = check_record(content, path)
    status, reader, when = review_of(record)
    if status == "given" and path.with_name(ORIGINAL).exists():
        status = "corrected"  # by a release that wrote no more than that
    return digest_of(reading_of({**record, "file_name": path.with_suffix(".png").name}), status, reader, when)
