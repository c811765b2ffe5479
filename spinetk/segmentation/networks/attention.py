"""Bottleneck attention in three dimensions, its two branches one after the other.

Park et al., BAM: Bottleneck Attention Module, BMVC 2018. With sigmoid maps a (channels) and s (voxels)::

    y = x + x * a(x)        a: mean over voxels, c -> c/r, BN, ReLU, c/r -> c
    z = y + y * s(y)        s: 1x1x1 to c/r, two 3x3x3 of dilation d, 1x1x1 to 1 (BN, ReLU between)
    output = x + z

Deviations: the paper adds both branches before one sigmoid, this sequence is the one of the atrium network. Dilation
and reduction are options here (the original fixes 4 and 4). One value a channel, as a batch of one has in the channel
branch, and of one voxel in the other, is normalised with the running statistics: it has no variance of its own.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class _Norm1d(nn.BatchNorm1d):
    def forward(self, x: Tensor) -> Tensor:
        return _by_running(self, x) if self.training and x.numel() == x.shape[1] else super().forward(x)


class _Norm3d(nn.BatchNorm3d):
    def forward(self, x: Tensor) -> Tensor:
        return _by_running(self, x) if self.training and x.numel() == x.shape[1] else super().forward(x)


def _by_running(norm: nn.modules.batchnorm._BatchNorm, x: Tensor) -> Tensor:
    return F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, False, 0.0, norm.eps)


class BottleneckAttention(nn.Module):
    """Weighs channels, then voxels, of a feature map.

    Args:
        channels: Channels c of the map.
        reduction: r; at least one channel stays.
        dilation: d of the two 3x3x3 convolutions.
    """

    def __init__(self, channels: int, reduction: int = 4, dilation: int = 4) -> None:
        super().__init__()
        inner = max(1, channels // reduction)
        self.channel = nn.Sequential(
            nn.Linear(channels, inner), _Norm1d(inner), nn.ReLU(inplace=True), nn.Linear(inner, channels)
        )
        layers: list[nn.Module] = [nn.Conv3d(channels, inner, 1), _Norm3d(inner), nn.ReLU(inplace=True)]
        for _ in range(2):
            layers += [
                nn.Conv3d(inner, inner, 3, padding=dilation, dilation=dilation),
                _Norm3d(inner),
                nn.ReLU(inplace=True),
            ]
        self.spatial = nn.Sequential(*layers, nn.Conv3d(inner, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, c, D, H, W) to the same shape."""
        weight = self.channel(x.mean(dim=(2, 3, 4))).sigmoid()[:, :, None, None, None]
        y = x + x * weight
        z = y + y * self.spatial(y).sigmoid()
        return x + z
