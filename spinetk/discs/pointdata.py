"""Candidates of a first stage, with the truth, for training the point network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from spinetk.discs.lookonce import point_features
from spinetk.discs.predictor import DiscPredictor
from spinetk.discs.preparation import Sample

TRUE_MM = 7.0
FALSE_POINTS = 20
DROP = 0.1


class PointDataset(Dataset):
    """Peaks of a first stage on prepared pictures.

    A candidate is true when it lies within 7 mm of the disc that its channel stands for. With ``noise``, peaks are
    dropped with probability 0.1, scores and places are jittered, and up to twenty false points are added: half of them
    true places under a wrong level, half anywhere about the column, because a first stage makes few mistakes on the
    pictures it was trained on.

    Items are asked for as (epoch, index) or index: (features (N, 4), truth (N,)).
    """

    def __init__(self, samples: Sequence[Sample], predictor: DiscPredictor, seed: int, noise: bool = False) -> None:
        levels = predictor.levels or ()
        self.channels = len(levels)
        self.seed = seed
        self.noise = noise
        self.sets = []
        for sample in samples:
            grey, px_mm = sample.on_grid(predictor.grid_mm)
            found = predictor.look(grey).candidates.scaled(px_mm)
            truth = {levels.index(n): np.array(p) * sample.grid_mm for n, p in sample.points.items() if n in levels}
            self.sets.append((found, truth))

    def __len__(self) -> int:
        return len(self.sets)

    def __getitem__(self, key: tuple[int, int] | int) -> tuple[Tensor, Tensor]:
        epoch, index = key if isinstance(key, tuple) else (0, key)
        found, truth = self.sets[index]
        points, scores, channel = found.points, found.scores, found.channel
        if self.noise:
            random = np.random.default_rng((self.seed, epoch, index))
            kept = random.random(len(points)) >= DROP
            false, levels = _false_points(truth, self.channels, random)
            points = np.concatenate([points[kept] + random.normal(0, 1, (int(kept.sum()), 2)), false])
            scores = np.concatenate([scores[kept] * random.uniform(0.6, 1, int(kept.sum())), random.random(len(false))])
            channel = np.concatenate([channel[kept], levels])
        right = [
            k in truth and np.linalg.norm(truth[k] - point) <= TRUE_MM for k, point in zip(channel, points, strict=True)
        ]
        tensors = [torch.as_tensor(np.asarray(v), dtype=torch.float32) for v in (points.reshape(-1, 2), scores, right)]
        return point_features(tensors[0], tensors[1], torch.as_tensor(channel), self.channels), tensors[2]


def _false_points(
    truth: dict[int, np.ndarray], channels: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    count = int(random.integers(0, FALSE_POINTS + 1))
    places = np.array(list(truth.values())).reshape(-1, 2)
    if not len(places):
        return np.zeros((0, 2)), np.zeros(0, np.int64)
    chosen = random.integers(0, len(places), count)
    spread = np.where(random.random((count, 1)) < 0.5, 2.0, 35.0)
    return places[chosen] + random.normal(0, 1, (count, 2)) * spread, random.integers(0, channels, count)


def collate(items: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    """(features (B, N, 4), truth (B, N), padding (B, N) bool); N is that of the largest set, at least 1."""
    most = max(1, *(len(truth) for _, truth in items))
    features = torch.zeros(len(items), most, items[0][0].shape[1])
    truth = torch.zeros(len(items), most)
    padding = torch.ones(len(items), most, dtype=torch.bool)
    for row, (own, right) in enumerate(items):
        features[row, : len(right)], truth[row, : len(right)] = own, right
        padding[row, : len(right)] = False
    return features, truth, padding
