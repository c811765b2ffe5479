"""V-Net for the left atrium.

Milletari et al., V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image Segmentation, 3DV 2016, in the
form used for the 2018 Atria Segmentation Challenge. With C5 a 5x5x5 convolution and its activation::

    input   out = act(conv5(x)) [attention], + x
    down    d = act(conv2 stride 2), n or n+1 C5 [attention], + d        16, 32, 64, 128 channels
    up      u = act(transposed conv2), concat skip, n or n+1 C5, + concat
    output  1x1x1, PReLU: a logit

Deviations from the paper: 8 instead of 16 channels at full size, one logit instead of two classes, no activation after
the residual sums. 240 slopes of those missing activations are kept unused so that the count is the published one.
Deviations from the released code: sides that 16 does not divide are continued at the far end and cut again; the
dilation of the attention is its own option and no longer fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from spinetk.segmentation.networks.attention import BottleneckAttention
from spinetk.segmentation.networks.convolution import at_multiple, unused

Activation = Literal["prelu", "elu"]


class VNet(nn.Module):
    """Grey volume in, one logit a voxel out.

    Args:
        layers: n, 5x5x5 convolutions in the outer blocks; the inner ones have one more.
        dilation: Of the 5x5x5 convolutions of the encoder.
        attention: Put a :class:`BottleneckAttention` in every encoder block.
        reduction: Channel reduction inside the attention.
        attention_dilation: Dilation inside the attention.
        activation: ``prelu`` (a slope a channel) or ``elu``.
        width: Channels at full size; 8 is the published network.
    """

    def __init__(
        self,
        layers: int = 1,
        dilation: int = 1,
        attention: bool = False,
        reduction: int = 4,
        attention_dilation: int = 4,
        activation: Activation = "prelu",
        width: int = 8,
    ) -> None:
        super().__init__()
        act: Callable[[int], nn.Module] = nn.PReLU if activation == "prelu" else lambda _: nn.ELU()

        def attend(channels: int) -> nn.Module:
            return BottleneckAttention(channels, reduction, attention_dilation) if attention else nn.Identity()

        self.first = nn.Sequential(
            nn.Conv3d(1, width, 5, padding=2 * dilation, dilation=dilation), act(width), attend(width)
        )
        counts = (layers, layers, layers + 1, layers + 1)
        self.down = nn.ModuleList()
        for channels, count in zip((2 * width, 4 * width, 8 * width, 16 * width), counts, strict=True):
            halve = nn.Sequential(nn.Conv3d(channels // 2, channels, 2, 2), act(channels))
            body = nn.Sequential(*(_c5(channels, dilation, act) for _ in range(count)), attend(channels))
            self.down.append(nn.ModuleDict({"halve": halve, "body": body}))
        self.up = nn.ModuleList()
        inputs = 16 * width
        for skip, count in zip((8 * width, 4 * width, 2 * width, width), reversed(counts), strict=True):
            block: dict[str, nn.Module] = {
                "grow": nn.Sequential(nn.ConvTranspose3d(inputs, skip, 2, 2), act(skip)),
                "body": nn.Sequential(*(_c5(2 * skip, 1, act) for _ in range(count))),
            }
            if activation == "prelu":
                block["after"] = unused(nn.PReLU(2 * skip))
            self.up.append(nn.ModuleDict(block))
            inputs = 2 * skip
        self.last = nn.Sequential(nn.Conv3d(2 * width, 1, 1), act(1))
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.xavier_normal_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, D, H, W), standardised grey, any size, to logits of the same shape."""
        return at_multiple(self._forward, x, 16)

    def _forward(self, x: Tensor) -> Tensor:
        x = self.first(x) + x
        skips = []
        for block in self.down:
            assert isinstance(block, nn.ModuleDict)
            skips.append(x)
            x = block["halve"](x)
            x = block["body"](x) + x
        for block in self.up:
            assert isinstance(block, nn.ModuleDict)
            x = torch.cat([block["grow"](x), skips.pop()], 1)
            x = block["body"](x) + x
        return self.last(x)


def _c5(channels: int, dilation: int, act: Callable[[int], nn.Module]) -> nn.Sequential:
    return nn.Sequential(nn.Conv3d(channels, channels, 5, padding=2 * dilation, dilation=dilation), act(channels))
