"""Checkpoints of a run at moments from which it can go on exactly, and leaving when told to.

An iteration may take longer than a program that is told to leave has. Until the optimiser steps, weights and
optimiser are still those of the last iteration; only the buffers (statistics of norms) move on, and a copy of them is
kept. So another thread (:mod:`spinetk.signals`) can save the last iteration while the next one is being computed.

A checkpoint of iteration N is written after the N-th step of the optimiser and before the validation that follows. A
run that goes on from it validates first, so all that validation changes (best score, schedules, early stopping) is what
it would have been, at whatever moment the run was killed.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import threading
import warnings
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Checkpoint

from spinetk.atomic import replacing, write_json
from spinetk.errors import InputError
from spinetk.training.saving import SafeIO, numbered

KEPT = 2
BEST, STATE = "best.ckpt", "state.json"


class Interrupted(Exception):  # noqa: N818  (no error: the run did as it was told)
    """The run was told to leave, and has saved itself.

    Attributes:
        number: Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class CheckpointCallback(Checkpoint):
    """Write, prune and select checkpoints; on SIGTERM and Ctrl-C save after the iteration under way, and leave.

    The folder holds the two newest checkpoints (``00000200.ckpt``), ``best.ckpt`` and ``state.json``: which iteration
    was validated last, and which was best.

    Args:
        folder: Receives the checkpoints.
        files: Writes them.
        every: Iterations between them.
        validates: Whether validation follows every one of them.
        monitor: Logged value that chooses the best.
        parts: Parts that each batch is computed in.
    """

    def __init__(self, folder: Path, files: SafeIO, every: int, validates: bool, monitor: str, parts: int) -> None:
        self.folder, self.files, self.every, self.validates = folder, files, every, validates
        self.monitor, self.parts = monitor, parts
        self.best: tuple[int, float] | None = None
        self._saved = self._seen = -1
        self._between = False
        self._signal: int | None = None
        self._lock = threading.RLock()
        self._unchanged = False  # whether weights and optimiser are those of the last iteration
        self._buffers: dict[str, torch.Tensor] | None = None  # as they were then; None for as they are
        self._trainer: lightning.Trainer | None = None

    @property
    def rising(self) -> bool:
        """Whether the greatest value is best."""
        return "loss" not in self.monitor

    def state_dict(self) -> dict[str, Any]:
        return {"best": list(self.best) if self.best else None}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        best = state.get("best")
        self.best = (int(best[0]), float(best[1])) if best else None

    def goes_on_from(self, done: int) -> None:
        """The run stands at this iteration, whose checkpoint is there."""
        self._saved = done

    def on_save_checkpoint(self, trainer: lightning.Trainer, pl_module: Any, checkpoint: dict[str, Any]) -> None:
        """Write the loops as they stand between two iterations, whatever hook this is called from."""
        done = trainer.global_step
        loops = checkpoint["loops"]["fit_loop"]
        batches = dict.fromkeys(("ready", "started", "processed", "completed"), done * self.parts)
        loops["epoch_loop.batch_progress"] |= {"total": dict(batches), "current": dict(batches), "is_last_batch": False}
        loops["epoch_loop.state_dict"]["_batches_that_stepped"] = done - self._due(done)
        nothing = dict.fromkeys(batches, 0)
        loops["epoch_loop.val_loop.batch_progress"] |= {"total": dict(nothing), "current": dict(nothing)}
        for progress in loops["epoch_loop.automatic_optimization.optim_progress"]["optimizer"].values():
            for counts in progress.values():
                counts |= dict.fromkeys(counts, counts["completed"])
        checkpoint["state_dict"] |= {k: v for k, v in (self._buffers or {}).items() if k in checkpoint["state_dict"]}

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self._listen()
        self._trainer = trainer
        done = self._saved = self._seen = trainer.global_step
        self._between = True
        if done and self._due(done):
            loop = trainer.fit_loop.epoch_loop.val_loop
            trainer.validating = True
            loop.restarting = False
            loop.run()
            trainer.training = True

    def on_train_batch_start(self, trainer: lightning.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        done = trainer.global_step
        if done != self._seen:
            self._seen = done
            if done % self.every == 0:
                self._save(trainer)
        # Between the parts of a batch the gradients so far are in no checkpoint.
        if batch_idx % self.parts == 0:
            self._leave(trainer)
            with self._lock:
                self._buffers = {name: buffer.clone() for name, buffer in pl_module.named_buffers()}
                self._unchanged = True
        self._between = False

    def on_before_optimizer_step(self, *_: Any) -> None:
        with self._lock:  # not while another thread saves
            self._unchanged = False

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        self._between = trainer.global_step != self._seen
        if self._between:
            with self._lock:
                self._buffers, self._unchanged = None, True

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        if trainer.state.fn == "fit":
            self._seen = trainer.global_step
            self._save(trainer)
            self._unchanged = False  # validation may change the rate

    def on_validation_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        if trainer.world_size == 1:  # processes may have different numbers of batches
            self._leave(trainer)

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        value = trainer.callback_metrics.get(self.monitor)
        if value is None and self.validates and trainer.callback_metrics:
            logged = sorted(name for name in trainer.callback_metrics if name != "loss")
            raise InputError(f"best_by {self.monitor!r}", "is not logged by this network", f"use {' or '.join(logged)}")
        done = trainer.global_step or self._saved
        if value is not None:
            score = float(value)
            better = math.isfinite(score) and (
                self.best is None or (score > self.best[1] if self.rising else score < self.best[1])
            )
            if better and self._save_best(trainer, done):
                self.best = (done, score)
        if trainer.is_global_zero:
            try:
                write_json(self.folder / STATE, {"validated": done, "best": self.best, "by": self.monitor})
            except (OSError, ValueError) as error:
                warnings.warn(f"{self.folder / STATE}: not written ({error})", stacklevel=2)

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self._save(trainer)

    def on_exception(self, trainer: lightning.Trainer, pl_module: Any, exception: BaseException) -> None:
        """Keep what was done before, say, a picture that cannot be read; not from within a step."""
        if self._between and trainer.world_size == 1 and not isinstance(exception, Interrupted) and trainer.global_step:
            self._save(trainer)

    def save_aside(self) -> str | None:
        """From another thread: save the last iteration, if nothing has changed since, and hold the run there.

        The program is to be ended then; the run does not go on.

        Returns:
            A sentence for the user; None when the run must come to its next iteration first, or has none yet.
        """
        trainer = self._trainer
        if trainer is None or not trainer.is_global_zero:
            return None
        self._lock.acquire()
        if not self._unchanged and trainer.global_step != self._saved:
            self._lock.release()
            return None
        if not trainer.global_step:
            return "no iteration was finished"
        if trainer.world_size > 1:
            # All processes hold the same weights; the others are not waited for, they may be waiting for this one.
            trainer.strategy.barrier = lambda *_, **__: None  # type: ignore[method-assign]
        self._save(trainer)
        return f"saved at iteration {trainer.global_step}; go on with --resume"

    def _due(self, done: int) -> bool:
        return self.validates and done % self.every == 0

    def _save(self, trainer: lightning.Trainer) -> None:
        """Write the checkpoint of this iteration, once, and drop older ones only when it is there."""
        with self._lock:
            self._save_now(trainer)

    def _save_now(self, trainer: lightning.Trainer) -> None:
        done = trainer.global_step
        if done == self._saved:
            return
        self._saved = done
        path = self.folder / f"{done:08d}.ckpt"
        trainer.save_checkpoint(path)
        if not trainer.is_global_zero:
            return
        if self.files.failure:
            last = next((p.name for p in numbered(self.folder)), "none")
            fault = f"not written: {self.files.failure} (the run goes on; last good checkpoint: {last})"
            warnings.warn(f"{path}: {fault}", stacklevel=2)
            return
        for old in [p for p in numbered(self.folder) if int(p.stem) < done][KEPT - 1 :]:
            old.unlink(missing_ok=True)

    def _save_best(self, trainer: lightning.Trainer, done: int) -> bool:
        """Let ``best.ckpt`` be the checkpoint of this iteration; whether there is one."""
        path = self.folder / f"{done:08d}.ckpt"
        made = False
        if trainer.is_global_zero and path.exists():
            try:
                with replacing(self.folder / BEST) as temporary:
                    temporary.unlink()
                    try:
                        os.link(path, temporary)
                    except OSError:  # a file system without links
                        shutil.copyfile(path, temporary)
                made = True
            except OSError as error:
                warnings.warn(f"{self.folder / BEST}: not written: {error.strerror}", stacklevel=2)
        return bool(trainer.strategy.broadcast(made))

    def _listen(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        # In place of Lightning's own handlers. It gives all signals back itself when the run ends.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def _note(self, number: int, _: Any) -> None:
        if self._signal == number == signal.SIGINT:
            signal.default_int_handler(number, None)  # a second Ctrl-C does not wait
        self._signal = number

    def _leave(self, trainer: lightning.Trainer) -> None:
        """Save and leave when a signal has come to any of the processes."""
        number = self._signal or 0
        if trainer.world_size > 1:
            own = torch.tensor(float(number), device=trainer.strategy.root_device)
            number = int(trainer.strategy.reduce(own, None, "max"))
        if not number:
            return
        if trainer.global_step:
            self._save(trainer)
        raise Interrupted(number)


def read_state(folder: Path) -> dict[str, Any]:
    """``state.json`` of a run; empty where there is none."""
    try:
        content = json.loads((folder / STATE).read_text(encoding="utf-8"))
        return content if isinstance(content, dict) else {}
    except (OSError, ValueError):
        return {}
