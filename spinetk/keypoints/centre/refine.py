"""RefineNet: heatmaps of the points of one body, in an upright crop around it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def conv(inputs: int, outputs: int, stride: int | tuple[int, int] = 1, dilation: int = 1) -> nn.Sequential:
    """3x3 convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class RefineNet(nn.Module):
    """A small U-Net from crops (N, 1, S, S) to logits (N, K, S/2, S/2).

    Args:
        points: K.
        widths: Channels at 1/2, 1/4 and 1/8 of the crop.
    """

    def __init__(self, points: int, widths: tuple[int, int, int]) -> None:
        super().__init__()
        a, b, c = widths
        self.at_half = nn.Sequential(conv(1, a // 2), conv(a // 2, a, 2), conv(a, a))
        self.at_quarter = nn.Sequential(conv(a, b, 2), conv(b, b), conv(b, b))
        self.at_eighth = nn.Sequential(conv(b, c, 2), conv(c, c), conv(c, c))
        self.up_quarter = conv(b + c, b)
        self.up_half = conv(a + b, a)
        self.head = nn.Conv2d(a, points, 1)

    def forward(self, crops: Tensor) -> Tensor:
        """Logits of the cells, for a softmax over them."""
        half = self.at_half(crops)
        quarter = self.at_quarter(half)
        eighth = self.at_eighth(quarter)
        quarter = self.up_quarter(torch.cat([quarter, F.interpolate(eighth, quarter.shape[-2:])], 1))
        half = self.up_half(torch.cat([half, F.interpolate(quarter, half.shape[-2:])], 1))
        return self.head(half)


def refine_loss(logits: Tensor, truth: Tensor, visible: Tensor) -> Tensor:
    """Cross-entropy to a Gaussian (SD one cell) about the true point, plus the L1 distance of the maps' mean, in cells.

    The first makes the map a posterior; the second lets its mean, which is what is decoded, follow the point within a
    cell (integral regression, Sun et al., ECCV 2018).

    Args:
        logits: (N, K, S, S).
        truth: (N, K, 2) in cells (x, y), cell centres at integer + 0.5.
        visible: (N, K) bool; others, and points outside the crop, do not count.
    """
    size = logits.shape[-1]
    counted = visible & ((truth > 0) & (truth < size)).all(-1)
    if not counted.any():
        return logits.sum() * 0
    logits, truth = logits[counted].float(), truth[counted]
    axis = torch.arange(size, device=logits.device) + 0.5
    across = (-0.5 * (axis - truth[:, :1]).square()).exp()
    below = (-0.5 * (axis - truth[:, 1:]).square()).exp()
    target = (below[:, :, None] * across[:, None, :]).flatten(1)
    target = target / target.sum(1, keepdim=True)
    log_probability = logits.flatten(1).log_softmax(1)
    entropy = -(target * log_probability).sum(1).mean()
    probability = log_probability.exp().view(-1, size, size)
    mean = torch.stack([(probability.sum(1) * axis).sum(1), (probability.sum(2) * axis).sum(1)], -1)
    return entropy + 0.5 * (mean - truth).abs().mean()
