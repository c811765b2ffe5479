"""Training of slice networks on volumes with lesions, and the way from a run to a predictor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import StrictStr
from torch import Tensor
from torch.utils.data import Dataset

from spinetk import filling, zoo
from spinetk.errors import InputError
from spinetk.images.grid import AXIAL
from spinetk.images.volume import read_volume_header
from spinetk.segmentation.card import SliceCard
from spinetk.segmentation.data.case import VolumeCase
from spinetk.segmentation.data.contrast import contrast_of
from spinetk.segmentation.data.files import Pair
from spinetk.segmentation.data.said import summed
from spinetk.segmentation.module import override
from spinetk.segmentation.networks.exact import exact_gradients
from spinetk.segmentation.registry import Entry, get_entry
from spinetk.segmentation.run import Ready, SegmentationSettings, check_marked, flat_loss, ready_flat
from spinetk.segmentation.slices.predictor import (
    SliceAugmentation,
    SliceDataset,
    SlicePredictor,
    Statistics,
    neighbours,
    spacings_of,
)
from spinetk.training.data import Data
from spinetk.training.device import pick_device
from spinetk.training.quiet import quiet
from spinetk.training.settings import Iterations
from spinetk.validation import Share, between

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


@dataclass(frozen=True)
class SliceSettings(SegmentationSettings):
    """Settings of :func:`ready_slices`.

    Attributes:
        channels: Neighbouring slices the network sees; None for its own number.
        positive_rate: Share of drawn slices with a lesion.
        augmentation: None for the published kind.
    """

    check_every: Iterations = 500
    network: StrictStr = "spin"
    channels: Annotated[int, between(1, 64)] | None = None
    positive_rate: Share = 0.95
    augmentation: SliceAugmentation | None = None


def ready_slices(
    training: Sequence[Pair | VolumeCase],
    validation: Sequence[Pair | VolumeCase],
    output: str | Path,
    *,
    resume: bool = False,
    config: str | Path | Mapping[str, Any] | None = None,
    **settings: Any,
) -> Ready:
    """The training of one slice network, not begun; the weights that are best on the validation part are kept.

    Args:
        training, validation: Cases; the second may be empty. Statistics come from the first alone.
        output: Folder of the run; the weights end in ``output/<network>.pth``.
        resume: Go on from the newest checkpoint, with the settings the run was begun with where no others are given.
        config: Settings file (JSON, TOML, YAML), or the ``settings.json`` of a run.
        **settings: Fields of :class:`SliceSettings`; they win over ``config``.

    Raises:
        InputError: A case that cannot be read, no case, an unknown name, a network or loss that does not fit.
    """
    output = Path(output)
    chosen = SliceSettings.begin(output, config, resume, settings)
    entry = get_entry(chosen.network)
    if entry.form.axes != 2 or entry.form.scale != "z-score":
        raise InputError(f"network {chosen.network!r}", "is not for slices of volumes", "choose one of the task lesion")
    if not training:
        raise InputError("training part", "holds no case", "give pairs of images and masks")
    channels = entry.form.channels if chosen.channels is None else chosen.channels
    criterion = flat_loss(chosen.loss, entry)
    with quiet():
        torch.manual_seed(chosen.seed)
        net = exact_gradients(entry.build(channels))
    with summed():
        read = [_read(pair, entry) for pair in training]
    check_marked(mask for _, mask in read)
    statistics = Statistics.of(values for values, _ in read)
    spacings = spacings_of([own for pair in training if (own := _spacing(pair)) is not None])
    cases = []
    while read:  # one at a time: a data set of volumes in memory twice is too much
        values, mask = read.pop(0)
        cases.append((statistics.standardise(values), mask))
    with summed():
        kept = (_read(pair, entry) for pair in validation)
        held_out = [(statistics.standardise(values), mask) for values, mask in kept]
    recipe = override(entry.optimiser, rate=chosen.rate, batch=chosen.batch)
    chosen = replace(
        chosen, channels=channels, rate=recipe.rate, batch=recipe.batch, loss=chosen.loss or entry.loss,
        augmentation=chosen.augmentation or SliceAugmentation(),
    )  # fmt: skip
    drawn = SliceDataset(cases, channels, chosen.positive_rate, augmentation=chosen.augmentation, seed=chosen.seed)
    data = Data(drawn, EverySlice(held_out, channels) if held_out else None, recipe.batch, collate=collate)
    card: dict[str, Any] = {"task": "lesion", "channels": channels, "mean": statistics.mean, "sd": statistics.sd}
    if spacings is not None:
        card["spacing_mm"] = [list(own) for own in spacings]
    contrasts = {contrast_of(Path(pair.image)) for pair in training}
    if len(contrasts) == 1 and None not in contrasts:
        card["contrast"] = contrasts.pop()
    return ready_flat(net, criterion, recipe, data, output, chosen, (training, validation), card, resume)


def load_slice_predictor(name: str | Path, device: str = "auto", flips: Sequence[str] = ()) -> SlicePredictor:
    """A predictor from weights by name or path; raises ``InputError`` when they are of another task."""
    weights, card, _ = zoo.load(name, SliceCard)
    config = card.config
    entry = get_entry(config.network)
    network = filling.fill(lambda: entry.build(config.channels), weights, name)
    statistics = Statistics(config.mean, config.sd, config.spacing_mm, config.contrast)
    smallest = entry.form.smallest
    return SlicePredictor(network, config.channels, statistics, pick_device(device), flips, smallest=smallest)


def _spacing(pair: Pair | VolumeCase) -> tuple[float, float, float] | None:
    """mm along slices, rows, columns of the axial slices of a case; None where its file does not say it."""
    header = read_volume_header(pair.image)
    return header.grid.turn_to(AXIAL).grid(header.grid).spacing_mm if header.spacing_known else None


def _read(pair: Pair | VolumeCase, entry: Entry) -> Case:
    volume, mask = pair.read()
    height, width = volume.values.shape[1:]
    if min(height, width) < entry.form.smallest:
        fault = f"has axial slices of {height} x {width} px, network {entry.name} needs {entry.form.smallest} px a side"
        raise InputError(pair.image, fault, "leave it out, or resample it")
    return volume.values.astype(np.float32), mask
