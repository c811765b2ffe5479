"""``spinetk discs VERB``: the command line of this room. Heavy libraries are imported inside the verbs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from spinetk.batch.options import BatchOptions, Inputs, Series, given_inputs
from spinetk.errors import InputError
from spinetk.exits import leave
from spinetk.options import (
    About,
    AsJson,
    Device,
    FacingSaid,
    Out,
    Part,
    Seed,
    Spacing,
    grouped,
    parse_spacing,
    show,
    verbs,
    warn,
)
from spinetk.training.options import RunOptions, TrainingOptions, first, given, say_once

app = verbs(help="Disc levels in sagittal MR: BIDS in, BIDS derivatives out.")

Maps = Annotated[
    bool, typer.Option("--maps/--no-maps", "--attshow/--no-attshow", help="Also write heatmaps and attention maps.")
]


Modality = Literal["T1w", "T2w"]
Modalities = Literal["T1w", "T2w", "both"]
Network = Literal["hourglass", "shapeunet", "unet"]
Channels = Literal["levels", "ordinal"]
"""What a heatmap stands for."""

Solver = Literal["rms", "adam"]
Loss = Literal["mse", "peaks", "hca"]
Absent = Literal["supervised", "ignored"]
"""What becomes of the channels of discs that are not labelled."""

Augment = Literal["full", "contrasts", "legacy", "none"]
Method = Literal["search", "peaks", "lookonce", "lookonce+search", "condition"]
"""How discs are chosen among the peaks of the heatmaps."""


@app.command()
def phantom(
    out: Out,
    cases: Annotated[int, typer.Option(min=1, help="Number of subjects.")] = 24,
    modality: Annotated[Modalities, typer.Option(help="Contrast.")] = "T2w",
    seed: Seed = 0,
) -> None:
    """Make synthetic sagittal MR with exact disc labels as BIDS, to try the other verbs on."""
    from spinetk.phantoms.discs import write_disc_set

    typer.echo(f"{len(write_disc_set(out, cases, seed=seed, modalities=_contrasts(modality)))} subjects in {out}")


@app.command()
def prepare(
    source: Annotated[Path, typer.Argument(help="Root of a BIDS data set laid out as spine-generic is.")],
    out: Out,
    modality: Annotated[Modalities, typer.Option(help="Contrast.")] = "T2w",
    grid: Annotated[float, typer.Option(min=0.2, max=4.0, help="Side of a pixel in mm.")] = 1.0,
    seed: Seed = 0,
    straighten: Annotated[
        bool, typer.Option("--straighten/--no-straighten", help="Along the cord first; needs Spinal Cord Toolbox.")
    ] = False,
) -> None:
    """BIDS to pictures on a grid in mm, with a split by subject that deals out every centre."""
    from spinetk.discs.preparation import PARTS
    from spinetk.discs.preparation import prepare as run

    content = run(source, out, modalities=_contrasts(modality), grid_mm=grid, seed=seed, straightened=straighten)
    warn([f"{name}: {remark}" for name, said in content["remarks"].items() for remark in said])
    warn([f"{entry['name']}: {entry['why']}" for entry in content["skipped"]])
    counts = ", ".join(f"{len(content['split'][part])} {part}" for part in PARTS)
    typer.echo(f"{counts} pictures in {out}, {len(content['skipped'])} left out")
    leave(sum(map(len, content["split"].values())), sum(entry["failed"] for entry in content["skipped"]))


@dataclass(frozen=True)
class DiscOptions(TrainingOptions):
    """How a heatmap network is trained; the fields are those of :class:`spinetk.discs.trainer.DiscSettings`."""

    network: Annotated[
        Network | None, typer.Option(help="Heatmap network, see `spinetk models`.", show_default="hourglass")
    ] = None
    iterations: Annotated[
        int | None,
        typer.Option(min=1, help="Total iterations, in place of --epochs; 3000 by default for the point network."),
    ] = None
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.", show_default="42")] = None
    stacks: Annotated[
        int | None, typer.Option("--stacks", "-s", min=1, max=8, help="Hourglasses in a row.", show_default="2")
    ] = None
    blocks: Annotated[
        int | None,
        typer.Option("--blocks", "-b", min=1, max=8, help="Bottleneck blocks at each stage.", show_default="1"),
    ] = None
    attention: Annotated[
        bool | None,
        typer.Option(
            "--attention/--no-attention", "--att/--no-att", help="Multi-level attention.", show_default="attention"
        ),
    ] = None
    modality: Annotated[Modality | None, typer.Option(help="Train on this contrast alone.")] = None


@dataclass(frozen=True)
class RecipeOptions:
    """Loss, solver and schedule; :data:`FIELDS` says which field of :class:`spinetk.discs.module.Recipe` is which."""

    epochs: Annotated[
        int | None, typer.Option("--epochs", "--max-epochs", min=1, help="Number of epochs.", show_default="120")
    ] = None
    milestones: Annotated[
        list[int] | None,
        typer.Option(
            "--milestones", "--schedule", help="Epochs at which the learning rate drops.", show_default="60 90"
        ),
    ] = None
    factor: Annotated[
        float | None,
        typer.Option("--factor", "--gamma", help="Factor of the learning rate at each drop.", show_default="0.1"),
    ] = None
    solver: Annotated[Solver | None, typer.Option(help="Optimiser.", show_default="rms")] = None
    momentum: Annotated[float | None, typer.Option(help="Momentum of RMSprop.", show_default="0")] = None
    weight_decay: Annotated[float | None, typer.Option(help="Weight decay.", show_default="0")] = None
    loss: Annotated[
        Loss | None,
        typer.Option(help="mse; peaks (weights them more); hca (adds the skeletal term).", show_default="mse"),
    ] = None
    absent: Annotated[
        Absent | None, typer.Option(help="How channels of absent discs are treated.", show_default="supervised")
    ] = None
    augment: Annotated[Augment | None, typer.Option(help="Augmentation.", show_default="full")] = None


FIELDS = {"milestones": "schedule", "factor": "gamma", "weight_decay": "decay"}
"""Options of the recipe that bear another name than its fields."""
OF_RECIPE = ("batch", "rate")
"""Options of every training that are fields of the recipe."""
OF_POINTS = ("iterations", "workers", "seed", "device", "devices", "nodes", "precision")
"""Options that the point network takes."""


@app.command()
@grouped
def train(
    prepared: Annotated[Path, typer.Argument(help="Folder of `spinetk discs prepare`.")],
    options: DiscOptions,
    recipe: RecipeOptions,
    run: RunOptions,
    out: Out = Path("output/discs"),
    heatmaps: Annotated[
        Channels | None,
        typer.Option("--heatmaps", "--channels", help="ordinal is the published, legacy kind.", show_default="levels"),
    ] = None,
    points_of: Annotated[
        str | None, typer.Option(help="Train the look-once point network on the candidates of this model instead.")
    ] = None,
    evaluated: Annotated[
        bool,
        typer.Option("--evaluate/--no-evaluate", "-e", help="Evaluate on the test part: a run that is there as it is."),
    ] = False,
    maps: Maps = False,
) -> None:
    """Train a stacked hourglass (or a shape-aware U-Net, or the look-once point network)."""
    from spinetk.discs import trainer
    from spinetk.discs.predictor import DiscPredictor
    from spinetk.zoo import FINAL

    run.forbid_network()
    known = options.given()
    if points_of is not None:
        stage = DiscPredictor.load(points_of, device=options.device or "auto")
        if others := sorted({*known, *given(recipe)} - {*OF_POINTS}):
            named = ", ".join(f"--{name.replace('_', '-')}" for name in others)
            raise InputError(named, "is not for the point network", "leave it out with --points-of")
        say_once(str(trainer.train_points(prepared, out, stage, resume=run.resume, config=run.config, **known)))
        return
    if "iterations" in known and recipe.epochs is not None:
        raise InputError("iterations and epochs", "are both given", "give one of them")
    solver = {FIELDS.get(name, name): value for name, value in given(recipe).items()}
    solver |= {name: known.pop(name) for name in OF_RECIPE if name in known}
    if "schedule" in solver:
        solver["schedule"] = sorted(solver["schedule"])
    known |= {"recipe": solver} if solver else {}
    if heatmaps is not None:
        known["ordinal"] = heatmaps == "ordinal"
    for what in run.advice:
        typer.echo(str(trainer.find_rate(prepared, out, config=run.config, what=what, **known)))
    if run.advice:
        return
    # As the original's main.py --evaluate, which never trained: a finished run must not be trained over.
    if evaluated and not run.resume and (out / FINAL).is_file():
        weights = out / FINAL
    else:
        weights = trainer.train(prepared, out, resume=run.resume, config=run.config, **known)
    say_once(str(weights))
    if evaluated and first():
        folder = out / "evaluation"
        evaluate(prepared, [str(weights)], folder, part="test", maps=maps, device=options.device or "auto")


@app.command()
@grouped
def predict(
    batch: BatchOptions,
    inputs: Inputs = None,
    model: Annotated[str, typer.Option(help="Weights: a released name or a path.")] = "discs-t2w",
    out: Out = Path("output/discs/predict"),
    method: Annotated[
        Method | None,
        typer.Option(
            help="How discs are chosen among the peaks: by look-once and search where there is a point network."
        ),
    ] = None,
    points: Annotated[str | None, typer.Option(help="Point network; that of the model's card by default.")] = None,
    spacing: Spacing = None,
    facing: FacingSaid = "auto",
    maps: Maps = False,
    series: Series = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Label discs: NIfTI in the input's own geometry (SCT numbers), JSON in mm and voxels, overlay.

    Inputs are volumes, sagittal pictures, DICOM series, or folders of them. Run it again to do what is missing.
    """
    import json

    from spinetk.discs.batch import Options, PredictorMaker, predict_files

    asked = given_inputs(inputs, batch.lists)
    options = Options(method, parse_spacing(spacing), facing, maps, series)
    with batch.pool(device) as pool:
        maker = PredictorMaker(model, points, device, options)
        done = predict_files(
            asked, out, maker, lists=batch.lists or [], pool=pool, again=not batch.resume, aet=batch.aet
        )
    if as_json:
        show([json.loads(path.read_text(encoding="utf-8")) for path in done.results.values()])
    warn(list(map(str, done.failures)))
    before = f" ({done.skipped} before)" if done.skipped else ""
    typer.echo(f"{len(done.results)} read{before}, results in {out}, {len(done.failures)} failed", err=as_json)
    leave(len(done.results), len(done.failures))


