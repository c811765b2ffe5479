"""What ``spinetk segment`` does for the tasks of slices and pictures: lesion, gland, vessel, skin, cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from spinetk.errors import InputError
from spinetk.options import show, warn
from spinetk.segmentation.options import Evaluation, Prediction, of, say_done, split_seed
from spinetk.segmentation.slices.models import choose_cases, load_any, one_of, weights_of
from spinetk.segmentation.split import SPLIT, said_of_training
from spinetk.training.options import say_once

if TYPE_CHECKING:
    from spinetk.segmentation.data.case import Found, Part, PictureCase, VolumeCase


IN_PIECES = ("atlas-1", "segpc")
"""Layouts with a mask for every lesion or cell."""


@dataclass(frozen=True)
class SliceTraining:
    """What the verb ``train`` is told beside the settings of the trainer.

    Attributes:
        layout: Of :data:`spinetk.segmentation.data.layouts.FINDERS`; None finds it out.
        contrast: Which images, where each patient has several.
        train_list, val_list, test_list: Text files of names, one a line.
        epochs: In place of iterations: passes over the cases.
        seed: Of everything random, the split included.
        resume: Go on from the newest checkpoint.
        advice: What is asked of Lightning's finders, ``rate`` or ``batch``; nothing is trained then.
    """

    layout: str | None = None
    contrast: str | None = None
    train_list: str | Path | None = None
    val_list: str | Path | None = None
    test_list: str | Path | None = None
    epochs: int | None = None
    seed: int | None = None
    resume: bool = False
    advice: Sequence[str] = ()


def train(source: str | Path, out: str | Path, *, task: str, **options: Any) -> Path | None:
    """Train a network on the training part of a data set; ``out/split.json`` says who was in which part.

    Args:
        source: Root of the data set.
        out: Folder of the run.
        task: ``lesion`` (volumes), ``gland``, ``vessel``, ``skin`` or ``cells`` (pictures).
        **options: Fields of :class:`SliceTraining`; others are settings of
            :class:`spinetk.segmentation.slices.lesion_trainer.SliceSettings` or
            :class:`spinetk.segmentation.slices.picture_trainer.PictureSettings`, ``config`` among them. ``size`` and
            ``crop`` may be one side or [H, W].

    Returns:
        The file of the weights; None where advice was asked for.

    Raises:
        InputError: Data, names or options that cannot be used.
    """
    from spinetk.segmentation.data.case import PARTS
    from spinetk.segmentation.data.layouts import find_cases
    from spinetk.segmentation.data.parts import deal, load_part, save_parts
    from spinetk.segmentation.slices.lesion_trainer import SliceSettings, ready_slices
    from spinetk.segmentation.slices.picture_trainer import PictureSettings, ready_pictures

    own = {f.name for f in fields(SliceTraining)}
    told = SliceTraining(**{name: value for name, value in options.items() if name in own})
    # What is not given is left to the trainer, which knows what a run that goes on was begun with.
    settings = {name: value for name, value in options.items() if value is not None and name not in own - {"seed"}}
    _check_options(task, settings)
    for name in ("size", "crop"):
        if name in settings:
            settings[name] = _sides(settings[name], name)
    # Judged before the cases are looked for.
    judged = {name: value for name, value in settings.items() if name != "config"}
    if task == "lesion":
        SliceSettings.of(settings.get("config"), **judged)
    else:
        PictureSettings.of(settings.get("config"), task=task, **judged)
    layout, found = find_cases(source, task, told.layout, told.contrast)
    _say_found(layout, found)
    lists: dict[Part, str | Path | None] = {"train": told.train_list, "val": told.val_list, "test": told.test_list}
    named, split = {part: path for part, path in lists.items() if path is not None}, Path(out) / SPLIT
    if told.resume and split.is_file() and not named:
        parts = {part: load_part(split, part, found.cases) for part in PARTS}
    else:
        parts = deal(found.cases, named, split_seed(told.seed, settings))
    typer.echo(", ".join(f"{len(chosen)} {part}" for part, chosen in parts.items()))
    if told.epochs is not None:
        if "iterations" in settings:
            raise InputError("iterations and epochs", "are both given", "give one of them")
        batch = settings.get("batch") or _batch_of(task, settings.get("network"))
        settings["iterations"] = told.epochs * -(-len(parts["train"]) // batch)
    settings = {"resume": told.resume, "config": None, **settings}
    if task == "lesion":
        volumes = cast("dict[Part, list[VolumeCase]]", parts)
        ready = ready_slices(volumes["train"], volumes["val"], out, **settings)
    else:
        pictures = cast("dict[Part, list[PictureCase]]", parts)
        ready = ready_pictures(pictures["train"], pictures["val"], out, task=task, **settings)
    save_parts(split, parts, ready.weights)  # of a run whose settings and cases can be used
    for what in told.advice:
        typer.echo(str(ready.advise(what)))
    if told.advice:
        return None
    weights = ready.train()
    say_once(str(weights))
    return weights


@dataclass(frozen=True)
class SlicePrediction(Prediction):
    """Beside what every task takes.

    Attributes:
        threshold, opening: Pictures: probability from which a pixel counts, side of the opening that cleans up
            (TMUnet as published: 0.43 and 6).
    """

    threshold: float = 0.5
    opening: int = 0


def predict(
    inputs: Sequence[str | Path], out: str | Path, *, task: str, model: Sequence[str], **options: Any
) -> dict[str, Any]:
    """Masks of volumes in their format and geometry, of pictures as PNG of their size.

    Args:
        inputs: Files and folders.
        out: Folder of the results.
        task: What the model is for.
        model: Weights, one.
        **options: Fields of :class:`SlicePrediction`.

    Returns:
        What ``out/run.json`` holds.

    Raises:
        InputError: A model that does not fit. Inputs that do not are reported, and the rest is done.
        typer.Exit: With 3 when an input failed, 2 when all did.
    """
    from spinetk.segmentation.slices.batch import SliceMaker, predict_files

    told = of(SlicePrediction, options)
    maker = SliceMaker(one_of(model), task, tuple(told.flip), told.threshold, told.opening, told.device, told.pictures)
    run = predict_files(maker, inputs, out, lists=told.lists, pool=told.pool, again=told.again, aet=told.aet)
    say_done(run, Path(out), (), told.as_json)
    return run


@dataclass(frozen=True)
class SliceEvaluation(Evaluation):
    """Beside what every task takes.

    Attributes:
        layout, contrast: As of :class:`SliceTraining`.
        small_px: Volumes: slices whose lesions all have at most so many pixels are scored apart, too.
        lesion_rule: What makes a lesion found, for the figures of lesions: ``touch``, ``cover:SHARE`` or ``iou:LEAST``
            (:mod:`spinetk.segmentation.lesion_rule`).
        threshold, opening: As of :class:`SlicePrediction`.
    """

    layout: str | None = None
    contrast: str | None = None
    small_px: int = 100
    lesion_rule: str = "touch"
    threshold: float = 0.5
    opening: int = 0


def evaluate(
    source: str | Path, out: str | Path, *, task: str, model: Sequence[str], **options: Any
) -> list[dict[str, Any]]:
    """Masks against the truth, and a picture of every case.

    Writes ``cases.csv``, ``scores.json`` and ``pictures/<case>.png``, of several models into a folder each.

    Args:
        source: Root of the data set.
        out: Folder of the results.
        task: What the models are for.
        model: Weights, or folders of runs.
        **options: Fields of :class:`SliceEvaluation`. Without a split beside the weights or given, the data set's own
            parts are taken, or all cases where it has none.

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

    told = of(SliceEvaluation, {"pictures": True, **options})
    rule = LesionRule.of(told.lesion_rule)
    names = [weights_of(one) for one in ([model] if isinstance(model, str) else model)]
    layout, found = find_cases(source, task, told.layout, told.contrast)
    _say_found(layout, found)
    scores, rows, scored = [], [], set()
    for number, weights in enumerate(names):
        predictor = load_any(weights, task, told.flip, told.threshold, told.opening, told.device)
        chosen = choose_cases(found.cases, weights, told.part, told.split)
        own = [case.name for case in chosen]
        warn(said_of_training([weights], own))
        scored.add(tuple(sorted(own)))
        folder = Path(out) if len(names) == 1 else Path(out) / f"{number + 1}-{Path(weights).stem}"
        content, result = score(predictor, chosen, folder, task, told.pictures, told.small_px, rule)
        scores.append({"model": Path(weights).name, "part": told.part, **content})
        write_json(folder / "scores.json", scores[-1])
        rows.append((Path(weights).stem, result))
    if len(scored) > 1:
        warn(["the models are scored on different cases, each by its own split: --split FILE takes one for all"])
    if told.as_json:
        show(scores)
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


