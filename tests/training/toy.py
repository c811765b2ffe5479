"""A run small enough for tests of the engine: a line through a cloud, with all that can go wrong on a resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

from spinetk.training.data import Data
from spinetk.training.fit import Fit, fit
from spinetk.training.module import NetworkTraining
from spinetk.training.settings import Settings


class Cloud(Dataset):
    """Points whose noise is a function of (seed, epoch, index)."""

    def __init__(self, count: int, seed: int | None = None) -> None:
        self.count, self.seed = count, seed

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, key: Any) -> tuple[torch.Tensor, torch.Tensor]:
        epoch, index = key if isinstance(key, tuple) else (0, key)
        x = np.random.default_rng(index).normal(size=4)
        noise = 0.0 if self.seed is None else np.random.default_rng((self.seed, epoch, index)).normal() / 10
        return torch.tensor(x, dtype=torch.float32), torch.tensor([x.sum() + noise], dtype=torch.float32)


class Line(NetworkTraining):
    """Dropout and batch norm (or neither), momentum, and a rate that validation lowers."""

    def __init__(self, plain: bool = False) -> None:
        super().__init__()
        middle = [] if plain else [nn.BatchNorm1d(8), nn.Dropout(0.3)]
        self.network = nn.Sequential(nn.Linear(4, 8), *middle, nn.Linear(8, 1))
        self.rate = 0.05
        self.seen: list[int] = []

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        loss = nn.functional.mse_loss(self.network(batch[0]), batch[1])
        self.log("loss", loss.detach(), prog_bar=True)
        return loss

    def validation_step(self, batch: Any, _: int) -> None:
        loss = nn.functional.mse_loss(self.network(batch[0]), batch[1])
        self.log("val_loss", loss, batch_size=len(batch[0]), sync_dist=True)
        self.log("score", -loss, batch_size=len(batch[0]), sync_dist=True)

    def on_validation_epoch_end(self) -> None:
        self.seen.append(self.global_step)
        for optimiser in self.trainer.optimizers:
            optimiser.param_groups[0]["lr"] *= 0.7

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), self.rate, momentum=0.9)


def cloud() -> Data:
    """Ten points in batches of four, seven to validate."""
    return Data(Cloud(10, 5), Cloud(7), 4, validation_batch=3)


def run(
    folder: Path, iterations: int = 11, resume: bool = False, stop: Any = None, plain: bool = False, **settings: Any
) -> Fit:
    """Eleven iterations in batches of four, validated after every third."""
    torch.manual_seed(0)
    given = {"check_every": 3, "device": "cpu", "precision": "32-true", "progress": False, "seed": 5} | settings
    data = cloud()
    callbacks = (stop,) if stop is not None else ()
    return fit(
        Line(plain), data, folder, Settings.of(None, iterations=iterations, **given), resume=resume, callbacks=callbacks
    )


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
