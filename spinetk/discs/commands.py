"""``spinetk discs VERB``: the command line of this room. Heavy libraries are imported inside the verbs."""

from __future__ import annotations

from enum import StrEnum
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
    Series,
    Slurm,
    given_inputs,
    pool_of,
)
from spinetk.exits import leave
from spinetk.options import AsJson, Device, Facing, Out, Part, parse_spacing, show, verbs, warn
from spinetk.training.options import (
    Accumulate,
    BestBy,
    Compile,
    Config,
    Devices,
    FindRate,
    FitBatch,
    Nodes,
    Precision,
    Workers,
    first,
    given,
    say_once,
)

app = verbs(help="Disc levels in sagittal MR: BIDS in, BIDS derivatives out.")

Attention = Annotated[bool, typer.Option("--attshow/--no-attshow", help="Also write heatmaps and attention maps.")]


class Modality(StrEnum):
    """Contrast."""

    T1W = "T1w"
    T2W = "T2w"


class Modalities(StrEnum):
    """Contrast, or both."""

    T1W = "T1w"
    T2W = "T2w"
    BOTH = "both"


class Network(StrEnum):
    """Heatmap network."""

    HOURGLASS = "hourglass"
    SHAPEUNET = "shapeunet"
    UNET = "unet"


class Channels(StrEnum):
    """What a heatmap stands for."""

    LEVELS = "levels"
    ORDINAL = "ordinal"


class Solver(StrEnum):
    """Optimiser."""

    RMS = "rms"
    ADAM = "adam"


class Loss(StrEnum):
    """Training loss."""

    MSE = "mse"
    PEAKS = "peaks"
    HCA = "hca"


class Absent(StrEnum):
    """What becomes of the channels of discs that are not labelled."""

    SUPERVISED = "supervised"
    IGNORED = "ignored"


class Augment(StrEnum):
    """Augmentation."""

    FULL = "full"
    LEGACY = "legacy"
    NONE = "none"


class Method(StrEnum):
    """How discs are chosen among the peaks of the heatmaps."""

    SEARCH = "search"
    PEAKS = "peaks"
    LOOKONCE = "lookonce"
    BOTH = "lookonce+search"
    CONDITION = "condition"


@app.command()
def prepare(
    source: Annotated[Path, typer.Argument(help="Root of a BIDS data set laid out as spine-generic is.")],
    out: Out,
    modality: Annotated[Modalities, typer.Option(help="Contrast.")] = Modalities.T2W,
    grid: Annotated[float, typer.Option(min=0.2, max=4.0, help="Side of a pixel in mm.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of the split.")] = 0,
    straighten: Annotated[
        bool, typer.Option("--straighten/--no-straighten", help="Along the cord first; needs Spinal Cord Toolbox.")
    ] = False,
) -> None:
    """BIDS to pictures on a grid in mm, with a split by subject that deals out every centre."""
    from spinetk.discs.preparation import PARTS
    from spinetk.discs.preparation import prepare as run

    chosen = ("T1w", "T2w") if modality is Modalities.BOTH else (modality.value,)
    content = run(source, out, modalities=chosen, grid_mm=grid, seed=seed, straightened=straighten)
    warn([f"{name}: {remark}" for name, said in content["remarks"].items() for remark in said])
    warn([f"{entry['name']}: {entry['why']}" for entry in content["skipped"]])
    counts = ", ".join(f"{len(content['split'][part])} {part}" for part in PARTS)
    typer.echo(f"{counts} pictures in {out}, {len(content['skipped'])} left out")
    leave(sum(map(len, content["split"].values())), sum(entry["failed"] for entry in content["skipped"]))


# Flags whose values are fields of the recipe.
OF_RECIPE = {
    "epochs": "epochs", "schedule": "schedule", "gamma": "gamma", "solver": "solver", "lr": "rate",
    "momentum": "momentum", "weight_decay": "decay", "batch": "batch", "loss": "loss", "absent": "absent",
    "augment": "augment",
}  # fmt: skip
OF_SETTINGS = (
    "network", "stacks", "blocks", "modality", "best_by", "workers", "seed", "device", "devices", "nodes", "accumulate",
    "precision",
)  # fmt: skip


