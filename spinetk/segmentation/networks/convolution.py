"""What several networks share: convolution units and the fitting of any size to a grid that halves evenly."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn


def unit(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, *, norm: bool = True) -> nn.Sequential:
    """Convolution without bias, batch norm, LeakyReLU(0.1): the unit of SPiN and of its U-Net baseline."""
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)]
    layers += [nn.BatchNorm2d(outputs)] if norm else []
    return nn.Sequential(*layers, nn.LeakyReLU(0.1, inplace=True))


def double(inputs: int, outputs: int, *, bias: bool = True, slope: float = 0.0) -> nn.Sequential:
    """Twice: 3x3 convolution, batch norm, ReLU (leaky where ``slope`` is given)."""
    layers: list[nn.Module] = []
    for source in (inputs, outputs):
        activation = nn.LeakyReLU(slope, inplace=True) if slope else nn.ReLU(inplace=True)
        layers += [nn.Conv2d(source, outputs, 3, padding=1, bias=bias), nn.BatchNorm2d(outputs), activation]
    return nn.Sequential(*layers)


def at_multiple(network: Callable[[Tensor], Tensor], x: Tensor, multiple: int) -> Tensor:
    """Run ``network`` on ``x`` enlarged to sides divisible by ``multiple``, and crop the result to the size of ``x``.

    The far ends are continued with their last values, so no edge appears that the image does not have.

    Args:
        network: Maps (N, C, *S) to (N, K, *S).
        x: (N, C, *S), two or three spatial axes of any size.
        multiple: Divisor of every side.
    """
    sides = x.shape[2:]
    missing = [-side % multiple for side in sides]
    if any(missing):
        x = F.pad(x, [n for side in reversed(missing) for n in (0, side)], mode="replicate")
    wanted = [slice(None), slice(None), *(slice(side) for side in sides)]
    return network(x)[tuple(wanted)]


def resize_to(x: Tensor, reference: Tensor) -> Tensor:
    """Nearest resize of (N, C, *S) to the spatial size of ``reference``."""
    return x if x.shape[2:] == reference.shape[2:] else F.interpolate(x, size=reference.shape[2:], mode="nearest")


def unused(module: nn.Module) -> nn.Module:
    """Mark layers that the published parameter count holds but no output depends on: kept, never trained."""
    return module.requires_grad_(False)
