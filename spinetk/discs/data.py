"""Training data: prepared pictures to tensors and targets, augmented reproducibly.

The random state of a sample is a function of (seed, epoch, index) alone, so a run is the same for any number of
workers and after a resume at any iteration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from spinetk.discs.augmentation import cut, move, restyle, tint
from spinetk.discs.hourglass import MULTIPLE
from spinetk.discs.preparation import Sample
from spinetk.discs.target import LEGACY_JOINTS, level_heatmaps, ordinal_heatmaps

LARGEST = (384, 256)
CUT_PROBABILITY = 0.3
RESTYLE_PROBABILITY = 0.4


class Item(NamedTuple):
    """One sample or a batch of them.

    Attributes:
        pictures: ([B,] 3, H, W) float32 in 0..1, three equal channels.
        target: ([B,] K, H, W) float32.
        present: ([B,] K) float32.
        points: ([B,] K, 2) x / W, y / H; 0 where absent.
    """

    pictures: Tensor
    target: Tensor
    present: Tensor
    points: Tensor


def to_tensor(picture: np.ndarray) -> Tensor:
    """(H, W) uint8 to (3, H, W) float32 in 0..1."""
    return torch.from_numpy(picture.astype(np.float32) / 255).expand(3, -1, -1)


def round_up(size: int) -> int:
    """The next multiple of 64."""
    return -(-size // MULTIPLE) * MULTIPLE


class DiscDataset(Dataset):
    """Prepared pictures on canvases of one size.

    Args:
        samples: What to read; pictures are kept in memory.
        levels: Disc number of each channel, or None for the eleven ordinal channels of the legacy mode.
        augment: ``none``, ``full`` (turn, zoom, shift, cut, grey values), ``contrasts`` (the same, and two
            pictures in five in the contrast of another sequence) or ``legacy`` (half the pictures head to
            foot, channels unchanged, as the original's flip does).
        seed: Seed of the run.
        largest: Canvases are as large as the largest picture, but no larger than this (H, W); None for no limit.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        levels: Sequence[int] | None,
        augment: str = "none",
        seed: int = 0,
        largest: tuple[int, int] | None = None,
    ) -> None:
        self.samples = list(samples)
        self.levels = levels
        self.augment = augment
        self.seed = seed
        self.pictures = [sample.pixels() for sample in self.samples]
        rows, columns = (round_up(max((p.shape[axis] for p in self.pictures), default=MULTIPLE)) for axis in (0, 1))
        self.size = (rows, columns) if largest is None else (min(rows, largest[0]), min(columns, largest[1]))

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, key: tuple[int, int] | int) -> Item:
        epoch, index = key if isinstance(key, tuple) else (0, key)
        random = np.random.default_rng((self.seed, epoch, index))
        sample, full = self.samples[index], self.augment in ("full", "contrasts")
        numbers = sorted(sample.points)
        points = np.array([sample.points[n] for n in numbers], dtype=np.float64).reshape(-1, 2)
        picture, points = move(self.pictures[index], points, self.size, random if full else None)
        rows = (0.0, float(self.size[0]))
        if full and random.random() < CUT_PROBABILITY:
            picture, rows = cut(picture, random)
        if full:
            picture = tint(picture, random)
        if self.augment == "contrasts" and random.random() < RESTYLE_PROBABILITY:
            picture = restyle(picture, random)
        known = {n: p for n, p in zip(numbers, points, strict=True) if rows[0] <= p[1] <= rows[1]}
        if self.levels is None:
            target, present = ordinal_heatmaps(known.values(), self.size)
            ordered = sorted(known.values(), key=lambda p: p[1])[:LEGACY_JOINTS]
            places = np.zeros((LEGACY_JOINTS, 2))
            places[: len(ordered)] = np.array(ordered).reshape(-1, 2)
        else:
            target, present = level_heatmaps(known, self.levels, self.size)
            places = np.array([known.get(n, (0, 0)) for n in self.levels], dtype=np.float64)
        if self.augment == "legacy" and random.random() < 0.5:
            picture, target = picture[::-1].copy(), target[:, ::-1].copy()
            places[:, 1] = self.size[0] - places[:, 1]
        places = places / (self.size[1], self.size[0]) * present[:, None]
        return Item(
            to_tensor(picture), torch.from_numpy(target), torch.from_numpy(present), torch.from_numpy(places).float()
        )
