"""KiU-Net: a U-Net beside a branch that enlarges.

Valanarasu et al., KiU-Net: Towards Accurate Segmentation of Biomedical Images using Over-complete Representations,
MICCAI 2020. The U branch halves the size at each of three levels, the Ki branch doubles it (to 8 times the image);
after every level each receives the other's map, convolved and resized, as a residual::

    u' = u + resize(relu(bn(conv(k)))),    k' = k + resize(relu(bn(conv(u))))

Deviations: the published head gives two rectified class scores c0, c1 for a softmax; this one gives their difference
c1 - c0, whose sigmoid and binary cross-entropy are the same numbers. Sides that 8 does not divide are continued at
the far end and cut again. 74,112 parameters that no output depends on are kept unused so that the count is the
published one. Memory grows with 64 times the pixels: 128 x 128 patches are what the authors advise.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from spinetk.segmentation.networks.convolution import at_multiple, unused
from spinetk.segmentation.networks.shrunk import shrunk


class _Level(nn.Module):
    """A convolution, a change of size, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, grows: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm = nn.BatchNorm2d(outputs)
        self.grows = grows

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        x = _resize(x, 2.0) if self.grows else F.max_pool2d(x, 2)
        return F.relu(self.norm(x), inplace=True)


class _Exchange(nn.Module):
    """Cross residual fusion of the two branches."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.to_u, self.to_ki = (
            nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU())
            for _ in range(2)
        )

    def forward(self, u: Tensor, ki: Tensor) -> tuple[Tensor, Tensor]:
        from_ki = shrunk(self.to_u, ki, (u.shape[2], u.shape[3]))
        from_u = F.interpolate(self.to_ki(u), size=ki.shape[2:], mode="bilinear", align_corners=False)
        return u + from_ki, ki + from_u


class KiUNet(nn.Module):
    """Small two-branch network.

    Args:
        slices: Channels of the input; 1 as published.
    """

    def __init__(self, slices: int = 1) -> None:
        super().__init__()
        down = ((slices, 16), (16, 32), (32, 64))
        up = ((64, 32), (32, 16), (16, 8))
        self.u_down = nn.ModuleList(_Level(*shape, grows=False) for shape in down)
        self.ki_down = nn.ModuleList(_Level(*shape, grows=True) for shape in down)
        self.u_up = nn.ModuleList(_Level(*shape, grows=True) for shape in up)
        self.ki_up = nn.ModuleList(_Level(*shape, grows=False) for shape in up)
        self.exchange_down = nn.ModuleList(_Exchange(channels) for channels in (16, 32, 64))
        self.exchange_up = nn.ModuleList(_Exchange(channels) for channels in (32, 16))
        self.exchange_last = unused(_Exchange(64))
        self.last = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, slices, H, W), standardised, any size, to logits (N, 1, H, W)."""
        return at_multiple(self._forward, x, 8)

    def _forward(self, x: Tensor) -> Tensor:
        u = ki = x
        skips = []
        for u_level, ki_level, exchange in zip(self.u_down, self.ki_down, self.exchange_down, strict=True):
            u, ki = exchange(u_level(u), ki_level(ki))
            skips.append((u, ki))
        skips.pop()
        for u_level, ki_level, exchange in zip(self.u_up, self.ki_up, self.exchange_up, strict=False):
            u, ki = exchange(u_level(u), ki_level(ki))
            u_skip, ki_skip = skips.pop()
            u, ki = u + u_skip, ki + ki_skip
        classes = F.relu(self.last(self.u_up[-1](u) + self.ki_up[-1](ki)))
        return classes[:, 1:] - classes[:, :1]


def _resize(x: Tensor, factor: float) -> Tensor:
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
