"""Verbs of the vertebral landmarks: train, evaluate, predict, convert. Heavy libraries are imported inside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from spinetk.batch.options import BatchOptions, Inputs, Series, given_inputs
from spinetk.bounds import USUAL_CONFIDENCE
from spinetk.exits import ExitCode, leave
from spinetk.options import (
    About,
    AsJson,
    CaseFolder,
    Device,
    Out,
    Part,
    PictureOptions,
    Threshold,
    grouped,
    show,
    verbs,
    warn,
)
from spinetk.training.options import Devices, Nodes, RunOptions, Start, TrainingOptions, say_once

app = verbs()
FINAL = "output/model_final.pth"


SliceChoice = Literal["central", "most-spine"]
"""Which slice of a series or volume ``predict`` reads."""

Precision = Literal["32-true", "bf16-true"]
"""What released models compute in on a CPU."""


@dataclass(frozen=True)
class KeypointOptions(TrainingOptions):
    """How a keypoint network is trained: fields of :class:`spinetk.keypoints.settings.KeypointSettings`."""

    network: Annotated[
        str | None,
        typer.Option("--network", "--preset", help="See `spinetk models`; by default r50 on a GPU, fast on a CPU."),
    ] = None
    iterations: Annotated[
        int | None, typer.Option(min=1, help="Total iterations, those before a resume included.", show_default="1300")
    ] = None
    recipe: Annotated[str | None, typer.Option(help="default or original.", show_default="default")] = None
    start: Start = None
    only: Annotated[
        str | None, typer.Option(help="Train these parts alone, such as refine,column; the rest stays.")
    ] = None
    stratify: Annotated[str | None, typer.Option(help="Field of metadata.json to stratify by.")] = None


@app.command()
@grouped
def train(
    base: CaseFolder,
    options: KeypointOptions,
    run: RunOptions,
    version: Annotated[str, typer.Option(help="Name of the run; its folder is OUT/VERSION.")] = "v1",
    engine: Annotated[str, typer.Option(help="torchvision, or detectron2 where it is installed.")] = "torchvision",
    schema: Annotated[str | None, typer.Option(help="Meaning of the points; by default what the cases say.")] = None,
    out: Out = Path("output"),
) -> None:
    """Train a keypoint network on a case folder; the final weights are OUT/model_final.pth."""
    from spinetk.cases.catalog import setup_catalogs
    from spinetk.cases.folder import CaseFolder
    from spinetk.cases.splitting import make_split
    from spinetk.keypoints import trainer

    run.forbid_network()
    known = options.given()
    chosen = trainer.settings_of_start(version, out, run.resume, run.config, **known)
    x_train, x_val, x_test, *_ = make_split(base, chosen.stratify)
    setup_catalogs(version, x_train, x_val, x_test, schema=schema or CaseFolder(base).schema())
    for what in run.advice:
        typer.echo(str(trainer.find_rate(version, output=out, config=run.config, what=what, **known)))
    if not run.advice:
        weights = trainer.train(version, resume=run.resume, output=out, config=run.config, engine=engine, **known)
        say_once(str(weights))


@app.command()
def evaluate(
    base: CaseFolder,
    model: Annotated[
        list[str] | None,
        typer.Option(help="Weights: a released name or a path; repeat it to compare.", show_default=FINAL),
    ] = None,
    part: Annotated[Part, typer.Option(help="Part of the split.")] = "val",
    threshold: Threshold = USUAL_CONFIDENCE,
    worst: Annotated[int, typer.Option(min=0, help="Draw the overlays of this many worst cases.")] = 5,
    device: Device = "auto",
    devices: Devices = None,
    nodes: Nodes = None,
    out: Out = Path("output/evaluation"),
    as_json: AsJson = False,
) -> None:
    """Score models on a part of a split: COCO AP/OKS, point errors in px, mm and % of vertebra height."""
    from spinetk.keypoints.evaluation import evaluate as run
    from spinetk.keypoints.predictor import Predictor
    from spinetk.training.launch import launch

    distributed = launch(devices, nodes, device)
    names = model or [FINAL]
    # All are loaded before the first, which may take long, is scored.
    predictors = [Predictor.load(name, threshold, device) for name in names]
    rows = []
    for number, (name, predictor) in enumerate(zip(names, predictors, strict=True), start=1):
        folder = out if len(names) < 2 else out / f"{number}-{Path(name).stem}"
        scores = run(base, part, predictor, folder, worst=worst, distributed=distributed)
        rows.append({key: value for key, value in scores.items() if key != "cases"})
    if not distributed.first:
        return
    if as_json:
        show(rows)
    else:
        keys = list(dict.fromkeys(key for row in rows for key in row))
        typer.echo(
            "\n".join(f"{key:>18}  {'  '.join(f'{row.get(key)!s:<20}' for row in rows).rstrip()}" for key in keys)
        )


@app.command()
@grouped
def predict(
    options: PictureOptions,
    batch: BatchOptions,
    inputs: Inputs = None,
    out: Out = Path("output/predict"),
    model: Annotated[
        str | None, typer.Option(help="Weights: a released name or a path; by default the released one for the view.")
    ] = None,
    threshold: Threshold = USUAL_CONFIDENCE,
    device: Device = "auto",
    slices: Annotated[SliceChoice, typer.Option("--slice", help="Slice of a series or volume.")] = "central",
    series: Series = None,
    precision: Annotated[
        Precision, typer.Option(help="bf16-true takes half the time on processors that have it; points move a little.")
    ] = "32-true",
    overlay: Annotated[bool, typer.Option("--overlay/--no-overlay", help="Draw a PNG of each picture.")] = True,
    as_json: AsJson = False,
) -> None:
    """Vertebrae, heights, grades and angles of radiographs and slices; run it again to do what is missing.

    Inputs are files, folders of any depth, patterns, or addresses of archives.
    """
    from spinetk.batch.cores import Cores
    from spinetk.keypoints.batch import predict_files
    from spinetk.keypoints.centre import runtime

    asked = given_inputs(inputs, batch.lists)
    with Cores() if not batch.pooled and runtime.reads(model, device) else batch.pool(device) as pool:
        done = predict_files(
            asked, out, model, threshold=threshold, device=device, overrides=options.overrides(),
            slice_choice=slices, series=series, lists=batch.lists or [], pool=pool, again=not batch.resume,
            aet=batch.aet, overlay=overlay, precision=precision,
        )  # fmt: skip
    warn(done.failures)
    warn([f"{options.views}: no picture is named {name}" for name in done.unmet])
    warn([f"{options.views}: {words}" for words in done.shared])
    empty = [k for k, count in enumerate(done.vertebrae) if not count]
    warn([f"{done.readings[k].file}: no vertebra found" for k in empty])
    before = f" ({done.skipped} read before)" if done.skipped else ""
    found, read = sum(done.vertebrae), len(done.readings)
    if as_json:
        show([reading.to_json() for reading in done.readings])
    counted = f"{found} {'vertebra' if found == 1 else 'vertebrae'} in {read} {'picture' if read == 1 else 'pictures'}"
    typer.echo(f"{counted}{before}, {len(done.failures)} failed; see {out}", err=as_json)
    if done.has_errors:
        raise typer.Exit(ExitCode.FAULT)
    # A lone picture that gave nothing is bad input; in a batch the rest counts.
    alone = read + len(done.failures) == 1
    leave(0 if alone and empty else read, len(done.failures))


@app.command()
def release(
    model: Annotated[Path, typer.Argument(help="Weights of a run.")],
    name: Annotated[str, typer.Argument(help="Name of the release.")],
    base: Annotated[
        Path, typer.Option("--base", "--cases", help="Case folder with the split the model was trained with.")
    ],
    about: About,
    part: Annotated[Part, typer.Option(help="Part of the split to calibrate and score on.")] = "val",
    intervals: Annotated[
        Path | None,
        typer.Option(help="Case folder of real pictures to fit the 95 % intervals on, where --base holds phantoms."),
    ] = None,
    out: Out = Path("output/release"),
) -> None:
    """Write NAME.safetensors and its model card: calibrated, scored on held-out cases, half precision."""
    from spinetk.keypoints.release import release as run

    typer.echo(str(run(model, name, base, about, out, part, intervals=intervals)))


@app.command()
def convert(
    source: Annotated[str, typer.Argument(help="model_final.pth of Detectron2, or a model of spinetk.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Model to write: NAME, NAME.pth or NAME.safetensors.")],
    schema: Annotated[
        str | None, typer.Option(help="Meaning of the points; by default what their number says.")
    ] = None,
    trust_pickle: Annotated[
        bool, typer.Option("--trust-pickle", help="Read a .pkl of Detectron2's model zoo.")
    ] = False,
) -> None:
    """Detectron2's Keypoint R-CNN R50-FPN to a model of spinetk that finds the same, and such a model back."""
    from spinetk.keypoints.d2.conversion import convert as run

    for file in run(source, out, schema, trust_pickle):
        typer.echo(str(file))


Format = Literal["onnx", "openvino"]
"""What ``export`` writes."""


@app.command()
def export(
    model: Annotated[str, typer.Argument(help="A centre network: a released name or a path.")],
    out: Out = Path("output/export"),
    kind: Annotated[Format, typer.Option("--as", "--format", help="onnx or openvino.")] = "onnx",
) -> None:
    """Write the networks of a model as ONNX or OpenVINO files (pictures to maps, crops to heatmaps)."""
    from spinetk import zoo
    from spinetk.keypoints.centre.export import export as run
    from spinetk.keypoints.torch_engine import open_network

    weights = zoo.find(model)
    for path in run(open_network(weights)[0], out, weights.stem, kind):
        typer.echo(str(path))
