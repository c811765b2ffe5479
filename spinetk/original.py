"""The modules of the original SpineTK under their own names, for notebooks and scripts that were written for it.

``import spinetk.original`` as the first line, and ``from split import make_split``, ``import train``, ``from inference
import inference, eval_img``, ``import setup_catalogs`` and ``from visualize import visualize_sample`` give ours. Where
Detectron2 is not installed, what the original's notebook imports from it (its catalogs and ``setup_logger``) is ours,
too; ``import detectron2`` itself stays the error that it is.

``python -m spinetk.original SCRIPT ARGUMENTS`` runs such a script as it stands.
"""

from __future__ import annotations

import importlib.util
import logging
import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import spinetk

OWNED = {
    "split": ("make_split",),
    "visualize": ("visualize_sample",),
    "train": ("train",),
    "inference": ("inference", "eval_img"),
    "setup_catalogs": ("setup_catalogs",),
}
"""Modules of the original and the calls in them, all of which ``spinetk`` has."""


class OriginalModule(ModuleType):
    """A module whose calls are ours, loaded on first use. It can be called itself, as its first call.

    The original's README writes ``import train`` and then ``train(version, 1300, True)``.
    """

    def __getattr__(self, name: str) -> Any:
        if name in OWNED[self.__name__]:
            return getattr(spinetk, name)
        raise AttributeError(f"module {self.__name__!r} of the original SpineTK has no {name!r} here")

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call the function that the module is named after."""
        return getattr(self, OWNED[self.__name__][0])(*arguments, **options)


def setup_logger(*_: Any, **__: Any) -> logging.Logger:
    """Detectron2's, which the original's first cell calls: there is nothing to set up, progress is shown anyway."""
    return logging.getLogger("spinetk")


def register() -> None:
    """Put the modules where ``import`` finds them first."""
    sys.modules |= {name: OriginalModule(name, f"``{name}`` of the original SpineTK, by spinetk.") for name in OWNED}
    if importlib.util.find_spec("detectron2") is None:
        # The submodules alone: Python takes them from here without asking for the package, whose absence stays plain.
        data, logger = ModuleType("detectron2.data"), ModuleType("detectron2.utils.logger")
        vars(data).update(DatasetCatalog=spinetk.DatasetCatalog, MetadataCatalog=spinetk.MetadataCatalog)
        vars(logger).update(setup_logger=setup_logger)
        sys.modules |= {module.__name__: module for module in (data, logger)}


register()

if __name__ == "__main__":
    if len(sys.argv) < 2 or not Path(sys.argv[1]).is_file():
        missing = "".join(f"{name}: no such file\n" for name in sys.argv[1:2])
        print(f"{missing}usage: python -m spinetk.original SCRIPT [ARGUMENTS]", file=sys.stderr)
        sys.exit(2)
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
