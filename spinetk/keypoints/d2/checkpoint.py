"""Checkpoint: Detectron2's weight files, read without running any code they may hold."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spinetk.atomic import replacing
from spinetk.errors import InputError

Weights = dict[str, Tensor]

POINTS = "roi_heads.keypoint_head.score_lowres.weight"  # (C, K, 4, 4)
NOTE = "spinetk"  # key of what we write beside the weights; Detectron2 ignores it


def read_checkpoint(path: str | Path, trust_pickle: bool = False) -> tuple[Weights, dict[str, Any]]:
    """Weights of a Detectron2 file by its names, and what spinetk noted in it ({} in a file of Detectron2 alone).

    Args:
        path: ``model_final.pth`` of Detectron2, or a ``.pkl`` of its model zoo.
        trust_pickle: Needed for a ``.pkl``. Only arrays are built from it all the same.

    Raises:
        InputError: Unreadable, a pickle without the flag, or no Keypoint R-CNN of Detectron2.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(path, "no such weights file", "give a .pth or .pkl of Detectron2")
    if path.suffix == ".pkl":
        if not trust_pickle:
            raise InputError(path, "is a pickle, which can hold code", "add --trust-pickle if you trust its source")
        content = _read_pickle(path)
    else:
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # whatever its bytes happen to mean
            fault = "is not a file of tensors and plain values"
            raise InputError(path, fault, "spinetk never unpickles code; save the model's state_dict again") from error
    note = content.get(NOTE) if isinstance(content, Mapping) else None
    weights = content.get("model", content) if isinstance(content, Mapping) else None
    if not isinstance(weights, Mapping) or POINTS not in {_plain(name) for name in weights}:
        raise InputError(path, "holds no Keypoint R-CNN of Detectron2", "give model_final.pth of its trainer")
    tensors = {_plain(name): _tensor(value) for name, value in weights.items()}
    # A run with trained batch norms (from random weights) also counts its batches.
    kept = {n: v for n, v in tensors.items() if v is not None and not n.endswith("num_batches_tracked")}
    return kept, dict(note) if isinstance(note, Mapping) else {}


def is_detectron2(path: str | Path) -> bool:
    """Whether a path is a ``.pth`` with a Keypoint R-CNN of Detectron2; its tensors are not read."""
    path = Path(path)
    if path.suffix != ".pth" or not path.is_file():
        return False
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception:  # told in full by whoever reads it next
        return False
    weights = content.get("model", content) if isinstance(content, Mapping) else None
    return isinstance(weights, Mapping) and POINTS in {_plain(name) for name in weights}


def write_checkpoint(path: str | Path, weights: Weights, note: dict[str, Any]) -> None:
    """Write a ``.pth`` that Detectron2's checkpointer loads, atomically."""
    with replacing(path) as temporary:
        torch.save({"model": weights, NOTE: note}, temporary)


def _plain(name: Any) -> str:
    return str(name).removeprefix("module.")


def _tensor(value: Any) -> Tensor | None:
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value))
    return value if isinstance(value, Tensor) else None


class _ArraysOnly(pickle.Unpickler):
    """Builds NumPy arrays in plain containers and nothing else."""

    ALLOWED = frozenset(
        [("collections", "OrderedDict"), ("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")]
        + [(f"numpy.{core}.multiarray", kind) for core in ("core", "_core") for kind in ("_reconstruct", "scalar")]
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not an array")
        return super().find_class(module.replace("numpy.core.", "numpy._core."), name)


def _read_pickle(path: Path) -> Any:
    try:
        with path.open("rb") as stream:
            return _ArraysOnly(stream, encoding="latin1").load()
    except Exception as error:
        reason = str(error) if isinstance(error, pickle.UnpicklingError) else type(error).__name__
        raise InputError(path, f"is not a pickle of arrays ({reason})", "use the .pth of a trainer") from error
