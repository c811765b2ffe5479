"""Release: a disc network as ``NAME.safetensors`` in half precision, and its model card with its figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spinetk import zoo
from spinetk._version import __version__
from spinetk.errors import InputError

TASKS = ("discs", "disc-points")
REQUIRED = ("licence", "use", "data", "command")
OF_THE_ROW = {"model", "network", "attention", "method"}
"""What says which row of a table it is, not how good."""


def release(
    model: str | Path,
    name: str,
    about: str | Path,
    out: str | Path,
    *,
    metrics: str | Path | None = None,
    method: str = "search",
) -> Path:
    """Write a heatmap network, or a point network, for release.

    Args:
        model: Weights of a run.
        name: Of the release, such as ``discs-t2w``.
        about: TOML with the fields of the card that only its maker knows: ``licence``, ``use``, ``data``, ``command``,
            and optionally ``failures``, ``commit``, ...
        out: Folder for ``NAME.safetensors`` and ``NAME.json``.
        metrics: ``evaluation.json`` of ``spinetk discs evaluate`` with the model; None for no figures.
        method: Whose row of the evaluation goes on the card.

    Returns:
        Path of the weights.

    Raises:
        InputError: A field of the card is missing, the model is none of discs, does not fit half precision or is larger
            than 25 MB, or the evaluation has no row of it.
    """
    card = zoo.read_about(about, REQUIRED)
    weights, trained, _ = zoo.load(model)
    config = trained["config"]
    if config.get("task") not in TASKS:
        raise InputError(model, "is not a disc model", "use weights of `spinetk discs train`")
    zoo.check_size(model, weights)
    if not all(tensor.isfinite().all() for tensor in weights.values()):
        raise InputError(model, "has weights that are no numbers", "train it again, at a lower rate")
    training = trained.get("training", {})
    card = {
        "name": name,
        "task": config["task"],
        "parameters": training.get("parameters"),
        **card,
        "metrics": {} if metrics is None else _figures(Path(metrics), called(model), method),
        "training": training,
        "spinetk": __version__,
        "config": config,
    }
    path = Path(out) / f"{name}.safetensors"
    zoo.save(path, weights, card)
    return path


def called(model: str | Path) -> str:
    """What a model is called in a table: its run's folder, as all runs name their weights alike; else its own name."""
    path = Path(model)
    folder = path.parent.name
    return folder if path.stem in ("model_final", "model_best") and folder not in ("", "..") else path.stem


def unlike(names: Sequence[str], more: Sequence[object]) -> list[str]:
    """Names of which those that are alike are told apart by what more is known of each."""
    return [name if names.count(name) == 1 else f"{name}-{own}" for name, own in zip(names, more, strict=True)]


def _figures(path: Path, model: str, method: str) -> dict[str, Any]:
    """A row of ``evaluation.json``."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = [row for row in content["rows"] if (row["model"], row["method"]) == (model, method)]
        about = f"{content['part']} part, {content['pictures']} pictures, method {method}"
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(path, "is not an evaluation of discs", "give evaluation.json of `discs evaluate`") from error
    if len(rows) != 1:
        fault = f"has {len(rows)} rows of model {model!r} by method {method!r}"
        raise InputError(path, fault, "evaluate these very weights, and give --method")
    return {"part": about} | {key: value for key, value in rows[0].items() if key not in OF_THE_ROW}
