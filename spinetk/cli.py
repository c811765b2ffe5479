"""``spinetk VERB``: the command line. Heavy libraries are imported inside the verbs, so ``--help`` is instant.

Exit codes: 0 done, 2 bad input (one line says which and what to do), 1 our fault.
"""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from spinetk import __version__
from spinetk.discs.commands import app as discs_app
from spinetk.errors import InputError

app = typer.Typer(
    name="spinetk",
    help="Vertebral landmarks, heights and deformity from radiographs, MR and CT slices. For research use.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(discs_app, name="discs")

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Spacing = Annotated[
    str | None, typer.Option(help="Pixel spacing MM or ROW,COLUMN in mm, in place of what the file says.")
]


class Facing(StrEnum):
    """Side of the picture that the patient's front faces."""

    LEFT = "left"
    RIGHT = "right"
    AUTO = "auto"


class Layout(StrEnum):
    """What ``prepare`` reads."""

    AUTO = "auto"
    OURS = "ours"
    COCO = "coco"
    AASCE = "aasce"
    MASKS = "masks"
    CVAT = "cvat"
    LABELSTUDIO = "labelstudio"


class SliceChoice(StrEnum):
    """Which slice of a series or volume ``predict`` reads."""

    CENTRAL = "central"
    MOST_SPINE = "most-spine"


class Part(StrEnum):
    """Part of a split."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


def parse_spacing(text: str | None) -> tuple[float, float] | None:
    """``0.3`` or ``0.3,0.25`` (row, column) in mm."""
    if text is None:
        return None
    try:
        values = [float(v) for v in text.split(",")]
    except ValueError:
        values = []
    if len(values) not in (1, 2):
        raise InputError(f"--spacing {text}", "is not MM or ROW,COLUMN", "for example --spacing 0.3 or 0.3,0.25")
    return values[0], values[-1]


def show(content: Any) -> None:
    """Print JSON."""
    typer.echo(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))


def warn(lines: list[str]) -> None:
    """Print remarks and failures, one line each, on standard error."""
    for line in lines:
        typer.echo(f"spinetk: {line}", err=True)


@app.command()
def info(files: list[Path], as_json: AsJson = False) -> None:
    """What a file is: modality, size, spacing and its source, polarity, orientation. No model needed."""
    from spinetk.images.info import describe, render

    described, failures = [], []
    for file in files:
        try:
            described.append(describe(file))
        except InputError as error:
            failures.append(str(error))
    if as_json:
        show(described)
    else:
        typer.echo("\n\n".join(render(d) for d in described))
    warn(failures)
    if failures:
        raise typer.Exit(2)


@app.command()
def prepare(
    source: Path,
    out: Out,
    layout: Annotated[Layout, typer.Option("--from", help="What the source is.")] = Layout.AUTO,
    width: Annotated[int | None, typer.Option(help="Resize to this width in px (the original used 800).")] = None,
    spacing: Spacing = None,
    schema: Annotated[str | None, typer.Option(help="vertebra6, vertebra4, or a .json/.toml file.")] = None,
) -> None:
    """Pictures and annotations to case folders: windowed 8-bit PNG and JSON per case."""
    from spinetk.cases.preparation import prepare as run

    chosen = None if layout is Layout.AUTO else layout.value
    done = run(source, out, layout=chosen, width=width, spacing_mm=parse_spacing(spacing), schema=schema)
    warn([*map(str, done.remarks), *map(str, done.failures)])
    typer.echo(f"{len(done.cases)} cases in {out}, {len(done.failures)} failed")
    if not done.cases:
        raise typer.Exit(2)


@app.command()
def augment(
    base: Path,
    copies: Annotated[int, typer.Option(help="Augmented copies per case.")] = 10,
    hardware_copies: Annotated[int, typer.Option(help="Copies where the flag is set.")] = 30,
    flag: Annotated[str, typer.Option(help="Field of metadata.json that asks for more copies.")] = "Hardware",
    seed: Seed = 0,
    workers: Annotated[int, typer.Option(help="Processes; the files do not depend on it.")] = 0,
) -> None:
    """Augmented copies of every case with the original's imgaug recipe."""
    from spinetk.cases.augmentation import augment as run

    done = run(base, copies=copies, hardware_copies=hardware_copies, flag=flag, seed=seed, workers=workers)
    warn([str(failure) for failure in done.failures])
    typer.echo(f"{done.written} copies written, {done.kept} were there")


@app.command()
def coco(
    base: Path,
    out: Annotated[Path, typer.Option("--out", "-o", help="COCO keypoint JSON to write.")],
    part: Annotated[Part | None, typer.Option(help="Only this part of the split.")] = None,
) -> None:
    """Write a case folder as COCO keypoints."""
    from spinetk.cases.coco import export

    typer.echo(f"{export(base, out, part=part.value if part else None)} pictures in {out}")


@app.command()
def split(
    base: Path,
    stratify: Annotated[str | None, typer.Option(help="Field of metadata.json to stratify by.")] = None,
    group: Annotated[str | None, typer.Option(help="Field of metadata.json that names the patient.")] = None,
    seed: Seed = 100,
) -> None:
    """Split the cases 68.6 / 11.4 / 20 into train, val and test; saved in BASE/split.json."""
    from spinetk.cases.splitting import make_split

    train_part, val, test, *_ = make_split(base, stratify, group=group, seed=seed)
    typer.echo(f"train {len(train_part)}, val {len(val)}, test {len(test)}")


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
    model: Annotated[str, typer.Option(help="Weights: a released name or a path.")] = "output/model_final.pth",
    threshold: Annotated[float, typer.Option(help="Least confidence of a vertebra.")] = 0.6,
    device: Device = "auto",
    spacing: Spacing = None,
    facing: Annotated[Facing, typer.Option(help="Side the patient's front faces.")] = Facing.AUTO,
    anchor: Annotated[str | None, typer.Option(help="Name levels from one that is known, e.g. L5=last.")] = None,
    slices: Annotated[SliceChoice, typer.Option("--slice", help="Slice of a series or volume.")] = SliceChoice.CENTRAL,
) -> None:
    """Vertebrae, heights, grades and angles of radiographs and slices (files, or folders of any depth)."""
    from spinetk.keypoints.batch import predict_files
    from spinetk.keypoints.predictor import Predictor

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
def measure(
    results: list[Path],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write measured JSON and vertebrae.csv here.")] = None,
    facing: Annotated[Facing, typer.Option(help="Side the patient's front faces.")] = Facing.AUTO,
    anchor: Annotated[str | None, typer.Option(help="Name levels from one that is known, e.g. L5=last.")] = None,
    thresholds: Annotated[str, typer.Option(help="Height loss in % at which grades 1, 2, 3 begin.")] = "20,25,40",
    as_json: AsJson = False,
) -> None:
    """Heights, grades and angles of result files (JSON of predict, Slicer markups, CVAT XML), measured anew."""
    from spinetk.atomic import write_json
    from spinetk.measure import measure as run
    from spinetk.report.results import iter_results
    from spinetk.report.table import rows, write_table

    try:
        limits = tuple(float(v) for v in thresholds.split(","))
    except ValueError as error:
        raise InputError(f"--thresholds {thresholds}", "is not three numbers", "for example 20,25,40") from error
    readings, failures = [], []
    for path, reading in iter_results(results):
        if isinstance(reading, InputError):
            failures.append(str(reading))
            continue
        readings.append(run(reading, facing=facing.value, anchor=anchor, thresholds=limits))
        if out is not None:
            write_json(out / path.name, readings[-1].to_json())
    if out is not None:
        write_table(out / "vertebrae.csv", readings)
    if as_json:
        show([reading.to_json() for reading in readings])
    else:
        for row in (row for reading in readings for row in rows(reading)):
            unit = "mm" if row.get("spacing_row_mm") else "px"
            heights = " ".join(f"{row.get(f'height_{side}_{unit}') or '-':>8}" for side in ("left", "middle", "right"))
            grade = row.get("deformity_grade")
            verdict = "not graded" if grade in (None, "") else f"{row['deformity_type']}, grade {grade}"
            typer.echo(f"{Path(row['file']).name:<32.32} {row['label'] or row['index']:>4} {heights} {unit}  {verdict}")
    warn(failures)
    if failures and not readings:
        raise typer.Exit(2)


