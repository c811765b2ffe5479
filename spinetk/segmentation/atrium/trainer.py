"""Training of locator and segmenter, together or one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import StrictStr
from torch import nn

from spinetk.errors import InputError
from spinetk.segmentation.atrium.augmentation import Augmentation
from spinetk.segmentation.atrium.crop import LOCATOR_MM
from spinetk.segmentation.atrium.data import (
    CaseDataset,
    Stage,
    choose_geometry,
    collate,
    prepare,
)
from spinetk.segmentation.atrium.models import STAGES, load_predictor, read_parts
from spinetk.segmentation.atrium.predictor import AtriumPredictor, Geometry, Triple
from spinetk.segmentation.data.files import Pair
from spinetk.segmentation.losses.choose import make_loss
from spinetk.segmentation.module import SegmentationTraining, override
from spinetk.segmentation.networks.exact import exact_gradients
from spinetk.segmentation.optimiser import Optimiser
from spinetk.segmentation.registry import Entry, Options, get_entry
from spinetk.segmentation.run import Ready, SegmentationSettings
from spinetk.training.data import Data
from spinetk.training.launch import launch
from spinetk.training.quiet import quiet
from spinetk.validation import above, between

EPOCH_DRAWS = 6
"""An epoch draws every case so often: the published one has it plain, flipped, noisy, turned and shifted twice."""


def epoch_steps(cases: int, batch: int) -> int:
    """Iterations of an epoch."""
    return max(1, EPOCH_DRAWS * cases // min(batch, cases))


@dataclass(frozen=True)
class AtriumSettings(SegmentationSettings):
    """Settings of :func:`ready_stage`.

    Attributes:
        options: Of the network, such as ``{"attention": True, "dilation": 2}``.
        schedule: Of the loss ``hybrid``.
        reduce, patience: Factor and patience (in validations) of the falling rate; override the recipe too.
        decay: The rate falls by ``plateau`` of the validation loss, or along a ``cosine`` to 0 over all iterations.
        start: Model whose weights the network begins with (folder of a run, weights file, released name); None for
            random ones.
        augmentation: None for the published kind.
    """

    options: Options | None = None
    schedule: StrictStr | None = None
    reduce: Annotated[float, above(0, 1)] | None = None
    patience: Annotated[int, between(0, 1_000_000)] | None = None
    decay: Literal["plateau", "cosine"] = "plateau"
    start: StrictStr | None = None
    augmentation: Augmentation | None = None


def plan_stage(
    stage: Stage, output: str | Path, *, resume: bool = False, config: Any = None, **settings: Any
) -> tuple[AtriumSettings, Entry, nn.Module, Any, Optimiser]:
    """What a stage is trained with, and all that can be wrong with it before a case is read.

    Returns:
        Settings, the network's entry, the network, its loss and its recipe.

    Raises:
        InputError: An unknown name or option, a setting out of range, or a device that this machine has not.
    """
    chosen = AtriumSettings.begin(Path(output) / stage, config, resume, settings)
    entry = get_entry(chosen.network)
    if entry.form.axes != 3:
        raise InputError(f"network {chosen.network!r}", "is for slices", "choose one of the task atrium")
    with quiet():
        torch.manual_seed(chosen.seed)
        net = exact_gradients(entry.build(**(chosen.options or {})))
    if chosen.start is not None:
        _begin_with(net, chosen.start, stage)
    criterion = make_loss(chosen.loss or entry.loss, chosen.schedule)
    recipe = override(entry.recipe(stage), rate=chosen.rate, batch=chosen.batch)
    if chosen.reduce is not None or chosen.patience is not None:
        factor, wait = recipe.plateau or (0.8, 7)
        factor = factor if chosen.reduce is None else chosen.reduce
        recipe = override(recipe, plateau=(factor, wait if chosen.patience is None else chosen.patience))
    if chosen.decay == "cosine":
        recipe = replace(recipe, plateau=None, cosine=chosen.iterations)
    return chosen, entry, net, criterion, recipe


def ready_stage(
    stage: Stage,
    training: Sequence[Pair],
    validation: Sequence[Pair],
    output: str | Path,
    geometry: Geometry,
    *,
    resume: bool = False,
    config: str | Path | Mapping[str, Any] | None = None,
    **settings: Any,
) -> Ready:
    """The training of one network of the atrium task, not begun.

    Args:
        stage: ``locator`` or ``segmenter``.
        training, validation: Cases; the second may be empty.
        output: Folder of the run; the stage has a folder of its own in it. The weights end in ``output/<stage>.pth``.
        geometry: The same for both stages.
        resume: Go on from the newest checkpoint, with the settings the run was begun with where no others are given.
        config: Settings file (JSON, TOML, YAML), or the ``settings.json`` of a run.
        **settings: Fields of :class:`AtriumSettings`; they win over ``config``.

    Raises:
        InputError: A case that cannot be read, no case with an atrium, an unknown name or option.
    """
    output = Path(output)
    folder = output / stage
    chosen, entry, net, criterion, recipe = plan_stage(stage, output, resume=resume, config=config, **settings)
    distributed = launch(chosen.devices, chosen.nodes, chosen.device)
    written: tuple[list[Path], list[Path]] = [], []
    if distributed.first:
        cases = folder / "cases"
        written = (
            prepare(training, geometry, cases / "training", stage, bool(criterion.needs_distance)),
            prepare(validation, geometry, cases / "validation", stage, distance=False),
        )
    files, held_out = distributed.gather(written)[0]
    if not files:
        raise InputError("training part", "holds no atrium", "check the masks")
    size = min(recipe.batch, len(files))
    chosen = replace(
        chosen, rate=recipe.rate, batch=size, loss=chosen.loss or entry.loss,
        augmentation=chosen.augmentation or Augmentation(),
    )  # fmt: skip
    data = Data(
        CaseDataset(files, chosen.augmentation, chosen.seed),
        CaseDataset(held_out) if held_out else None,
        size,
        validation_batch=1,
        collate=collate,
    )
    module = SegmentationTraining(net, criterion, recipe, epoch_steps=epoch_steps(len(files), size))
    card = {
        "task": "atrium", "stage": stage, "network": chosen.network, "options": chosen.options or {},
        "geometry": geometry.to_json(),
    }  # fmt: skip
    return Ready(module, data, folder, chosen, (training, validation), output / f"{stage}.pth", card, resume)


def _begin_with(network: nn.Module, start: str | Path, stage: Stage) -> None:
    """Give a network the weights of that stage of a model.

    Raises:
        InputError: The model has no such stage, or its network is another one.
    """
    part = read_parts(start).get(stage)
    if part is None:
        raise InputError(start, f"holds no {stage}", "begin with a model of both stages")
    try:
        network.load_state_dict(part.weights)
    except RuntimeError as error:
        fault = f"has another {stage}: {part.network} {part.options or ''}".rstrip()
        raise InputError(start, fault, "train the same network with the same options") from error


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
        locator, segmenter: Arguments of :func:`ready_stage` for one stage.
        **both: The same for both.

    Returns:
        The predictor, on the device of the training.
    """
    geometry = choose_geometry(training, grid_mm, locator_mm, margin_mm)
    paths = [
        ready_stage(stage, training, validation, output, geometry, **(both | (own or {}))).train()
        for stage, own in zip(STAGES, (locator, segmenter), strict=True)
    ]
    return load_predictor(paths[1:], paths[0], both.get("device", "auto"))
