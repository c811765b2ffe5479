"""The engine on a toy: whatever ends a run, going on gives the weights of the unbroken one, bit for bit."""

from __future__ import annotations

import errno
import json
import os
import signal
from pathlib import Path

import lightning
import pytest
import torch
from forking import begin, ended
from toy import equal, run

from spinetk.errors import InputError
from spinetk.training.saving import is_whole, numbered, read_checkpoint

HERE = Path(__file__).parent


class Broken(Exception):  # noqa: N818
    """What a test breaks a run with."""


class StopAt(lightning.Callback):
    """Break a run in a hook, at an iteration."""

    def __init__(self, hook: str, at: int, act) -> None:
        def stop(trainer, *_):
            if trainer.global_step == at:
                act()

        setattr(self, hook, stop)


def broken(*_):
    raise Broken


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    return run(tmp_path_factory.mktemp("unbroken"))


def test_a_run_ends_where_it_should(unbroken, tmp_path):
    assert (unbroken.iterations, unbroken.resumed_from) == (11, 0)
    assert unbroken.val_loss is not None
    again = run(tmp_path, workers=2)
    assert equal(unbroken.weights, again.weights)
    assert equal(unbroken.best, again.best)
    state = json.loads((tmp_path / "checkpoints" / "state.json").read_text())
    assert state["validated"] == 9
    assert state["best"][1] == again.val_loss
    assert [int(p.stem) for p in numbered(tmp_path / "checkpoints")] == [11, 9]


# Steps 6 and 9 are validated. `on_validation_start` of 6 comes after its checkpoint was written.
@pytest.mark.parametrize(
    ("hook", "at"),
    [
        ("on_train_batch_start", 4),
        ("on_before_optimizer_step", 7),
        ("on_train_batch_end", 5),
        ("on_validation_batch_start", 6),
        ("on_validation_epoch_end", 9),
        ("on_train_batch_start", 9),
        ("on_train_batch_end", 11),
    ],
)
def test_broken_anywhere_and_resumed_equals_unbroken(unbroken, tmp_path, hook, at):
    with pytest.raises(Broken):
        run(tmp_path, stop=StopAt(hook, at, broken))
    resumed = run(tmp_path, resume=True, workers=1)
    assert resumed.resumed_from > 0
    assert equal(unbroken.weights, resumed.weights)
    assert equal(unbroken.best, resumed.best)
    assert resumed.val_loss == unbroken.val_loss


def test_killed_in_the_last_validation_it_is_made_up_for(tmp_path):
    whole = run(tmp_path / "whole", iterations=6)
    with pytest.raises(Broken):
        run(tmp_path / "cut", iterations=6, stop=StopAt("on_validation_batch_start", 6, broken))
    resumed = run(tmp_path / "cut", iterations=6, resume=True)
    assert resumed.iterations == resumed.resumed_from == 6
    assert equal(whole.best, resumed.best)
    assert resumed.val_loss == whole.val_loss


