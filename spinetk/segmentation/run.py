"""Run: what the trainers of segmentation share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from pydantic import StrictStr
from torch import nn
from torch.utils.data import default_collate

from spinetk import zoo
from spinetk._version import __version__
from spinetk.errors import InputError
from spinetk.segmentation.losses.choose import make_loss
from spinetk.segmentation.module import SegmentationTraining
from spinetk.segmentation.optimiser import Optimiser
from spinetk.segmentation.registry import Entry
from spinetk.segmentation.samples import SegmentationSamples
from spinetk.training.data import Data
from spinetk.training.device import pick_device, pick_precision
from spinetk.training.fit import Fit, fit
from spinetk.training.launch import launch
from spinetk.training.memory import freed_memory_kept
from spinetk.training.record import files_of, fingerprint, settings_of, write_run
from spinetk.training.settings import Batch, Iterations, Rate, Settings
from spinetk.training.tuning import Advice, advise


@dataclass(frozen=True)
class SegmentationSettings(Settings):
    """What all trainers of segmentation take.

    Attributes:
        best_by: ``val_loss`` (Dice loss) or ``val_dice`` (coefficient), both of the whole validation part.
        network: Registered name.
        loss: Name of a loss; None for the network's.
        batch, rate: Override the network's recipe.
    """

    iterations: Iterations = 5000
    best_by: Literal["val_loss", "val_dice"] = "val_loss"
    network: StrictStr = "vnet"
    loss: StrictStr | None = None
    batch: Batch | None = None
    rate: Rate | None = None

    @classmethod
    def begin(cls, folder: Path, config: Any, resume: bool, given: Mapping[str, Any]) -> Self:
        """Settings of a run in ``folder``; one that goes on has those it was begun with, unless others are given.

        Raises:
            InputError: As of :meth:`of`, or this machine has no such device.
        """
        chosen = cls.of(config, **given)
        if config is None and resume:
            before = settings_of(folder / (chosen.network or "")) or settings_of(folder)
            chosen = cls.of(before, **given)
        pick_device(chosen.device)
        return replace(
            chosen, precision=pick_precision(chosen.device) if chosen.precision == "auto" else chosen.precision
        )


def run(
    module: SegmentationTraining,
    data: Data,
    folder: Path,
    settings: SegmentationSettings,
    resume: bool,
    training: Sequence[Any],
    validation: Sequence[Any],
) -> Fit:
    """Write what is known about the run, and carry it out."""
    distributed = launch(settings.devices, settings.nodes, settings.device)
    parts = {"train": training, "val": validation}
    if distributed.first:
        files = {part: [file for case in own for file in files_of(case)] for part, own in parts.items()}
        about = {
            "data": {part: fingerprint(own) for part, own in files.items()},
            "cases": {part: [case_name(case) for case in own] for part, own in parts.items()},
        }
        write_run(folder, settings, distributed, resume=resume, **about)
    callbacks: tuple[SegmentationSamples, ...] = ()
    if data.validation is not None and data.validates and distributed.first:
        callbacks = (SegmentationSamples(data.validation, data.collate or default_collate),)
    on_cpu = settings.device == "cpu" or not torch.cuda.is_available()
    with freed_memory_kept() if on_cpu else nullcontext():
        return fit(module, data, folder, settings, iterations=settings.iterations, resume=resume, callbacks=callbacks)


def flat_loss(name: str | None, entry: Entry) -> nn.Module:
    """The loss of that name, or the network's own, for slices and pictures.

    Raises:
        InputError: An unknown name, or a loss that needs distance maps.
    """
    criterion = make_loss(name or entry.loss)
    if criterion.needs_distance:
        raise InputError(f"loss {name!r}", "needs distance maps", "choose another for slices and pictures")
    return criterion


@dataclass(frozen=True)
class Ready:
    """A training that may begin.

    Attributes:
        module, data: What is trained, on what.
        folder: Of checkpoints and logs.
        settings: As resolved.
        parts: Cases of training and of validation.
        weights: File that the weights end in.
        config: Of their card.
        resume: Whether it goes on from the newest checkpoint.
    """

    module: SegmentationTraining
    data: Data
    folder: Path
    settings: SegmentationSettings
    parts: tuple[Sequence[Any], Sequence[Any]]
    weights: Path
    config: dict[str, Any]
    resume: bool

    def train(self) -> Path:
        """Carry it out; the file of the weights: the best by validation, or the last where there is none."""
        result = run(self.module, self.data, self.folder, self.settings, self.resume, *self.parts)
        return release(self.weights, result, self.config, self.settings)

    def advise(self, what: str) -> Advice:
        """What Lightning's finders advise; ``what``: ``rate`` or ``batch``. Nothing is trained."""
        self.module.recipe = replace(self.module.recipe, later=(), cosine=0)  # the finder alone moves the rate
        return advise(self.module, self.data, self.folder, self.settings, what)


def ready_flat(
    network: nn.Module,
    criterion: nn.Module,
    recipe: Optimiser,
    data: Data,
    output: Path,
    settings: SegmentationSettings,
    parts: tuple[Sequence[Any], Sequence[Any]],
    config: dict[str, Any],
    resume: bool,
) -> Ready:
    """A training of slices or pictures in ``output/<network>``, an epoch being a draw of every case.

    Args:
        network, criterion, recipe, data: What is trained, and how.
        output: Folder of the run; the weights end in ``output/<network>.pth``.
        settings: As resolved.
        parts: Cases of training and validation.
        config: Of the card, beside the name of the network.
        resume: Go on from the newest checkpoint.
    """
    cases = len(data.training)  # type: ignore[arg-type]
    module = SegmentationTraining(network, criterion, recipe, epoch_steps=-(-cases // recipe.batch))
    name = settings.network
    card = {**config, "network": name}
    return Ready(module, data, output / name, settings, parts, output / f"{name}.pth", card, resume)


def check_marked(masks: Iterable[np.ndarray]) -> None:
    """See that there is something to learn.

    Raises:
        InputError: No mask marks anything.
    """
    marks = [bool(mask.any()) for mask in masks]
    if not any(marks):
        raise InputError("training part", f"none of its {len(marks)} masks marks anything", "check the masks")


def case_name(case: Any) -> str:
    """A case's own name, or that of its first file."""
    files = files_of(case)
    return str(getattr(case, "name", None) or (files[0].name if files else ""))


def release(path: Path, result: Fit, config: dict[str, Any], settings: SegmentationSettings) -> Path:
    """Write the weights that are best on the validation part, or the last where there is none."""
    card = {
        "spinetk": __version__,
        "config": config,
        "training": {
            "iterations": result.iterations, settings.best_by: result.val_loss, "loss": settings.loss,
            "batch": settings.batch, "rate": settings.rate, "seed": settings.seed, "precision": settings.precision,
        },
    }  # fmt: skip
    if result.first:
        zoo.save(path, result.weights if result.best is None else result.best, card)
    return path
