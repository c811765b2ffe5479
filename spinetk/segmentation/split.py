"""Split: which cases a training had in which part. It lies beside the weights, and evaluation goes by it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from spinetk.atomic import write_json
from spinetk.errors import InputError

SPLIT = "split.json"


def write_split(path: Path, content: Mapping[str, Sequence[str]], weights: Iterable[str]) -> None:
    """Write the names of every part as JSON.

    Args:
        path: The file, beside the weights.
        content: Part to names.
        weights: Names of the files of weights that this training will leave there.

    Raises:
        InputError: Other weights lie there, of a training with other parts: this test part would be their training's.
    """
    others = sorted({file.name for file in path.parent.glob("*.pth")} - {*weights})
    kept = _read(path)
    if others and kept is not None and kept != content:
        fault = f"says by which parts {others[0]} was trained, and this training would have others"
        raise InputError(path, fault, "give it another folder with --out, or --resume to keep to these parts")
    write_json(path, content)


def split_beside(model: str | Path) -> Path | None:
    """The split that a run keeps beside its weights; None for a released name, and where there is none."""
    path = Path(model)
    folder = path if path.is_dir() else path.parent if path.is_file() else None
    return folder / SPLIT if folder is not None and (folder / SPLIT).is_file() else None


def said_of_training(models: Iterable[str | Path], names: Sequence[str]) -> list[str]:
    """A sentence for each model that was trained on some of these cases, by their names in the split beside it."""
    found = []
    for model in dict.fromkeys(map(str, models)):
        beside = split_beside(model)
        trained = set((_read(beside) or {}).get("train", ())) if beside is not None else set()
        if seen := sum(name in trained for name in names):
            said = (
                f"{seen} of {len(names)} cases are, by their names, among those that {Path(model).name} was trained on"
            )
            found.append(f"{said}: the figures are better than on new ones")
    return found


def _read(path: Path) -> dict[str, list[str]] | None:
    """What a split says; None where there is none, or what is there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and all(isinstance(own, list) for own in content.values()) else None
