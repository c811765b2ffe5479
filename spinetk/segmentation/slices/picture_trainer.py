"""Training of networks on colour pictures, and the way from a run to a predictor."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import StrictStr
from torch import nn

from spinetk import filling, zoo
from spinetk.errors import InputError
from spinetk.segmentation.card import PictureCard
from spinetk.segmentation.data.case import PictureCase
from spinetk.segmentation.data.said import summed
from spinetk.segmentation.module import override
from spinetk.segmentation.registry import get_entry
from spinetk.segmentation.run import Ready, SegmentationSettings, check_marked, flat_loss, ready_flat
from spinetk.segmentation.slices.lesion_trainer import collate
from spinetk.segmentation.slices.pictures import (
    MIRROR,
    CleanUp,
    Item,
    PictureAugmentation,
    PictureDataset,
    PictureForm,
    PicturePredictor,
    Size,
)
from spinetk.training.data import Data
from spinetk.training.device import pick_device
from spinetk.training.download import pretrained
from spinetk.training.quiet import quiet
from spinetk.training.saving import numbered

PictureTask = Literal["skin", "cells", "gland", "vessel"]
TASKS: dict[str, tuple[str, Size | None, Size | None]] = {
    "skin": ("tmunet", (256, 256), None),
    "cells": ("tmunet", (256, 256), None),
    "gland": ("spin", None, (128, 128)),
    "vessel": ("spin", None, (128, 128)),
}
"""Task: network, size that pictures are resized to, training crop, as published."""


@dataclass(frozen=True)
class PictureSettings(SegmentationSettings):
    """Settings of :func:`ready_pictures`.

    Attributes:
        task: ``skin``, ``cells``, ``gland`` or ``vessel``: the defaults of what follows.
        network: Registered name.
        size: (H, W) that pictures are resized to. Given without ``crop``, pictures are trained on whole.
        crop: (h, w) of random training crops; validation pictures are whole.
        start: Weights of an earlier run, by name or path; ``imagenet``, or the file of torchvision's ResNet-50, for
            the trunk of TMUnet; None for random weights.
        augmentation: None for the published kind: mirroring for TMUnet, all changes for the others.
    """

    task: PictureTask = "skin"
    network: StrictStr | None = None  # type: ignore[assignment]
    size: Size | None = None
    crop: Size | None = None
    start: StrictStr | None = None
    augmentation: PictureAugmentation | None = None


def ready_pictures(
    training: Sequence[PictureCase],
    validation: Sequence[PictureCase],
    output: str | Path,
    *,
    resume: bool = False,
    config: str | Path | Mapping[str, Any] | None = None,
    **settings: Any,
) -> Ready:
    """The training of one network on pictures, not begun; the weights that are best on the validation part are kept.

    Args:
        training, validation, output, resume, config: As of
            :func:`spinetk.segmentation.slices.lesion_trainer.ready_slices`.
        **settings: Fields of :class:`PictureSettings`; they win over ``config``.

    Raises:
        InputError: A case that cannot be read, no case, an unknown name, a network, loss or start that does not fit.
    """
    output = Path(output)
    if config is None and settings.get("network") is None:
        settings["network"] = TASKS[settings.get("task", "skin")][0]
    chosen = PictureSettings.begin(output, config, resume, settings)
    usual, usual_size, usual_crop = TASKS[chosen.task]
    network = chosen.network or usual
    chosen = replace(chosen, network=network)
    entry = get_entry(network)
    if chosen.task not in entry.tasks:
        raise InputError(f"network {chosen.network!r}", f"is not for the task {chosen.task}", "choose one of that task")
    if not training:
        raise InputError("training part", "holds no case", "give pairs of images and masks")
    if chosen.size is None and chosen.crop is None:
        chosen = replace(chosen, size=usual_size, crop=usual_crop)
    size, crop = chosen.size, chosen.crop
    if min([*(size or ()), *(crop or ()), 4096]) < entry.form.smallest:
        fault = f"needs {entry.form.smallest} px a side"
        raise InputError(f"network {chosen.network!r}", fault, "give a larger size or crop")
    criterion = flat_loss(chosen.loss, entry)
    if chosen.loss == "contextual" and entry.loss != "contextual":
        raise InputError(f"loss {chosen.loss!r}", "needs the regions of TMUnet", "choose another loss or network")
    with quiet():
        torch.manual_seed(chosen.seed)
        net = entry.build(3)
    if chosen.start is not None and not (resume and numbered(output / network / "checkpoints")):
        load_start(net, chosen.start)
    cases = _read(training, size)
    check_marked(mask for _, mask in cases)
    form = PictureForm.of(entry.form.scale, size, [picture for picture, _ in cases])
    # SPiN's own recipe for glands and vessels: 300 epochs, the rate falling after 100 and 200.
    later = ((100, 1e-4), (200, 5e-5)) if entry.optimiser.later else None
    recipe = override(entry.optimiser, rate=chosen.rate, batch=chosen.batch, later=later)
    usual_change = MIRROR if entry.form.scale == "0-255" else PictureAugmentation()
    chosen = replace(
        chosen, rate=recipe.rate, batch=recipe.batch, loss=chosen.loss or entry.loss,
        augmentation=chosen.augmentation or usual_change,
    )  # fmt: skip
    held_out = PictureDataset(_read(validation, size), form)
    data = Data(
        PictureDataset(cases, form, crop, chosen.augmentation, chosen.seed),
        held_out if len(held_out) else None,
        recipe.batch,
        # Pictures of several sizes are not padded to one another: each is validated as it will be segmented.
        validation_batch=recipe.batch if size else 1,
        collate=collate,
    )
    card = {"task": chosen.task, "form": form.to_json()}
    return ready_flat(net, criterion, recipe, data, output, chosen, (training, validation), card, resume)


def load_picture_predictor(
    name: str | Path,
    device: str = "auto",
    clean_up: CleanUp = CleanUp(),  # noqa: B008  (frozen)
    flips: Sequence[str] = (),
) -> tuple[PicturePredictor, str]:
    """A predictor from weights by name or path, and its task; raises ``InputError`` when they are of another kind."""
    weights, card, _ = zoo.load(name, PictureCard)
    config = card.config
    network = filling.fill(lambda: get_entry(config.network).build(3), weights, name)
    return PicturePredictor(network, config.form, pick_device(device), clean_up, flips), config.task


def load_start(network: nn.Module, start: str | Path) -> None:
    """Load the weights of an earlier run, or those of torchvision's ResNet-50 (``imagenet``) into TMUnet's trunk.

    Raises:
        InputError: Neither, or of another network.
    """
    if start == "imagenet":
        from torchvision.models import ResNet50_Weights

        if not hasattr(network, "layers"):
            raise InputError("start 'imagenet'", "has no weights for this network", "it is for TMUnet")
        weights = _trunk(pretrained(ResNet50_Weights.IMAGENET1K_V1, "imagenet"))
    else:
        try:
            weights = zoo.load(start)[0]
        except InputError:
            own_file = _resnet50(Path(start))
            if own_file is None or not hasattr(network, "layers"):
                raise
            weights = own_file
    own = network.state_dict()
    kept = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
    if not kept:
        raise InputError(start, "shares no layer with this network", "start from weights of the same network")
    if not all(value.isfinite().all() for value in kept.values()):
        raise InputError(start, "holds numbers that are not finite", "start from other weights")
    network.load_state_dict(kept, strict=False)
    if len(kept) < len(own):
        warnings.warn(f"{start}: {len(kept)} of {len(own)} tensors were taken, the others stay random", stacklevel=2)


def _resnet50(path: Path) -> dict[str, torch.Tensor] | None:
    """Weights of torchvision's ResNet-50 under the names of TMUnet's trunk, None for another file."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        content["layer4.2.conv3.weight"]
    except Exception:  # not a file of tensors, or of others
        return None
    return _trunk(content)


def _trunk(content: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    places = {"conv1": "first.0", "bn1": "first.1"} | {f"layer{k + 1}": f"layers.{k}" for k in range(4)}
    split = {name: name.split(".", 1) for name in content}
    return {f"{places[a]}.{b}": content[name] for name, (a, b) in split.items() if a in places}


@summed()
def _read(cases: Sequence[PictureCase], size: Size | None) -> list[Item]:
    form = PictureForm("0-255", size=size)
    return [(form.resize(picture), form.resize_mask(mask)) for picture, mask in (case.read() for case in cases)]
