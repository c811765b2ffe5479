"""X-Net: depthwise separable blocks around a bottom that relates every place to every other.

Qi et al., X-Net: Brain Stroke Lesion Segmentation Based on Depthwise Separable Convolution and Long-Range Dependencies,
MICCAI 2019. A U-Net of 64 to 1024 channels whose block is three times (depthwise 3x3, BN, ReLU, 1x1, BN, ReLU) plus
1x1 of its input. At the bottom the feature similarity module relates all N places::

    y = x + conv3(r),  r = f + conv1( (theta(f) phi(f)^T / N) g(f) ),  f = conv3(x) with C/8 channels

Deviations: where the description leaves a layer open (3x3 convolution after each enlargement) the choice is the one
that gives the published 15.07 million parameters. Sides that 16 does not divide are continued at the far end and cut
again.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from spinetk.segmentation.networks.convolution import at_multiple
from spinetk.training.device import lay_out

WIDTHS = (64, 128, 256, 512, 1024)


class XBlock(nn.Module):
    """Three separable convolutions and a 1x1 residual: (N, inputs, H, W) to (N, outputs, H, W)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for source in (inputs, outputs, outputs):
            layers += [
                nn.Conv2d(source, source, 3, padding=1, groups=source),
                nn.BatchNorm2d(source),
                nn.ReLU(inplace=True),
                nn.Conv2d(source, outputs, 1),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ]
        self.body = nn.Sequential(*layers)
        self.project = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] > 1 or not self.training:
            return self.body(x) + self.project(x)
        # One channel leaves the batch norm without a word of the layout.
        first = lay_out(self.body[:3](x))
        return self.body[3:](first) + self.project(lay_out(x))


class FeatureSimilarity(nn.Module):
    """Adds to every place what similar places hold.

    Args:
        channels: C of the map.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        outer, inner = channels // 8, channels // 16
        self.enter = nn.Sequential(nn.Conv2d(channels, outer, 3, padding=1), nn.BatchNorm2d(outer), nn.ReLU())
        self.theta, self.phi, self.g = (nn.Conv2d(outer, inner, 1) for _ in range(3))
        self.back = nn.Conv2d(inner, outer, 1)
        self.leave = nn.Sequential(nn.Conv2d(outer, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        f = self.enter(x)
        theta, phi, g = (layer(f).flatten(2) for layer in (self.theta, self.phi, self.g))
        # theta (phi g) instead of (theta phi) g: the same sum without a matrix of places by places.
        related = (g @ phi.transpose(1, 2)) @ theta / theta.shape[2]
        return x + self.leave(f + self.back(related.unflatten(2, f.shape[2:])))


class _Up(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.grow = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.join = XBlock(2 * outputs, outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = F.relu(self.grow(F.interpolate(x, scale_factor=2.0, mode="nearest")))
        return self.join(torch.cat([skip, x], 1))


class XNet(nn.Module):
    """Slices in, a logit a pixel out.

    Args:
        slices: Channels of the input; 1 as published.
    """

    def __init__(self, slices: int = 1) -> None:
        super().__init__()
        inputs = (slices, *WIDTHS[:-1])
        self.down = nn.ModuleList(XBlock(source, width) for source, width in zip(inputs, WIDTHS, strict=True))
        self.bottom = FeatureSimilarity(WIDTHS[-1])
        self.up = nn.ModuleList(_Up(2 * width, width) for width in reversed(WIDTHS[:-1]))
        self.last = nn.Conv2d(WIDTHS[0], 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, slices, H, W), standardised, any size, to logits (N, 1, H, W)."""
        return at_multiple(self._forward, x, 16)

    def _forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for block in self.down:
            x = block(F.max_pool2d(x, 2) if skips else x)
            skips.append(x)
        x = self.bottom(skips.pop())
        for block in self.up:
            x = block(x, skips.pop())
        return self.last(x)
