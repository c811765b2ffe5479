"""``spinetk segment VERB``: the command line of this room. Heavy libraries are imported inside the verbs.

Options of the original programs are understood with ``_`` and with ``-``: ``--num_layers`` is ``--num-layers``. What is
not given is left to the task's own default.
"""

from __future__ import annotations

import inspect
import json
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from spinetk.batch.options import (
    Inputs,
    Job,
    Lists,
    Pbs,
    PoolWorkers,
    Resume,
    Scheduler,
    Slurm,
    given_inputs,
    pool_of,
)
from spinetk.errors import InputError
from spinetk.options import AsJson, Out, verbs

app = verbs(
    help="Segment volumes and pictures: left atrium, brain lesions, glands, vessels, skin, cells.",
    context_settings={"token_normalize_func": lambda name: name.replace("_", "-").lower()},
)


LOSSES = {"focalloss": "focal", "hybridloss": "hybrid"}
"""What the original calls them, in small letters; Dice is ours too."""


class Task(StrEnum):
    """What is segmented."""

    ATRIUM = "atrium"
    LESION = "lesion"
    GLAND = "gland"
    VESSEL = "vessel"
    SKIN = "skin"
    CELLS = "cells"


RELEASED = {Task.ATRIUM: "atrium-vnet"}  # models that come with spinetk


class Stage(StrEnum):
    """Which network of the atrium is trained."""

    BOTH = "both"
    LOCATOR = "locator"
    SEGMENTER = "segmenter"


class How(StrEnum):
    """Where the segmenter looks."""

    LOCATE = "locate"
    SLIDE = "slide"


class Axis(StrEnum):
    """Axis of a slice."""

    ROWS = "rows"
    COLUMNS = "columns"


class Schedule(StrEnum):
    """How the weights of the hybrid loss move."""

    FALLING = "falling"
    THRESHOLD_DICE = "threshold-dice"
    CONSTANT = "constant"
    INCREASE = "increase"
    REBALANCE = "rebalance"


