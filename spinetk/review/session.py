"""Review session: what one server has open: the list, the decoded pictures, where corrections go, predictions."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spinetk import zoo
from spinetk.cases.folder import CaseFolder
from spinetk.errors import InputError
from spinetk.formats.files import read_json
from spinetk.formats.record import reading_of
from spinetk.keypoints.card import KeypointCard
from spinetk.reading import Reading
from spinetk.review.entry import Entry, entries_of
from spinetk.review.history import ORIGINAL, History, Status, Version, review_of
from spinetk.review.opened import Opened, open_entry, refresh
from spinetk.review.prediction import Predictions
from spinetk.review.readers import OwnReading, Readings, folder_of
from spinetk.review.target import Target
from spinetk.review.temporary import TemporaryFolder
from spinetk.review.worklist import Worklist
from spinetk.schema import VERTEBRA6, KeypointSchema

KEPT_OPEN = 4
MOST_ENTRIES = 50_000
BY_VIEW = "chosen by view"


@dataclass(frozen=True)
class Given:
    """What a reader starts from.

    Attributes:
        version: Which a save must name as the one it began from; empty where nothing was saved.
        status, reader, when: Of the last save.
    """

    reading: Reading
    version: str
    status: Status = "given"
    reader: str = ""
    when: str = ""


class ReviewSession:
    """What the page works on.

    Args:
        cases: Case folder for corrections of pictures that are in none; made on the first save.
        model: A weights file to offer besides the released ones.
        blinded: Whether readers do not see each other's work until both have signed.

    Raises:
        InputError: The model is unknown, or of another task by its card.
    """

    def __init__(self, cases: str | Path, *, model: str | None = None, blinded: bool = False) -> None:
        self.entries: dict[str, Entry] = {}
        self.target = Target(Path(cases))
        cards = {n: card for n, card in zoo.released() if card["config"].get("task", "keypoints") == "keypoints"}
        self.models: dict[str, str | None] = {name: name for name in cards}
        if any(card.get("views") for card in cards.values()):
            self.models = {BY_VIEW: None, **self.models}
        if model is not None and model not in self.models:
            weights = zoo.find(model)
            zoo.check_card(weights, KeypointCard, weights)
            self.models = {Path(model).name: str(weights), **self.models}
        self.predictions = Predictions(self.models, self.open)
        self.imported: dict[str, Reading] = {}
        self.blinded = blinded
        self.worklist = Worklist(lambda: self.entries.values(), blinded=blinded)
        self._temporary = TemporaryFolder()
        self.uploads = self._temporary.path
        self._opened: OrderedDict[str, Opened] = OrderedDict()
        self._bases: dict[tuple[str, str], Reading] = {}
        self._lock = threading.Lock()
        self._decoding = threading.Lock()

    def __enter__(self) -> ReviewSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop what runs in the background and remove what was uploaded."""
        self.predictions.cancel()
        self.worklist.stop()
        self._temporary.remove()

    def add(self, given: str | Path) -> list[Entry]:
        """Add what a path of the command line stands for.

        Raises:
            InputError: It holds nothing to show, or there is too much.
        """
        return self.add_entries(list(entries_of(Path(given))))

    def add_entries(self, entries: list[Entry]) -> list[Entry]:
        """Add entries; pictures that were saved in an earlier session know their case again."""
        if len(self.entries) + len(entries) > MOST_ENTRIES:
            raise InputError("list", f"would hold more than {MOST_ENTRIES} pictures", "give smaller folders")
        for entry in entries:
            if entry.kind != "case":
                self.target.recall(entry)
            if entry.base is not None:
                self.worklist.recall(entry.base)
            self.entries[entry.id] = entry
        return entries

    def entry(self, key: str) -> Entry:
        """The entry of an id from the browser.

        Raises:
            InputError: There is none.
        """
        try:
            return self.entries[key]
        except KeyError:
            raise InputError("this picture", "is no longer in the list", "reload the page") from None

    def slice_of(self, entry: Entry, place: int, *, keep: bool) -> Entry:
        """The entry of another slice of the same picture; it is made, or ``entry`` becomes it while it is untouched.

        Args:
            entry: What is on the page.
            place: The slice, counted from 0.
            keep: Whether points were placed on the slice shown.
        """
        for one in list(self.entries.values()):
            if one.kind == "picture" and one.path == entry.path and place in (one.slice, one.place):
                return one
        made = Entry("picture", entry.path, entry.name, slice=place)
        if entry.slice is not None and not (keep or entry.case is not None or entry.id in self.predictions.readings):
            made.id = entry.id
            with self._lock:
                self._opened.pop(entry.id, None)
        return self.add_entries([made])[0]

    def open(self, entry: Entry) -> Opened:
        """The decoded picture of an entry; the last few stay in memory.

        Raises:
            InputError: It cannot be read.
        """
        with self._lock:
            if entry.id in self._opened:
                self._opened.move_to_end(entry.id)
                return self._opened[entry.id]
        with self._decoding:  # one at a time: two large pictures at once may be too much
            found = self._opened.get(entry.id) or open_entry(entry, self.schema())
        entry.place = found.picture.slice
        with self._lock:
            self._opened[entry.id] = found
            while len(self._opened) > KEPT_OPEN:
                self._opened.popitem(last=False)
        return found

    def is_open(self, key: str) -> bool:
        """Whether a picture is in memory, so that nothing about it has to wait for a file."""
        return key in self._opened

    def known(self, entry: Entry, origin: str = "given", reader: str = "") -> Reading:
        """The reading a correction started from: ``given``, ``predicted`` or ``imported``.

        Raises:
            InputError: There is none of that origin.
        """
        if origin == "predicted":
            found = self.predictions.readings.get(entry.id)
            if found is None:
                raise InputError(entry.name, "has not been predicted", "press Predict")
            return found
        if origin == "imported":
            found = self.imported.get(entry.id)
            if found is None:
                raise InputError(entry.name, "has no imported points", "import them again")
            return found
        return self.given(entry, reader).reading

    def given(self, entry: Entry, reader: str = "") -> Given:
        """What a reader is shown of an entry before anything is changed, as the disk has it now.

        Raises:
            InputError: It cannot be read.
        """
        opened = self.open(entry)
        if not refresh(opened, entry):
            with self._lock:
                self._opened.pop(entry.id, None)
            opened = self.open(entry)
        if entry.source is None or not opened.version:
            return Given(opened.reading, "")
        base, case = entry.source.parents[3], entry.source.parents[2].name
        status, by, when = review_of(read_json(entry.source))
        if not self.blinded:
            return Given(opened.reading, opened.version, status, by, when)
        own = Readings(base).read(reader, case) if reader else None
        if own is not None:
            return Given(replace(own.reading, file=opened.reading.file), own.version, own.status, own.reader, own.when)
        if status == "given":
            return Given(opened.reading, "")
        return Given(self.before_review(entry), "")

    def base(self, entry: Entry, origin: str, reader: str) -> Reading:
        """What a reading that the page sends belongs to: its file, size, schema and frame.

        While a point moves this is asked for many times a second, so the disk is not.

        Raises:
            InputError: There is none of that origin.
        """
        if origin != "given":
            return self.known(entry, origin, reader)
        if not self.blinded:
            return self.open(entry).reading
        if (entry.id, reader) not in self._bases:
            self._bases[entry.id, reader] = self.given(entry, reader).reading
        return self._bases[entry.id, reader]

    def forget(self, entry: Entry) -> None:
        """Have the truth of an entry read from the disk again."""
        opened = self._opened.get(entry.id)
        if opened is not None:
            opened.version = ""
        for key in [key for key in self._bases if key[0] == entry.id]:
            self._bases.pop(key, None)

    def others(self, entry: Entry, reader: str) -> list[OwnReading]:
        """The other readers' readings of an entry that a reader may see."""
        if entry.base is None or entry.case is None:
            return []
        return Readings(entry.base).others(reader, entry.case, blinded=self.blinded)

    def settled(self, entry: Entry) -> bool:
        """Whether two readers have signed a case, which ends its blinding."""
        if entry.base is None or entry.case is None:
            return False
        return sum(one.status == "signed" for one in Readings(entry.base).of(entry.case)) > 1

    def is_read(self, entry: Entry) -> bool:
        """Whether any reader has saved a reading of an entry."""
        return entry.base is not None and entry.case is not None and bool(Readings(entry.base).of(entry.case))

    def may_see(self, entry: Entry, version: Version, reader: str) -> bool:
        """Whether a version of a case may be shown to a reader."""
        own = not version.reader or folder_of(version.reader) == folder_of(reader)
        return not self.blinded or own or self.settled(entry)

    def before_review(self, entry: Entry) -> Reading:
        """What a case held before anybody saved it: nothing, where the page made it."""
        opened = self.open(entry)
        history = None if entry.source is None else History(entry.source)
        if history is None or not history.source.with_name(ORIGINAL).exists():
            return replace(opened.reading, vertebrae=[], extras={}, landmarks=[], rulers=[])
        record = {**history.record(0), "file_name": opened.reading.file}
        return replace(reading_of(record), remarks=opened.reading.remarks)

    def schema(self) -> KeypointSchema:
        """Points for pictures of which nothing is known: those of the target's cases, six otherwise."""
        try:
            return CaseFolder(self.target.base).schema()
        except InputError:
            return VERTEBRA6

    def row(self, entry: Entry, reader: str = "") -> dict[str, Any]:
        """The JSON of one line of the list."""
        return self.worklist.row(entry, reader, self.predictions.readings.get(entry.id))

    def rows(self, reader: str = "") -> list[dict[str, Any]]:
        """The JSON of the list."""
        return [self.row(entry, reader) for entry in list(self.entries.values())]

    def bases(self) -> list[Path]:
        """The case folders that the list has cases in."""
        return list(dict.fromkeys(entry.base for entry in list(self.entries.values()) if entry.base is not None))

    def describe_target(self) -> str:
        """Where corrections go, in words."""
        kinds = {entry.kind for entry in self.entries.values()}
        if kinds == {"case"}:
            return "the case folder itself (every version is kept)"
        return f"{self.target.base} (the case folder to train on)"
