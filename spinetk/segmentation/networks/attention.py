"""Bottleneck attention in three dimensions, its two branches one after the other.

Park et al., BAM: Bottleneck Attention Module, BMVC 2018. With sigmoid maps a (channels) and s (voxels)::

    y = x + x * a(x)        a: mean over voxels, c -> c/r, BN, ReLU, c/r -> c
    z = y + y * s(y)        s: 1x1x1 to c/r, two 3x3x3 of dilation d, 1x1x1 to 1 (BN, ReLU between)
    output = x + z

Deviations: the paper adds both branches before one sigmoid, this sequence is the one of the atrium network. Dilation
and reduction are options here (the original fixes 4 and 4). A batch of one is normalised with the running statistics
in the channel branch, where its own variance does not exist.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class _Norm1d(nn.BatchNorm1d):
    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.shape[0] == 1:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)
        return super().forward(x)


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
        layers: list[nn.Module] = [nn.Conv3d(channels, inner, 1), nn.BatchNorm3d(inner), nn.ReLU(inplace=True)]
        for _ in range(2):
            layers += [
                nn.Conv3d(inner, inner, 3, padding=dilation, dilation=dilation),
                nn.BatchNorm3d(inner),
                nn.ReLU(inplace=True),
            ]
        self.spatial = nn.Sequential(*layers, nn.Conv3d(inner, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, c, D, H, W) to the same shape."""
        weight = self.channel(x.mean(dim=(2, 3, 4))).sigmoid()[:, :, None, None, None]
        y = x + x * weight
        z = y + y * self.spatial(y).sigmoid()
        return x + z
