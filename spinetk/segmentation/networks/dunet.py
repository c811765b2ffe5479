"""D-UNet: a slice network that a shallow volume network advises.

Zhou et al., D-UNet: A Dimension-Fusion U Shape Network for Chronic Stroke Lesion Segmentation, IEEE/ACM TCBB 2021. The
same neighbouring slices are the channels of a 2D U-Net and the depth of a 3D encoder. At 1/2 and 1/4 of the size the
volume map, one channel by a 1x1x1 convolution, becomes a slice map by a 3x3 convolution; both maps are weighed by their
own squeeze and excitation (SE) and added::

    x = SE(x) + SE(conv3(flatten(conv1(v))))

Deviations: none known; where the description leaves a layer open (2x2 convolutions after each enlargement, no biases
in SE) the choice is the one that gives the published 8.63 million parameters. Sides that 16 does not divide are
continued at the far end and cut again.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from spinetk.segmentation.networks.convolution import at_multiple, double
from spinetk.training.device import lay_out


class SqueezeExcite(nn.Module):
    """Weighs the channels of a map by what they hold on average (Hu et al. 2018).

    Args:
        channels: Of the map.
        reduction: Factor to the inner channels.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        inner = channels // reduction
        self.weigh = nn.Sequential(
            nn.Linear(channels, inner, bias=False), nn.ReLU(), nn.Linear(inner, channels, bias=False), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        return x * self.weigh(x.mean((2, 3)))[:, :, None, None]


class _Fusion(nn.Module):
    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv3d(channels, 1, 1)
        self.flatten = nn.Conv2d(depth, channels, 3, padding=1)
        self.slice_weights = SqueezeExcite(channels)
        self.volume_weights = SqueezeExcite(channels)

    def forward(self, x: Tensor, volume: Tensor) -> Tensor:
        advice = self.flatten(self.squeeze(volume)[:, 0])
        return self.slice_weights(x) + self.volume_weights(advice)


class _Up(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.grow = nn.Conv2d(inputs, outputs, 2)
        self.join = double(2 * outputs, outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = F.pad(F.interpolate(x, scale_factor=2.0, mode="nearest"), (0, 1, 0, 1))
        return self.join(torch.cat([skip, F.relu(self.grow(x))], 1))


class DUNet(nn.Module):
    """Neighbouring slices in, a logit a pixel out.

    Args:
        slices: Neighbouring slices, 4 or more; 4 as published.
    """

    def __init__(self, slices: int = 4) -> None:
        super().__init__()
        if slices < 4:
            raise ValueError("D-UNet halves the depth twice and needs four slices or more")
        widths = (slices, 32, 64, 128, 256, 512)
        self.down = nn.ModuleList(double(widths[i], widths[i + 1]) for i in range(5))
        self.volume = nn.ModuleList(_double3d(*shape) for shape in ((1, 32), (32, 64), (64, 128)))
        self.fusion = nn.ModuleList((_Fusion(64, slices // 2), _Fusion(128, slices // 4)))
        self.dropout = nn.Dropout(0.3)
        self.up = nn.ModuleList(_Up(2 * width, width) for width in (256, 128, 64, 32))
        self.last = nn.Conv2d(32, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, slices, H, W), standardised, any size, to logits (N, 1, H, W) of the middle slice."""
        return at_multiple(self._forward, x, 16)

    def _forward(self, x: Tensor) -> Tensor:
        volume = self.volume[0](lay_out(x[:, None]) if self.training else x[:, None])
        x = self.down[0](x)
        skips = [x]
        for level in (1, 2):
            volume = self.volume[level](F.max_pool3d(volume, 2))
            x = self.fusion[level - 1](self.down[level](F.max_pool2d(x, 2)), volume)
            skips.append(x)
        for level in (3, 4):
            x = self.dropout(self.down[level](F.max_pool2d(x, 2)))
            skips.append(x)
        x = skips.pop()
        for block in self.up:
            x = block(x, skips.pop())
        return self.last(x)


def _double3d(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for source in (inputs, outputs):
        layers += [nn.Conv3d(source, outputs, 3, padding=1), nn.BatchNorm3d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
