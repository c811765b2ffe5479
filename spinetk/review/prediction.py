"""Predictions: the networks run in the background, one job at a time, and say how far they are."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from spinetk.errors import InputError
from spinetk.reading import Reading
from spinetk.views import View

if TYPE_CHECKING:
    from spinetk.review.entry import Entry
    from spinetk.review.session import ReviewSession

MOST_FAILURES = 100
BY_VIEW = "chosen by view"


class Predictions:
    """What the networks found in this session.

    Attributes:
        readings: By entry id.
    """

    def __init__(self, desk: ReviewSession) -> None:
        self.readings: dict[str, Reading] = {}
        self._desk = desk
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._state: dict[str, Any] = {"running": False, "done": 0, "total": 0, "what": "", "failures": []}
        self._loaded: tuple[str, float, Any] | None = None

    def start(self, entries: list[Entry], model: str, threshold: float, view: View = "unknown") -> None:
        """Begin to predict some entries.

        Args:
            entries: What to predict.
            model: One of those the desk offers; ``BY_VIEW`` takes the released one for what a picture shows.
            threshold: Least confidence of a vertebra.
            view: What the only entry shows, or of several those whose files do not say; ``unknown``: nobody says.

        Raises:
            InputError: The model is none of those offered, or a job is running.
        """
        if model not in self._desk.models:
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
            predictor = self._predictor(model, threshold)
            for entry in entries:
                if self._stop.is_set():
                    state["what"] = "stopped"
                    return
                state["what"] = entry.name
                self._one(entry, predictor, view, state)
                state["done"] += 1
            state["what"] = "done"
        except InputError as error:
            state["failures"].append(f"{error.fault} ({error.remedy})")
        except Exception as error:  # a thread that dies silently would leave the page waiting
            state["failures"].append(f"prediction failed ({type(error).__name__})")
        finally:
            state["running"] = False

    def _one(self, entry: Entry, predictor: Any, view: View, state: dict[str, Any]) -> None:
        from spinetk.keypoints.choice import ModelChoice

        try:
            opened = self._desk.open(entry)
            known, modality = opened.reading, opened.picture.modality
            alone = state["total"] == 1 and view != "unknown"
            view = view if alone or known.view == "unknown" else known.view
            if isinstance(predictor, ModelChoice):
                view = predictor.view_of(entry.name, view, modality)
                predictor = predictor.pick(entry.name, view, modality)
            elif view == "unknown":
                view = self._desk.made_for.get(predictor.name, view)
            found = predictor.read(opened.grey, file=known.file, frame=known.frame, view=view)
            found.remarks[:0] = opened.picture.remarks
            self.readings[entry.id] = found
        except InputError as error:
            if len(state["failures"]) < MOST_FAILURES:
                state["failures"].append(f"{entry.name}: {error.fault}")

    def _predictor(self, model: str, threshold: float) -> Any:
        from spinetk.keypoints.choice import ModelChoice
        from spinetk.keypoints.predictor import Predictor

        if self._loaded is None or self._loaded[:2] != (model, threshold):
            by_view = self._desk.models[model] == BY_VIEW
            made = ModelChoice(threshold) if by_view else Predictor.load(self._desk.models[model], threshold)
            self._loaded = (model, threshold, made)
        return self._loaded[2]
