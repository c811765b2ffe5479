"""Convolutions of volumes that are thinner than their kernel, kept out of bfloat16 on the CPU.

oneDNN leaves parts of the weight gradient unwritten there (torch 2.13, AVX-512 with bfloat16: any Conv3d whose depth is
more than one voxel and less than its kernel); they hold whatever the memory held, and a training ends in NaN sooner or
later. The bottom of a V-Net on a crop of 48 slices is three voxels deep under kernels of five.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ExactConv3d(nn.Conv3d):
    """A convolution that computes in float32 where a side of its input is shorter than its kernel."""

    def forward(self, x: Tensor) -> Tensor:
        short = any(side < kernel for side, kernel in zip(x.shape[2:], self.kernel_size, strict=True))
        if not (short and x.device.type == "cpu" and torch.is_autocast_enabled("cpu")):
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.float())


def exact_gradients(network: nn.Module) -> nn.Module:
    """Make every Conv3d of a network an :class:`ExactConv3d`, in place; weights and their names stay as they are."""
    for module in network.modules():
        if type(module) is nn.Conv3d:
            module.__class__ = ExactConv3d
    return network
