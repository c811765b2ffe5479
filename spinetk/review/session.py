"""Review session: what one server has open: the list, the decoded pictures, where corrections go, predictions."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

from spinetk import zoo
from spinetk.cases.folder import CaseFolder
from spinetk.errors import InputError
from spinetk.reading import Reading
from spinetk.review.entry import Entry, entries_of
from spinetk.review.opened import Opened, open_entry
from spinetk.review.prediction import Predictions
from spinetk.review.saving import Target
from spinetk.schema import VERTEBRA6, KeypointSchema

KEPT_OPEN = 4
MOST_ENTRIES = 50_000
BY_VIEW = "chosen by view"


class ReviewSession:
    """What the page works on.

    Args:
        cases: Case folder for corrections of pictures that are in none; made on the first save.
        model: A weights file to offer besides the released ones.

    Raises:
        InputError: The model is unknown.
    """

    def __init__(self, cases: str | Path, *, model: str | None = None) -> None:
        self.entries: dict[str, Entry] = {}
        self.target = Target(Path(cases))
        cards = {n: card for n, card in zoo.released() if card["config"].get("task", "keypoints") == "keypoints"}
        self.models: dict[str, str | None] = {name: name for name in cards}
        if any(card.get("views") for card in cards.values()):
            self.models = {BY_VIEW: None, **self.models}
        if model is not None and model not in self.models:
            self.models = {Path(model).name: str(zoo.find(model)), **self.models}
        self.predictions = Predictions(self.models, self.open)
        self.imported: dict[str, Reading] = {}
        self.uploads = Path(tempfile.mkdtemp(prefix="spinetk-"))
        self._opened: OrderedDict[str, Opened] = OrderedDict()
        self._lock = threading.Lock()
        self._decoding = threading.Lock()

    def __enter__(self) -> ReviewSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.predictions.cancel()
        shutil.rmtree(self.uploads, ignore_errors=True)

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
        if entry.slice is not None and not (keep or entry.saved or entry.id in self.predictions.readings):
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

    def known(self, entry: Entry, origin: str = "given") -> Reading:
        """The reading a correction started from: ``given``, ``predicted``, ``imported`` or ``original``.

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
        if origin == "original":
            from spinetk.review.opened import original_of

            return original_of(entry)
        return self.open(entry).reading

    def schema(self) -> KeypointSchema:
        """Points for pictures of which nothing is known: those of the target's cases, six otherwise."""
        try:
            return CaseFolder(self.target.base).schema()
        except InputError:
            return VERTEBRA6

    def rows(self) -> list[dict[str, Any]]:
        """The JSON of the list."""
        return [entry.row(key in self.predictions.readings) for key, entry in list(self.entries.items())]

    def describe_target(self) -> str:
        """Where corrections go, in words."""
        kinds = {entry.kind for entry in self.entries.values()}
        if kinds == {"case"}:
            return "the case folder itself (the first version is kept beside as src-0.original.json)"
        return f"{self.target.base} (the case folder to train on)"
