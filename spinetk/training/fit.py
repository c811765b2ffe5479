"""Fit: run a Lightning module to a total number of iterations, resumably, in one process or many.

A run's folder holds ``checkpoints/`` (:mod:`spinetk.training.checkpoint`) and ``logs/`` (TensorBoard events and
``metrics.csv``, one sub-folder per start).
"""

from __future__ import annotations

import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.strategies import DDPStrategy

from spinetk.errors import InputError
from spinetk.signals import saving_with
from spinetk.training.checkpoint import BEST, CheckpointCallback, Interrupted, read_state
from spinetk.training.data import Data
from spinetk.training.device import channels_last, pick_device, pick_precision
from spinetk.training.distributed import synchronise_norms
from spinetk.training.launch import Distributed, environment, is_begun, launch
from spinetk.training.module import NetworkTraining
from spinetk.training.progress import Bar
from spinetk.training.quiet import quiet
from spinetk.training.saving import SafeIO, network_weights, newest_checkpoint, read_checkpoint
from spinetk.training.settings import Settings
from spinetk.training.stopping import StopWhenFlat

Weights = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Fit:
    """Outcome of a run.

    Attributes:
        iterations: Iterations the weights have seen, over all starts.
        resumed_from: Iteration this start went on from; 0 for a fresh run.
        weights: Of ``module.network`` at the end.
        best: Weights with the best value of ``settings.best_by``, or None where nothing was validated.
        val_loss: That value.
        stopped_early: Whether the early stopping ended the run.
        first: Whether this process is the one to write files.
    """

    iterations: int
    resumed_from: int
    weights: Weights
    best: Weights | None
    val_loss: float | None
    stopped_early: bool
    first: bool


def fit(
    module: NetworkTraining,
    data: Data,
    directory: str | Path,
    settings: Settings,
    *,
    iterations: int | None = None,
    check_every: int | None = None,
    resume: bool = False,
    clip: float = 0.0,
    callbacks: tuple[lightning.Callback, ...] = (),
) -> Fit:
    """Train until ``iterations`` in total.

    Killed at any moment and resumed, a run ends with the very weights of an unbroken one (bit for bit on a CPU, for
    any number of workers).

    Args:
        module: Logs ``loss`` in training and ``val_loss`` in validation.
        data: What it learns from.
        directory: Folder of the run.
        settings: How.
        iterations, check_every: In place of those of ``settings``.
        resume: Go on from the newest readable checkpoint in ``directory``; without one, or with False, start anew.
        clip: Gradient norm limit; 0 for none.
        callbacks: More of them.

    Raises:
        InputError: The batch cannot be shared out, the disk is full, or the loss is no number any more.
        KeyboardInterrupt: Ctrl-C was pressed; the run is saved.
        SystemExit: SIGTERM came (code 143); the run is saved.
    """
    distributed = launch(settings.devices, settings.nodes, settings.device)
    directory = Path(directory)
    iterations = iterations or settings.iterations
    every = max(1, min(check_every or settings.check_every, iterations))
    folder = directory / "checkpoints"
    found = newest_checkpoint(folder) if resume else None
    done = int(found[1]["global_step"]) if found else 0
    if distributed.first:
        if done:
            print(f"going on from iteration {done} of {iterations}")
        _clear(folder, keep=resume)
    distributed.wait()
    files = SafeIO()
    keep = CheckpointCallback(folder, files, every, data.validates, settings.best_by, settings.accumulate)
    stopper = StopWhenFlat() if settings.early_stop else None
    shows = settings.progress and distributed.first
    every_callback = [
        _Draws(settings.seed, settings.accumulate, distributed.rank),
        _Numbers(),
        LearningRateMonitor("step"),
        *callbacks,
        *([stopper] if stopper else []),
        *([Bar(settings.accumulate)] if shows else []),
    ]
    start = f"from-{done:08d}"
    with quiet():
        trainer = make_trainer(
            settings,
            distributed,
            directory,
            plugins=[files],
            max_steps=iterations,
            val_check_interval=every * settings.accumulate if data.validates else None,
            limit_val_batches=None if data.validates else 0,
            gradient_clip_val=clip or None,
            callbacks=[*every_callback, keep],
            logger=[
                TensorBoardLogger(directory, "logs", start),
                CSVLogger(directory, "logs", start, flush_logs_every_n_steps=10),
            ],
            log_every_n_steps=min(10, iterations),
            enable_progress_bar=shows,
        )
        _prepare(module, settings, distributed)
        module.dealt = data.deal(distributed)
        held_out = data.validation_loader(settings, distributed)
        with _ends_in_words(trainer, distributed, directory):
            if done < iterations:
                loader = data.training_loader(settings, distributed, done)
                with saving_with(keep.save_aside):
                    trainer.fit(module, loader, held_out, ckpt_path=found[0] if found else None, weights_only=True)
            elif found:
                _finish(trainer, module, held_out, found, keep, read_state(folder))
    best = read_checkpoint(folder / BEST) if (folder / BEST).exists() and data.validates else None
    return Fit(
        iterations=max(done, trainer.global_step),
        resumed_from=done,
        weights={name: value.detach().cpu() for name, value in module.network.state_dict().items()},
        best=network_weights(best) if best else None,
        val_loss=keep.best[1] if keep.best else None,
        stopped_early=bool(stopper and stopper.stopped),
        first=distributed.first,
    )


