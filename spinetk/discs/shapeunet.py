"""ShapeUNet: the candidate network of "look once" (Azad et al., PRIME 2022, arXiv 2204.02943), as far as it is known.

Its code was never published. Known: one grey channel and its gradient magnitude in, one heatmap per disc out, a U-Net
of five levels with decoder widths 512 to 64, channel weights from each encoder level, one spatial weight from a shape
feature of the gradient, recalibrated maps summed with learnt weights, joined at the 512 level, sigmoid at the end.
Chosen here, because no figure tells: encoder widths 64 to 1024, Sobel gradient, two 3x3 convolutions as shape stem,
128 channels and the 512 level's size for the recalibrated maps, reduction 8 in the gates.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (64, 128, 256, 512, 1024)
SHAPE_WIDTH = 128
REDUCTION = 8


def gradient_magnitude(pictures: Tensor) -> Tensor:
    """Sobel gradient magnitude of (B, 1, H, W), each picture divided by its greatest value."""
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], device=pictures.device, dtype=pictures.dtype)
    kernels = torch.stack([across, across.T])[:, None]
    padded = F.pad(pictures, (1, 1, 1, 1), mode="replicate")
    size = F.conv2d(padded, kernels).square().sum(1, keepdim=True).sqrt()
    return size / size.amax(dim=(1, 2, 3), keepdim=True).clamp_min(1e-6)


def _double(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (inputs, outputs):
        layers += [nn.Conv2d(width, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


class ShapeAttention(nn.Module):
    """Recalibrate all encoder levels by channel and by place, and sum them.

    Levels of width ``widths`` and the shape feature become one (B, 128, h, w) map at ``size``.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        few = SHAPE_WIDTH // REDUCTION
        self.project = nn.ModuleList(nn.Conv2d(width, SHAPE_WIDTH, 1) for width in widths)
        self.channel = nn.ModuleList(
            nn.Sequential(
                nn.AdaptiveAvgPool2d(1),
                nn.Conv2d(SHAPE_WIDTH, few, 1),
                nn.ReLU(),
                nn.Conv2d(few, SHAPE_WIDTH, 1),
                nn.Sigmoid(),
            )
            for _ in widths
        )
        self.place = nn.Sequential(nn.Conv2d(1, few, 1), nn.ReLU(), nn.Conv2d(few, 1, 1), nn.Sigmoid())
        self.weights = nn.Parameter(torch.full((len(widths),), 1 / len(widths)))

    def forward(self, levels: list[Tensor], shape: Tensor, size: tuple[int, int]) -> Tensor:
        shape = F.interpolate(shape, size, mode="bilinear", align_corners=False)
        place = self.place(shape.mean(1, keepdim=True))
        total = torch.zeros_like(shape)
        for weight, project, channel, level in zip(self.weights, self.project, self.channel, levels, strict=True):
            features = F.interpolate(project(level), size, mode="bilinear", align_corners=False)
            total = total + weight * (features * channel(features) * place + shape)
        return total.sigmoid()


class ShapeUNet(nn.Module):
    """Heatmaps in 0..1 from a grey picture and its gradient magnitude; sides are multiples of 16.

    Args:
        joints: Number of heatmaps.
        shape: Whether the gradient is used; without it this is the plain U-Net inside.
    """

    def __init__(self, joints: int = 11, shape: bool = True) -> None:
        super().__init__()
        self.joints = joints
        inputs = (1, *WIDTHS[:-1])
        self.down = nn.ModuleList(_double(a, b) for a, b in zip(inputs, WIDTHS, strict=True))
        self.shape = _double(1, SHAPE_WIDTH) if shape else None
        self.attention = ShapeAttention(WIDTHS) if shape else None
        self.up = nn.ModuleList()
        self.merge = nn.ModuleList()
        for wide, narrow in zip(WIDTHS[:0:-1], WIDTHS[-2::-1], strict=True):
            self.up.append(nn.Sequential(nn.ConvTranspose2d(wide, narrow, 2, stride=2), nn.BatchNorm2d(narrow)))
            joined = 2 * narrow + (SHAPE_WIDTH if shape and narrow == WIDTHS[-2] else 0)
            self.merge.append(_double(joined, narrow))
        self.head = nn.Conv2d(WIDTHS[0], joints, 1)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """(B, 1 or 3, H, W) (equal channels) to a list with one (B, joints, H, W) in 0..1, as the hourglass gives."""
        x = pictures[:, :1]
        shape = None if self.shape is None else self.shape(gradient_magnitude(x))
        levels: list[Tensor] = []
        for step, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if step else x)
            levels.append(x)
        for step, (up, merge) in enumerate(zip(self.up, self.merge, strict=True)):
            skip = levels[-2 - step]
            parts = [skip, up(x)]
            if step == 0 and self.attention is not None:
                parts.append(self.attention(levels, shape, skip.shape[-2:]))
            x = merge(torch.cat(parts, dim=1))
        return [self.head(x).sigmoid()]

    def config(self) -> dict[str, int]:
        """Arguments that build this network again."""
        return {"joints": self.joints}


class PlainUNet(ShapeUNet):
    """The same without its shape branch: the baseline of "look once"."""

    def __init__(self, joints: int = 11) -> None:
        super().__init__(joints, shape=False)
