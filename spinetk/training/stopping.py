"""Early stopping as the original's README describes it: go on while the validation loss keeps falling by 10 %."""

from __future__ import annotations

from typing import Any

import lightning


class StopWhenFlat(lightning.Callback):
    """Stop when the validation loss fell by less than 10 % over 100 iterations.

    The original advises to raise the iterations by 100 as long as the validation loss falls by 10 %.

    Attributes:
        stopped: Whether this callback ended the run.
    """

    def __init__(self) -> None:
        self.stopped = False
        self._last: tuple[int, float] | None = None

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        loss = trainer.callback_metrics.get("val_loss")
        if loss is None or trainer.sanity_checking:
            return
        now = (trainer.global_step, float(loss))
        if self._last is None:
            self._last = now
        elif now[0] - self._last[0] >= 100:
            self.stopped = now[1] > 0.9 * self._last[1]
            trainer.should_stop = trainer.should_stop or self.stopped
            self._last = now

    def state_dict(self) -> dict[str, Any]:
        return {"last": list(self._last) if self._last else None}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        last = state.get("last")
        self._last = (int(last[0]), float(last[1])) if last else None
