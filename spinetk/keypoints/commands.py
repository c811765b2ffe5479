"""Verbs of the vertebral landmarks: train, evaluate, predict, convert. Heavy libraries are imported inside them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from spinetk.batch.options import (
    Aet,
    Inputs,
    Job,
    Lists,
    Pbs,
    PoolWorkers,
    Resume,
    Scheduler,
    Series,
    Slurm,
    given_inputs,
    pool_of,
)
from spinetk.exits import ExitCode, leave
from spinetk.options import (
    Anchor,
    AsJson,
    Device,
    Facing,
    FacingSaid,
    Out,
    Part,
    Seed,
    Spacing,
    Views,
    ViewSaid,
    said,
    show,
    verbs,
    warn,
)
from spinetk.training.options import (
    Accumulate,
    BestBy,
    Compile,
    Config,
    Devices,
    FindRate,
    FitBatch,
    Nodes,
    Offline,
    Precision,
    Workers,
    forbid_network,
    given,
    say_once,
)

app = verbs()


class SliceChoice(StrEnum):
    """Which slice of a series or volume ``predict`` reads."""

    CENTRAL = "central"
    MOST_SPINE = "most-spine"


@app.command()
def train(
    context: typer.Context,
    base: Path,
    version: Annotated[str, typer.Option(help="Name of the run; its folder is OUT/VERSION.")] = "v1",
    iterations: Annotated[int, typer.Option(help="Total iterations, previous starts included.")] = 1300,
    resume: Annotated[bool, typer.Option(help="Continue the run of this version.")] = False,
    config: Config = None,
    preset: Annotated[
        str | None, typer.Option(help="r50, fast, centre, ...; by default r50 on a GPU, fast on a CPU.")
    ] = None,
    recipe: Annotated[str | None, typer.Option(help="default or original.")] = None,
    engine: Annotated[str, typer.Option(help="torchvision, or detectron2 where it is installed.")] = "torchvision",
    start: Annotated[
        str, typer.Option(help="random, imagenet, coco (these two are downloaded once), or weights by name or path.")
    ] = "random",
    offline: Offline = False,
    only: Annotated[str, typer.Option(help="Train these parts alone, such as refine,column; the rest stays.")] = "",
    schema: Annotated[str | None, typer.Option(help="Meaning of the points; by default what the cases say.")] = None,
    stratify: Annotated[str | None, typer.Option(help="Field of metadata.json to stratify by.")] = None,
    early_stop: Annotated[bool, typer.Option(help="Stop when val loss falls by less than 10 % per 100.")] = False,
    check_every: Annotated[int, typer.Option(help="Iterations between validations and checkpoints.")] = 100,
    batch: Annotated[int | None, typer.Option(help="Pictures per iteration.")] = None,
    rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    best_by: BestBy = "val_loss",
    seed: Seed = 0,
    workers: Workers = 0,
    device: Device = "auto",
    devices: Devices = None,
    nodes: Nodes = None,
    accumulate: Accumulate = 1,
    precision: Precision = "auto",
    compile_: Compile = False,
    find_rate: FindRate = False,
    fit_batch: FitBatch = False,
    out: Out = Path("output"),
) -> None:
    """Train a keypoint network on a case folder; the weights end in OUT/model_final.pth."""
    from spinetk.cases.catalog import setup_catalogs
    from spinetk.cases.folder import CaseFolder
    from spinetk.cases.splitting import make_split
    from spinetk.keypoints import trainer

    forbid_network(offline)
    known = given(context, set(context.params) - {"base", "version", "resume", "config", "schema", "out", "offline"})
    if "compile_" in known:
        known["compile"] = known.pop("compile_")
    advice = {name for name in ("find_rate", "fit_batch") if known.pop(name, False)}
    if stratify is None:
        stratify = trainer.previous_settings(version, out, resume, config).get("stratify")
    x_train, x_val, x_test, *_ = make_split(base, stratify)
    setup_catalogs(version, x_train, x_val, x_test, schema=schema or CaseFolder(base).schema())
    for name in sorted(advice):
        what = {"find_rate": "rate", "fit_batch": "batch"}[name]
        found = trainer.find_rate(version, output=out, config=config, what=what, **known)
        typer.echo(str(found))
    if not advice:
        weights = trainer.train(version, resume=resume, output=out, config=config, **known)
        say_once(str(weights))


@app.command()
def evaluate(
    base: Path,
    model: Annotated[str, typer.Option(help="Weights: a released name or a path.")] = "output/model_final.pth",
    part: Annotated[Part, typer.Option(help="Part of the split.")] = Part.VAL,
    threshold: Annotated[float, typer.Option(help="Least confidence of a vertebra.")] = 0.6,
    worst: Annotated[int, typer.Option(help="Draw the overlays of this many worst cases.")] = 5,
    device: Device = "auto",
    devices: Devices = None,
    nodes: Nodes = None,
    out: Out = Path("output/evaluation"),
    as_json: AsJson = False,
) -> None:
    """COCO AP/OKS and point errors in px, mm and % of vertebra height on a part of a split."""
    from spinetk.keypoints.evaluation import evaluate as run
    from spinetk.keypoints.predictor import Predictor
    from spinetk.training.launch import launch

    place = launch(devices, nodes, device)
    scores = run(base, part.value, Predictor.load(model, threshold, device), out, worst=worst, place=place)
    if not place.first:
        return
    summary = {key: value for key, value in scores.items() if key != "cases"}
    if as_json:
        show(summary)
    else:
        typer.echo("\n".join(f"{key:>18}  {value}" for key, value in summary.items()))


@app.command()
def predict(
    inputs: Inputs = None,
    out: Out = Path("output/predict"),
    model: Annotated[
        str | None, typer.Option(help="Weights: a released name or a path; by default the released one for the view.")
    ] = None,
    view: ViewSaid = None,
    threshold: Annotated[
        float,
        typer.Option(
            help="Least confidence of a vertebra. A body between sure ones, or one that completes a counted column, is"
            " kept below it and marked below_threshold."
        ),
    ] = 0.6,
    device: Device = "auto",
    spacing: Spacing = None,
    facing: FacingSaid = Facing.AUTO,
    anchor: Anchor = None,
    views: Views = None,
    slices: Annotated[SliceChoice, typer.Option("--slice", help="Slice of a series or volume.")] = SliceChoice.CENTRAL,
    series: Series = None,
    lists: Lists = None,
    resume: Resume = True,
    workers: PoolWorkers = None,
    scheduler: Scheduler = None,
    slurm: Slurm = False,
    pbs: Pbs = False,
    job: Job = None,
    aet: Aet = "SPINETK",
) -> None:
    """Vertebrae, heights, grades and angles of radiographs and slices; run again, it does what is missing.

    Inputs are files, folders of any depth, patterns, or addresses of archives.
    """
    from spinetk.keypoints.batch import predict_files

    overrides = said(spacing, view, facing, anchor, views)
    asked = given_inputs(inputs, lists)
    with pool_of(workers, scheduler, slurm, pbs, job, device) as pool:
        batch = predict_files(
            asked, out, model, threshold=threshold, device=device, overrides=overrides, slice_choice=slices.value,
            series=series, lists=lists or [], pool=pool, again=not resume, aet=aet,
        )  # fmt: skip
    warn(batch.failures)
    warn([f"{views}: no picture is named {name}" for name in batch.unmet])
    empty = [k for k, count in enumerate(batch.vertebrae) if not count]
    warn([f"{batch.readings[k].file}: no vertebra found" for k in empty])
    before = f" ({batch.skipped} read before)" if batch.skipped else ""
    found, done = sum(batch.vertebrae), len(batch.readings)
    typer.echo(f"{found} vertebrae in {done} pictures{before}, {len(batch.failures)} failed; see {out}")
    if batch.has_errors:
        raise typer.Exit(ExitCode.FAULT)
    # A lone picture that gave nothing is bad input; in a batch the rest counts.
    alone = done + len(batch.failures) == 1
    leave(0 if alone and empty else done, len(batch.failures))


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


class Format(StrEnum):
    """What ``export`` writes."""

    ONNX = "onnx"
    OPENVINO = "openvino"


@app.command()
def export(
    model: Annotated[str, typer.Argument(help="A centre network: a released name or a path.")],
    out: Out = Path("output/export"),
    kind: Annotated[Format, typer.Option("--format", help="onnx or openvino.")] = Format.ONNX,
) -> None:
    """Write the networks of a model as ONNX or OpenVINO files (pictures to maps, crops to heatmaps)."""
    from spinetk import zoo
    from spinetk.keypoints.centre.export import export as run
    from spinetk.keypoints.torch_engine import open_network

    weights = zoo.find(model)
    for path in run(open_network(weights)[0], out, weights.stem, kind.value):
        typer.echo(str(path))
