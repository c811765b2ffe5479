"""Training of heatmap networks and of the look-once point network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import StrictBool

from spinetk import zoo
from spinetk._version import __version__
from spinetk.discs.card import NetworkName
from spinetk.discs.data import LARGEST, DiscDataset
from spinetk.discs.lookonce import PointSet
from spinetk.discs.module import DiscTraining, PointTraining, Recipe
from spinetk.discs.pictures import write_film
from spinetk.discs.pointdata import PointDataset, collate
from spinetk.discs.predictor import DiscPredictor
from spinetk.discs.preparation import Sample, read_dataset, read_samples
from spinetk.discs.registry import build
from spinetk.discs.search import Column
from spinetk.discs.skeleton import mean_skeleton
from spinetk.discs.target import LEGACY_JOINTS
from spinetk.errors import InputError
from spinetk.training.data import Data
from spinetk.training.device import pick_device, pick_precision
from spinetk.training.fit import Fit, fit
from spinetk.training.launch import launch
from spinetk.training.quiet import quiet
from spinetk.training.record import fingerprint, settings_of, write_run
from spinetk.training.settings import Iterations, Seed, Settings
from spinetk.training.tuning import Advice, advise
from spinetk.validation import between

FINAL, BEST = "model_final.pth", "model_best.pth"
POINT_BATCH = 16


@dataclass(frozen=True)
class DiscSettings(Settings):
    """Settings of :func:`train`; a run validates after each epoch.

    Attributes:
        iterations: In total; None for ``recipe.epochs``. Of the two, what is given wins over what a file says.
        check_every: Iterations between validations; None for an epoch.
        network: ``hourglass``, ``shapeunet`` or ``unet`` (the same without shape).
        stacks, attention, blocks: Of the hourglass.
        ordinal: Legacy channels, counted from the head, instead of anatomical levels.
        modality: ``T1w`` or ``T2w`` to train on that contrast only, where both are prepared.
        recipe: Solver, rate, epochs, ...
        best_by: ``val_loss``, ``pck`` or ``dice``.
    """

    iterations: Iterations | None = None  # type: ignore[assignment]
    check_every: Iterations | None = None  # type: ignore[assignment]
    best_by: Literal["val_loss", "pck", "dice"] = "val_loss"
    seed: Seed = 42
    network: NetworkName = "hourglass"
    stacks: Annotated[int, between(1, 8)] = 2
    attention: StrictBool = True
    blocks: Annotated[int, between(1, 8)] = 1
    ordinal: StrictBool = False
    modality: Literal["T1w", "T2w"] | None = None
    recipe: Recipe = field(default_factory=Recipe)


@dataclass(frozen=True)
class PointSettings(Settings):
    """Settings of :func:`train_points`."""

    iterations: Iterations = 3000
    best_by: Literal["val_loss"] = "val_loss"
    seed: Seed = 42


def train(
    prepared: str | Path,
    output: str | Path,
    *,
    resume: bool = False,
    config: str | Path | Mapping[str, Any] | None = None,
    **settings: Any,
) -> Path:
    """Train a heatmap network on a prepared folder.

    The run's folder holds checkpoints, logs, ``settings.json``, ``pictures/`` (the first validation pictures after
    each epoch, and the film of them), ``model_final.pth`` and ``model_best.pth`` (best by ``best_by``).

    Args:
        prepared: Folder of ``spinetk discs prepare``.
        output: Folder of the run.
        resume: Go on from the newest checkpoint, with the settings the run was begun with where no others are given.
        config: Settings file (JSON, TOML, YAML), or the ``settings.json`` of a run.
        **settings: Fields of :class:`DiscSettings`; they win over ``config``.

    Returns:
        Path of ``model_final.pth``.

    Raises:
        InputError: The folder is not prepared, or holds nothing to train on; an unknown setting.
    """
    output = Path(output)
    chosen, module, data, card, about = _set_up(prepared, output, resume, config, settings)
    iterations = about["iterations"]
    distributed = launch(chosen.devices, chosen.nodes, chosen.device)
    count = sum(p.numel() for p in module.network.parameters())
    if distributed.first:
        height, width = data.training.size  # type: ignore[attr-defined]
        print(
            f"{chosen.network} ({count / 1e6:.2f} M parameters), {len(data.training)} pictures of {height} x {width}, "  # type: ignore[arg-type]
            f"{iterations} iterations"
        )
        write_run(output, chosen, distributed, resume=resume, **about)
    every = chosen.check_every or module.per_epoch
    result = fit(module, data, output, chosen, iterations=iterations, check_every=every, resume=resume)
    if result.first:
        write_film(output / "pictures")
    done = {"epochs": chosen.recipe.epochs} if chosen.iterations is None else {"iterations": result.iterations}
    return _save(result, output, card, {**done, "parameters": count})


def find_rate(
    prepared: str | Path,
    output: str | Path,
    *,
    config: str | Path | Mapping[str, Any] | None = None,
    what: str = "rate",
    **settings: Any,
) -> Advice:
    """What Lightning's finders advise for :func:`train` with the same arguments; ``what``: ``rate`` or ``batch``."""
    chosen, module, data, _, _ = _set_up(prepared, Path(output), False, config, settings)
    return advise(module, data, Path(output), chosen, what)