@app.command()
def train(
    context: typer.Context,
    prepared: Annotated[Path, typer.Argument(help="Folder of `spinetk discs prepare`.")],
    out: Out = Path("output/discs"),
    network: Annotated[Network, typer.Option(help="Heatmap network.")] = Network.HOURGLASS,
    stacks: Annotated[int, typer.Option("--stacks", "-s", min=1, max=8, help="Hourglasses in a row.")] = 2,
    att: Annotated[bool, typer.Option("--att/--no-att", help="Multi-level attention.")] = True,
    blocks: Annotated[int, typer.Option("--blocks", "-b", min=1, help="Bottlenecks at each place.")] = 1,
    modality: Annotated[Modality | None, typer.Option(help="Only this contrast of the prepared ones.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="In all.")] = 120,
    schedule: Annotated[list[int] | None, typer.Option(help="Epochs at which the rate falls; default 60 90.")] = None,
    gamma: Annotated[float, typer.Option(help="Factor of the rate at each of them.")] = 0.1,
    solver: Annotated[Solver, typer.Option(help="Optimiser.")] = Solver.RMS,
    lr: Annotated[float, typer.Option(help="Learning rate.")] = 2.5e-4,
    momentum: Annotated[float, typer.Option(help="Of RMSprop.")] = 0.0,
    weight_decay: Annotated[float, typer.Option(help="Weight decay.")] = 0.0,
    batch: Annotated[int, typer.Option("--train-batch", min=1, help="Pictures per iteration.")] = 3,
    loss: Annotated[Loss, typer.Option(help="mse, peaks (weighs more), or hca (skeletal term).")] = Loss.MSE,
    absent: Annotated[Absent, typer.Option(help="Channels of absent discs.")] = Absent.SUPERVISED,
    channels: Annotated[Channels, typer.Option(help="ordinal is the published, legacy kind.")] = Channels.LEVELS,
    augment: Annotated[Augment, typer.Option(help="Augmentation.")] = Augment.FULL,
    points_of: Annotated[
        str | None, typer.Option(help="Train the look-once point network on the candidates of this model instead.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume/--no-resume", help="Go on from the newest checkpoint.")] = False,
    config: Config = None,
    best_by: BestBy = "val_loss",
    evaluated: Annotated[
        bool,
        typer.Option("--evaluate/--no-evaluate", "-e", help="Evaluate on the test part: a run that is there as it is."),
    ] = False,
    attshow: Attention = False,
    workers: Workers = 0,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 42,
    device: Device = "auto",
    devices: Devices = None,
    nodes: Nodes = None,
    accumulate: Accumulate = 1,
    precision: Precision = "auto",
    compile_: Compile = False,
    find_rate: FindRate = False,
    fit_batch: FitBatch = False,
) -> None:
    """Train a stacked hourglass (or a shape-aware U-Net, or the look-once point network)."""
    from spinetk.discs import trainer
    from spinetk.discs.predictor import DiscPredictor
    from spinetk.zoo import FINAL

    if points_of is not None:
        stage = DiscPredictor.load(points_of, device=device)
        known = given(context, ("workers", "seed", "device", "devices", "nodes", "precision"))
        say_once(str(trainer.train_points(prepared, out, stage, resume=resume, config=config, **known)))
        return
    known = {name: _plain(value) for name, value in given(context, OF_SETTINGS).items()}
    recipe = {OF_RECIPE[name]: _plain(value) for name, value in given(context, OF_RECIPE).items()}
    if "schedule" in recipe:
        recipe["schedule"] = sorted(recipe["schedule"])
    known |= {"recipe": recipe} if recipe else {}
    for name, key, value in (
        ("att", "attention", att), ("compile_", "compile", compile_),
        ("channels", "ordinal", channels is Channels.ORDINAL),
    ):  # fmt: skip
        known |= {key: value} if given(context, [name]) else {}
    advice = [what for asked, what in ((find_rate, "rate"), (fit_batch, "batch")) if asked]
    for what in advice:
        typer.echo(str(trainer.find_rate(prepared, out, config=config, what=what, **known)))
    if advice:
        return
    # As the original's main.py --evaluate, which never trained: a finished run must not be trained over.
    if evaluated and not resume and (out / FINAL).is_file():
        weights = out / FINAL
    else:
        weights = trainer.train(prepared, out, resume=resume, config=config, **known)
    say_once(str(weights))
    if evaluated and first():
        evaluate(prepared, [str(weights)], out / "evaluation", attshow=attshow, device=device)


@app.command()
def predict(
    inputs: Inputs = None,
    model: Annotated[str, typer.Option(help="Name or path of a model.")] = "discs-t2w",
    out: Out = Path("output/discs"),
    method: Annotated[
        Method | None,
        typer.Option(
            help="How discs are chosen among the peaks: by look-once and search where there is a point network."
        ),
    ] = None,
    points: Annotated[str | None, typer.Option(help="Point network; that of the model's card by default.")] = None,
    spacing: Annotated[str | None, typer.Option(help="Pixel spacing MM or ROW,COLUMN in mm, for pictures.")] = None,
    facing: Annotated[Facing, typer.Option(help="Side the front faces, for pictures that do not say.")] = Facing.AUTO,
    attshow: Attention = False,
    series: Series = None,
    lists: Lists = None,
    resume: Resume = True,
    workers: PoolWorkers = None,
    scheduler: Scheduler = None,
    slurm: Slurm = False,
    pbs: Pbs = False,
    job: Job = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Label discs: NIfTI in the input's own geometry (SCT numbers), JSON in mm and voxels, overlay.

    Inputs are volumes, sagittal pictures, DICOM series, or folders of them. Run again, it does what is missing.
    """
    import json

    from spinetk.discs.batch import Options, PredictorMaker, predict_files

    asked = given_inputs(inputs, lists)
    options = Options(method and method.value, parse_spacing(spacing), facing.value, attshow, series)
    with pool_of(workers, scheduler, slurm, pbs, job, device) as pool:
        maker = PredictorMaker(model, points, device, options)
        done = predict_files(asked, out, maker, lists=lists or [], pool=pool, again=not resume)
    if as_json:
        show([json.loads(path.read_text(encoding="utf-8")) for path in done.results.values()])
    warn(list(map(str, done.failures)))
    before = f" ({done.skipped} before)" if done.skipped else ""
    typer.echo(f"{len(done.results)} read{before}, results in {out}, {len(done.failures)} failed", err=as_json)
    leave(len(done.results), len(done.failures))


@app.command()
def evaluate(
    prepared: Annotated[Path, typer.Argument(help="Folder of `spinetk discs prepare`.")],
    model: Annotated[list[str], typer.Option(help="Name or path of a model; repeat it to compare.")],
    out: Out = Path("output/discs/evaluation"),
    points: Annotated[str | None, typer.Option(help="Point network, adds the look-once rows.")] = None,
    part: Annotated[Part, typer.Option(help="Part of the split.")] = Part.TEST,
    attshow: Attention = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Every model, with and without search and look-once, in one table: the published trio and label-aware metrics."""
    from spinetk.discs.evaluation import evaluate as run
    from spinetk.discs.predictor import DiscPredictor
    from spinetk.discs.release import called
    from spinetk.discs.table import table

    predictors = [DiscPredictor.load(name, points, device) for name in model]
    names = [called(name) for name in model]
    for predictor, name, path in zip(predictors, names, model, strict=True):
        predictor.name = name if names.count(name) == 1 else f"{name}-{Path(path).stem}"
    rows = run(prepared, predictors, out, part=part.value, show_attention=attshow)
    if as_json:
        show(rows)
    else:
        typer.echo(table(rows))


@app.command()
def release(
    model: Annotated[Path, typer.Argument(help="Weights of a run.")],
    name: Annotated[str, typer.Argument(help="Name of the release.")],
    about: Annotated[Path, typer.Option(help="TOML with what its maker knows: licence, use, data, command.")],
    metrics: Annotated[Path | None, typer.Option(help="evaluation.json of `discs evaluate`.")] = None,
    method: Annotated[Method, typer.Option(help="Whose figures go on the card.")] = Method.SEARCH,
    out: Out = Path("data/weights"),
) -> None:
    """Write NAME.safetensors (half precision) and NAME.json, its model card."""
    from spinetk.discs.release import release as run

    typer.echo(str(run(model, name, about, out, metrics=metrics, method=method.value)))


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, StrEnum) else value
