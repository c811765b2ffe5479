"""The verbs of ``spinetk segment`` for the left atrium."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import typer

from spinetk.atomic import write_json, write_text
from spinetk.errors import InputError
from spinetk.exits import leave
from spinetk.options import show, warn
from spinetk.segmentation.options import Evaluation, Prediction, of, say_done, split_seed
from spinetk.segmentation.split import SPLIT, said_of_training, split_beside
from spinetk.training.options import say_once

GEOMETRY = "geometry.json"
MOST_MARGIN_MM = 1000.0


@dataclass(frozen=True)
class AtriumTraining:
    """What the verb ``train`` is told for the atrium; None: as the network's recipe has it, or the run that goes on.

    Attributes:
        stage: ``locator``, ``segmenter`` or ``both``. What is said of the segmenter below holds for the locator where
            that is trained alone.
        network, iterations, loss, batch, rate: Of the segmenter, as of
            :class:`spinetk.segmentation.atrium.trainer.AtriumSettings`; network and iterations also of a locator that
            has none of its own.
        epochs: In place of iterations; each draws every case six times, as published.
        loss_schedule: Of the loss ``hybrid``.
        factor, patience: How the rate falls.
        layers, dilation, attention, attention_reduction, attention_dilation, activation, width: Of the segmenter's
            network.
        locator_network, locator_width, locator_iterations, locator_batch, locator_rate: The same of the locator.
        locator_mm, grid: Spacing that locator and segmenter work at, ``MM`` or ``SLICE,ROW,COLUMN``.
        margin: Around what the locator finds, mm.
        seed: Of everything random, the split included.
        advice: What is asked of Lightning's finders, ``rate`` or ``batch``; nothing is trained then.
    """

    stage: str = "both"
    network: str | None = None
    iterations: int | None = None
    loss: str | None = None
    batch: int | None = None
    rate: float | None = None
    epochs: int | None = None
    loss_schedule: str | None = None
    factor: float | None = None
    patience: int | None = None
    layers: int | None = None
    dilation: int | None = None
    attention: bool | None = None
    attention_reduction: int | None = None
    attention_dilation: int | None = None
    activation: str | None = None
    width: int | None = None
    locator_network: str | None = None
    locator_width: int | None = None
    locator_iterations: int | None = None
    locator_batch: int | None = None
    locator_rate: float | None = None
    locator_mm: str | None = None
    grid: str | None = None
    margin: float = 10.0
    seed: int | None = None
    advice: Sequence[str] = ()

    def settings(self, stage: str) -> dict[str, Any]:
        """What is given of the settings of a stage. A locator that is trained alone takes all that is given."""
        own = _given({
            "network": self.locator_network, "iterations": self.locator_iterations, "batch": self.locator_batch,
            "rate": self.locator_rate,
        })  # fmt: skip
        if stage == "locator" and self.stage != "locator":
            usual = _given({"network": self.network, "iterations": self.iterations, "seed": self.seed})
            return usual | {"loss": "dice", "options": _given({"width": self.locator_width})} | own
        options = {
            "layers": self.layers, "dilation": self.dilation, "attention": self.attention,
            "reduction": self.attention_reduction, "attention_dilation": self.attention_dilation,
            "activation": self.activation, "width": self.width,
        }  # fmt: skip
        if stage == "locator" and self.locator_width is not None:
            options["width"] = self.locator_width
        told = _given({
            "network": self.network, "options": _given(options), "iterations": self.iterations, "batch": self.batch,
            "rate": self.rate, "loss": self.loss, "schedule": self.loss_schedule, "reduce": self.factor,
            "patience": self.patience, "seed": self.seed,
        })  # fmt: skip
        return {"loss": "dice"} | told | own if stage == "locator" else told


def train(source: Path, out: Path, **options: Any) -> None:
    """Train the locator, the segmenter or both on the training part of the cases.

    Options of the network are the segmenter's; ``locator_*`` are the locator's, which otherwise is a plain network of
    the same kind, trained with Dice. With ``stage="locator"`` all are the locator's. The split is kept in
    ``out/split.json``.

    Args:
        source: Folder of the cases.
        out: Folder of the run.
        **options: Fields of :class:`AtriumTraining`; others are settings of both stages
            (:func:`spinetk.segmentation.atrium.trainer.ready_stage`), ``resume`` and ``config`` among them.

    Raises:
        InputError: No cases, an unknown name, an option the network does not take.
    """
    from spinetk.segmentation.atrium.cases import read_parts, write_parts
    from spinetk.segmentation.atrium.crop import LOCATOR_MM
    from spinetk.segmentation.atrium.data import choose_geometry
    from spinetk.segmentation.atrium.models import STAGES
    from spinetk.segmentation.atrium.pictures import write_curves
    from spinetk.segmentation.atrium.trainer import AtriumSettings, epoch_steps, plan_stage, ready_stage
    from spinetk.segmentation.registry import get_entry

    own = {f.name for f in fields(AtriumTraining)}
    told = AtriumTraining(**{name: value for name, value in options.items() if name in own})
    both = {name: value for name, value in options.items() if name not in own}
    resume = bool(both.pop("resume", False))
    spacing = None if told.grid is None else _triple("--grid", told.grid)
    coarse = LOCATOR_MM if told.locator_mm is None else _triple("--set locator_mm", told.locator_mm)
    if not 0 <= told.margin < MOST_MARGIN_MM:
        raise InputError(f"--margin {told.margin}", "is no distance in mm", "10 is usual")
    stages = [stage for stage in STAGES if told.stage in ("both", stage)]
    for stage in stages:  # judged before a case is read
        settings = both | told.settings(stage)
        AtriumSettings.of(settings.pop("config", None), **settings)
    parts = read_parts(source, split_seed(told.seed, both), kept=out / SPLIT if resume else None)
    training, validation = parts["train"], parts["val"]
    plans = {}
    for stage in stages:
        settings = both | told.settings(stage)
        if told.epochs is not None:
            size = settings.get("batch") or get_entry(settings.get("network", "vnet")).recipe(stage).batch
            settings["iterations"] = told.epochs * epoch_steps(len(training), size)
        # What is wrong with the second stage is told before the first, which may take hours, is trained.
        plan_stage(stage, out, resume=resume, **settings)
        plans[stage] = settings
    write_parts(parts, out / SPLIT, [f"{stage}.pth" for stage in plans])
    typer.echo(", ".join(f"{len(cases)} {part}" for part, cases in parts.items()) + " cases", err=True)
    kept = out / GEOMETRY
    if resume and kept.is_file():
        geometry = _kept(kept)
    else:
        geometry = choose_geometry(training, spacing, coarse, told.margin)
        write_json(kept, geometry.to_json())
    for stage, settings in plans.items():
        ready = ready_stage(stage, training, validation, out, geometry, resume=resume, **settings)
        for what in told.advice:
            typer.echo(f"{stage}: {ready.advise(what)}")
        if told.advice:
            continue
        path = ready.train()
        write_curves(out / stage, out / f"{stage}.png")
        say_once(str(path))


@dataclass(frozen=True)
class AtriumPrediction(Prediction):
    """Beside what every task takes.

    Attributes:
        locator, how: As of :class:`spinetk.segmentation.atrium.batch.AtriumMaker`.
        surface: Also draw a turning surface.
    """

    locator: str | None = None
    how: Literal["locate", "slide"] = "locate"
    surface: bool = False


def predict(inputs: Sequence[Path], out: Path, *, model: Sequence[str], **options: Any) -> None:
    """Write the atrium of every volume and DICOM series; exit code 3 where one failed.

    Args:
        inputs: Files, folders, lists of them.
        out: Folder of the masks.
        model: Weights; several are averaged.
        **options: Fields of :class:`AtriumPrediction`.
    """
    from spinetk.segmentation.atrium.batch import AtriumMaker, predict_files

    told = of(AtriumPrediction, options)
    names = tuple(name for given in model for name in given.split(","))
    maker = AtriumMaker(
        names, told.locator, tuple(told.flip), told.device, told.how, str(Path(out).resolve()), told.pictures,
        told.surface,
    )  # fmt: skip
    done = predict_files(maker, inputs, out, lists=told.lists, pool=told.pool, again=told.again, aet=told.aet)
    empty = [f"{entry['file']}: no atrium was found" for entry in done["written"] if not entry["voxels"]]
    say_done(done, out, empty, told.as_json)


@dataclass(frozen=True)
class AtriumEvaluation(Evaluation):
    """Beside what every task takes.

    Attributes:
        locator, how, surface: As of :class:`AtriumPrediction`.
    """

    locator: str | None = None
    how: Literal["locate", "slide"] = "locate"
    surface: bool = False


def evaluate(source: Path, out: Path, *, model: Sequence[str], **options: Any) -> None:
    """One row a model (``A,B`` averages two); the cases of a part, or all of them.

    The split is that of ``split``, else that kept beside the first model, else that of seed 0. Exit code 3 where a case
    could not be read.

    Args:
        source: Folder of the cases.
        out: Folder of the results.
        model: Weights, or folders of runs.
        **options: Fields of :class:`AtriumEvaluation`.
    """
    from spinetk.segmentation.atrium.cases import read_parts
    from spinetk.segmentation.atrium.evaluation import evaluate_model, table
    from spinetk.segmentation.atrium.models import load_predictor
    from spinetk.segmentation.atrium.pictures import drawing

    told = of(AtriumEvaluation, options)
    part = told.part
    kept = Path(told.split) if told.split else split_beside(model[0].split(",")[0])
    if kept is None and part != "all":
        warn(["the split of the model's training is not known: cases are split again (--split FILE, or --part all)"])
    elif kept is not None and not kept.is_file():
        raise InputError(kept, "no such file", "give the split.json of a training")
    parts = read_parts(source, kept=None if part == "all" else kept)
    pairs = [pair for cases in parts.values() for pair in cases] if part == "all" else parts[part]
    if not pairs:
        raise InputError(source, f"has no case in the part {part}", "choose another part")
    warn(said_of_training([name for given in model for name in given.split(",")], [pair.name for pair in pairs]))
    rows = []
    for number, given in enumerate(model, 1):
        predictor = load_predictor(given.split(","), told.locator, told.device, told.flip)
        folder = out if len(model) == 1 else out / f"model-{number}"
        result = evaluate_model(predictor, pairs, told.how, draw=drawing(folder, told.pictures, told.surface))
        result.write(folder / "cases.csv")
        rows.append((given, result))
    summary = [{"model": name, "cases": len(result.rows), **result.summary()} for name, result in rows]
    write_json(out / "summary.json", summary)
    failed = sorted({line for _, result in rows for line in result.failed})
    write_text(out / "table.md", table(rows))
    if told.as_json:
        show(summary)
    else:
        typer.echo(table(rows), nl=False)
    warn(failed)
    leave(sum(len(result.rows) for _, result in rows), len(failed))


def phantom(cases: int, out: Path, *, seed: int = 0) -> None:
    """Phantom atria in the layout of the challenge."""
    from spinetk.segmentation.atrium.cases import write_phantoms

    typer.echo(f"{len(write_phantoms(out, cases, seed))} cases in {out}")


def release(run: Path, out: Path, *, name: str, metrics: Path | None = None, **fields: Any) -> None:
    """Locator and segmenter as one file, with their card."""
    from spinetk.segmentation.atrium.models import release as write

    if metrics is not None:
        try:
            found = json.loads(metrics.read_text(encoding="utf-8"))[0]
            # The path of the run on this machine does not leave it.
            fields["metrics"] = {key: value for key, value in found.items() if key != "model"}
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise InputError(metrics, "is not a summary of an evaluation", "give its summary.json") from error
    path = write(run, out / f"{name}.safetensors", **fields)
    typer.echo(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")


def _kept(path: Path) -> Any:
    """The geometry that a run was begun with."""
    from spinetk.segmentation.atrium.predictor import Geometry

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(path, "cannot be read", "start again without --resume, or in another folder") from error
    return Geometry.from_json(content, path)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None and value != {}}


def _triple(option: str, text: str) -> tuple[float, float, float]:
    """``1.25`` or ``2,1.5,1.5`` (slice, row, column)."""
    try:
        values = [float(v) for v in str(text).split(",")]
    except ValueError:
        values = []
    if len(values) not in (1, 3) or not all(0 < v < math.inf for v in values):
        raise InputError(f"{option} {text}", "is not MM or SLICE,ROW,COLUMN", f"for example {option} 1.25")
    return tuple(values * 3 if len(values) == 1 else values)  # type: ignore[return-value]
