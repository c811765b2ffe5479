"""The Lightning module that trains a network of :mod:`spinetk.keypoints.build`."""

from __future__ import annotations

import math
from typing import Any

import lightning
import torch
from torch import Tensor

from spinetk.keypoints.build import Network
from spinetk.keypoints.preset import Recipe

Batch = tuple[list[Tensor], list[dict[str, Tensor]]]


def rate_factor(iteration: int, total: int, recipe: Recipe) -> float:
    """Learning rate at an iteration as a share of the peak: linear warm-up from 1/1000, then flat or half a cosine."""
    if iteration < recipe.warmup:
        return 0.001 + 0.999 * iteration / recipe.warmup
    if not recipe.cosine:
        return 1.0
    progress = (iteration - recipe.warmup) / max(1, total - recipe.warmup)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


class KeypointTraining(lightning.LightningModule):
    """Losses, optimiser and schedule.

    Args:
        network: The network to train.
        recipe: Solver settings.
        iterations: Total iterations, for the schedule.
        seed: Region sampling of iteration i is seeded from (seed, i), so a resumed run repeats exactly.
    """

    def __init__(self, network: Network, recipe: Recipe, iterations: int, seed: int = 0) -> None:
        super().__init__()
        self.network = network
        self.recipe = recipe
        self.iterations = iterations
        self.seed = seed

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Sum of the network's losses; each is logged."""
        torch.manual_seed(self.seed * 1_000_003 + self.global_step)
        losses = self.network.losses(*batch)
        total = sum(losses.values())
        logged = {name.removeprefix("loss_"): value.detach() for name, value in losses.items()}
        self.log("loss", total.detach(), prog_bar=True, batch_size=len(batch[0]))
        self.log_dict({f"train/{name}": value for name, value in logged.items()}, batch_size=len(batch[0]))
        return total

    def validation_step(self, batch: Batch, index: int) -> None:
        """Validation loss. Torchvision gives losses in training mode only: batch norms are kept in evaluation mode."""
        self.network.train()
        for module in self.network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(index)
            losses = self.network.losses(*batch)
        self.network.eval()
        size = len(batch[0])
        self.log("val_loss", sum(losses.values()), prog_bar=True, batch_size=size, sync_dist=True)
        named = {f"val/{name.removeprefix('loss_')}": value for name, value in losses.items()}
        self.log_dict(named, batch_size=size, sync_dist=True)

    def configure_optimizers(self) -> Any:
        """SGD with momentum 0.9 or AdamW (no decay on biases and norms), with the recipe's schedule per iteration."""
        trained = [p for p in self.network.parameters() if p.requires_grad]
        recipe = self.recipe
        if recipe.optimiser == "sgd":
            optimiser: Any = torch.optim.SGD(trained, recipe.rate, momentum=0.9, weight_decay=recipe.decay)
        else:
            groups = [
                {"params": [p for p in trained if p.ndim > 1], "weight_decay": recipe.decay},
                {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
            ]
            optimiser = torch.optim.AdamW(groups, recipe.rate)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda i: rate_factor(i, self.iterations, recipe))
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
