"""SPiN: small lesions at twice the resolution.

Wong et al., Small Lesion Segmentation in Brain MRIs with Subpixel Embedding, BrainLes 2021, arXiv 2109.08791. An
embedding E at twice the size of the image guides the decoder of a ResNet-18 U-Net to a logit map Z of twice the size;
the map at the size of the image is a weighted mean of each 2x2 neighbourhood of Z::

    out = sum_k w_k Z_k,  w = softmax over the four of 1x1(conv(conv(space_to_depth(latent))))

Deviations of the released code from the paper's figure, kept: the weights see the latent only, not Z beside it; the
embedding goes from 64 to 16 to 8 channels. 97,824 parameters of projections that no output depends on are kept unused
so that the count is the published one.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from spinetk.segmentation.networks.convolution import resize_to, unit, unused


class SpinOutput(NamedTuple):
    """Logits of SPiN.

    Attributes:
        fine: (N, 1, 2H, 2W).
        logit: (N, 1, H, W), the mix of ``fine``.
    """

    fine: Tensor
    logit: Tensor


class _Residual(nn.Module):
    """Two 3x3 units and the input (through 1x1 where the shape changes), activated once more."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(unit(inputs, outputs, stride=stride), unit(outputs, outputs))
        self.identity = inputs == outputs and stride == 1
        self.project = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        if self.identity:
            unused(self.project)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.body(x) + (x if self.identity else self.project(x)), 0.1)


class SubpixelEmbedding(nn.Module):
    """(N, C, H, W) to (N, 8, 2H, 2W) without ever reducing the size."""

    def __init__(self, slices: int) -> None:
        super().__init__()
        self.first = unit(slices, 16, 5)
        self.body = nn.Sequential(_Residual(16, 16), _Residual(16, 16), unit(16, 16))
        self.grow = nn.Sequential(unit(16, 64, 1), nn.PixelShuffle(2), nn.Conv2d(16, 8, 3, padding=1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.grow(self.body(x) + x)


class LearnableDownsampler(nn.Module):
    """Mixes each 2x2 neighbourhood of the fine logits with weights that sum to one."""

    def __init__(self, channels: int = 16) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            unit(4 * channels, 16, norm=False), unit(16, 16, norm=False), nn.Conv2d(16, 4, 1, bias=False)
        )

    def weights(self, latent: Tensor) -> Tensor:
        """(N, c, 2H, 2W) features to (N, 4, H, W) weights."""
        return self.layers(F.pixel_unshuffle(latent, 2)).softmax(1)

    def forward(self, latent: Tensor, fine: Tensor) -> Tensor:
        return (self.weights(latent) * F.pixel_unshuffle(fine, 2)).sum(1, keepdim=True)


class _Encoder(nn.Module):
    """The layout of ResNet-18 with 32, 64, 128, 196, 196 channels at 1/2 to 1/32."""

    def __init__(self, slices: int) -> None:
        super().__init__()
        self.first = unit(slices, 32, 7, 2)
        self.pool = nn.MaxPool2d(3, 2, 1)
        widths = (32, 64, 128, 196, 196)
        self.stages = nn.ModuleList(
            nn.Sequential(
                _Residual(widths[i], widths[i + 1], 1 if i == 0 else 2), _Residual(*widths[i + 1 : i + 2] * 2)
            )
            for i in range(4)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.first(x)
        maps = [x]
        x = self.pool(x)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class _Up(nn.Module):
    def __init__(self, inputs: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.grow = unit(inputs, outputs)
        self.join = unit(outputs + skip, outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.join(torch.cat([self.grow(resize_to(x, skip)), skip], 1))


class SPiN(nn.Module):
    """Neighbouring slices in, a logit a pixel of the middle slice out.

    Args:
        slices: Channels of the input.
    """

    def __init__(self, slices: int = 5) -> None:
        super().__init__()
        self.embedding = SubpixelEmbedding(slices)
        self.encoder = _Encoder(slices)
        self.guide_fine = unit(8, 8)
        self.guide = unit(32, 8)
        shapes = ((196, 196, 196), (196, 128, 128), (128, 64, 64), (64, 32, 32), (32, 8, 16), (16, 8, 16))
        self.decoder = nn.ModuleList(_Up(*shape) for shape in shapes)
        self.last = nn.Conv2d(16, 1, 3, padding=1, bias=False)
        self.downsampler = LearnableDownsampler()

    def forward(self, x: Tensor) -> SpinOutput:
        """(N, slices, H, W), standardised, any size, to logits at 2x and at 1x."""
        embedded = self.embedding(x)
        *skips, latent = self.encoder(x)
        skips = [self.guide_fine(embedded), self.guide(F.pixel_unshuffle(embedded, 2)), *skips]
        for block in self.decoder:
            latent = block(latent, skips.pop())
        fine = self.last(latent)
        return SpinOutput(fine, self.downsampler(latent, fine))
