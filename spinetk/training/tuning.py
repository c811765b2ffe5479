"""Tuning: Lightning's learning-rate finder and batch-size fit, on the very data and network of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.tuner import Tuner
from torch.utils.data import DataLoader

from spinetk.atomic import replacing
from spinetk.errors import InputError
from spinetk.training.data import Data
from spinetk.training.device import pick_device
from spinetk.training.fit import make_trainer
from spinetk.training.launch import Distributed
from spinetk.training.quiet import quiet
from spinetk.training.settings import Settings

STEPS = 100


@dataclass(frozen=True)
class Advice:
    """What a finder found.

    Attributes:
        what: ``rate`` or ``batch``.
        value: The learning rate, or pictures per iteration.
        curve: Picture of the loss over the rate, for ``rate``.
    """

    what: str
    value: float
    curve: Path | None = None

    def __str__(self) -> str:
        if self.what == "batch":
            return f"largest batch that fits: {self.value:.0f}"
        return f"learning rate: {self.value:.2g} (loss over rate: {self.curve})"


def advise(
    module: lightning.LightningModule, data: Data, directory: Path, settings: Settings, what: str, steps: int = STEPS
) -> Advice:
    """Run one of Lightning's finders; the run's checkpoints stay as they are.

    Args:
        module: Takes its learning rate from the field ``rate``.
        data: What it learns from.
        directory: Folder of the run; receives ``rate.png``.
        settings: How.
        what: ``rate`` or ``batch``.
        steps: Iterations of the rate finder.

    Raises:
        InputError: The batch-size fit without a GPU (a CPU's memory has no end that can be met safely), in several
            processes, or losses from which no rate can be told.
    """
    if (settings.devices or 1) * (settings.nodes or 1) > 1:
        raise InputError(f"finding the {what}", "is for one process", "leave --devices and --nodes out")
    if what == "batch" and pick_device(settings.device).type != "cuda":
        raise InputError("fitting the batch", "needs a GPU", "choose the batch by hand on a CPU")
    directory.mkdir(parents=True, exist_ok=True)
    source = _Source(data, settings)
    options: dict[str, Any] = {"max_steps": -1, "logger": False, "enable_checkpointing": False}
    with quiet():
        trainer = make_trainer(
            settings,
            Distributed(),
            directory,
            [],
            limit_val_batches=0,
            enable_progress_bar=settings.progress,
            **options,
        )
        tuner = Tuner(trainer)
        if what == "batch":
            size = tuner.scale_batch_size(module, datamodule=source)
            if size is None:
                raise InputError("fitting the batch", "gave no answer", "choose by hand")
            return Advice(what, float(size))
        finder = tuner.lr_find(module, datamodule=source, num_training=steps, attr_name="rate")
    rate = finder.suggestion() if finder else None
    if finder is None or rate is None:
        raise InputError("finding the rate", "gave no answer: the losses are too few or not finite", "choose by hand")
    from matplotlib.figure import Figure

    figure = finder.plot(suggest=True)
    assert isinstance(figure, Figure)
    picture = directory / "rate.png"
    with replacing(picture) as temporary:
        figure.savefig(temporary, dpi=120)
    return Advice(what, float(rate), picture)


class _Source(lightning.LightningDataModule):
    """The training data, with the batch size that the batch-size fit changes."""

    def __init__(self, data: Data, settings: Settings) -> None:
        super().__init__()
        self.data, self.settings = data, settings
        self.batch_size = data.batch

    def train_dataloader(self) -> DataLoader:
        return self.data.training_loader(self.settings, Distributed(), batch=self.batch_size)
