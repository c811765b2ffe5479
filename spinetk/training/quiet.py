"""Quiet: keep libraries' advice out of the user's way."""

from __future__ import annotations

import logging
import warnings


class quiet(warnings.catch_warnings):  # noqa: N801  (reads as a verb at its use)
    """Keep Lightning's advice about workers, loggers and devices out of the user's way; errors still come through."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.filterwarnings("ignore", module="lightning")
        warnings.filterwarnings("ignore", module="torch.optim.lr_scheduler")
        warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.*")
        for name in ("lightning.pytorch", "lightning.fabric"):
            logging.getLogger(name).setLevel(logging.ERROR)
