"""``spinetk discs VERB``: the command line of this room. Heavy libraries are imported inside the verbs."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Disc levels in sagittal MR: BIDS in, BIDS derivatives out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
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


class Part(StrEnum):
    """Part of the split."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


class Facing(StrEnum):
    """Side of the picture that the patient's front faces."""

    LEFT = "left"
    RIGHT = "right"
    AUTO = "auto"


@app.command()
def prepare(
    source: Annotated[Path, typer.Argument(help="Root of a BIDS data set laid out as spine-generic is.")],
    out: Out,
    modality: Annotated[Modalities, typer.Option(help="Contrast.")] = Modalities.T2W,
    grid: Annotated[float, typer.Option(min=0.2, max=4.0, help="Side of a pixel in mm.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of the split.")] = 0,
) -> None:
    """BIDS to pictures on a grid in mm, with a split by subject that deals out every centre."""
    from spinetk.discs.preparation import PARTS
    from spinetk.discs.preparation import prepare as run

    chosen = ("T1w", "T2w") if modality is Modalities.BOTH else (modality.value,)
    content = run(source, out, modalities=chosen, grid_mm=grid, seed=seed)
    for entry in content["skipped"]:
        typer.echo(f"spinetk: {entry['name']}: {entry['why']}", err=True)
    counts = ", ".join(f"{len(content['split'][part])} {part}" for part in PARTS)
    typer.echo(f"{counts} pictures in {out}, {len(content['skipped'])} left out")


@app.command()
def train(
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
    loss: Annotated[Loss, typer.Option(help="mse, or hca with the skeletal term.")] = Loss.MSE,
    absent: Annotated[Absent, typer.Option(help="Channels of absent discs.")] = Absent.SUPERVISED,
    channels: Annotated[Channels, typer.Option(help="ordinal is the published, legacy kind.")] = Channels.LEVELS,
    augment: Annotated[Augment, typer.Option(help="Augmentation.")] = Augment.FULL,
    points_of: Annotated[
        str | None, typer.Option(help="Train the look-once point network on the candidates of this model instead.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume/--no-resume", help="Go on from the newest checkpoint.")] = False,
    evaluated: Annotated[bool, typer.Option("--evaluate", "-e", help="Evaluate on the test part afterwards.")] = False,
    attshow: Attention = False,
    workers: Annotated[int, typer.Option(min=0, help="Processes that prepare data.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 42,
    device: Device = "auto",
) -> None:
    """Train a stacked hourglass (or a shape-aware U-Net, or the look-once point network)."""
    from spinetk.discs import trainer
    from spinetk.discs.module import Recipe
    from spinetk.discs.predictor import DiscPredictor

    if points_of is not None:
        first = DiscPredictor.load(points_of, device=device)
        weights = trainer.train_points(prepared, out, first, resume=resume, seed=seed, device=device)
        typer.echo(str(weights))
        return
    recipe = Recipe(
        solver.value, lr, epochs, tuple(sorted(schedule)) if schedule else (60, 90), gamma, momentum, weight_decay,
        batch, loss.value, absent.value, augment.value,
    )  # fmt: skip
    weights = trainer.train(
        prepared,
        out,
        network=network.value,
        stacks=stacks,
        attention=att,
        blocks=blocks,
        ordinal=channels is Channels.ORDINAL,
        modality=None if modality is None else modality.value,
        recipe=recipe,
        resume=resume,
        seed=seed,
        workers=workers,
        device=device,
    )
    typer.echo(str(weights))
    if evaluated:
        evaluate(prepared, [str(weights)], out / "evaluation", attshow=attshow, device=device)


@app.command()
def predict(
    inputs: Annotated[list[Path], typer.Argument(help="Volumes, sagittal pictures, DICOM series, or folders of them.")],
    model: Annotated[str, typer.Option(help="Name or path of a model.")],
    out: Out = Path("output/discs"),
    method: Annotated[Method, typer.Option(help="How discs are chosen among the peaks.")] = Method.SEARCH,
    points: Annotated[str | None, typer.Option(help="Point network, for the look-once methods.")] = None,
    spacing: Annotated[str | None, typer.Option(help="Pixel spacing MM or ROW,COLUMN in mm, for pictures.")] = None,
    facing: Annotated[Facing, typer.Option(help="Side the front faces, for pictures that do not say.")] = Facing.AUTO,
    attshow: Attention = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Label discs: NIfTI in the input's own geometry (SCT numbers), JSON in mm and voxels, overlay."""
    from spinetk.discs.batch import predict_files
    from spinetk.discs.predictor import DiscPredictor

    predictor = DiscPredictor.load(model, points, device)
    done = predict_files(
        inputs, out, predictor, method=method.value, spacing_mm=_spacing(spacing), facing=facing.value,
        show_attention=attshow,
    )  # fmt: skip
    if as_json:
        typer.echo(json.dumps([r.to_json() for r in done.readings.values()], indent=1, allow_nan=False))
    for failure in done.failures:
        typer.echo(f"spinetk: {failure}", err=True)
    typer.echo(f"{len(done.readings)} read, results in {out}, {len(done.failures)} failed", err=as_json)
    if done.failures:
        raise typer.Exit(2)


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
    from spinetk.discs.evaluation import table
    from spinetk.discs.predictor import DiscPredictor

    predictors = [DiscPredictor.load(name, points, device) for name in model]
    rows = run(prepared, predictors, out, part=part.value, show_attention=attshow)
    typer.echo(json.dumps(rows, indent=1, allow_nan=False) if as_json else table(rows))


def _spacing(text: str | None) -> tuple[float, float] | None:
    from spinetk.errors import InputError

    if text is None:
        return None
    try:
        values = [float(v) for v in text.split(",")]
    except ValueError:
        values = []
    if len(values) not in (1, 2):
        raise InputError(f"--spacing {text}", "is not MM or ROW,COLUMN", "for example --spacing 0.8 or 0.8,0.7")
    return values[0], values[-1]