def _check_options(task: str, settings: dict[str, Any]) -> None:
    of_pictures, of_volumes = ("size", "crop", "start"), ("channels", "positive_rate")
    for name in of_pictures if task == "lesion" else of_volumes:
        if name in settings:
            raise InputError(f"option {name}", f"is not for the task {task}", "leave it out")


def _say_found(layout: str, found: Found) -> None:
    lines = []
    if paths := found.unlabelled:
        lines.append(f"{len(paths)} images have no mask and are left out, {paths[0].name} first")
    if layout not in IN_PIECES and (joined := found.joined):
        first = ", ".join(path.name for path in joined[0].masks)
        lines.append(
            f"{len(joined)} cases have several masks, which are joined (readings of several raters, too): {first}"
        )
    warn(lines)


def _sides(given: int | Sequence[int], name: str) -> tuple[int, int]:
    values = [given, given] if isinstance(given, int) else list(given)
    if len(values) != 2 or not all(isinstance(n, int) and n > 0 for n in values):
        raise InputError(f"{name} {given}", "is not one or two sides in px", f"for example --set {name}=256")
    return values[0], values[1]


def _batch_of(task: str, network: str | None) -> int:
    from spinetk.segmentation.registry import get_entry
    from spinetk.segmentation.slices.picture_trainer import TASKS

    return get_entry(network or ("spin" if task == "lesion" else TASKS[task][0])).optimiser.batch
