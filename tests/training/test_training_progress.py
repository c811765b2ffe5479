"""The bar of a training that goes on."""

from __future__ import annotations

from types import SimpleNamespace

from spinetk.training.progress import Bar


def test_a_bar_goes_on_where_the_run_stopped():
    """It said 0 of 8 iterations, -0.39 a second and -20 s left, until the next ten were done."""
    bar = Bar(parts=2)
    trainer = SimpleNamespace(max_steps=8, global_step=5)
    bar._trainer = trainer
    bar.on_train_start(trainer, None)
    shown = bar.train_progress_bar
    try:
        assert (shown.n, shown.initial, shown.total) == (10, 10, 16)
        assert "10/16" in str(shown)
        assert not str(shown).partition("[")[2].count("-")
    finally:
        shown.close()
