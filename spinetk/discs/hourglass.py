"""Stacked hourglass with optional multi-level attention.

After Newell, Yang and Deng (ECCV 2016) with the attention of Azad, Rouhier and Cohen-Adad (MLMI 2021,
arXiv 2108.06554): the features of every stack vote for one map that gates the last stack.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTH = 256
HALF = WIDTH // 2
DEPTH = 4
MULTIPLE = 4 * 2**DEPTH
"""Sides of the input are multiples of this."""


class Bottleneck(nn.Module):
    """Pre-activation residual block, ``inputs`` to ``2 * middle`` channels; the shortcut starts at the raw input."""

    def __init__(self, inputs: int, middle: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.ReLU(),
            nn.Conv2d(inputs, middle, 1),
            nn.BatchNorm2d(middle),
            nn.ReLU(),
            nn.Conv2d(middle, middle, 3, padding=1),
            nn.BatchNorm2d(middle),
            nn.ReLU(),
            nn.Conv2d(middle, 2 * middle, 1),
        )
        self.shortcut = nn.Identity() if inputs == 2 * middle else nn.Conv2d(inputs, 2 * middle, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.body(x)


def residuals(blocks: int) -> nn.Sequential:
    """``blocks`` bottlenecks that keep the width."""
    return nn.Sequential(*(Bottleneck(WIDTH, HALF) for _ in range(blocks)))


class Hourglass(nn.Module):
    """Down four times by two and up again, with a residual branch at every size. (B, 256, H, W) in and out."""

    def __init__(self, blocks: int, depth: int = DEPTH) -> None:
        super().__init__()
        self.across = residuals(blocks)
        self.before = residuals(blocks)
        self.inner: nn.Module = Hourglass(blocks, depth - 1) if depth > 1 else residuals(blocks)
        self.after = residuals(blocks)

    def forward(self, x: Tensor) -> Tensor:
        low = self.after(self.inner(self.before(F.max_pool2d(x, 2))))
        return self.across(x) + F.interpolate(low, scale_factor=2, mode="nearest")


class Attention(nn.Module):
    """One map in 0..1 from the features of all stacks: (B, 256 * stacks, h, w) to (B, 1, h, w)."""

    def __init__(self, stacks: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        widths = (WIDTH * stacks, 128, 16, 8)
        for inputs, outputs in pairwise(widths):
            layers += [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        self.body = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 1, bias=False), nn.Sigmoid())

    def forward(self, features: list[Tensor]) -> Tensor:
        return self.body(torch.cat(features, dim=1))


class StackedHourglass(nn.Module):
    """Heatmaps of discs.

    Args:
        joints: Channels of the output.
        stacks: Hourglasses in a row.
        attention: Whether the last stack is gated.
        blocks: Bottlenecks at each place.
    """

    def __init__(self, joints: int = 11, stacks: int = 2, attention: bool = False, blocks: int = 1) -> None:
        super().__init__()
        self.joints, self.stacks, self.blocks = joints, stacks, blocks
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, stride=2, padding=3),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            Bottleneck(64, 64),
            nn.MaxPool2d(2),
            Bottleneck(128, HALF),
            Bottleneck(WIDTH, HALF),
        )
        self.hourglasses = nn.ModuleList(Hourglass(blocks) for _ in range(stacks))
        self.residuals = nn.ModuleList(residuals(blocks) for _ in range(stacks))
        self.features = nn.ModuleList(
            nn.Sequential(nn.Conv2d(WIDTH, WIDTH, 1), nn.BatchNorm2d(WIDTH), nn.ReLU()) for _ in range(stacks)
        )
        self.scores = nn.ModuleList(nn.Conv2d(WIDTH, joints, 1) for _ in range(stacks))
        self.remix_features = nn.ModuleList(nn.Conv2d(WIDTH, WIDTH, 1) for _ in range(stacks - 1))
        self.remix_scores = nn.ModuleList(nn.Conv2d(joints, WIDTH, 1) for _ in range(stacks - 1))
        self.attention = Attention(stacks) if attention else None

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """(B, 3, H, W) to one (B, joints, H, W) per stack, the last one best; H and W are multiples of 64."""
        return self.with_attention(pictures)[0]

    def with_attention(self, pictures: Tensor) -> tuple[list[Tensor], Tensor | None]:
        """The output of :meth:`forward` and the attention map (B, 1, H / 4, W / 4), None without attention."""
        x = self.stem(pictures)
        kept, maps, gate = [], [], None
        for i in range(self.stacks):
            y = self.features[i](self.residuals[i](self.hourglasses[i](x)))
            kept.append(y)
            if self.attention is not None and i == self.stacks - 1:
                gate = self.attention(kept)
                y = y * gate
            score = self.scores[i](y)
            maps.append(F.interpolate(score, scale_factor=4, mode="bilinear", align_corners=False))
            if i < self.stacks - 1:
                x = x + self.remix_features[i](y) + self.remix_scores[i](score)
        return maps, gate

    def config(self) -> dict[str, int | bool]:
        """Arguments that build this network again."""
        attention = self.attention is not None
        return {"joints": self.joints, "stacks": self.stacks, "attention": attention, "blocks": self.blocks}
