"""The verbs of ``spinetk segment`` for the left atrium."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from spinetk.atomic import write_json, write_text
from spinetk.errors import InputError
from spinetk.exits import leave
from spinetk.options import show, warn

if TYPE_CHECKING:
    from spinetk.batch.pools import Pool

SPLIT, GEOMETRY = "split.json", "geometry.json"


def train(
    source: Path,
    out: Path,
    *,
    network: str | None = None,
    stage: str = "both",
    iterations: int | None = None,
    max_epochs: int | None = None,
    loss: str | None = None,
    schedule: str | None = None,
    batch: int | None = None,
    rate: float | None = None,
    reduce: float | None = None,
    patience: int | None = None,
    num_layers: int | None = None,
    dilation: int | None = None,
    attention: bool | None = None,
    attention_reduction: int | None = None,
    attention_dilation: int | None = None,
    activation: str | None = None,
    width: int | None = None,
    locator_network: str | None = None,
    locator_width: int | None = None,
    locator_iterations: int | None = None,
    locator_batch: int | None = None,
    locator_rate: float | None = None,
    locator_mm: str | None = None,
    grid_mm: str | None = None,
    margin_mm: float = 10.0,
    seed: int = 0,
    **both: Any,
) -> None:
    """Train the locator, the segmenter or both on the training part of the cases.

    Options of the network are the segmenter's; ``locator_*`` are the locator's, which otherwise is a plain network of
    the same kind, trained with Dice. The split is kept in ``out/split.json``.

    Raises:
        InputError: No cases, an unknown name, an option the network does not take.
    """
    from spinetk.segmentation.atrium.cases import read_parts, write_parts
    from spinetk.segmentation.atrium.crop import LOCATOR_MM
    from spinetk.segmentation.atrium.data import choose_geometry
    from spinetk.segmentation.atrium.models import STAGES
    from spinetk.segmentation.atrium.pictures import write_curves
    from spinetk.segmentation.atrium.trainer import train_stage
    from spinetk.segmentation.registry import get_entry

    parts = read_parts(source, seed, kept=out / SPLIT if both.get("resume") else None)
    write_parts(parts, out / SPLIT)
    training, validation = parts["train"], parts["val"]
    typer.echo(", ".join(f"{len(cases)} {part}" for part, cases in parts.items()) + " cases", err=True)
    of_segmenter = {
        "layers": num_layers, "dilation": dilation, "attention": attention, "reduction": attention_reduction,
        "attention_dilation": attention_dilation, "activation": activation, "width": width,
    }  # fmt: skip
    settings: dict[str, dict[str, Any]] = {
        "locator": {
            "network": locator_network or network, "options": _given({"width": locator_width}), "loss": "dice",
            "iterations": locator_iterations or iterations, "batch": locator_batch, "rate": locator_rate,
        },
        "segmenter": {
            "network": network, "options": _given(of_segmenter), "iterations": iterations, "batch": batch,
            "rate": rate, "loss": loss, "schedule": schedule, "reduce": reduce, "patience": patience,
        },
    }  # fmt: skip
    spacing = None if grid_mm is None else _triple("--grid", grid_mm)
    coarse = LOCATOR_MM if locator_mm is None else _triple("--set locator_mm", locator_mm)
    kept = out / GEOMETRY
    if both.get("resume") and kept.is_file():
        geometry = _kept(kept)
    else:
        geometry = choose_geometry(training, spacing, coarse, margin_mm)
        write_json(kept, geometry.to_json())
    for name in STAGES if stage == "both" else (stage,):
        own = _given(settings[name])  # what is not given is the recipe's, or that of the run that goes on
        if max_epochs is not None:
            size = own.get("batch") or get_entry(own.get("network", "vnet")).optimiser.batch
            own["iterations"] = max_epochs * max(1, len(training) // size)
        path = train_stage(name, training, validation, out, geometry, seed=seed, **(both | own))
        write_curves(out / name, out / f"{name}.png")
        typer.echo(str(path))


def predict(
    inputs: Sequence[Path],
    out: Path,
    *,
    model: Sequence[str],
    locator: str | None = None,
    how: str = "locate",
    flip: Sequence[str] = (),
    pictures: bool = False,
    surface: bool = False,
    device: str = "auto",
    lists: Sequence[Path] = (),
    pool: Pool | None = None,
    again: bool = False,
) -> None:
    """Write the atrium of every volume and DICOM series; exit code 3 where one failed."""
    from spinetk.segmentation.atrium.batch import AtriumMaker, predict_files

    names = tuple(name for given in model for name in given.split(","))
    maker = AtriumMaker(names, locator, tuple(flip), device, how, str(Path(out).resolve()), pictures, surface)
    done = predict_files(maker, inputs, out, lists=lists, pool=pool, again=again)
    warn([f"{entry['file']}: {remark}" for entry in done["written"] for remark in entry["remarks"]])
    warn([failure["why"] for failure in done["failed"]])
    empty = [entry["file"] for entry in done["written"] if not entry["voxels"]]
    warn([f"{file}: no atrium was found" for file in empty])
    typer.echo(f"{len(done['written'])} masks in {out}, {len(done['failed'])} failed")
    leave(len(done["written"]), len(done["failed"]))


def evaluate(
    source: Path,
    out: Path,
    *,
    model: Sequence[str],
    part: str = "test",
    split: str | Path | None = None,
    locator: str | None = None,
    how: str = "locate",
    flip: Sequence[str] = (),
    pictures: bool = False,
    surface: bool = False,
    device: str = "auto",
    seed: int = 0,
    as_json: bool = False,
) -> None:
    """One row a model (``A,B`` averages two); the cases of a part, or all of them.

    The split is that of ``split``, else that kept beside the first model, else the one ``seed`` gives. Exit code 3
    where a case could not be read.
    """
    from spinetk.segmentation.atrium.cases import read_parts
    from spinetk.segmentation.atrium.evaluation import evaluate_model, table
    from spinetk.segmentation.atrium.models import load_predictor
    from spinetk.segmentation.atrium.pictures import drawing

    kept = Path(split) if split else _split_beside(model[0].split(",")[0])
    if kept is None and part != "all":
        warn(["the split of the model's training is not known: cases are split anew (--split FILE, or --part all)"])
    elif kept is not None and not kept.is_file():
        raise InputError(kept, "no such file", "give the split.json of a training")
    parts = read_parts(source, seed, kept=None if part == "all" else kept)
    pairs = [pair for cases in parts.values() for pair in cases] if part == "all" else parts[part]
    if not pairs:
        raise InputError(source, f"has no case in the part {part}", "choose another part")
    rows = []
    for number, given in enumerate(model, 1):
        predictor = load_predictor(given.split(","), locator, device, flip)
        folder = out if len(model) == 1 else out / f"model-{number}"
        result = evaluate_model(predictor, pairs, how, draw=drawing(folder, pictures, surface))
        result.write(folder / "cases.csv")
        rows.append((given, result))
    summary = [{"model": name, "cases": len(result.rows), **result.summary()} for name, result in rows]
    write_json(out / "summary.json", summary)
    failed = sorted({line for _, result in rows for line in result.failed})
    write_text(out / "table.md", table(rows))
    if as_json:
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
            raise InputError(metrics, "is no summary of an evaluation", "give its summary.json") from error
    path = write(run, out / f"{name}.safetensors", **fields)
    typer.echo(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")


def _split_beside(model: str) -> Path | None:
    """The split that a run keeps beside its weights; None for a released name."""
    path = Path(model)
    folder = path if path.is_dir() else path.parent if path.is_file() else None
    return folder / SPLIT if folder is not None and (folder / SPLIT).is_file() else None


def _kept(path: Path) -> Any:
    """The geometry that a run was begun with."""
    from spinetk.segmentation.atrium.predictor import Geometry

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(path, "cannot be read", "train anew without --resume, or in another folder") from error
    return Geometry.from_json(content, path)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None and value != {}}


def _triple(option: str, text: str) -> tuple[float, float, float]:
    """``1.25`` or ``2,1.5,1.5`` (slice, row, column)."""
    try:
        values = [float(v) for v in str(text).split(",")]
    except ValueError:
        values = []
    if len(values) not in (1, 3) or min(values, default=0) <= 0:
        raise InputError(f"{option} {text}", "is not MM or SLICE,ROW,COLUMN", f"for example {option} 1.25")
    return tuple(values * 3 if len(values) == 1 else values)  # type: ignore[return-value]