@app.command()
def report(
    results: list[Path],
    out: Out = Path("output/report"),
    html: Annotated[bool, typer.Option(help="Self-contained pages and an overview, index.html.")] = True,
    sr: Annotated[bool, typer.Option("--sr", help="DICOM Structured Reports, for results of DICOM files.")] = False,
    slicer: Annotated[
        bool, typer.Option("--slicer", help="3D Slicer markups, to correct and give to measure.")
    ] = False,
    cvat: Annotated[bool, typer.Option("--cvat", help="CVAT annotations, to correct and give to measure.")] = False,
) -> None:
    """Reports of result files (JSON of predict): HTML pages, DICOM SR, 3D Slicer, CVAT."""
    from spinetk.report.results import find_results, write_reports

    done = write_reports(find_results(results), out, html=html, sr=sr, slicer=slicer, cvat=cvat)
    warn(done.failures)
    typer.echo(f"{len(done.written)} reports in {out}, {len(done.failures)} failed")
    if not done.written:
        raise typer.Exit(2)


@app.command()
def models(as_json: AsJson = False) -> None:
    """Every network and released weight."""
    from spinetk import zoo
    from spinetk.keypoints.preset import PRESETS
    from spinetk.segmentation.registry import ENTRIES

    networks: list[tuple[str, str, int | None]] = [("keypoints", name, None) for name in PRESETS]
    networks += [("discs", name, None) for name in ("hourglass", "shapeunet", "lookonce")]
    networks += [(entry.tasks[0], entry.name, entry.parameters) for entry in ENTRIES]
    rows: list[dict[str, Any]] = [
        {"name": name, "task": task, "released": False, "parameters": parameters, "licence": "Apache-2.0"}
        for task, name, parameters in networks
    ]
    for name, card in zoo.released():
        rows.append(
            {"name": name, "task": card["config"].get("task", "keypoints"), "released": True}
            | {key: card.get(key) for key in ("parameters", "licence", "use", "data")}
        )
    if as_json:
        show(rows)
    else:
        for row in rows:
            kind = "weights" if row["released"] else "network"
            typer.echo(f"{row['name']:<24}{row['task']:<12}{kind:<10}{row['licence']}")


@app.command()
def phantom(
    out: Out,
    cases: Annotated[int, typer.Option(help="Number of cases.")] = 24,
    width: Annotated[int | None, typer.Option(help="Resize to this width in px.")] = None,
    hardware_share: Annotated[float, typer.Option(help="Share of the cases with screws, rods or cement.")] = 0.2,
    seed: Seed = 0,
) -> None:
    """Make synthetic lateral radiographs and sagittal MR slices with exact truth, as a case folder."""
    from spinetk.phantoms import write_phantom_set

    names = write_phantom_set(out, cases, seed=seed, width=width, hardware_share=hardware_share)
    typer.echo(f"{len(names)} cases in {out}")


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line; turn errors into one line and an exit code."""
    try:
        app()
    except InputError as error:
        warn([str(error)])
        sys.exit(2)
    except KeyboardInterrupt:
        warn(["interrupted; what was finished is kept"])
        sys.exit(130)
    except Exception as error:
        if os.environ.get("SPINETK_DEBUG"):
            raise
        warn([f"internal error, please report it: {type(error).__name__}: {error} (SPINETK_DEBUG=1 shows where)"])
        sys.exit(1)
