"""A CentreNet run by OpenVINO: several times faster than PyTorch on a CPU, same results.

The converted networks are kept in the user's cache folder under a fingerprint of their weights, so that the conversion
(seconds) happens once per model and machine.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from spinetk.keypoints.centre.export import export, load_openvino, parts
from spinetk.keypoints.centre.network import CentreNet


def available() -> bool:
    """Whether OpenVINO is installed."""
    return importlib.util.find_spec("openvino") is not None


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/spinetk``, or ``~/.cache/spinetk``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spinetk"


def accelerate(network: CentreNet, precision: str | None = None, cache: Path | None = None) -> None:
    """Replace the computation of a network in evaluation mode by OpenVINO's; cropping and decoding stay as they are.

    Args:
        network: Changed in place; it can no longer be trained.
        precision: ``f32`` or ``bf16``; None leaves it to OpenVINO (bfloat16 where the processor computes it).
        cache: Folder for the converted networks.
    """
    openvino = load_openvino()
    network.eval()
    folder = (cache or cache_folder()) / _fingerprint(network, openvino.__version__)
    if not folder.is_dir():
        _convert(network, folder)
    core = openvino.Core()
    settings: dict[str, Any] = {"CACHE_DIR": str(folder / "compiled")}
    if precision is not None:
        settings["INFERENCE_PRECISION_HINT"] = precision
    compiled = {part: core.compile_model(folder / f"net-{part}.xml", "CPU", settings) for part in parts(network)}
    network.refine = _Refine(compiled["refine"])
    if network.column is not None:
        network.column.forward = _strips(compiled["column"])  # type: ignore[method-assign]
    run = compiled["maps"]

    def maps(pictures: Tensor) -> tuple[Tensor, Tensor]:
        centre, offset = (torch.from_numpy(own) for own in run(pictures.float().contiguous().numpy()).values())
        return centre, offset

    network.maps = maps  # type: ignore[method-assign]


class _Refine(nn.Module):
    def __init__(self, compiled: Any) -> None:
        super().__init__()
        self.compiled = compiled

    def forward(self, crops: Tensor) -> Tensor:
        return torch.from_numpy(self.compiled(crops.float().contiguous().numpy())[0])


def _strips(compiled: Any) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    def run(strips: Tensor) -> tuple[Tensor, Tensor]:
        level, turn = (torch.from_numpy(own) for own in compiled(strips.float().contiguous().numpy()).values())
        return level, turn

    return run


def _convert(network: CentreNet, folder: Path) -> None:
    """Convert into ``folder``, which appears complete or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        export(network, temporary, "net", "openvino")
        temporary.rename(folder)
    except OSError:
        if not folder.is_dir():  # otherwise another process was faster
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _fingerprint(network: CentreNet, version: str) -> str:
    digest = hashlib.sha256(f"{version} {network.config()}".encode())
    for name, tensor in network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:24]
