"""Fit: run a Lightning module to a total number of iterations, resumably.

A run's folder holds ``checkpoints/`` (the two most recent and the best by validation loss) and ``logs/`` (TensorBoard
events and ``metrics.csv``, one sub-folder per start).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader

from spinetk.training.device import pick_precision
from spinetk.training.quiet import quiet
from spinetk.training.stopping import StopWhenFlat


@dataclass(frozen=True)
class Fit:
    """Outcome of a run.

    Attributes:
        iterations: Iterations the weights have seen, over all starts.
        resumed_from: Iteration this start went on from; 0 for a fresh run.
        best: Checkpoint with the lowest validation loss, or None.
        val_loss: That loss.
        stopped_early: Whether the early stopping ended the run.
    """

    iterations: int
    resumed_from: int
    best: Path | None
    val_loss: float | None
    stopped_early: bool


class _Progress(TQDMProgressBar):
    """Counts to the total iterations although the training data have no end."""

    @property
    def total_train_batches(self) -> int:
        return self.trainer.max_steps

    def on_train_start(self, *arguments: Any) -> None:
        super().on_train_start(*arguments)
        # A resumed epoch is not announced to the bar: total and rate would count from nothing.
        self.train_progress_bar.total = self.trainer.max_steps
        self.train_progress_bar.initial = self.trainer.global_step


def fit(
    module: lightning.LightningModule,
    make_loader: Callable[[int], DataLoader],
    validation: DataLoader | None,
    directory: str | Path,
    *,
    iterations: int,
    resume: bool = False,
    check_every: int = 100,
    early_stop: bool = False,
    clip: float = 0.0,
    device: str = "auto",
    precision: str = "auto",
    progress: bool = True,
) -> Fit:
    """Train until ``iterations`` in total.

    Args:
        module: Logs ``val_loss`` in validation.
        make_loader: Called with the number of iterations already done; gives an endless loader that goes on there.
        validation: Validation loader, or None for none.
        directory: Folder of the run.
        iterations: Total, previous starts included.
        resume: Go on from the newest readable checkpoint in ``directory``; without one, or with False, start anew.
        check_every: Iterations between validations and checkpoints.
        early_stop: Stop when the validation loss fell by less than 10 % over 100 iterations (the original's advice).
        clip: Gradient norm limit; 0 for none.
        device: ``auto``, ``cpu``, ``cuda``.
        precision: ``auto`` (bfloat16 mixed where the hardware computes it, else float32) or a Lightning precision.
        progress: Show a progress bar.
    """
    directory = Path(directory)
    checkpoints = directory / "checkpoints"
    found = newest_checkpoint(checkpoints) if resume else None
    done = int(found[1]["global_step"]) if found else 0
    if not resume and checkpoints.exists():
        for stale in checkpoints.glob("*.ckpt"):
            stale.unlink()
    check_every = max(1, min(check_every, iterations))
    best = ModelCheckpoint(checkpoints, "best", monitor="val_loss", enable_version_counter=False)
    # After `best` and after each validation, so that what it saves knows the best loss so far.
    recent = ModelCheckpoint(
        checkpoints,
        "{step:08d}",
        monitor="step",
        mode="max",
        save_top_k=2,
        every_n_train_steps=None if validation is not None else check_every,
        auto_insert_metric_name=False,
        save_on_exception=True,
    )
    stopper = StopWhenFlat() if early_stop else None
    callbacks: list[Any] = [LearningRateMonitor("step")]
    callbacks += [stopper] if stopper else []
    callbacks += [_Progress()] if progress else []
    callbacks += [best, recent] if validation is not None else [recent]
    start = f"from-{done:08d}"
    with quiet():
        trainer = lightning.Trainer(
            accelerator={"auto": "auto", "cuda": "gpu", "gpu": "gpu"}.get(device, device),
            devices=1,
            precision=pick_precision(device) if precision == "auto" else precision,
            max_steps=iterations,
            max_epochs=-1,
            val_check_interval=check_every if validation is not None else None,
            check_val_every_n_epoch=None,
            limit_val_batches=None if validation is not None else 0,
            num_sanity_val_steps=0,
            gradient_clip_val=clip or None,
            callbacks=callbacks,
            logger=[TensorBoardLogger(directory, "logs", start), CSVLogger(directory, "logs", start)],
            log_every_n_steps=min(10, iterations),
            enable_progress_bar=progress,
            enable_model_summary=False,
        )
        if done < iterations:
            trainer.fit(module, make_loader(done), validation, ckpt_path=found[0] if found else None, weights_only=True)
            if trainer.interrupted:
                raise KeyboardInterrupt
            last = checkpoints / f"{trainer.global_step:08d}.ckpt"
            if not last.exists():  # the total is no multiple of check_every
                trainer.save_checkpoint(last)
    score = best.best_model_score
    best_path = Path(best.best_model_path) if best.best_model_path else checkpoints / "best.ckpt"
    return Fit(
        iterations=max(done, trainer.global_step),
        resumed_from=done,
        best=best_path if best_path.exists() else None,
        val_loss=None if score is None else float(score),
        stopped_early=bool(stopper and stopper.stopped),
    )


def newest_checkpoint(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The readable checkpoint with the most iterations, and its content; an unreadable one is passed over aloud."""
    for path in sorted(folder.glob("[0-9]*.ckpt"), reverse=True):
        try:
            return path, torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # a cut file raises whatever its bytes happen to mean
            warnings.warn(f"{path}: unreadable checkpoint passed over ({type(error).__name__})", stacklevel=2)
    return None