class EvaluatedPart(StrEnum):
    """Cases that are evaluated."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
    ALL = "all"


TaskOption = Annotated[Task, typer.Option(help="What is segmented.")]
MODEL = "Weights by released name or path, or the folder of a run; "
Averaged = Annotated[
    list[str] | None,
    typer.Option("--model", "--segmentor-path", help=MODEL + "several are averaged. Atrium: atrium-vnet by default."),
]
Compared = Annotated[list[str], typer.Option("--model", help=MODEL + "a row each; A,B averages two.")]
LocatorModel = Annotated[
    str | None, typer.Option("--locator", "--locator-path", help="Weights of the locator, if not with the model.")
]
Flip = Annotated[list[Axis] | None, typer.Option(help="Average over a copy flipped along this axis too; repeatable.")]
Where = Annotated[How, typer.Option(help="Atrium: a crop that the locator finds, or a sliding window.")]
Extra = Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE: an option of the task that has no flag.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]


@app.command()
def train(
    source: Annotated[Path, typer.Argument(help="Folder of the cases; for the atrium with raw/ and label/.")],
    task: TaskOption = Task.ATRIUM,
    out: Out = Path("output/segment"),
    network: Annotated[str | None, typer.Option(help="Name of a network, see `spinetk models`.")] = None,
    stage: Annotated[Stage | None, typer.Option(help="Atrium: which network; both by default.")] = None,
    iterations: Annotated[int | None, typer.Option(min=1, help="In total, earlier starts included.")] = None,
    max_epochs: Annotated[
        int | None, typer.Option(min=1, help="In place of iterations: passes over the cases.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume/--no-resume", help="Go on from the newest checkpoint.")] = False,
    loss: Annotated[
        str | None,
        typer.Option("--loss-criterion", "--loss", help="Dice, FocalLoss, HybridLoss, or a name of spinetk's losses."),
    ] = None,
    schedule: Annotated[Schedule | None, typer.Option(help="Of the hybrid loss; falling by default.")] = None,
    batch: Annotated[int | None, typer.Option("--batch-size", "--batch", min=1, help="Cases an iteration.")] = None,
    rate: Annotated[float | None, typer.Option("--learning-rate", "--rate", help="Learning rate.")] = None,
    reduce: Annotated[float | None, typer.Option(help="Factor of the rate when validation gets no better.")] = None,
    patience: Annotated[int | None, typer.Option(min=0, help="Validations to wait before that.")] = None,
    num_layers: Annotated[int | None, typer.Option(min=1, help="V-Net: convolutions of the outer blocks.")] = None,
    dilation: Annotated[int | None, typer.Option(min=1, help="V-Net: of the convolutions of the encoder.")] = None,
    attention: Annotated[
        bool | None,
        typer.Option(
            "--attention-module/--no-attention-module",
            "--attention/--no-attention",
            help="V-Net: attention in the encoder.",
        ),
    ] = None,
    attention_reduction: Annotated[
        int | None, typer.Option(min=1, help="V-Net: channels inside the attention.")
    ] = None,
    attention_dilation: Annotated[int | None, typer.Option(min=1, help="V-Net: dilation inside the attention.")] = None,
    locator_network: Annotated[str | None, typer.Option(help="Atrium: network of the locator.")] = None,
    locator_iterations: Annotated[int | None, typer.Option(min=1, help="Atrium: of the locator.")] = None,
    locator_batch: Annotated[
        int | None, typer.Option("--locator-batch-size", "--locator-batch", min=1, help="Atrium: of the locator.")
    ] = None,
    locator_rate: Annotated[
        float | None, typer.Option("--locator-learning-rate", "--locator-rate", help="Atrium: of the locator.")
    ] = None,
    grid_mm: Annotated[
        str | None, typer.Option("--grid", help="Atrium: spacing to work at, MM or SLICE,ROW,COLUMN; that of the data.")
    ] = None,
    margin_mm: Annotated[
        float | None, typer.Option("--margin", min=0, help="Atrium: mm around the locator's find.")
    ] = None,
    channels: Annotated[int | None, typer.Option(min=1, help="Slices: neighbouring slices the network sees.")] = None,
    positive_rate: Annotated[float | None, typer.Option(min=0, max=1, help="Slices: share with a lesion.")] = None,
    check_every: Annotated[int | None, typer.Option(min=1, help="Iterations between validations.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random, the split included.")] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes that prepare data.")] = 0,
    device: Device = "auto",
    precision: Annotated[str, typer.Option(help="auto, 32-true, bf16-mixed, ...")] = "auto",
    more: Extra = None,
) -> None:
    """Train; the atrium's locator and segmenter one after the other."""
    _call(
        task, "train", source, out, more, network=network, stage=stage, iterations=iterations, max_epochs=max_epochs,
        resume=resume, loss=_loss(loss), schedule=schedule, batch=batch, rate=rate, reduce=reduce, patience=patience,
        num_layers=num_layers, dilation=dilation, attention=attention, attention_reduction=attention_reduction,
        attention_dilation=attention_dilation, locator_network=locator_network, locator_iterations=locator_iterations,
        locator_batch=locator_batch, locator_rate=locator_rate, grid_mm=grid_mm, margin_mm=margin_mm,
        channels=channels, positive_rate=positive_rate, check_every=check_every, seed=seed, workers=workers,
        device=device, precision=precision,
    )  # fmt: skip


@app.command()
def predict(
    inputs: Inputs = None,
    model: Averaged = None,
    task: TaskOption = Task.ATRIUM,
    out: Annotated[Path, typer.Option("--out", "-o", "--output-dir", help="Folder for the results.")] = Path(
        "output/segment/predict"
    ),
    locator: LocatorModel = None,
    how: Where = How.LOCATE,
    flip: Flip = None,
    pictures: Annotated[bool, typer.Option("--pictures/--no-pictures", help="Also draw contours on slices.")] = False,
    surface: Annotated[
        bool, typer.Option("--surface/--no-surface", help="Atrium: also a turning surface (GIF).")
    ] = False,
    lists: Lists = None,
    resume: Resume = True,
    workers: PoolWorkers = None,
    scheduler: Scheduler = None,
    slurm: Slurm = False,
    pbs: Pbs = False,
    job: Job = None,
    device: Device = "auto",
    more: Extra = None,
) -> None:
    """Masks in the format and geometry of each input; run again, it does what is missing.

    Inputs are volumes, pictures, DICOM series, or folders of them.
    """
    asked = given_inputs(inputs, lists)
    if not model:
        if task not in RELEASED:
            raise InputError(f"task {task.value}", "has no released model", "train one and give it with --model")
        model = [RELEASED[task]]
    with pool_of(workers, scheduler, slurm, pbs, job, device) as pool:
        _call(
            task, "predict", asked, out, more, model=model, locator=locator, how=_unless_default(task, how), flip=flip,
            pictures=pictures or None, surface=surface or None, device=device, lists=lists, pool=pool,
            again=not resume,
        )  # fmt: skip


