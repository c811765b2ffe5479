"""Which model and which cases a command means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from spinetk.errors import InputError


def one_of(model: Sequence[str] | str) -> str:
    """The only model that is given; raises ``InputError`` for several."""
    names = [model] if isinstance(model, str) else list(model)
    if len(names) != 1:
        raise InputError("model", f"is given {len(names)} times", "give one for this task")
    return weights_of(names[0])


def weights_of(name: str) -> str:
    """Weights by name or path; of a folder, the only ones in it (``InputError`` unless it holds one file)."""
    path = Path(name)
    if not path.is_dir():
        return name
    inside = sorted(path.glob("*.pth"))
    if len(inside) != 1:
        raise InputError(path, f"holds {len(inside)} .pth files", "give the weights themselves")
    return str(inside[0])


def load_any(weights: str, task: str, flip: Sequence[str], threshold: float, opening: int, device: str) -> Any:
    """The predictor of a model, with its task checked.

    Args:
        weights: By name or path.
        task: What it must be for.
        flip, threshold, opening, device: As in prediction.

    Raises:
        InputError: A model of another task, or options that are not for this one.
    """
    from spinetk.segmentation.slices.lesion_trainer import load_slice_predictor
    from spinetk.segmentation.slices.picture_trainer import load_picture_predictor
    from spinetk.segmentation.slices.pictures import CleanUp

    if task == "lesion":
        if (threshold, opening) != (0.5, 0):
            raise InputError("threshold and opening", "are not for the task lesion", "leave them out")
        return load_slice_predictor(weights, device, flip)
    predictor, of = load_picture_predictor(weights, device, CleanUp(threshold, opening), flip)
    if of != task:
        raise InputError(weights, f"is of the task {of}", f"give --task {of}")
    return predictor


def choose_cases(cases: Sequence[Any], weights: str, part: str, split: str | Path | None) -> list[Any]:
    """The cases of a part: of ``split``, of the split beside the weights, or of the data set's own parts.

    Raises:
        InputError: The part is unknown or empty.
    """
    from spinetk.segmentation.data.case import PARTS
    from spinetk.segmentation.data.parts import load_part
    from spinetk.segmentation.split import split_beside

    if part == "all":
        return list(cases)
    if part not in PARTS:
        raise InputError(f"part {part!r}", "is unknown", f"use {', '.join(PARTS)} or all")
    kept = split or split_beside(weights)
    if kept is not None:
        chosen = load_part(kept, part, cases)
    elif any(case.part for case in cases):
        chosen = [case for case in cases if case.part == part]
    else:
        typer.echo("spinetk: no split is known, all cases are evaluated", err=True)
        chosen = list(cases)
    if not chosen:
        raise InputError(f"part {part}", "has no case", "choose another with --part")
    return chosen
