"""LumbarNet: which of the lowest bodies one is, seen with what lies around and below it.

The endplate of S1 says where to count from, and where it is hard to see, names would hang on it alone. So each of the
lowest bodies is asked for by itself, with its neighbours, the pelvis and the whole curve of the sacrum in the picture
(:mod:`spinetk.keypoints.centre.surroundings`): a second opinion, which fails in other ways.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from spinetk.keypoints.centre.refine import conv
from spinetk.keypoints.centre.surroundings import COLUMNS, ROWS

ANSWERS = 4  # L5, L4, a higher one, S1


class Residual(nn.Module):
    """Two convolutions added to what they are given (He et al., CVPR 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


class LumbarNet(nn.Module):
    """From surroundings (N, 2, ROWS, COLUMNS) to logits (N, ``ANSWERS``).

    Args:
        widths: Channels at 1/2, 1/4, 1/8 and 1/16.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (20, 32, 64, 96)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.seen = nn.Sequential(
            conv(2, a, 2), Residual(a), conv(a, b, 2), Residual(b), Residual(b), conv(b, c, 2), Residual(c),
            Residual(c), conv(c, d, 2), Residual(d), nn.Dropout(0.3), nn.Flatten(),
        )  # fmt: skip
        rows, columns = -(-ROWS // 16), -(-COLUMNS // 16)
        self.whole = nn.Sequential(nn.Linear(d * rows * columns, d), nn.ReLU(inplace=True), nn.Dropout(0.3))
        self.answer = nn.Linear(d, ANSWERS)

    def features(self, shown: Tensor) -> Tensor:
        """(N, D) of surroundings."""
        return self.whole(self.seen(shown))

    def forward(self, shown: Tensor) -> Tensor:
        return self.answer(self.features(shown))