def make_trainer(settings: Settings, distributed: Distributed, directory: Path, plugins: list[Any], **more: Any) -> Any:
    """A Lightning trainer for the processes of a run; endless data, one epoch."""
    # Buffers are the same everywhere: batch norms are synchronised. Processes may have different numbers of
    # validation batches, which must not wait for one another.
    precision = settings.precision
    if precision == "auto":
        precision = pick_precision(settings.device)
    ddp = DDPStrategy(broadcast_buffers=False, find_unused_parameters=True)
    return lightning.Trainer(
        accelerator={"auto": "auto", "cuda": "gpu", "gpu": "gpu"}.get(settings.device, settings.device),
        devices=distributed.devices,
        num_nodes=distributed.nodes,
        strategy=ddp if distributed.world_size > 1 else "auto",
        precision=precision,
        accumulate_grad_batches=settings.accumulate,
        max_epochs=-1,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_model_summary=False,
        default_root_dir=directory,
        plugins=[*plugins, *environment()],
        **more,
    )


class _Draws(lightning.Callback):
    """What a network draws (dropout) in a step depends on seed, iteration, part and process alone."""

    def __init__(self, seed: int, parts: int, rank: int) -> None:
        self.seed, self.parts, self.rank = seed, parts, rank

    def on_train_batch_start(self, trainer: lightning.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        step = trainer.global_step * self.parts + batch_idx % self.parts
        torch.manual_seed((self.seed * 1_000_003 + step) * 4099 + self.rank)


class _Numbers(lightning.Callback):
    """Ends a run whose loss is no number any more, before a step would take the weights along."""

    def on_before_backward(self, trainer: lightning.Trainer, pl_module: Any, loss: torch.Tensor) -> None:
        if not bool(loss.isfinite()):
            fault = f"is no number any more at iteration {trainer.global_step + 1}"
            raise InputError("loss", fault, "lower --rate, and start again or go on with --resume")


def _prepare(module: NetworkTraining, settings: Settings, distributed: Distributed) -> None:
    """Layout, compilation and norms of the network."""
    if settings.precision == "64-true":
        # Lightning reads a checkpoint before it widens the network: what goes on would have been rounded once.
        module.double()
    if distributed.world_size > 1:
        synchronise_norms(module.network, pick_device(settings.device).type == "cuda")
    heavy = module.heavy_part()
    channels_last(heavy)
    if settings.compile:
        heavy.compile()


def _finish(
    trainer: Any,
    module: Any,
    held_out: Any,
    found: tuple[Path, dict[str, Any]],
    keep: CheckpointCallback,
    state: dict[str, Any],
) -> None:
    """Nothing is left to train; a run that was killed in its last validation still has that to do."""
    content = found[1]
    done = int(content["global_step"])
    module.network.load_state_dict(network_weights(content))
    if held_out is None:
        return
    if state.get("validated") == done:
        keep.load_state_dict(state)
    elif done % keep.every == 0:
        keep.load_state_dict(content["callbacks"].get(keep.state_key, {}))
        keep.goes_on_from(done)
        trainer.validate(module, held_out, verbose=False)
    else:
        keep.load_state_dict(state)


@contextmanager
def _ends_in_words(trainer: Any, distributed: Distributed, directory: Path) -> Iterator[None]:
    """A signal ends the run as its sender expects, a full disk as bad input."""
    try:
        yield
    except Interrupted as left:
        _say_left(left, trainer, distributed)
    except SystemExit:
        # Lightning's answer to a second Ctrl-C.
        if trainer.interrupted:
            raise KeyboardInterrupt from None
        raise
    except OSError as error:
        fault = f"could not be written: {error.strerror or error}"
        raise InputError(directory, fault, "make room and go on with --resume") from error


def _say_left(left: Interrupted, trainer: Any, distributed: Distributed) -> None:
    if distributed.first:
        print(f"spinetk: {left}: saved at iteration {trainer.global_step}; go on with --resume", file=sys.stderr)
    if is_begun():
        # Lightning's watcher kills the process that began this one, which may still be saving, on any other code.
        raise SystemExit(0) from None
    if left.number == signal.SIGINT:
        raise KeyboardInterrupt from None
    raise SystemExit(128 + left.number) from None


def _clear(folder: Path, keep: bool) -> None:
    """Remove what a kill left half written, and of a run that begins anew everything."""
    for stale in [*folder.glob(".tmp-*"), *([] if keep else [*folder.glob("*.ckpt"), *folder.glob("state.json")])]:
        try:
            stale.unlink(missing_ok=True)
        except OSError as error:
            warnings.warn(f"{stale}: cannot be removed ({error.strerror})", stacklevel=3)
