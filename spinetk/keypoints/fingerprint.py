"""Fingerprint: all that a reading depends on besides its picture."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from spinetk import zoo
from spinetk._version import __version__
from spinetk.images.picture import SliceChoice
from spinetk.keypoints.card import KeypointCard
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.reader import Reader
from spinetk.overrides import OverridesTable
from spinetk.views import View

FITTED = ("calibration", "landmarks", "naming", "counting", "fronts", "spread")
"""Fields of a card that change what is read with the same weights."""


def settings_of(
    model: Reader | Predictor | str | Path | None,
    threshold: float,
    overrides: OverridesTable,
    slice_choice: SliceChoice,
    series: str | None = None,
) -> dict[str, Any]:
    """Settings of a run as plain values; two runs with the same read the same picture alike.

    Raises:
        InputError: The model cannot be found, or is of another task by its card.
    """
    reader = model if isinstance(model, Reader) else None
    named: Any = reader.only if reader is not None else model
    said = {name: asdict(row) for name, row in overrides.rows.items()}
    return {
        "spinetk": __version__,
        "model": None if named is None else str(named) if isinstance(named, str | Path) else named.name,
        "threshold": reader.threshold if reader is not None else threshold,
        "weights": weights_of(named, None if overrides.rows else overrides.usual.view),
        "view": reader.usual.view if reader is not None else None,
        "usual": asdict(overrides.usual),
        "overrides": hashlib.sha256(repr(sorted(said.items())).encode()).hexdigest()[:16] if said else None,
        "slice": slice_choice,
        "series": series,
    }


def weights_of(model: Predictor | str | Path | None, view: View | None = None) -> dict[str, str]:
    """SHA-256 of the weights by model: of the one given, or of all that may be chosen for a view (None: any)."""
    if isinstance(model, Predictor):
        spread = None if model.spread is None else (model.spread.tolist(), sorted(model.scales.items()))
        sacral = (model.landmark_calibration, model.naming, model.fronts)
        about = repr((model.calibration, sacral, model.counting, spread, model.views, model.modalities))
        digest = hashlib.sha256(about.encode() + model.engine.fingerprint().encode())
        return {model.name: digest.hexdigest()[:16]}
    names: list[str | Path] = [] if model is None else [model]
    if model is None:
        made_for = ((name, card.get("views") or ()) for name, card in zoo.released())
        names += [name for name, views in made_for if (view in views if view else views)]
    found = {}
    for name in names:
        path = zoo.find(name)
        with open(path, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
        card = path.with_suffix(".json")
        if card.is_file():
            if model is not None:
                zoo.check_card(path, KeypointCard, path)  # another task is refused before any picture is read
            said = zoo.read_card(card)
            digest.update(repr([said.get(key) for key in FITTED]).encode())
        found[path.stem] = digest.hexdigest()[:16]
    return found
