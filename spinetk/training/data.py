"""Data of a run: the loaders of this process, going on where the run stopped."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from spinetk.errors import InputError
from spinetk.training.launch import Distributed
from spinetk.training.sampler import EndlessSampler
from spinetk.training.settings import Settings


@dataclass(frozen=True)
class Data:
    """What a network learns from and is judged by.

    Attributes:
        training: Asked for items as (epoch, index); what is random in one is drawn from (seed, epoch, index) alone.
        validation: Asked for items by index; None for none.
        batch: Training items an iteration, over all processes.
        validation_batch: Validation items at a time; None for as many as in training.
        collate: Makes a batch of items; None for PyTorch's own.
    """

    training: Dataset
    validation: Dataset | None
    batch: int
    validation_batch: int | None = None
    collate: Callable[[list[Any]], Any] | None = None

    @property
    def validates(self) -> bool:
        """Whether there is anything to validate on."""
        return self.validation is not None and len(self.validation) > 0  # type: ignore[arg-type]

    def deal(self, distributed: Distributed) -> tuple[int, int]:
        """(first, step) of the validation batches that are this process's."""
        size = self.validation_batch or self.batch
        batches = -(-len(self.validation) // size) if self.validates else 0  # type: ignore[arg-type]
        # Every process needs one: with too few of them all do all, and agree.
        return (distributed.rank, distributed.world_size) if batches >= distributed.world_size else (0, 1)

    def training_loader(
        self, settings: Settings, distributed: Distributed, done: int = 0, batch: int | None = None
    ) -> DataLoader:
        """An endless loader of this process's share, after ``done`` iterations.

        Raises:
            InputError: The batch cannot be shared out evenly.
        """
        batch = batch or self.batch
        shares = settings.accumulate * distributed.world_size
        if batch % shares:
            fault = f"cannot be shared out evenly ({settings.accumulate} parts in {distributed.world_size} processes)"
            raise InputError(f"batch of {batch}", fault, f"give a multiple of {shares}, for example {shares}")
        sampler = EndlessSampler(
            len(self.training),  # type: ignore[arg-type]
            settings.seed,
            done * batch,
            batch=batch,
            parts=settings.accumulate,
            rank=distributed.rank,
            world_size=distributed.world_size,
        )
        return DataLoader(self.training, batch // shares, sampler=sampler, **self._shared(settings))

    def validation_loader(self, settings: Settings, distributed: Distributed) -> DataLoader | None:
        """Whole batches, dealt out to the processes, so that a batch's score is what one process would find."""
        if self.validation is None or not self.validates:
            return None
        count, size = len(self.validation), self.validation_batch or self.batch  # type: ignore[arg-type]
        batches = [list(range(start, min(start + size, count))) for start in range(0, count, size)]
        first, step = self.deal(distributed)
        return DataLoader(self.validation, batch_sampler=_Batches(batches[first::step]), **self._shared(settings))

    def _shared(self, settings: Settings) -> dict[str, Any]:
        return {
            "collate_fn": self.collate,
            "num_workers": settings.workers,
            "persistent_workers": settings.workers > 0,
            "pin_memory": torch.cuda.is_available() and settings.device != "cpu",
            "worker_init_fn": _leave_signals_to_the_run,
        }


class _Batches:
    def __init__(self, batches: list[list[int]]) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)


def _leave_signals_to_the_run(_: int) -> None:
    """Ctrl-C and the signals of a cluster reach every process: workers that died of them would take the run along."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
