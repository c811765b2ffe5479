"""CLCI-Net: every level sees all shallower ones, the decoder joins by memory.

Yang et al., CLCI-Net: Cross-Level Fusion and Context Inference Networks for Lesion Segmentation of Chronic Stroke,
MICCAI 2019. A U-Net of 32 to 512 channels with

* fusion: each pooled map, beside strided copies of all shallower maps, goes through 1x1 to 4 times the next width;
* context: at the bottom dilated convolutions (1x1; 3x3 of dilation 2, 4, 6; image mean), beside strided copies of all
  encoder maps, go through 1x1 to 1024 channels and dropout 0.5;
* memory: skip and enlarged map are the two steps of a convolutional LSTM (Shi et al. 2015), whose last state goes on.

Deviations: the description leaves kernels and widths inside these parts open (1x1 strided copies of the source's width,
512 channels a context branch, 2x2 transposed convolutions here); this network has 36,850,017 parameters where
36.81 million were published. Sides that 16 does not divide are continued at the far end and cut again.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from spinetk.segmentation.networks.convolution import at_multiple, double

WIDTHS = (32, 64, 128, 256, 512)


class _Copies(nn.Module):
    """Beside a map, all shallower maps brought to its size, mixed by 1x1."""

    def __init__(self, inputs: int, shallower: tuple[int, ...], deepest: int, outputs: int) -> None:
        super().__init__()
        self.copies = nn.ModuleList(
            nn.Conv2d(width, width, 1, 2 ** (deepest - level)) for level, width in enumerate(shallower)
        )
        self.mix = nn.Conv2d(inputs + sum(shallower), outputs, 1)

    def forward(self, x: Tensor, shallower: list[Tensor]) -> Tensor:
        copies = [copy(source) for copy, source in zip(self.copies, shallower, strict=True)]
        return F.relu(self.mix(torch.cat([x, *copies], 1)))


class _Context(nn.Module):
    """Atrous spatial pyramid pooling: (N, C, H, W) to (N, 5C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(channels, channels, 1)
        self.far = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=d, dilation=d) for d in (2, 4, 6))
        self.whole = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        whole = self.whole(x.mean((2, 3), keepdim=True)).expand_as(x)
        return F.relu(torch.cat([self.near(x), *(conv(x) for conv in self.far), whole], 1))


class ConvLSTM(nn.Module):
    """Last hidden state of a convolutional LSTM over a short sequence of maps.

    Args:
        channels: Of every map and of the state.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gates = nn.Conv2d(2 * channels, 4 * channels, 3, padding=1)

    def forward(self, steps: list[Tensor]) -> Tensor:
        """Maps (N, C, H, W) in order, to the same shape."""
        channels = steps[0].shape[1]
        # Before the first step the state is 0: nothing of it is kept, and its half of the weights has nothing to add.
        weight, bias = self.gates.weight[channels:, :channels], self.gates.bias
        assert bias is not None
        gates = F.conv2d(steps[0], weight, bias[channels:], padding=1)
        inner, value = gates.split((2 * channels, channels), 1)
        write, show = inner.sigmoid().chunk(2, 1)
        cell = write * value.tanh()
        hidden = show * cell.tanh()
        for x in steps[1:]:
            inner, value = self.gates(torch.cat([x, hidden], 1)).split((3 * channels, channels), 1)
            keep, write, show = inner.sigmoid().chunk(3, 1)
            cell = keep * cell + write * value.tanh()
            hidden = show * cell.tanh()
        return hidden


class _Up(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.grow = nn.ConvTranspose2d(inputs, outputs, 2, 2)
        self.join = ConvLSTM(outputs)
        self.body = double(outputs, outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.body(self.join([skip, F.relu(self.grow(x))]))


class CLCINet(nn.Module):
    """Slices in, a logit a pixel out.

    Args:
        slices: Channels of the input; 1 as published.
    """

    def __init__(self, slices: int = 1) -> None:
        super().__init__()
        inputs = (slices, *(4 * width for width in WIDTHS[1:]))
        self.down = nn.ModuleList(double(source, width) for source, width in zip(inputs, WIDTHS, strict=True))
        self.fusion = nn.ModuleList(
            _Copies(WIDTHS[level], WIDTHS[:level], level + 1, 4 * WIDTHS[level + 1]) for level in range(4)
        )
        self.context = _Context(512)
        self.bottom = _Copies(5 * 512, WIDTHS[:4], 4, 1024)
        self.dropout = nn.Dropout(0.5)
        self.up = nn.ModuleList(_Up(*shape) for shape in ((1024, 256), (256, 128), (128, 64), (64, 32)))
        self.last = nn.Conv2d(32, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, slices, H, W), standardised, any size, to logits (N, 1, H, W)."""
        return at_multiple(self._forward, x, 16)

    def _forward(self, x: Tensor) -> Tensor:
        maps: list[Tensor] = []
        for block, fuse in zip(self.down, self.fusion, strict=False):
            x = block(x)
            maps.append(x)
            x = fuse(F.max_pool2d(x, 2), maps[:-1])
        x = self.dropout(self.bottom(self.context(self.down[-1](x)), maps))
        for block in self.up:
            x = block(x, maps.pop())
        return self.last(x)
