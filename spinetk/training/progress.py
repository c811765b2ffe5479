"""Progress: a bar with loss, learning rate, iterations a second and time left."""

from __future__ import annotations

from typing import Any

import lightning
from lightning.pytorch.callbacks import TQDMProgressBar


class Bar(TQDMProgressBar):
    """Counts to the total iterations although the training data have no end."""

    def __init__(self, parts: int = 1) -> None:
        # Every refresh reads the loss, for which a GPU has to be waited for.
        super().__init__(refresh_rate=10 * parts)
        self.parts = parts

    @property
    def total_train_batches(self) -> int:
        return self.trainer.max_steps * self.parts

    def on_train_start(self, *arguments: Any) -> None:
        super().on_train_start(*arguments)
        # A resumed epoch is not announced to the bar: total and rate would count from nothing.
        self.train_progress_bar.total = self.total_train_batches
        done = self.trainer.global_step * self.parts
        self.train_progress_bar.initial = self.train_progress_bar.n = done  # n alone, or else a rate below zero

    def get_metrics(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> dict[str, Any]:
        """The logged losses and scores, and the learning rate."""
        shown = {name: value for name, value in super().get_metrics(trainer, pl_module).items() if name != "v_num"}
        rates = [group["lr"] for optimiser in trainer.optimizers for group in optimiser.param_groups]
        return shown | ({"rate": f"{rates[0]:.1e}"} if rates else {})
