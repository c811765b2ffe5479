"""What :func:`spinetk.training.fit.fit` trains: a Lightning module around one network."""

from __future__ import annotations

import lightning
from torch import nn


class NetworkTraining(lightning.LightningModule):
    """Loss, optimiser and schedule of a network.

    Attributes:
        network: Whose weights a run keeps.
        dealt: Which validation batches are this process's, as (first, step): set by ``fit``.
    """

    network: nn.Module
    dealt: tuple[int, int] = (0, 1)

    def heavy_part(self) -> nn.Module:
        """What is laid out channels last and compiled: the network, or the part of it that always sees like shapes."""
        return self.network