@app.command()
def evaluate(
    source: Annotated[Path, typer.Argument(help="Folder of the cases, as in training.")],
    model: Compared,
    task: TaskOption = Task.ATRIUM,
    out: Out = Path("output/segment/evaluation"),
    part: Annotated[EvaluatedPart, typer.Option(help="Part of the split.")] = EvaluatedPart.TEST,
    split: Annotated[Path | None, typer.Option(help="split.json of a training; that beside the model.")] = None,
    locator: LocatorModel = None,
    how: Where = How.LOCATE,
    flip: Flip = None,
    pictures: Annotated[bool, typer.Option("--pictures/--no-pictures", help="Also draw contours on slices.")] = True,
    surface: Annotated[
        bool, typer.Option("--surface/--no-surface", help="Atrium: also a turning surface (GIF).")
    ] = False,
    lesion_rule: Annotated[
        str | None, typer.Option(help="What makes a lesion found: touch (default), cover:SHARE or iou:LEAST.")
    ] = None,
    device: Device = "auto",
    as_json: AsJson = False,
    more: Extra = None,
) -> None:
    """Masks against the truth: mean and SD over the cases, distances in mm."""
    _call(
        task, "evaluate", source, out, more, model=model, part=part, split=split, locator=locator,
        how=_unless_default(task, how), flip=flip, pictures=pictures, surface=surface or None, lesion_rule=lesion_rule,
        device=device, as_json=as_json,
    )  # fmt: skip


@app.command()
def phantom(
    out: Out,
    task: TaskOption = Task.ATRIUM,
    cases: Annotated[int, typer.Option(min=1, help="Number of cases.")] = 24,
    seed: Annotated[int, typer.Option(help="Of the first case; the others count on.")] = 0,
) -> None:
    """Make synthetic cases with exact truth, to try the other verbs on."""
    _call(task, "phantom", cases, out, None, seed=seed)


@app.command()
def release(
    run: Annotated[Path, typer.Argument(help="Folder of a training of locator and segmenter.")],
    name: Annotated[str, typer.Option(help="Of the release.")],
    data: Annotated[str, typer.Option(help="What it was trained on.")],
    task: TaskOption = Task.ATRIUM,
    out: Out = Path("data/weights"),
    licence: Annotated[str, typer.Option(help="Of the weights.")] = "Apache-2.0",
    use: Annotated[str, typer.Option(help="What the weights are for.")] = "Research. Not a medical device.",
    command: Annotated[str | None, typer.Option(help="That trained them.")] = None,
    metrics: Annotated[Path | None, typer.Option(help="summary.json of `segment evaluate`.")] = None,
    commit: Annotated[str | None, typer.Option(help="Of the source that trained them.")] = None,
) -> None:
    """Weights of a run as NAME.safetensors (fp16) with NAME.json, its card."""
    fields = {"licence": licence, "use": use, "data": data, "command": command, "metrics": metrics, "commit": commit}
    _call(task, "release", run, out, None, name=name, **fields)


def _call(task: Task, verb: str, what: Any, out: Path, more: list[str] | None, **options: Any) -> None:
    """Hand a verb over to the task's module with the options that were given, as plain values."""
    given = {name: _plain(value) for name, value in options.items() if value is not None and value != []}
    given |= dict(_extra(text) for text in more or [])
    if task is not Task.ATRIUM:
        given["task"] = task.value
    module = import_module(f"spinetk.segmentation.{'atrium' if task is Task.ATRIUM else 'slices'}.commands")
    function = getattr(module, verb, None)
    if function is None:
        raise InputError(f"task {task.value}", f"has no {verb}", "choose another task")
    known = inspect.signature(function).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in known.values()):
        strange = sorted(given.keys() - known.keys())
        if strange:
            raise InputError(f"option {strange[0]}", f"is not for the task {task.value}", "leave it out")
    function(what, out, **given)


def _loss(name: str | None) -> str | None:
    return name and LOSSES.get(name.lower(), name.lower())


def _unless_default(task: Task, how: How) -> How | None:
    """Only the atrium has a locator."""
    return how if task is Task.ATRIUM or how is not How.LOCATE else None


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value.value if isinstance(value, StrEnum) else value


def _extra(text: str) -> tuple[str, Any]:
    name, found, value = text.partition("=")
    if not found or not name:
        raise InputError(f"--set {text}", "is not NAME=VALUE", "for example --set activation=elu")
    try:
        return name.replace("-", "_"), json.loads(value)
    except ValueError:
        return name.replace("-", "_"), value