@app.command()
def evaluate(
    prepared: Annotated[Path, typer.Argument(help="Folder of `spinetk discs prepare`.")],
    model: Annotated[list[str], typer.Option(help="Weights: a released name or a path; repeat it to compare.")],
    out: Out = Path("output/discs/evaluation"),
    points: Annotated[str | None, typer.Option(help="Point network, adds the look-once rows.")] = None,
    part: Annotated[Part, typer.Option(help="Part of the split.")] = "val",
    maps: Maps = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Compare models in one table, with and without search and look-once: published DTT, FNR, FPR; level accuracy."""
    from spinetk.discs.evaluation import evaluate as run
    from spinetk.discs.predictor import DiscPredictor
    from spinetk.discs.release import called, unlike
    from spinetk.discs.table import table

    predictors = [DiscPredictor.load(name, points, device) for name in model]
    names = unlike([called(name) for name in model], [Path(path).stem for path in model])
    for predictor, name in zip(predictors, unlike(names, range(1, len(names) + 1)), strict=True):
        predictor.name = name
    rows = run(prepared, predictors, out, part=part, show_attention=maps)
    if as_json:
        show(rows)
    else:
        typer.echo(table(rows))


@app.command()
def release(
    model: Annotated[Path, typer.Argument(help="Weights of a run.")],
    name: Annotated[str, typer.Argument(help="Name of the release.")],
    about: About,
    metrics: Annotated[Path | None, typer.Option(help="evaluation.json of `discs evaluate`.")] = None,
    method: Annotated[Method, typer.Option(help="Whose figures go on the card.")] = "search",
    out: Out = Path("output/discs/release"),
) -> None:
    """Write NAME.safetensors (half precision) and NAME.json, its model card."""
    from spinetk.discs.release import release as run

    typer.echo(str(run(model, name, about, out, metrics=metrics, method=method)))


def _contrasts(asked: Modalities) -> tuple[str, ...]:
    return ("T1w", "T2w") if asked == "both" else (asked,)
