"""What ``spinetk segment`` does for the tasks of slices and pictures: lesion, gland, vessel, skin, cells."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from spinetk.errors import InputError
from spinetk.exits import leave
from spinetk.options import warn
from spinetk.segmentation.slices.models import choose_cases, load_any, one_of, weights_of

if TYPE_CHECKING:
    from spinetk.batch.pools import Pool


def train(
    source: str | Path,
    out: str | Path,
    *,
    task: str,
    network: str | None = None,
    layout: str | None = None,
    contrast: str | None = None,
    train_list: str | Path | None = None,
    val_list: str | Path | None = None,
    test_list: str | Path | None = None,
    iterations: int | None = None,
    max_epochs: int | None = None,
    resume: bool = False,
    loss: str | None = None,
    batch: int | None = None,
    rate: float | None = None,
    channels: int | None = None,
    positive_rate: float | None = None,
    size: int | Sequence[int] | None = None,
    crop: int | Sequence[int] | None = None,
    start: str | None = None,
    check_every: int | None = None,
    seed: int = 0,
    workers: int = 0,
    device: str = "auto",
    precision: str = "auto",
    progress: bool = True,
) -> Path:
    """Train a network on the training part of a data set; ``out/split.json`` says who was in which part.

    Args:
        source: Root of the data set.
        out: Folder of the run.
        task: ``lesion`` (volumes), ``gland``, ``vessel``, ``skin`` or ``cells`` (pictures).
        network: Registered name; None for the task's own.
        layout: Of :data:`spinetk.segmentation.data.layouts.FINDERS`; None finds it out.
        contrast: Which images, where each patient has several.
        train_list, val_list, test_list: Text files of names, one a line.
        iterations: In total; by default 5000.
        max_epochs: In place of iterations: passes over the cases.
        resume: Go on from the newest checkpoint.
        loss, batch, rate: Override the network's recipe.
        channels, positive_rate: Volumes: neighbouring slices the network sees, share of drawn slices with a lesion.
        size, crop: Pictures: sides they are resized to, sides of random training crops; H or [H, W].
        start: Pictures: weights to start from.
        check_every: Iterations between validations.
        seed: Of everything random, the split included.
        workers, device, precision, progress: As in :func:`spinetk.training.fit.fit`.

    Raises:
        InputError: Data, names or options that cannot be used.
    """
    from spinetk.segmentation.data.case import PARTS
    from spinetk.segmentation.data.layouts import find_cases
    from spinetk.segmentation.data.parts import deal, load_part, save_parts
    from spinetk.segmentation.slices.lesion_trainer import train_slices
    from spinetk.segmentation.slices.picture_trainer import train_pictures

    _check_options(task, channels=channels, positive_rate=positive_rate, size=size, crop=crop, start=start)
    _, found = find_cases(source, task, layout, contrast)
    _say_left_out(found.unlabelled)
    lists = {"train": train_list, "val": val_list, "test": test_list}
    named, split = {part: path for part, path in lists.items() if path is not None}, Path(out) / "split.json"
    if resume and split.is_file() and not named:
        parts = {part: load_part(split, part, found.cases) for part in PARTS}
    else:
        parts = deal(found.cases, named, seed)
    save_parts(split, parts)
    typer.echo(", ".join(f"{len(chosen)} {part}" for part, chosen in parts.items()))
    if max_epochs is not None:
        if iterations is not None:
            raise InputError("iterations and epochs", "are both given", "give one of them")
        iterations = max_epochs * -(-len(parts["train"]) // (batch or _batch_of(task, network)))
    options: dict[str, Any] = {
        "network": network, "loss": loss, "batch": batch, "rate": rate, "iterations": iterations,
        "check_every": check_every, "seed": seed, "workers": workers, "device": device, "precision": precision,
        "progress": progress, "channels": channels, "positive_rate": positive_rate, "size": _sides(size, "size"),
        "crop": _sides(crop, "crop"), "start": start,
    }  # fmt: skip
    # What is not given is left to the trainer, which knows what a run that goes on was begun with.
    given = {name: value for name, value in options.items() if value is not None}
    if task == "lesion":
        weights = train_slices(parts["train"], parts["val"], out, resume=resume, **given)
    else:
        weights = train_pictures(parts["train"], parts["val"], out, task=task, resume=resume, **given)
    typer.echo(str(weights))
    return weights


def predict(
    inputs: Sequence[str | Path],
    out: str | Path,
    *,
    task: str,
    model: Sequence[str],
    flip: Sequence[str] = (),
    pictures: bool = False,
    threshold: float = 0.5,
    opening: int = 0,
    device: str = "auto",
    lists: Sequence[Path] = (),
    pool: Pool | None = None,
    again: bool = False,
) -> dict[str, Any]:
    """Masks of volumes in their format and geometry, of pictures as PNG of their size.

    Args:
        inputs: Files and folders.
        out: Folder of the results.
        task: What the model is for.
        model: Weights, one.
        flip: Axes whose flipped copies are averaged too.
        pictures: Also draw outlines.
        threshold, opening: Pictures: probability from which a pixel counts, side of the opening that cleans up
            (TMUnet as published: 0.43 and 6).
        device: Where the network runs.
        lists, pool, again: As of :func:`spinetk.segmentation.slices.batch.predict_files`.

    Raises:
        InputError: A model that does not fit. Inputs that do not are reported, and the rest is done.
        typer.Exit: With 3 when an input failed, 2 when all did.
    """
    from spinetk.segmentation.slices.batch import SliceMaker, predict_files

    maker = SliceMaker(one_of(model), task, tuple(flip), threshold, opening, device, pictures)
    run = predict_files(maker, inputs, out, lists=lists, pool=pool, again=again)
    warn([f"{entry['file']}: {remark}" for entry in run["written"] for remark in entry["remarks"]])
    warn([failure["why"] for failure in run["failed"]])
    typer.echo(f"{len(run['written'])} masks in {out}, {len(run['failed'])} failed")
    leave(len(run["written"]), len(run["failed"]))
    return run


def evaluate(
    source: str | Path,
    out: str | Path,
    *,
    task: str,
    model: Sequence[str],
    part: str = "test",
    split: str | Path | None = None,
    layout: str | None = None,
    contrast: str | None = None,
    flip: Sequence[str] = (),
    pictures: bool = True,
    small_px: int = 100,
    lesion_rule: str = "touch",
    threshold: float = 0.5,
    opening: int = 0,
    device: str = "auto",
    as_json: bool = False,
) -> list[dict[str, Any]]:
    """Masks against the truth, and a picture of every case.

    Writes ``cases.csv``, ``scores.json`` and ``pictures/<case>.png``, of several models into a folder each.

    Args:
        source: Root of the data set.
        out: Folder of the results.
        task: What the models are for.
        model: Weights, or folders of runs.
        part: ``train``, ``val`` or ``test`` of the split, or ``all``.
        split: ``split.json`` of the training; None looks beside the weights and, without one, takes the data set's own
            parts, or all cases where it has none.
        layout, contrast: As in training.
        flip, threshold, opening, device: As in prediction.
        pictures: Draw outlines of truth and prediction for every case.
        small_px: Volumes: slices whose lesions all have at most so many pixels are scored apart, too.
        lesion_rule: What makes a lesion found, for the figures of lesions: ``touch``, ``cover:SHARE`` or ``iou:LEAST``
            (:mod:`spinetk.segmentation.lesion_rule`).
        as_json: Print JSON instead of a table.

    Returns:
        The content of each ``scores.json``: ``mean``, ``sd``, ``pooled``; ``small_lesions`` for volumes; for skin
        ``legacy_double_truth`` with the two ground truths of the published code.

    Raises:
        InputError: A model, part or data set that cannot be used, or no case that could be read.
    """
    from spinetk.atomic import write_json
    from spinetk.segmentation.data.layouts import find_cases
    from spinetk.segmentation.evaluation import table
    from spinetk.segmentation.lesion_rule import LesionRule
    from spinetk.segmentation.slices.scores import render, score, small_rows

    rule = LesionRule.of(lesion_rule)
    names = [weights_of(one) for one in ([model] if isinstance(model, str) else model)]
    _, found = find_cases(source, task, layout, contrast)
    _say_left_out(found.unlabelled)
    scores, rows = [], []
    for number, weights in enumerate(names):
        predictor = load_any(weights, task, flip, threshold, opening, device)
        chosen = choose_cases(found.cases, weights, part, split)
        folder = Path(out) if len(names) == 1 else Path(out) / f"{number + 1}-{Path(weights).stem}"
        content, result = score(predictor, chosen, folder, task, pictures, small_px, rule)
        scores.append({"model": Path(weights).name, "part": part, **content})
        write_json(folder / "scores.json", scores[-1])
        rows.append((Path(weights).stem, result))
    if as_json:
        typer.echo(json.dumps(scores, indent=1, allow_nan=False))
    else:
        typer.echo(render(scores[0]) if len(scores) == 1 else table(rows) + small_rows(scores))
    return scores


def phantom(cases: int, out: str | Path, *, task: str, seed: int = 0) -> list[str]:
    """Synthetic cases with exact truth: brains with lesions as BIDS, skin and glands as pairs of pictures.

    Raises:
        InputError: A task that has no phantoms.
    """
    from spinetk.phantoms.mask_set import KINDS, write_mask_set

    if task not in KINDS:
        raise InputError(f"task {task}", "has no phantoms", f"choose {', '.join(KINDS)}")
    names = write_mask_set(out, task, cases, seed=seed)
    typer.echo(f"{len(names)} cases in {out}")
    return names


def _check_options(task: str, **options: Any) -> None:
    of_volumes = ("channels", "positive_rate")
    for name, value in options.items():
        if value is not None and (name in of_volumes) != (task == "lesion"):
            raise InputError(f"option {name}", f"is not for the task {task}", "leave it out")


def _say_left_out(paths: Sequence[Path]) -> None:
    if paths:
        typer.echo(f"spinetk: {len(paths)} images have no mask and are left out, {paths[0].name} first", err=True)


def _sides(given: int | Sequence[int] | None, name: str) -> tuple[int, int] | None:
    if given is None:
        return None
    values = [given, given] if isinstance(given, int) else list(given)
    if len(values) != 2 or not all(isinstance(n, int) and n > 0 for n in values):
        raise InputError(f"{name} {given}", "is not one or two sides in px", f"for example --set {name}=256")
    return values[0], values[1]


def _batch_of(task: str, network: str | None) -> int:
    from spinetk.segmentation.registry import get_entry
    from spinetk.segmentation.slices.picture_trainer import TASKS

    return get_entry(network or ("spin" if task == "lesion" else TASKS[task][0])).optimiser.batch
