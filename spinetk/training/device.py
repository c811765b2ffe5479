"""Device: where a network runs, in which precision and layout."""

from __future__ import annotations

from typing import Literal

import torch

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
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise InputError(f"device {device!r}", "is unknown", "use auto, cpu or cuda") from error
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise InputError(f"device {device!r}", "no CUDA GPU can be used here", "use --device cpu")
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
