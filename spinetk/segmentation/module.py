"""The Lightning module that trains any registered network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from spinetk.segmentation.losses.boundary import Hybrid
from spinetk.segmentation.losses.output import finest, logit_of
from spinetk.segmentation.metrics import Counts
from spinetk.segmentation.optimiser import Optimiser
from spinetk.training.device import lay_out
from spinetk.training.distributed import summed, whole_batch
from spinetk.training.module import NetworkTraining

Batch = tuple[Tensor, Tensor, Tensor | None]
TINY = 1e-6
"""Voxels: nothing found where there is nothing is a loss of 0."""


class SegmentationTraining(NetworkTraining):
    """Loss, optimiser and schedules; validation logs ``val_loss`` (Dice loss) and ``val_dice`` (coefficient),
    each of all voxels of the part together.

    An epoch is ``epoch_steps`` iterations. The rate falls when ``val_loss`` no longer does (patience counted in
    validations), at the epochs of the recipe, or along half a cosine; optimiser and schedules go on where they were
    after a resumption.

    Args:
        network: Gives a logit or an output with the field ``logit``.
        loss: Called as :mod:`spinetk.segmentation.losses` says.
        optimiser: Recipe.
        epoch_steps: Iterations an epoch.
    """

    def __init__(self, network: nn.Module, loss: nn.Module, optimiser: Optimiser, epoch_steps: int) -> None:
        super().__init__()
        self.network = network
        self.loss = loss
        self.recipe = optimiser
        self.rate = optimiser.rate
        self.epoch_steps = epoch_steps
        self.last_dice: float | None = None
        self.plateau: Any = None
        self._saved_plateau: dict[str, Any] | None = None
        self._counts = Counts(0, 0, 0, 0)
        self._overlap = self._sizes = 0.0
        self._stepped = 0

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Loss of a batch (values (N, C, *S), mask (N, 1, *S), distance (N, 1, *S) or None)."""
        values, mask, distance = batch
        output, mask, distance, factor = whole_batch(self.network(lay_out(values)), mask, distance)
        loss = self.loss(output, mask, distance) if self.loss.needs_distance else self.loss(output, mask)
        self.log("loss", loss.detach(), prog_bar=True, batch_size=len(mask))
        return loss * factor

    def on_train_start(self) -> None:
        self._stepped = self.global_step

    def on_train_batch_end(self, *_: Any) -> None:
        """Move the loss's schedule and the recipe's rates on at the end of an epoch."""
        if self.global_step == self._stepped:  # a part of a batch
            return
        self._stepped = self.global_step
        if self.recipe.cosine:
            self._set_rate(self.recipe.rate_after(self.global_step))
        if self.global_step % self.epoch_steps == 0:
            if isinstance(self.loss, Hybrid):
                self.loss.end_epoch(self.last_dice)
                self.log("alpha", self.loss.alpha)
            if self.recipe.later:
                self._set_rate(self.recipe.rate_at(self.global_step // self.epoch_steps))

    def _set_rate(self, rate: float) -> None:
        optimiser = self.optimizers()
        assert not isinstance(optimiser, list)
        for group in optimiser.param_groups:
            group["lr"] = rate

    def on_validation_epoch_start(self) -> None:
        self._counts = Counts(0, 0, 0, 0)
        self._overlap = self._sizes = 0.0

    def validation_step(self, batch: Batch, index: int) -> None:
        """Voxels are counted, and probabilities summed, for loss and coefficient of the whole validation part.

        A mean over batches would not see what is found where there is nothing: in batches without a lesion the Dice
        loss is 1 whatever the network says.
        """
        values, mask, _ = batch
        logit = logit_of(self.network(lay_out(values)))
        p, g = logit.float().sigmoid(), finest(mask, logit.float())
        self._overlap += float((p * g).sum(dtype=torch.float64))
        self._sizes += float(p.sum(dtype=torch.float64) + g.sum(dtype=torch.float64))
        predicted, truth = logit >= 0, mask > 0.5
        tp, found, true = (int(m.sum()) for m in (predicted & truth, predicted, truth))
        self._counts += Counts(tp, found - tp, true - tp, mask.numel() - found - true + tp)

    def on_validation_epoch_end(self) -> None:
        counts = self._counts
        self._counts = Counts(*(int(count) for count in summed(counts.tp, counts.fp, counts.fn, counts.tn)))
        self.last_dice = self._counts.scores()["dice"]
        overlap, sizes = summed(self._overlap, self._sizes)
        loss = 1 - (2 * overlap + TINY) / (sizes + TINY)
        self.log("val_loss", loss, prog_bar=True)
        self.log("val_dice", self.last_dice, prog_bar=True)
        if self.plateau is not None and not self.trainer.sanity_checking:
            self.plateau.step(loss)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The recipe's optimiser. The plateau is stepped after validations: endless data have no end of an epoch."""
        optimiser = replace(self.recipe, rate=self.rate).build(self.network.parameters())
        if self.recipe.plateau is not None:
            factor, patience = self.recipe.plateau
            self.plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=factor, patience=patience)
            if self._saved_plateau:
                self.plateau.load_state_dict(self._saved_plateau)
        return optimiser

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["last_dice"] = self.last_dice
        checkpoint["plateau"] = None if self.plateau is None else self.plateau.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.last_dice = checkpoint["last_dice"]
        self._saved_plateau = checkpoint["plateau"]
        if self.plateau is not None and self._saved_plateau:
            self.plateau.load_state_dict(self._saved_plateau)


def override(optimiser: Optimiser, **changes: Any) -> Optimiser:
    """The recipe with every change that is not None."""
    return replace(optimiser, **{name: value for name, value in changes.items() if value is not None})
