"""The model of a node: what reads a picture, and the fingerprint of all its readings depend on."""

from __future__ import annotations

import json
from collections.abc import Callable

from spinetk._version import __version__
from spinetk.keypoints.fingerprint import weights_of
from spinetk.keypoints.reader import Reader
from spinetk.node.reading import ReadFile
from spinetk.node.settings import NodeSettings


def model_reader(settings: NodeSettings) -> tuple[ReadFile, Callable[[str | None], str]]:
    """What reads pictures by the released models or the one named, and the fingerprint of a reading's model.

    Raises:
        InputError: The model cannot be found.
    """
    reader = Reader(settings.model, settings.view, threshold=settings.threshold, device=settings.device)
    digests: dict[str | None, str] = {}

    def fingerprint(model: str | None) -> str:
        if model not in digests:
            about = {
                "spinetk": __version__,
                "weights": weights_of(settings.model or model),
                "threshold": settings.threshold,
                "view": settings.view,
            }
            digests[model] = json.dumps(about, sort_keys=True)
        return digests[model]

    return reader.read, fingerprint
