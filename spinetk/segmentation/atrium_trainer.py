"""Training of locator and segmenter, together or one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from spinetk import __version__, zoo
from spinetk.errors import InputError
from spinetk.segmentation.atrium import AtriumPredictor, Geometry, Triple
from spinetk.segmentation.atrium_data import (
    CaseDataset,
    Stage,
    choose_geometry,
    collate,
    prepare,
)
from spinetk.segmentation.atrium_models import STAGES, load_predictor
from spinetk.segmentation.augmentation import Augmentation
from spinetk.segmentation.crop import LOCATOR_MM
from spinetk.segmentation.losses.choose import make_loss
from spinetk.segmentation.module import SegmentationTraining, override
from spinetk.segmentation.pairs import Pair
from spinetk.segmentation.registry import get_entry
from spinetk.training.device import pick_device
from spinetk.training.fit import fit
from spinetk.training.quiet import quiet
from spinetk.training.sampler import EndlessSampler


def train_stage(
    stage: Stage,
    training: Sequence[Pair],
    validation: Sequence[Pair],
    output: str | Path,
    geometry: Geometry,
    *,
    network: str = "vnet",
    options: dict[str, Any] | None = None,
    loss: str | None = None,
    schedule: str | None = None,
    iterations: int = 5000,
    resume: bool = False,
    batch: int | None = None,
    rate: float | None = None,
    reduce: float | None = None,
    patience: int | None = None,
    augmentation: Augmentation | None = None,
    check_every: int = 100,
    seed: int = 0,
    workers: int = 0,
    device: str = "auto",
    precision: str = "auto",
    progress: bool = True,
) -> Path:
    """Train one network of the atrium task.

    Args:
        stage: ``locator`` or ``segmenter``.
        training, validation: Cases; the second may be empty.
        output: Folder of the run; the stage has a folder of its own in it.
        geometry: The same for both stages.
        network: Registered name of a network of volumes.
        options: Of that network, such as ``{"attention": True, "dilation": 2}``.
        loss: Name of a loss; None for the network's.
        schedule: Of the loss ``hybrid``.
        iterations: In total, earlier starts included.
        resume: Go on from the newest checkpoint.
        batch, rate: Override the network's recipe.
        reduce, patience: Factor and patience (in validations) of the falling rate; override the recipe too.
        augmentation: None for the published kind.
        check_every: Iterations between validations and checkpoints.
        seed: Of everything random.
        workers: Processes that prepare data; results do not depend on it.
        device, precision, progress: As in :func:`spinetk.training.fit.fit`.

    Returns:
        ``output/<stage>.pth``: the best weights by validation, or the last where there is none.

    Raises:
        InputError: A case that cannot be read, no case with an atrium, an unknown name or option.
    """
    output, entry = Path(output), get_entry(network)
    if entry.form.axes != 3:
        raise InputError(f"network {network!r}", "is for slices", "choose one of the task atrium")
    chosen = pick_device(device)
    with quiet():
        torch.manual_seed(seed)
        net = entry.build(**(options or {}))
    criterion = make_loss(loss or entry.loss, schedule)
    recipe = override(entry.optimiser, rate=rate, batch=batch)
    if reduce is not None or patience is not None:
        factor, wait = recipe.plateau or (0.8, 7)
        recipe = override(
            recipe, plateau=(factor if reduce is None else reduce, wait if patience is None else patience)
        )
    run = output / stage
    needs = criterion.needs_distance
    files = prepare(training, geometry, run / "cases" / "training", stage, needs)
    held_out = prepare(validation, geometry, run / "cases" / "validation", stage, distance=False)
    if not files:
        raise InputError("training part", "holds no atrium", "check the masks")
    cases = CaseDataset(files, augmentation or Augmentation(), seed)
    size = min(recipe.batch, len(files))
    shared: dict[str, Any] = {"collate_fn": collate, "num_workers": workers, "pin_memory": chosen.type == "cuda"}
    module = SegmentationTraining(net, criterion, recipe, epoch_steps=max(1, len(files) // size))
    result = fit(
        module,
        lambda done: DataLoader(
            cases, sampler=EndlessSampler(len(files), seed, done * size), batch_size=size, **shared
        ),
        DataLoader(CaseDataset(held_out), batch_size=1, **shared) if held_out else None,
        run,
        iterations=iterations,
        resume=resume,
        check_every=check_every,
        device=device,
        precision=precision,
        progress=progress,
    )
    newest = sorted((run / "checkpoints").glob("[0-9]*.ckpt"))[-1]
    card = {
        "spinetk": __version__,
        "config": {
            "task": "atrium", "stage": stage, "network": network, "options": options or {},
            "geometry": geometry.to_json(),
        },
        "training": {"iterations": result.iterations, "val_loss": result.val_loss, "loss": loss or entry.loss},
    }  # fmt: skip
    final = output / f"{stage}.pth"
    zoo.save(final, _weights(result.best or newest), card)
    return final


def train_atrium(
    training: Sequence[Pair],
    validation: Sequence[Pair],
    output: str | Path,
    *,
    grid_mm: Triple | None = None,
    locator_mm: Triple = LOCATOR_MM,
    margin_mm: float = 10.0,
    locator: dict[str, Any] | None = None,
    segmenter: dict[str, Any] | None = None,
    **both: Any,
) -> AtriumPredictor:
    """Train locator and segmenter one after the other.

    Args:
        training, validation: Cases.
        output: Folder of the run.
        grid_mm: Spacing the segmenter works at; None for that of the first case.
        locator_mm: Spacing the locator works at.
        margin_mm: Around what the locator finds.
        locator, segmenter: Arguments of :func:`train_stage` for one stage.
        **both: The same for both.

    Returns:
        The predictor, on the device of the training.
    """
    geometry = choose_geometry(training, grid_mm, locator_mm, margin_mm)
    paths = [
        train_stage(stage, training, validation, output, geometry, **(both | (own or {})))
        for stage, own in zip(STAGES, (locator, segmenter), strict=True)
    ]
    return load_predictor(paths[1:], paths[0], both.get("device", "auto"))


def _weights(checkpoint: Path) -> zoo.Weights:
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return {k.removeprefix("network."): v for k, v in content["state_dict"].items() if k.startswith("network.")}
