"""U-Net, as a fair baseline at full resolution and as the baseline SPiN was published beside.

Ronneberger et al., U-Net, MICCAI 2015. Deviations of both: batch norm and LeakyReLU(0.1), nearest enlargement instead
of transposed convolution, sizes kept.

``UNet`` works at full resolution on the same slices as the network it is compared with. ``HalfUNet`` is the published
baseline: VGG-13 blocks that each halve the size, so that the decoder ends at half of it, on one slice; its logits are
enlarged. Its training script has 512 channels at the bottom (19,586,688 parameters), its evaluation script 1024
(31,385,216): weights of the one do not fit the other.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from spinetk.segmentation.networks.convolution import double, resize_to, unit


class _Up(nn.Module):
    def __init__(self, inputs: int, skip: int) -> None:
        super().__init__()
        self.grow = unit(inputs, skip)
        self.join = unit(2 * skip, skip)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.join(torch.cat([self.grow(resize_to(x, skip)), skip], 1))


class UNet(nn.Module):
    """Full-resolution U-Net.

    Args:
        slices: Channels of the input.
        widths: Channels at 1, 1/2, 1/4 ... of the size.
    """

    def __init__(self, slices: int = 5, widths: tuple[int, ...] = (32, 64, 128, 256, 512)) -> None:
        super().__init__()
        inputs = (slices, *widths)
        self.down = nn.ModuleList(double(inputs[i], inputs[i + 1], bias=False, slope=0.1) for i in range(len(widths)))
        self.up = nn.ModuleList(_Up(widths[i], widths[i - 1]) for i in range(len(widths) - 1, 0, -1))
        self.last = nn.Conv2d(widths[0], 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, slices, H, W), standardised, any size of 16 px or more, to logits (N, 1, H, W)."""
        skips: list[Tensor] = []
        for block in self.down:
            x = block(F.max_pool2d(x, 2) if skips else x)
            skips.append(x)
        x = skips.pop()
        for block in self.up:
            x = block(x, skips.pop())
        return self.last(x)


class HalfUNet(nn.Module):
    """The published baseline of SPiN, at half resolution.

    Args:
        slices: Channels of the input; 1 as published.
        bottom: Channels at 1/32: 512 (training script) or 1024 (evaluation script).
    """

    def __init__(self, slices: int = 1, bottom: int = 512) -> None:
        super().__init__()
        widths = (slices, 64, 128, 256, 512, bottom)
        self.down = nn.ModuleList(
            nn.Sequential(
                unit(widths[i], widths[i + 1], 5 if i == 0 else 3), unit(widths[i + 1], widths[i + 1], stride=2)
            )
            for i in range(5)
        )
        self.up = nn.ModuleList(_Up(widths[i], widths[i - 1]) for i in range(5, 1, -1))
        self.last = nn.Conv2d(64, 1, 3, padding=1, bias=False)

    def at_half_size(self, x: Tensor) -> Tensor:
        """(N, slices, H, W), standardised, to logits at half the size, rounded up."""
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        x = skips.pop()
        for block in self.up:
            x = block(x, skips.pop())
        return self.last(x)

    def forward(self, x: Tensor) -> Tensor:
        """(N, slices, H, W) to logits (N, 1, H, W), enlarged bilinearly."""
        return F.interpolate(self.at_half_size(x), size=x.shape[2:], mode="bilinear", align_corners=False)
