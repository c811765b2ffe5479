"""Training of slice networks on volumes with lesions, and the way from a run to a predictor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from spinetk import __version__, zoo
from spinetk.errors import InputError
from spinetk.segmentation.losses.choose import make_loss
from spinetk.segmentation.module import SegmentationTraining, override
from spinetk.segmentation.pairs import Pair
from spinetk.segmentation.registry import get_entry
from spinetk.segmentation.slices import SliceAugmentation, SliceDataset, SlicePredictor, Statistics, neighbours
from spinetk.training.device import pick_device
from spinetk.training.fit import fit
from spinetk.training.quiet import quiet
from spinetk.training.sampler import EndlessSampler

Case = tuple[np.ndarray, np.ndarray]


class EverySlice(Dataset):
    """Every slice of every validation case, as :class:`SliceDataset` gives them."""

    def __init__(self, cases: Sequence[Case], channels: int) -> None:
        self.cases, self.channels = list(cases), channels
        self.places = [(case, number) for case, (values, _) in enumerate(self.cases) for number in range(len(values))]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        case, number = self.places[index]
        values, mask = self.cases[case]
        return neighbours(values, number, self.channels), mask[number][None].astype(np.float32)


def collate(items: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[Tensor, Tensor, None]:
    """A batch at the largest sides: values go on with their smallest, masks with nothing."""
    height, width = (max(item[0].shape[axis] for item in items) for axis in (1, 2))

    def grown(array: np.ndarray, fill: float) -> np.ndarray:
        rows, columns = height - array.shape[1], width - array.shape[2]
        return np.pad(array, ((0, 0), (0, rows), (0, columns)), constant_values=fill)

    values = np.stack([grown(item[0], item[0].min()) for item in items])
    return torch.from_numpy(values), torch.from_numpy(np.stack([grown(item[1], 0) for item in items])), None


def train_slices(
    training: Sequence[Pair],
    validation: Sequence[Pair],
    output: str | Path,
    *,
    network: str = "spin",
    channels: int | None = None,
    loss: str | None = None,
    iterations: int = 5000,
    resume: bool = False,
    batch: int | None = None,
    rate: float | None = None,
    positive_rate: float = 0.95,
    augmentation: SliceAugmentation | None = None,
    check_every: int = 500,
    seed: int = 0,
    workers: int = 0,
    device: str = "auto",
    precision: str = "auto",
    progress: bool = True,
) -> Path:
    """Train one slice network; the weights that are best on the validation part are kept.

    Args:
        training, validation: Cases; the second may be empty. Statistics come from the first alone.
        output: Folder of the run.
        network: Registered name of a network of slices.
        channels: Neighbouring slices it sees; None for its own number.
        loss: Name of a loss; None for the network's.
        iterations: In total, earlier starts included.
        resume: Go on from the newest checkpoint.
        batch, rate: Override the network's recipe.
        positive_rate: Share of drawn slices with a lesion.
        augmentation: None for the published kind.
        check_every: Iterations between validations and checkpoints.
        seed: Of everything random.
        workers: Processes that prepare data; results do not depend on it.
        device, precision, progress: As in :func:`spinetk.training.fit.fit`.

    Returns:
        ``output/<network>.pth``.

    Raises:
        InputError: A case that cannot be read, no case, an unknown name, a network or loss that does not fit.
    """
    output, entry = Path(output), get_entry(network)
    if entry.form.axes != 2 or entry.form.scale != "z-score":
        raise InputError(f"network {network!r}", "is not for slices of volumes", "choose one of the task lesion")
    if not training:
        raise InputError("training part", "holds no case", "give pairs of images and masks")
    channels = entry.form.channels if channels is None else channels
    chosen = pick_device(device)
    criterion = make_loss(loss or entry.loss)
    if criterion.needs_distance:
        raise InputError(f"loss {loss!r}", "needs distance maps", "choose another for slices")
    with quiet():
        torch.manual_seed(seed)
        net = entry.build(channels)
    read = [_read(pair) for pair in training]
    statistics = Statistics.of(values for values, _ in read)
    cases = [(statistics.standardise(values), mask) for values, mask in read]
    held_out = [(statistics.standardise(values), mask) for values, mask in map(_read, validation)]
    recipe = override(entry.optimiser, rate=rate, batch=batch)
    size = recipe.batch
    drawn = SliceDataset(cases, channels, positive_rate, augmentation=augmentation or SliceAugmentation(), seed=seed)
    shared: dict[str, Any] = {"collate_fn": collate, "num_workers": workers, "pin_memory": chosen.type == "cuda"}
    module = SegmentationTraining(net, criterion, recipe, epoch_steps=-(-len(cases) // size))
    result = fit(
        module,
        lambda done: DataLoader(
            drawn, sampler=EndlessSampler(len(cases), seed, done * size), batch_size=size, **shared
        ),
        DataLoader(EverySlice(held_out, channels), batch_size=size, **shared) if held_out else None,
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
        "config": {
            "task": "lesion", "network": network, "channels": channels, "mean": statistics.mean, "sd": statistics.sd,
        },
        "training": {"iterations": result.iterations, "val_loss": result.val_loss, "loss": loss or entry.loss},
    }  # fmt: skip
    final = output / f"{network}.pth"
    zoo.save(final, weights, card)
    return final


def load_slice_predictor(name: str | Path, device: str = "auto", flips: Sequence[str] = ()) -> SlicePredictor:
    """A predictor from weights by name or path; raises ``InputError`` when they are of another task."""
    weights, card, _ = zoo.load(name)
    config = card["config"]
    if config.get("task") != "lesion":
        raise InputError(name, "is no network of the task lesion", "give weights of a lesion training")
    network = get_entry(config["network"]).build(config["channels"])
    network.load_state_dict(weights)
    statistics = Statistics(config["mean"], config["sd"])
    return SlicePredictor(network, config["channels"], statistics, pick_device(device), flips)


def _read(pair: Pair) -> Case:
    volume, mask = pair.read()
    return volume.values.astype(np.float32), mask
