"""TMUnet: a U-Net whose map is weighed by what a transformer makes of its regions.

Azad et al., Contextual Attention Network: Transformer Meets U-Net, MLMI 2022, arXiv 2203.01932. For tokens t_i of 16x16
patches, B the boundary map and x the 64 channels of a ResNet-50 U-Net::

    region_i = sigmoid(mean(t_i)),  context_i = sigmoid(BN(1x1(t_i)))         painted on patch i
    logit = 1x1([ (SE(x) + B) * region, context ])

As in the original, attention takes the softmax first and divides it by sqrt(512), so its rows sum to 1/22.6. What comes
out is the logit of the original's sigmoid map.

Deviations: ``regions="aligned"`` paints the token of a patch on that patch. The original paints tokens 0 to 255 where
the patches are 1 to 256, so every region lies one patch late and the class token on the first: ``regions="shifted"``.
Regions are painted after their 1x1 convolution and without a loop: the same numbers from 64 channels in place of 512
at full size. Other sizes than 256 x 256 work: sides that 32 does not divide are continued at the far end and cut
again, position embeddings are interpolated.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import resnet50

from spinetk.segmentation.networks.convolution import double
from spinetk.segmentation.networks.dunet import SqueezeExcite

PATCH_PX = 16
WIDTH = 512
HEADS = 8
GRID = 16


class TMUnetOutput(NamedTuple):
    """What the loss of TMUnet needs.

    Attributes:
        logit: (N, 1, H, W) of the mask.
        boundary: (N, 1, H, W) logit of the boundary.
        regions: (N, 1, ceil(H / 16), ceil(W / 16)) region coefficients in 0..1, as they are painted.
    """

    logit: Tensor
    boundary: Tensor
    regions: Tensor


class _Block(nn.Module):
    """Pre-norm transformer block over (N, T, 512)."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.project = nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm1(x)).unflatten(2, (HEADS, -1, 3)).permute(4, 0, 2, 1, 3)
        weights = (q @ k.transpose(2, 3)).softmax(-1) / x.shape[2] ** 0.5
        x = x + self.project((weights @ v).transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm2(x))


class PatchTransformer(nn.Module):
    """Tokens of the 16x16 patches of a picture: (N, 3, H, W) to (N, 1 + patches, 512), class token first."""

    def __init__(self) -> None:
        super().__init__()
        pool = nn.MaxPool2d(2)
        self.embed = nn.Sequential(double(3, 128), pool, double(128, 256), pool, double(256, WIDTH), pool)
        self.first = nn.Parameter(torch.randn(1, 1, WIDTH))
        self.position = nn.Parameter(torch.randn(1, 1 + GRID * GRID, WIDTH))
        self.blocks = nn.Sequential(*(_Block() for _ in range(4)))

    def forward(self, x: Tensor) -> Tensor:
        count, rows, columns = len(x), x.shape[2] // PATCH_PX, x.shape[3] // PATCH_PX
        patches = x.reshape(count, 3, rows, PATCH_PX, columns, PATCH_PX).permute(0, 2, 4, 1, 3, 5)
        tokens = self.embed(patches.reshape(-1, 3, PATCH_PX, PATCH_PX)).mean((2, 3)).reshape(count, rows * columns, -1)
        tokens = torch.cat([self.first.expand(count, -1, -1), tokens], 1)
        return self.blocks(tokens + self._position(rows, columns))

    def _position(self, rows: int, columns: int) -> Tensor:
        if (rows, columns) == (GRID, GRID):
            return self.position
        grid = self.position[:, 1:].transpose(1, 2).unflatten(2, (GRID, GRID))
        grid = F.interpolate(grid, size=(rows, columns), mode="bilinear", align_corners=False)
        return torch.cat([self.position[:, :1], grid.flatten(2).transpose(1, 2)], 1)


class _Up(nn.Module):
    def __init__(self, inputs: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.grow = nn.ConvTranspose2d(inputs, outputs, 2, 2)
        self.join = double(outputs + skip, outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.join(torch.cat([self.grow(x), skip], 1))


class TMUnet(nn.Module):
    """Colour picture in; mask, boundary and region coefficients out.

    Args:
        regions: ``aligned``, or ``shifted`` as the original has them.
    """

    def __init__(self, regions: Literal["aligned", "shifted"] = "aligned") -> None:
        super().__init__()
        self.regions = regions
        trunk = resnet50()
        self.first = nn.Sequential(trunk.conv1, trunk.bn1, trunk.relu)
        self.pool = trunk.maxpool
        stages: tuple[Any, ...] = (trunk.layer1, trunk.layer2, trunk.layer3, trunk.layer4)
        self.layers = nn.ModuleList(stages)
        a, b, c, d = (stage[-1].conv3.out_channels for stage in stages)  # of ResNet-50: 256, 512, 1024, 2048
        self.bridge = double(d, d)
        shapes = ((d, c, c), (c, b, b), (b, a, a), (a, 64, 128), (128, 3, 64))
        self.up = nn.ModuleList(_Up(*shape) for shape in shapes)
        self.boundary = nn.Sequential(
            nn.Conv2d(64, 32, 1), nn.BatchNorm2d(32), nn.ReLU(inplace=True), nn.Conv2d(32, 1, 1, bias=False)
        )
        self.weigh = SqueezeExcite(64)
        self.transformer = PatchTransformer()
        self.context = nn.Sequential(nn.Conv2d(WIDTH, 64, 1), nn.BatchNorm2d(64), nn.Sigmoid())
        self.last = nn.Conv2d(128, 1, 1)

    def forward(self, x: Tensor) -> TMUnetOutput:
        """(N, 3, H, W) in the range 0..255, any size, to :class:`TMUnetOutput`."""
        height, width = x.shape[2:]
        if height % 32 or width % 32:
            x = F.pad(x, (0, -width % 32, 0, -height % 32), mode="replicate")
        features = self._unet(x)
        boundary = self.boundary(features)
        grid = self._grid(self.transformer(x), x.shape[2] // PATCH_PX)
        regions = grid.mean(1, keepdim=True).sigmoid()
        weighted = (self.weigh(features) + boundary.sigmoid()) * paint(regions)
        logit = self.last(torch.cat([weighted, paint(self.context(grid))], 1))
        rows, columns = -(-height // PATCH_PX), -(-width // PATCH_PX)
        return TMUnetOutput(logit[..., :height, :width], boundary[..., :height, :width], regions[..., :rows, :columns])

    def _unet(self, x: Tensor) -> Tensor:
        skips = [x, self.first(x)]
        inner = self.pool(skips[-1])
        for layer in self.layers:
            inner = layer(inner)
            skips.append(inner)
        inner = self.bridge(skips.pop())
        for block in self.up:
            inner = block(inner, skips.pop())
        return inner

    def _grid(self, tokens: Tensor, rows: int) -> Tensor:
        """(N, 1 + patches, 512) to (N, 512, rows, columns)."""
        chosen = tokens[:, 1:] if self.regions == "aligned" else tokens[:, :-1]
        return chosen.transpose(1, 2).unflatten(2, (rows, -1))


def paint(grid: Tensor) -> Tensor:
    """(N, C, h, w) values of patches to (N, C, 16h, 16w), each on its 16x16 square."""
    return grid.repeat_interleave(PATCH_PX, 2).repeat_interleave(PATCH_PX, 3)
