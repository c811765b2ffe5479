"""Device: where a network runs, in which precision and layout."""

from __future__ import annotations

from typing import Literal

import torch

from spinetk.device import check_device
from spinetk.errors import InputError

LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}
"""By the axes of a convolution's weights."""


def pick_precision(device: str) -> Literal["bf16-mixed", "32-true"]:
    """``bf16-mixed`` on hardware that multiplies in bfloat16, else ``32-true``."""
    if device in {"auto", "cuda", "gpu"} and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "32-true"
    if device in {"auto", "cpu"} and torch.cpu._is_avx512_bf16_supported():
        return "bf16-mixed"
    return "32-true"


def pick_device(device: str) -> torch.device:
    """``auto`` is CUDA where there is one, else the CPU; raises ``InputError`` for a device that is not there."""
    device = "cuda" if device == "gpu" else device  # as settings files may say it
    check_device(device)
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    chosen = torch.device(device)
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise InputError(f"device {device!r}", "no CUDA GPU can be used here", "use --device cpu")
    if chosen.type == "cuda" and (chosen.index or 0) >= (count := torch.cuda.device_count()):
        raise InputError(f"device {device!r}", f"is none of the {count} GPUs here", f"count from cuda:0 to {count - 1}")
    return chosen


def channels_last(network: torch.nn.Module) -> torch.nn.Module:
    """Weights channels last, in place: the layout in which convolutions of CPU and GPU need no reordering."""
    for parameter in network.parameters():
        if parameter.dim() in LAYOUTS:
            parameter.data = parameter.data.contiguous(memory_format=LAYOUTS[parameter.dim()])
    return network


def lay_out(values: torch.Tensor) -> torch.Tensor:
    """A batch (N, C, *S) channels last, for a network that is.

    With one channel both layouts have the same order, and PyTorch goes by the strides: without those of channels last
    the maps of the whole network can come out the other way, to be reordered about every convolution.
    """
    layout = LAYOUTS.get(values.dim())
    if layout is None or values.stride() == torch.empty_like(values, device="meta", memory_format=layout).stride():
        return values
    return values.clone(memory_format=layout)
