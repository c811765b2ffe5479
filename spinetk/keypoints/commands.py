"""Verbs of the vertebral landmarks: train, evaluate, predict. Heavy libraries are imported inside them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from spinetk.options import Anchor, AsJson, Device, Facing, Out, Part, Seed, Spacing, parse_spacing, show, verbs, warn

app = verbs()


class SliceChoice(StrEnum):
    """Which slice of a series or volume ``predict`` reads."""

    CENTRAL = "central"
    MOST_SPINE = "most-spine"


class View(StrEnum):
    """What a picture shows."""

    AP = "ap"
    LATERAL = "lateral"
    SAGITTAL = "sagittal"


@app.command()
def train(
    base: Path,
    version: Annotated[str, typer.Option(help="Name of the run; its folder is OUT/VERSION.")] = "v1",
    iterations: Annotated[int, typer.Option(help="Total iterations, previous starts included.")] = 1300,
    resume: Annotated[bool, typer.Option(help="Continue the run of this version.")] = False,
    preset: Annotated[str | None, typer.Option(help="r50 or fast; by default r50 on a GPU, fast on a CPU.")] = None,
    recipe: Annotated[str | None, typer.Option(help="default or original.")] = None,
    start: Annotated[str, typer.Option(help="auto, scratch, or weights by name or path.")] = "auto",
    schema: Annotated[str | None, typer.Option(help="Meaning of the points; by default what the cases say.")] = None,
    stratify: Annotated[str | None, typer.Option(help="Field of metadata.json to stratify by.")] = None,
    early_stop: Annotated[bool, typer.Option(help="Stop when val loss falls by less than 10 % per 100.")] = False,
    check_every: Annotated[int, typer.Option(help="Iterations between validations and checkpoints.")] = 100,
    batch: Annotated[int | None, typer.Option(help="Pictures per iteration.")] = None,
    rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    seed: Seed = 0,
    workers: Annotated[int, typer.Option(help="Processes that prepare data.")] = 0,
    device: Device = "auto",
    precision: Annotated[str, typer.Option(help="auto, 32-true, bf16-mixed, ...")] = "auto",
    out: Out = Path("output"),
) -> None:
    """Train Keypoint R-CNN on a case folder; the weights end in OUT/model_final.pth."""
    from spinetk.cases.catalog import setup_catalogs
    from spinetk.cases.folder import CaseFolder
    from spinetk.cases.splitting import make_split
    from spinetk.keypoints.trainer import train as run

    x_train, x_val, x_test, *_ = make_split(base, stratify)
    setup_catalogs(version, x_train, x_val, x_test, schema=schema or CaseFolder(base).schema())
    weights = run(
        version, iterations, resume, preset=preset, recipe=recipe, start=start, output=out, early_stop=early_stop,
        check_every=check_every, batch=batch, rate=rate, seed=seed, workers=workers, device=device, precision=precision,
    )  # fmt: skip
    typer.echo(str(weights))


@app.command()
def evaluate(
    base: Path,
    model: Annotated[str, typer.Option(help="Weights: a released name or a path.")] = "output/model_final.pth",
    part: Annotated[Part, typer.Option(help="Part of the split.")] = Part.VAL,
    threshold: Annotated[float, typer.Option(help="Least confidence of a vertebra.")] = 0.6,
    worst: Annotated[int, typer.Option(help="Draw the overlays of this many worst cases.")] = 5,
    device: Device = "auto",
    out: Out = Path("output/evaluation"),
    as_json: AsJson = False,
) -> None:
    """COCO AP/OKS and point errors in px, mm and % of vertebra height on a part of a split."""
    from spinetk.keypoints.evaluation import evaluate as run
    from spinetk.keypoints.predictor import Predictor

    scores = run(base, part.value, Predictor.load(model, threshold, device), out, worst=worst)
    summary = {key: value for key, value in scores.items() if key != "cases"}
    if as_json:
        show(summary)
    else:
        typer.echo("\n".join(f"{key:>18}  {value}" for key, value in summary.items()))


@app.command()
def predict(
    inputs: list[Path],
    out: Out = Path("output/predict"),
    model: Annotated[
        str | None, typer.Option(help="Weights: a released name or a path; by default the released one for the view.")
    ] = None,
    view: Annotated[
        View | None, typer.Option(help="What the pictures show, where their files do not say it (PNG, JPEG).")
    ] = None,
    threshold: Annotated[float, typer.Option(help="Least confidence of a vertebra.")] = 0.6,
    device: Device = "auto",
    spacing: Spacing = None,
    facing: Annotated[Facing, typer.Option(help="Side the patient's front faces.")] = Facing.AUTO,
    anchor: Anchor = None,
    slices: Annotated[SliceChoice, typer.Option("--slice", help="Slice of a series or volume.")] = SliceChoice.CENTRAL,
) -> None:
    """Vertebrae, heights, grades and angles of radiographs and slices (files, or folders of any depth)."""
    from spinetk.keypoints.batch import predict_files
    from spinetk.keypoints.choice import ModelChoice
    from spinetk.keypoints.predictor import Predictor

    if model is None:
        predictor = ModelChoice(threshold, device, view.value if view else None)
    else:
        predictor = Predictor.load(model, threshold, device)
    reading = {"spacing_mm": parse_spacing(spacing), "facing": facing.value, "anchor": anchor}
    batch = predict_files(inputs, out, predictor, slice_choice=slices.value, **reading)
    warn(batch.failures)
    found = sum(len(reading.vertebrae) for reading in batch.readings)
    empty = [f"{reading.file}: no vertebra found" for reading in batch.readings if not reading.vertebrae]
    warn(empty)
    typer.echo(f"{found} vertebrae in {len(batch.readings)} pictures, {len(batch.failures)} failed; see {out}")
    # A lone picture that gave nothing is bad input; in a batch the rest counts.
    if not batch.readings or (len(batch.readings) + len(batch.failures) == 1 and empty):
        raise typer.Exit(2)


@app.command()
def release(
    model: Annotated[Path, typer.Argument(help="Weights of a run.")],
    name: Annotated[str, typer.Argument(help="Name of the release.")],
    cases: Annotated[Path, typer.Option(help="Case folder with the split the model was trained with.")],
    about: Annotated[Path, typer.Option(help="TOML with what its maker knows: task, licence, use, data, command.")],
    part: Annotated[Part, typer.Option(help="Part of the split to calibrate and score on.")] = Part.VAL,
    out: Out = Path("data/weights"),
) -> None:
    """Write NAME.safetensors and its model card: calibrated, scored on held-out cases, half precision."""
    from spinetk.keypoints.release import release as run

    typer.echo(str(run(model, name, cases, about, out, part.value)))