def _set_up(
    prepared: str | Path, output: Path, resume: bool, config: Any, given: dict[str, Any]
) -> tuple[DiscSettings, DiscTraining, Data, dict[str, Any], dict[str, Any]]:
    """Resolved settings, module, data, the model's card, and what is written about the run."""
    if config is None and resume:
        config = settings_of(output)
    solver = given.get("recipe", {})
    if "iterations" not in given and (not isinstance(solver, Mapping) or "epochs" in solver):
        given["iterations"] = None
    chosen = DiscSettings.of(config, **given)
    pick_device(chosen.device)  # before anything is read
    recipe, content = chosen.recipe, read_dataset(prepared)
    samples, held_out = (_samples(prepared, part, chosen.modality) for part in ("train", "val"))
    per_epoch = -(-len(samples) // recipe.batch)
    precision = pick_precision(chosen.device) if chosen.precision == "auto" else chosen.precision
    chosen = replace(chosen, precision=precision)
    length = chosen.iterations or recipe.epochs * per_epoch
    levels = None if chosen.ordinal else tuple(sorted({n for sample in samples for n in sample.points}))
    arguments: dict[str, Any] = {"joints": LEGACY_JOINTS if levels is None else len(levels)}
    if chosen.network == "hourglass":
        arguments |= {"stacks": chosen.stacks, "attention": chosen.attention, "blocks": chosen.blocks}
    card = {
        "task": "discs", "network": chosen.network, "arguments": arguments, "grid_mm": content["grid_mm"],
        "modalities": [chosen.modality] if chosen.modality else content["modalities"], **_shape(samples, levels),
    }  # fmt: skip
    with quiet():
        torch.manual_seed(chosen.seed)
        model = build(chosen.network, arguments)
    training = DiscDataset(samples, levels, recipe.augment, chosen.seed, LARGEST)
    validation = DiscDataset(held_out, levels) if held_out else None
    data = Data(training, validation, recipe.batch, recipe.batch + 1)
    parts = {"train": samples, "val": held_out}
    about = {
        "iterations": length,
        "config": card,
        "data": {part: fingerprint([s.path for s in own], [sorted(s.points.items()) for s in own])
                 for part, own in parts.items()},
        "cases": {part: [s.stem for s in own] for part, own in parts.items()},
    }  # fmt: skip
    return chosen, DiscTraining(model, recipe, per_epoch, output / "pictures"), data, card, about


def train_points(
    prepared: str | Path,
    output: str | Path,
    predictor: DiscPredictor,
    *,
    resume: bool = False,
    config: str | Path | Mapping[str, Any] | None = None,
    **settings: Any,
) -> Path:
    """Train the look-once point network on what a heatmap network really finds, and generated false points.

    Args:
        prepared: Folder of ``spinetk discs prepare``.
        output: Folder of the run.
        predictor: The first stage; it must know levels.
        resume, config: As for :func:`train`.
        **settings: Fields of :class:`PointSettings`.

    Returns:
        Path of ``model_final.pth``.
    """
    if predictor.levels is None:
        raise InputError(predictor.name, "has ordinal channels", "the point network needs a model of levels")
    output = Path(output)
    if config is None and resume:
        config = settings_of(output)
    chosen = PointSettings.of(config, **settings)
    pick_device(chosen.device)
    samples, held_out = (_samples(prepared, part, None) for part in ("train", "val"))
    with quiet():
        torch.manual_seed(chosen.seed)
        network = PointSet()
    data = Data(
        PointDataset(samples, predictor, chosen.seed, noise=True),
        PointDataset(held_out, predictor, chosen.seed) if held_out else None,
        POINT_BATCH,
        collate=collate,
    )
    distributed = launch(chosen.devices, chosen.nodes, chosen.device)
    if distributed.first:
        about = {"data": {"train": fingerprint([s.path for s in samples])}, "first_stage": predictor.name}
        write_run(output, chosen, distributed, resume=resume, **about)
    iterations = chosen.iterations
    every = max(1, iterations // 30)
    result = fit(
        PointTraining(network, iterations), data, output, chosen, iterations=iterations, check_every=every,
        resume=resume,
    )  # fmt: skip
    card = {"task": "disc-points", "first_stage": predictor.name, "levels": list(predictor.levels)}
    count = sum(p.numel() for p in network.parameters())
    return _save(result, output, card, {"iterations": iterations, "parameters": count})


def _samples(prepared: str | Path, part: str, modality: str | None) -> list[Sample]:
    samples = [s for s in read_samples(prepared, part) if modality is None or s.stem.endswith(f"_{modality}")]
    if not samples and part == "train":
        what = f" of modality {modality}" if modality else ""
        raise InputError(prepared, f"holds no training picture{what}", "prepare a data set of more subjects")
    return samples


def _shape(samples: list[Sample], levels: tuple[int, ...] | None) -> dict[str, Any]:
    """What the searches of the model need: steps between levels, or the mean skeleton of the legacy mode."""
    columns = [{n: np.array(p) * s.grid_mm for n, p in s.points.items()} for s in samples]
    if levels is not None:
        return {"levels": list(levels), "column": Column.learn(columns, levels).to_json()}
    mean = mean_skeleton([np.array([c[n] for n in sorted(c)]) for c in columns])
    skeleton = [[None if np.isnan(v) else round(float(v), 5) for v in row] for row in mean]
    return {"levels": None, "skeleton": skeleton}


def _save(result: Fit, output: Path, config: dict[str, Any], training: dict[str, Any]) -> Path:
    card = {"spinetk": __version__, "config": config, "training": {**training, "val_loss": result.val_loss}}
    if result.first:
        if result.best is not None:
            zoo.save(output / BEST, result.best, card)
        zoo.save(output / FINAL, result.weights, card)
    return output / FINAL
