"""Training of heatmap networks and of the look-once point network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from spinetk import __version__, zoo
from spinetk.atomic import write_json
from spinetk.discs.data import LARGEST, DiscDataset
from spinetk.discs.lookonce import PointSet
from spinetk.discs.module import DiscTraining, PointTraining, Recipe
from spinetk.discs.pictures import write_film
from spinetk.discs.pointdata import PointDataset, collate
from spinetk.discs.predictor import NETWORKS, DiscPredictor
from spinetk.discs.preparation import Sample, read_dataset, read_samples
from spinetk.discs.search import Column
from spinetk.discs.skeleton import mean_skeleton
from spinetk.discs.target import LEGACY_JOINTS
from spinetk.errors import InputError
from spinetk.training.device import pick_device
from spinetk.training.fit import Fit, fit
from spinetk.training.quiet import quiet
from spinetk.training.sampler import EndlessSampler

FINAL, BEST = "model_final.pth", "model_best.pth"
POINT_BATCH = 16


def train(
    prepared: str | Path,
    output: str | Path,
    *,
    network: str = "hourglass",
    stacks: int = 2,
    attention: bool = True,
    blocks: int = 1,
    ordinal: bool = False,
    modality: str | None = None,
    recipe: Recipe | None = None,
    resume: bool = False,
    seed: int = 42,
    workers: int = 0,
    device: str = "auto",
    precision: str = "auto",
    progress: bool = True,
) -> Path:
    """Train a heatmap network on a prepared folder.

    The run's folder holds checkpoints, logs, ``settings.json``, ``pictures/`` (the first validation pictures after
    each epoch, and the film of them), ``model_final.pth`` and ``model_best.pth`` (lowest validation loss).

    Args:
        prepared: Folder of ``spinetk discs prepare``.
        output: Folder of the run.
        network: ``hourglass`` or ``shapeunet``.
        stacks, attention, blocks: Of the hourglass.
        ordinal: Legacy channels, counted from the head, instead of anatomical levels.
        modality: ``T1w`` or ``T2w`` to train on that contrast only, where both are prepared.
        recipe: Settings.
        resume: Go on from the newest checkpoint.
        seed: Of everything random.
        workers: Processes that prepare data; results do not depend on it.
        device, precision: As :func:`spinetk.training.fit.fit` takes them.
        progress: Show a progress bar.

    Returns:
        Path of ``model_final.pth``.

    Raises:
        InputError: The folder is not prepared, or holds nothing to train on.
    """
    recipe, output = recipe or Recipe(), Path(output)
    content = read_dataset(prepared)
    samples, held_out = (_samples(prepared, part, modality) for part in ("train", "val"))
    levels = None if ordinal else tuple(sorted({n for sample in samples for n in sample.points}))
    arguments: dict[str, Any] = {"joints": LEGACY_JOINTS if levels is None else len(levels)}
    if network == "hourglass":
        arguments |= {"stacks": stacks, "attention": attention, "blocks": blocks}
    config = {
        "task": "discs", "network": network, "arguments": arguments, "grid_mm": content["grid_mm"],
        "modalities": [modality] if modality else content["modalities"], **_shape(samples, levels),
    }  # fmt: skip
    with quiet():
        torch.manual_seed(seed)
        model = _network(network, arguments)
    training = DiscDataset(samples, levels, recipe.augment, seed, LARGEST)
    per_epoch = -(-len(samples) // recipe.batch)
    iterations = recipe.epochs * per_epoch
    count = sum(p.numel() for p in model.parameters())
    size = f"{training.size[0]} x {training.size[1]}"
    print(f"{network} ({count / 1e6:.2f} M parameters), {len(samples)} pictures of {size}, {iterations} iterations")
    settings = {"config": config, "recipe": vars(recipe), "seed": seed, "train": len(samples), "val": len(held_out)}
    write_json(output / "settings.json", settings | {"spinetk": __version__, "torch": torch.__version__})
    module = DiscTraining(model, recipe, per_epoch, output / "pictures")
    loader: dict[str, Any] = {"num_workers": workers, "persistent_workers": workers > 0}
    loader |= {"pin_memory": pick_device(device).type == "cuda"}
    result = fit(
        module,
        lambda done: DataLoader(
            training,
            recipe.batch,
            sampler=EndlessSampler(len(samples), seed, done * recipe.batch),
            **loader,
        ),
        DataLoader(DiscDataset(held_out, levels), recipe.batch + 1, **loader) if held_out else None,
        output,
        iterations=iterations,
        resume=resume,
        check_every=per_epoch,
        device=device,
        precision=precision,
        progress=progress,
    )
    write_film(output / "pictures")
    return _save(module, result, output, config, {"epochs": recipe.epochs, "parameters": count})


def train_points(
    prepared: str | Path,
    output: str | Path,
    predictor: DiscPredictor,
    *,
    iterations: int = 3000,
    resume: bool = False,
    seed: int = 42,
    device: str = "auto",
    progress: bool = True,
) -> Path:
    """Train the look-once point network on what a heatmap network really finds, and generated false points.

    Args:
        prepared: Folder of ``spinetk discs prepare``.
        output: Folder of the run.
        predictor: The first stage; it must know levels.
        iterations: In all.
        resume, seed, device, progress: As for :func:`train`.

    Returns:
        Path of ``model_final.pth``.
    """
    if predictor.levels is None:
        raise InputError(predictor.name, "has ordinal channels", "the point network needs a model of levels")
    samples, held_out = (_samples(prepared, part, None) for part in ("train", "val"))
    with quiet():
        torch.manual_seed(seed)
        network = PointSet()
    training = PointDataset(samples, predictor, seed, noise=True)
    module = PointTraining(network, iterations)
    result = fit(
        module,
        lambda done: DataLoader(
            training,
            POINT_BATCH,
            sampler=EndlessSampler(len(samples), seed, done * POINT_BATCH),
            collate_fn=collate,
        ),
        DataLoader(PointDataset(held_out, predictor, seed), POINT_BATCH, collate_fn=collate) if held_out else None,
        Path(output),
        iterations=iterations,
        resume=resume,
        check_every=max(1, iterations // 30),
        device=device,
        progress=progress,
    )
    config = {"task": "disc-points", "first_stage": predictor.name, "levels": list(predictor.levels)}
    return _save(module, result, Path(output), config, {"iterations": iterations})


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


def _network(name: str, arguments: dict[str, Any]) -> nn.Module:
    if name not in NETWORKS:
        raise InputError(f"network {name!r}", "is unknown", f"use {', '.join(NETWORKS)}")
    return NETWORKS[name](**arguments)


def _save(module: Any, result: Fit, output: Path, config: dict[str, Any], training: dict[str, Any]) -> Path:
    network: nn.Module = module.network
    if result.iterations == result.resumed_from:
        # Nothing left to train: the weights are those of the checkpoint.
        network.load_state_dict(_weights(sorted((output / "checkpoints").glob("[0-9]*.ckpt"))[-1]))
    card = {"spinetk": __version__, "config": config, "training": {**training, "val_loss": result.val_loss}}
    if result.best is not None:
        zoo.save(output / BEST, _weights(result.best), card)
    zoo.save(output / FINAL, network.state_dict(), card)
    return output / FINAL


def _weights(checkpoint: Path) -> zoo.Weights:
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return {k.removeprefix("network."): v for k, v in content["state_dict"].items() if k.startswith("network.")}
