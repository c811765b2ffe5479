"""Manifest: what a run was told and what it read, beside its results."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from spinetk._version import __version__
from spinetk.batch.run import Run

ENGINES = ("torch", "torchvision", "openvino", "onnxruntime")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def manifest(model: Any, device: str, run: Run) -> dict[str, Any]:
    """JSON content: versions, model and settings, every input, what failed and why.

    Args:
        model: Its name is told; a name itself otherwise.
        device: Where the model is not one that knows its own.
        run: With the journal of what was read.
    """
    settings = run.readers[run.reader]
    everything = list(run.everything())
    used = {entry.reader for _, entry in everything}
    return {
        "spinetk": __version__,
        "python": platform.python_version(),
        **{name: found for name in ENGINES if (found := _version(name))},
        "model": getattr(model, "name", None) or str(model),
        "threshold": settings["threshold"],
        "device": str(getattr(model, "device", None) or device),
        "inputs": [source for source, _ in everything],
        "seconds": {entry.stem: entry.seconds for _, entry in everything if entry.state == "done"},
        "failed": [{"input": source, "why": entry.why} for source, entry in everything if entry.state != "done"],
        # More than one where several runs share the folder: which result is whose says the journal.
        "runs": {name: known for name, known in sorted(run.readers.items()) if name in used},
        "note": "For research use. Not a medical device.",
    }
