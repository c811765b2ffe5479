"""The Lightning module that trains a network of :mod:`spinetk.keypoints.registry`."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from spinetk.keypoints.preset import Recipe
from spinetk.keypoints.regions import Regions
from spinetk.keypoints.registry import Network
from spinetk.training.distributed import shares, world
from spinetk.training.module import NetworkTraining

Batch = tuple[list[Tensor], list[dict[str, Tensor]]]


def rate_factor(iteration: int, total: int, recipe: Recipe) -> float:
    """Learning rate at an iteration as a share of the peak: linear warm-up from 1/1000, then flat or half a cosine."""
    if iteration < recipe.warmup:
        return 0.001 + 0.999 * iteration / recipe.warmup
    if not recipe.cosine:
        return 1.0
    progress = (iteration - recipe.warmup) / max(1, total - recipe.warmup)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


class KeypointTraining(NetworkTraining):
    """Losses, optimiser and schedule.

    Args:
        network: The network to train.
        recipe: Solver settings.
        iterations: Total iterations, for the schedule.
        seed: What is drawn for a picture (regions to train on) is seeded from (seed, iteration, place in the batch), so
            that a resumed run, and one in several processes, repeats exactly.
        parts: Parts that a batch is computed in.
    """

    network: Network

    def __init__(self, network: Network, recipe: Recipe, iterations: int, seed: int = 0, parts: int = 1) -> None:
        super().__init__()
        self.network = network
        self.recipe = recipe
        self.rate = recipe.rate
        self.iterations = iterations
        self.seed = seed
        self.parts = parts
        self.regions = Regions(network)

    def heavy_part(self) -> torch.nn.Module:
        """The body: what follows has other shapes in every picture, and torchvision's loss wants channels first."""
        rcnn = getattr(self.network, "rcnn", None)
        return self.network if rcnn is None else rcnn.backbone

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Sum of the network's losses; each is logged."""
        size, count = len(batch[0]), world()
        first = ((index % self.parts) * count + self.global_rank) * size
        step = (self.seed * 1_000_003 + self.global_step) * 4099
        self.regions.begin([step + first + place for place in range(size)])
        losses = self._losses(batch)
        if count > 1:
            losses = self._weighted(losses, batch[1])
        first_loss, *others = losses.values()
        total = sum(others, start=first_loss)
        logged = {name.removeprefix("loss_"): value.detach() for name, value in losses.items()}
        self.log("loss", total.detach(), prog_bar=True, batch_size=size, sync_dist=count > 1)
        parts = {f"train/{name}": value for name, value in logged.items()}
        self.log_dict(parts, batch_size=size, sync_dist=count > 1)
        return total

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        """The network's losses. Torchvision takes true points in float32 only, also where the rest is float64."""
        pictures, targets = batch
        return self.network.losses(pictures, [t | {"keypoints": t["keypoints"].float()} for t in targets])

    def _weighted(self, losses: dict[str, Tensor], targets: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        """Losses whose average over the processes is the mean over what all of them trained on."""
        counts = self.regions.counts(targets)
        known = [name for name in losses if name in counts]
        if not known:
            return losses
        factors = shares(torch.tensor([counts[name] for name in known], device=self.device))
        weighted = {
            name: losses[name] * factor.to(losses[name].dtype) for name, factor in zip(known, factors, strict=True)
        }
        return losses | weighted

    def validation_step(self, batch: Batch, index: int) -> None:
        """Validation loss. Torchvision gives losses in training mode only: batch norms are kept in evaluation mode."""
        self.network.train()
        for module in self.network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(self.dealt[0] + index * self.dealt[1])
            losses = self._losses(batch)
        self.network.eval()
        size = len(batch[0])
        self.log("val_loss", sum(losses.values()), prog_bar=True, batch_size=size, sync_dist=True)
        named = {f"val/{name.removeprefix('loss_')}": value for name, value in losses.items()}
        self.log_dict(named, batch_size=size, sync_dist=True)

    def configure_optimizers(self) -> Any:
        """SGD with momentum 0.9 or AdamW (no decay on biases and norms), with the recipe's schedule per iteration."""
        trained = [p for p in self.network.parameters() if p.requires_grad]
        recipe, fused = self.recipe, self._fused() or None
        if recipe.optimiser == "sgd":
            optimiser: Any = torch.optim.SGD(trained, self.rate, momentum=0.9, weight_decay=recipe.decay, fused=fused)
        else:
            groups = [
                {"params": [p for p in trained if p.ndim > 1], "weight_decay": recipe.decay},
                {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
            ]
            optimiser = torch.optim.AdamW(groups, self.rate, fused=fused)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda i: rate_factor(i, self.iterations, recipe))
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def configure_gradient_clipping(
        self, optimizer: Any, gradient_clip_val: float | None = None, gradient_clip_algorithm: str | None = None
    ) -> None:
        """By the norm. Lightning refuses it to fused optimisers, which undo a scaling of gradients themselves: the one
        precision that scales them (``16-mixed``) has none here.
        """
        if not self._fused():
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)
        elif gradient_clip_val:
            torch.nn.utils.clip_grad_norm_([p for p in self.parameters() if p.requires_grad], gradient_clip_val)

    def _fused(self) -> bool:
        """Whether one kernel does a parameter's step (a quarter of the time of several on a CPU)."""
        trainer = self._trainer
        return trainer is None or "16-mixed" not in str(trainer.precision) or "bf16" in str(trainer.precision)
