"""The model of a node: what reads a picture, and the fingerprint of all its readings depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from spinetk import zoo
from spinetk._version import __version__
from spinetk.keypoints.batch import read_one
from spinetk.keypoints.choice import ModelChoice
from spinetk.keypoints.predictor import Predictor
from spinetk.node.reading import ReadFile
from spinetk.node.settings import NodeSettings
from spinetk.reading import Reading


def model_reader(settings: NodeSettings) -> tuple[ReadFile, Callable[[str | None], str]]:
    """What reads pictures by the released models or the one named, and the fingerprint of a reading's model.

    Raises:
        InputError: The model cannot be found.
    """
    named = settings.model
    predictor: Predictor | ModelChoice
    if named is None:
        predictor = ModelChoice(settings.threshold, settings.device, settings.view)
    else:
        predictor = Predictor.load(named, settings.threshold, settings.device)
    digests: dict[str | None, str] = {}
    everyone = [zoo.find(named)] if named else [zoo.find(name) for name, card in zoo.released() if card.get("views")]

    def read(path: Path) -> tuple[Reading, np.ndarray]:
        return read_one(predictor, path)

    def fingerprint(model: str | None) -> str:
        if model not in digests:
            weights = everyone if named or model is None else [zoo.find(model)]
            about = {
                "spinetk": __version__,
                "weights": [_digest(path) for path in weights],
                "threshold": settings.threshold,
                "view": settings.view,
            }
            digests[model] = json.dumps(about, sort_keys=True)
        return digests[model]

    return read, fingerprint


def _digest(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