def test_a_full_disk_costs_a_checkpoint_and_not_the_run(unbroken, tmp_path, monkeypatch, recwarn):
    fsync, calls = os.fsync, []

    def full(handle):
        calls.append(handle)
        if 2 < len(calls) < 6:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    done = run(tmp_path)
    assert equal(unbroken.weights, done.weights)
    said = [str(w.message) for w in recwarn if "No space left" in str(w.message)]
    assert said
    assert "last good checkpoint: 00000003.ckpt" in said[0]
    assert all(is_whole(path) for path in numbered(tmp_path / "checkpoints"))
    assert not list((tmp_path / "checkpoints").glob(".tmp-*"))


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_last_checkpoint_falls_back_to_the_one_before(unbroken, tmp_path, damage):
    run(tmp_path)
    newest = numbered(tmp_path / "checkpoints")[0]
    content = bytearray(newest.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "empty":
        content = bytearray()
    else:
        place = content.find(b"archive/data/0") + 80
        content[place] ^= 0xFF
    newest.write_bytes(content)
    with pytest.warns(UserWarning, match="00000011.ckpt: unreadable checkpoint skipped"):
        resumed = run(tmp_path, resume=True)
    assert resumed.resumed_from == 9
    assert equal(unbroken.weights, resumed.weights)
    assert equal(unbroken.best, resumed.best)


def test_the_best_is_chosen_by_what_is_asked_for(unbroken, tmp_path):
    done = run(tmp_path, best_by="score")
    assert equal(done.best, unbroken.best)
    assert done.val_loss == pytest.approx(-unbroken.val_loss)


def test_parts_of_a_batch_must_divide_it(tmp_path):
    with pytest.raises(InputError, match="batch of 4: cannot be shared out evenly"):
        run(tmp_path, accumulate=3)


def test_parts_of_a_batch_add_up_to_it(tmp_path):
    """Without norms and dropout the mean over a batch is that of its parts, and so is its gradient."""
    whole = run(tmp_path / "whole", plain=True)
    parts = run(tmp_path / "parts", plain=True, accumulate=2)
    assert parts.iterations == whole.iterations == 11
    for name, value in whole.weights.items():
        torch.testing.assert_close(parts.weights[name], value, rtol=1e-5, atol=1e-6)
    with pytest.raises(Broken):
        run(tmp_path / "broken", plain=True, accumulate=2, stop=StopAt("on_train_batch_end", 5, broken))
    assert equal(run(tmp_path / "broken", plain=True, accumulate=2, resume=True).weights, parts.weights)


def test_half_written_files_are_cleared_away(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    for name in (".tmp-abc.ckpt", "00000003.ckpt", "best.ckpt"):
        (tmp_path / "checkpoints" / name).write_text("rubbish")
    run(tmp_path, iterations=2)
    assert {p.name for p in (tmp_path / "checkpoints").iterdir()} == {"00000002.ckpt", "best.ckpt", "state.json"}


SCRIPT = """
import sys, os, signal
sys.path.insert(0, {here!r})
from pathlib import Path
from toy import run
import lightning

class Signal(lightning.Callback):
    def on_before_optimizer_step(self, trainer, *_):
        if trainer.global_step == 4:
            os.kill(os.getpid(), {number})

try:
    run(Path({folder!r}), stop=Signal())
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_signals_save_and_leave(unbroken, tmp_path, number, code):
    script = SCRIPT.format(here=str(HERE), number=int(number), folder=str(tmp_path))
    said = tmp_path / "said"
    assert ended(begin(script, said)) == code, said.read_text()
    newest = int(numbered(tmp_path / "checkpoints")[0].stem)
    assert newest == (3 if number == signal.SIGKILL else 5)
    if number != signal.SIGKILL:
        assert "saved at iteration 5" in said.read_text()
        assert "Traceback" not in said.read_text()
    resumed = run(tmp_path, resume=True)
    assert resumed.resumed_from == newest
    assert equal(unbroken.weights, resumed.weights)


STUCK = """
import sys, os, signal, time
sys.path.insert(0, {here!r})
from pathlib import Path
import torch, toy
from spinetk.signals import leaving

class Stuck(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        if Stuck.step == 4:
            os.kill(os.getpid(), {number})
            time.sleep(600)
        return gradient

class Line(toy.Line):
    def training_step(self, batch, _):
        Stuck.step = self.global_step
        loss = torch.nn.functional.mse_loss(Stuck.apply(self.network(batch[0])), batch[1])
        self.log("loss", loss.detach())
        return loss

toy.Line = Line
with leaving():
    toy.run(Path({folder!r}), workers={workers})
"""


@pytest.mark.parametrize(("number", "code", "workers"), [(signal.SIGTERM, 143, 1), (signal.SIGINT, 130, 0)])
def test_an_iteration_that_does_not_end_is_left_and_the_one_before_is_saved(unbroken, tmp_path, number, code, workers):
    script = STUCK.format(here=str(HERE), number=int(number), folder=str(tmp_path), workers=workers)
    said = tmp_path / "said"
    assert ended(begin(script, said)) == code, said.read_text()
    assert "saved at iteration 4; go on with --resume" in said.read_text()
    assert not list((tmp_path / "checkpoints").glob(".tmp-*"))
    resumed = run(tmp_path, resume=True)
    assert resumed.resumed_from == 4
    assert equal(unbroken.weights, resumed.weights)
    assert equal(unbroken.best, resumed.best)


def test_a_loss_that_is_no_number_ends_the_run_before_the_weights_do(tmp_path):
    class Diverges(lightning.Callback):
        def on_train_batch_start(self, trainer, module, batch, _):
            if trainer.global_step == 7:
                batch[1][:] = float("inf")

    with pytest.raises(InputError, match=r"loss: is no number any more at iteration 8 .*lower --rate"):
        run(tmp_path, stop=Diverges())
    kept = [read_checkpoint(path) for path in numbered(tmp_path / "checkpoints")]
    assert kept
    for checkpoint in kept:
        assert all(value.isfinite().all() for value in checkpoint["state_dict"].values())


def test_a_validation_that_is_no_number_is_never_the_best(tmp_path):
    class Nothing(lightning.Callback):
        def on_validation_batch_start(self, trainer, module, batch, *_):
            if trainer.global_step == 3:  # the first of three
                batch[1][:] = float("nan")

    result = run(tmp_path, stop=Nothing())
    assert result.val_loss == result.val_loss  # a number
    assert json.loads((tmp_path / "checkpoints" / "state.json").read_text())["best"][0] > 3
