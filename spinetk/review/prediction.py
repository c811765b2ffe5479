"""Predictions: the networks run in the background, one job at a time, and say how far they are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spinetk.errors import InputError
from spinetk.overrides import Overrides
from spinetk.reading import Reading
from spinetk.review.entry import Entry
from spinetk.review.faults import line
from spinetk.review.opened import Opened
from spinetk.views import View, rules_of

if TYPE_CHECKING:
    from spinetk.keypoints.reader import Reader

MOST_FAILURES = 100


class Predictions:
    """What the networks found in this session.

    Args:
        models: What is offered, by the name on the page: weights, or None for the released one each picture calls for.
        open_entry: Decodes an entry.

    Attributes:
        readings: By entry id.
    """

    def __init__(self, models: Mapping[str, str | None], open_entry: Callable[[Entry], Opened]) -> None:
        self.readings: dict[str, Reading] = {}
        self._models = models
        self._open = open_entry
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._state: dict[str, Any] = {"running": False, "done": 0, "total": 0, "what": "", "failures": []}
        self._loaded: tuple[str, float, Reader] | None = None

    def start(self, entries: list[Entry], model: str, threshold: float, view: View = "unknown") -> None:
        """Begin to predict some entries.

        Args:
            entries: What to predict.
            model: One of those offered.
            threshold: Least confidence of a vertebra.
            view: What the only entry shows, or of several those whose files do not say; ``unknown``: nobody says.

        Raises:
            InputError: The model is none of those offered, or a job is running.
        """
        if model not in self._models:
            raise InputError(f"model {model!r}", "is not one of those offered", "choose one from the list")
        with self._lock:
            if self._state["running"]:
                raise InputError("prediction", "is running already", "wait for it or stop it")
            self._stop.clear()
            state = {"running": True, "done": 0, "total": len(entries), "what": "loading the model", "failures": []}
            self._state = state
            work = (entries, model, threshold, view, state)
            self._thread = threading.Thread(target=self._run, args=work, daemon=True)
            self._thread.start()

    def cancel(self) -> None:
        """Stop after the picture that is being read."""
        self._stop.set()

    def state(self) -> dict[str, Any]:
        """``running``, ``done`` of ``total`` pictures, ``what`` is going on, and one line for each ``failures``."""
        return {**self._state, "failures": list(self._state["failures"])}

    def _run(self, entries: list[Entry], model: str, threshold: float, view: View, state: dict[str, Any]) -> None:
        try:
            reader = self._reader(model, threshold)
            for entry in entries:
                if self._stop.is_set():
                    state["what"] = "stopped"
                    return
                state["what"] = entry.name
                self._one(entry, reader, view, state)
                state["done"] += 1
            state["what"] = "done"
        except InputError as error:
            state["failures"].append(line(error))
        except Exception as error:  # a thread that dies silently would leave the page waiting
            state["failures"].append(f"prediction failed ({type(error).__name__})")
        finally:
            state["running"] = False

    def _one(self, entry: Entry, reader: Reader, view: View, state: dict[str, Any]) -> None:
        try:
            opened = self._open(entry)
            known = opened.reading
            picture = replace(opened.picture, frame=known.frame, view=known.view)
            told = rules_of(view).offered and (state["total"] == 1 or not rules_of(known.view).offered)
            overrides = Overrides(view=view if told else None)
            self.readings[entry.id], _ = reader.read_picture(picture, known.file, overrides, opened.grey)
        except InputError as error:
            if len(state["failures"]) < MOST_FAILURES:
                state["failures"].append(f"{entry.title}: {line(error)}")

    def _reader(self, model: str, threshold: float) -> Reader:
        from spinetk.keypoints.reader import Reader

        if self._loaded is None or self._loaded[:2] != (model, threshold):
            self._loaded = (model, threshold, Reader(self._models[model], threshold=threshold))
        return self._loaded[2]
