"""Samples: pictures of truth and prediction in TensorBoard at every validation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import lightning
import numpy as np
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import Dataset


class Samples(lightning.Callback):
    """Draws the first validation items after each validation.

    Args:
        dataset: Validation items.
        count: How many.
    """

    def __init__(self, dataset: Dataset, count: int = 2) -> None:
        self.dataset = dataset
        self.count = min(count, len(dataset))  # type: ignore[arg-type]

    @abstractmethod
    def draw(self, module: Any, index: int) -> np.ndarray:
        """An item with truth and prediction, (H, W, 3) uint8; the network is in evaluation mode."""

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                for index, picture in self._drawn(pl_module):
                    logger.experiment.add_image(f"sample/{index}", picture, trainer.global_step, dataformats="HWC")

    def _drawn(self, module: lightning.LightningModule) -> Iterator[tuple[int, np.ndarray]]:
        import torch

        network = module.get_submodule("network")
        training = network.training
        network.eval()
        try:
            with torch.inference_mode():
                for index in range(self.count):
                    yield index, self.draw(module, index)
        finally:
            network.train(training)
