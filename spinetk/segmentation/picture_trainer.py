"""Training of networks on colour pictures, and the way from a run to a predictor."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from spinetk import __version__, zoo
from spinetk.errors import InputError
from spinetk.segmentation.data.case import PictureCase
from spinetk.segmentation.lesion_trainer import collate
from spinetk.segmentation.losses.choose import make_loss
from spinetk.segmentation.module import SegmentationTraining, override
from spinetk.segmentation.pictures import (
    MIRROR,
    CleanUp,
    Item,
    PictureAugmentation,
    PictureDataset,
    PictureForm,
    PicturePredictor,
    Size,
)
from spinetk.segmentation.registry import get_entry
from spinetk.training.device import pick_device
from spinetk.training.fit import fit
from spinetk.training.quiet import quiet
from spinetk.training.sampler import EndlessSampler

TASKS = {"skin": ("tmunet", (256, 256), None), "cells": ("tmunet", (256, 256), None)}
TASKS |= {"gland": ("spin", None, (128, 128)), "vessel": ("spin", None, (128, 128))}
"""Task: network, size that pictures are resized to, training crop, as published."""


def train_pictures(
    training: Sequence[PictureCase],
    validation: Sequence[PictureCase],
    output: str | Path,
    *,
    task: str = "skin",
    network: str | None = None,
    size: Size | None = None,
    crop: Size | None = None,
    loss: str | None = None,
    start: str | Path | None = None,
    iterations: int = 5000,
    resume: bool = False,
    batch: int | None = None,
    rate: float | None = None,
    augmentation: PictureAugmentation | None = None,
    check_every: int = 100,
    seed: int = 0,
    workers: int = 0,
    device: str = "auto",
    precision: str = "auto",
    progress: bool = True,
) -> Path:
    """Train one network on pictures; the weights that are best on the validation part are kept.

    Args:
        training, validation: Cases; the second may be empty. Statistics come from the first alone.
        output: Folder of the run.
        task: ``skin``, ``cells``, ``gland`` or ``vessel``: the defaults of what follows.
        network: Registered name.
        size: (H, W) that pictures are resized to. Given without ``crop``, pictures are trained on whole.
        crop: (h, w) of random training crops; validation pictures are whole.
        loss: Name of a loss; None for the network's.
        start: Weights of an earlier run, by name or path, or the file of torchvision's ResNet-50 for the trunk of
            TMUnet; None for random weights.
        iterations: In total, earlier starts included.
        resume: Go on from the newest checkpoint.
        batch, rate: Override the network's recipe.
        augmentation: None for the published kind: mirroring for TMUnet, all changes for the others.
        check_every: Iterations between validations and checkpoints.
        seed: Of everything random.
        workers: Processes that prepare data; results do not depend on it.
        device, precision, progress: As in :func:`spinetk.training.fit.fit`.

    Returns:
        ``output/<network>.pth``.

    Raises:
        InputError: A case that cannot be read, no case, an unknown name, a network, loss or start that does not fit.
    """
    output = Path(output)
    usual, usual_size, usual_crop = TASKS[task]
    network = network or usual
    entry = get_entry(network)
    if task not in entry.tasks:
        raise InputError(f"network {network!r}", f"is not for the task {task}", "choose one of that task")
    if not training:
        raise InputError("training part", "holds no case", "give pairs of images and masks")
    if size is None and crop is None:
        size, crop = usual_size, usual_crop
    if min([*(size or ()), *(crop or ()), 4096]) < entry.form.smallest:
        raise InputError(f"network {network!r}", f"needs {entry.form.smallest} px a side", "give a larger size or crop")
    criterion = make_loss(loss or entry.loss)
    if criterion.needs_distance:
        raise InputError(f"loss {loss!r}", "needs distance maps", "choose another for pictures")
    if loss == "contextual" and entry.loss != "contextual":
        raise InputError(f"loss {loss!r}", "needs the regions of TMUnet", "choose another loss or network")
    chosen = pick_device(device)
    with quiet():
        torch.manual_seed(seed)
        net = entry.build(3)
    if start is not None:
        load_start(net, start)
    cases = _read(training, size)
    form = PictureForm.of(entry.form.scale, size, [picture for picture, _ in cases])
    recipe = override(entry.optimiser, rate=rate, batch=batch)
    if augmentation is None:
        augmentation = MIRROR if entry.form.scale == "0-255" else PictureAugmentation()
    count = recipe.batch
    drawn = PictureDataset(cases, form, crop, augmentation, seed)
    held_out = PictureDataset(_read(validation, size), form)
    shared: dict[str, Any] = {"collate_fn": collate, "num_workers": workers, "pin_memory": chosen.type == "cuda"}
    module = SegmentationTraining(net, criterion, recipe, epoch_steps=-(-len(cases) // count))
    result = fit(
        module,
        lambda done: DataLoader(
            drawn, sampler=EndlessSampler(len(cases), seed, done * count), batch_size=count, **shared
        ),
        # Pictures of several sizes are not padded to one another: each is validated as it will be segmented.
        DataLoader(held_out, batch_size=count if size else 1, **shared) if len(held_out) else None,
        output / network,
        iterations=iterations,
        resume=resume,
        check_every=check_every,
        device=device,
        precision=precision,
        progress=progress,
    )
    newest = sorted((output / network / "checkpoints").glob("[0-9]*.ckpt"))[-1]
    content = torch.load(result.best or newest, map_location="cpu", weights_only=True)["state_dict"]
    weights = {k.removeprefix("network."): v for k, v in content.items() if k.startswith("network.")}
    card = {
        "spinetk": __version__,
        "config": {"task": task, "network": network, "form": form.to_json()},
        "training": {"iterations": result.iterations, "val_loss": result.val_loss, "loss": loss or entry.loss},
    }
    final = output / f"{network}.pth"
    zoo.save(final, weights, card)
    return final


def load_picture_predictor(
    name: str | Path,
    device: str = "auto",
    clean_up: CleanUp = CleanUp(),  # noqa: B008  (frozen)
    flips: Sequence[str] = (),
) -> tuple[PicturePredictor, str]:
    """A predictor from weights by name or path, and its task; raises ``InputError`` when they are of another kind."""
    weights, card, _ = zoo.load(name)
    config = card["config"]
    if config.get("task") not in TASKS:
        raise InputError(name, "is no network of pictures", f"give weights of {', '.join(TASKS)}")
    network = get_entry(config["network"]).build(3)
    network.load_state_dict(weights)
    form = PictureForm.from_json(config["form"])
    return PicturePredictor(network, form, pick_device(device), clean_up, flips), config["task"]


def load_start(network: nn.Module, start: str | Path) -> None:
    """Load the weights of an earlier run, or those of torchvision's ResNet-50 into the trunk of TMUnet.

    Raises:
        InputError: Neither, or of another network.
    """
    try:
        weights = zoo.load(start)[0]
    except InputError:
        weights = _resnet50(Path(start))
        if weights is None or not hasattr(network, "layers"):
            raise
    own = network.state_dict()
    kept = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
    if not kept:
        raise InputError(start, "shares no layer with this network", "start from weights of the same network")
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
    places = {"conv1": "first.0", "bn1": "first.1"} | {f"layer{k + 1}": f"layers.{k}" for k in range(4)}
    split = {name: name.split(".", 1) for name in content}
    return {f"{places[a]}.{b}": content[name] for name, (a, b) in split.items() if a in places}


def _read(cases: Sequence[PictureCase], size: Size | None) -> list[Item]:
    form = PictureForm("0-255", size=size)
    return [(form.resize(picture), form.resize_mask(mask)) for picture, mask in (case.read() for case in cases)]
