"""The Lightning modules: heatmap networks and the point network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from spinetk.discs.data import Item
from spinetk.discs.loss import PEAK_WEIGHT, hca_loss, joints_mse, stacked_mse
from spinetk.discs.pck import pck, soft_dice
from spinetk.training.distributed import whole_batch
from spinetk.training.module import NetworkTraining
from spinetk.training.settings import Batch, Rate
from spinetk.validation import STRICT, Share, between


@dataclass(frozen=True)
class Recipe:
    """How a heatmap network is trained; the defaults are the published ones where there are any.

    Attributes:
        solver: ``rms`` (alpha 0.99) or ``adam``.
        rate: Learning rate, multiplied by ``gamma`` at each epoch of ``schedule``.
        epochs: In all.
        batch: Pictures per iteration.
        loss: ``mse``, ``peaks`` (the same with weight on the peaks) or ``hca`` (with the skeletal term).
        absent: ``supervised`` (channels of absent discs are to be empty) or ``ignored`` (the original).
        augment: ``full``, ``contrasts``, ``legacy`` or ``none`` (:class:`spinetk.discs.data.DiscDataset`).
    """

    __pydantic_config__ = STRICT

    solver: Literal["rms", "adam"] = "rms"
    rate: Rate = 2.5e-4
    epochs: Annotated[int, between(1, 100_000)] = 120
    schedule: Annotated[tuple[Annotated[int, between(1, 100_000)], ...], Field(max_length=100)] = (60, 90)
    gamma: Share = 0.1
    momentum: Share = 0.0
    decay: Share = 0.0
    batch: Batch = 3
    loss: Literal["mse", "peaks", "hca"] = "mse"
    absent: Literal["supervised", "ignored"] = "supervised"
    augment: Literal["full", "contrasts", "legacy", "none"] = "full"


class DiscTraining(NetworkTraining):
    """Loss, solver and schedule of a heatmap network.

    Args:
        network: Gives a list of maps, the last one best.
        recipe: Settings.
        per_epoch: Iterations that make an epoch.
        pictures: Folder for a picture of the first validation batch after each validation, or None.
    """

    def __init__(self, network: nn.Module, recipe: Recipe, per_epoch: int, pictures: Path | None = None) -> None:
        super().__init__()
        self.network = network
        self.recipe = recipe
        self.rate = recipe.rate
        self.per_epoch = per_epoch
        self.pictures = pictures

    def training_step(self, batch: Item, _: int) -> Tensor:
        """Loss over all stacks."""
        maps = self.network(batch.pictures)
        maps, target, points, present, factor = whole_batch(maps, batch.target, batch.points, batch.present)
        ignored = self.recipe.absent == "ignored"
        if self.recipe.loss == "hca":
            loss = hca_loss(maps, target, points, present, supervise_absent=not ignored)
        else:
            peak = PEAK_WEIGHT if self.recipe.loss == "peaks" else 0.0
            loss = stacked_mse(maps, target, present if ignored else None, peak)
        self.log("loss", loss.detach(), prog_bar=True, batch_size=len(target))
        return loss * factor

    def validation_step(self, batch: Item, index: int) -> None:
        """Loss of the last stack, PCK and soft Dice."""
        maps = self.network(batch.pictures)[-1].float()
        size = len(batch.pictures)
        present = batch.present if self.recipe.absent == "ignored" else None
        self.log("val_loss", joints_mse(maps, batch.target, present), prog_bar=True, batch_size=size, sync_dist=True)
        score = pck(maps, batch.target)
        # Processes must log alike: a batch without a point that counts weighs nothing.
        self.log("pck", score or 0.0, prog_bar=True, batch_size=size if score is not None else 0, sync_dist=True)
        self.log("dice", soft_dice(maps.clamp(0, 1), batch.target), batch_size=size, sync_dist=True)
        if index == 0 and self.pictures is not None and self.global_rank == 0:
            self._show(self.pictures, batch, maps)

    def _show(self, folder: Path, batch: Item, maps: Tensor) -> None:
        from spinetk.discs.pictures import heat_overlay, write_png

        grey = (batch.pictures[0, 0].float().cpu().numpy() * 255).astype(np.uint8)
        found, truth = (heat_overlay(grey, m[0].float().cpu().numpy()) for m in (maps, batch.target))
        drawn = np.concatenate([found, truth], axis=1)
        write_png(folder / f"{self.global_step:08d}.png", drawn)
        for logger in self.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image("sample/0", drawn, self.global_step, dataformats="HWC")

    def configure_optimizers(self) -> Any:
        """RMSprop or Adam, with the rate falling in steps."""
        recipe = self.recipe
        if recipe.solver == "adam":
            optimiser: Any = torch.optim.Adam(self.parameters(), self.rate, weight_decay=recipe.decay)
        else:
            optimiser = torch.optim.RMSprop(
                self.parameters(), self.rate, alpha=0.99, momentum=recipe.momentum, weight_decay=recipe.decay
            )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda i: rate_factor(i, self.per_epoch, recipe))
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def rate_factor(iteration: int, per_epoch: int, recipe: Recipe) -> float:
    """Learning rate at an iteration as a share of the first."""
    epoch = iteration // per_epoch
    return recipe.gamma ** sum(epoch >= drop for drop in recipe.schedule)


class PointTraining(NetworkTraining):
    """Binary cross-entropy of a :class:`spinetk.discs.lookonce.PointSet`, Adam 1e-3 with half a cosine.

    Batches are (features (B, N, 4), truth (B, N) float, padding (B, N) bool).
    """

    def __init__(self, network: nn.Module, iterations: int, rate: float = 1e-3) -> None:
        super().__init__()
        self.network = network
        self.iterations = iterations
        self.rate = rate

    def training_step(self, batch: Sequence[Tensor], _: int) -> Tensor:
        """Mean over the points that are there."""
        features, truth, padding = batch
        logits, truth, padding, factor = whole_batch(self.network(features, padding), truth, padding)
        loss = _point_loss(logits, truth, padding)
        self.log("loss", loss.detach(), prog_bar=True, batch_size=len(truth))
        return loss * factor

    def validation_step(self, batch: Sequence[Tensor], _: int) -> None:
        """The same loss."""
        features, truth, padding = batch
        loss = _point_loss(self.network(features, padding), truth, padding)
        self.log("val_loss", loss, prog_bar=True, batch_size=len(truth), sync_dist=True)

    def configure_optimizers(self) -> Any:
        """Adam."""
        optimiser = torch.optim.Adam(self.parameters(), self.rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(1, self.iterations))
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def _point_loss(logits: Tensor, truth: Tensor, padding: Tensor) -> Tensor:
    if padding.all():  # no candidate in the whole batch: the mean of nothing would make all weights none
        return logits.float().sum() * 0
    return F.binary_cross_entropy_with_logits(logits.float()[~padding], truth.float()[~padding])
