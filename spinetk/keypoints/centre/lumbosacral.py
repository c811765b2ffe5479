"""LumbosacralNet: which level a body looks like by what lies about and below it, above all whether it is L5."""

from __future__ import annotations

from torch import Tensor, nn

from spinetk.keypoints.centre.refine import conv
from spinetk.keypoints.centre.surroundings import LEVELS, SIDE_PX


class LumbosacralNet(nn.Module):
    """Convolutions down to four cells, then two dense layers.

    Args:
        widths: Channels at 1/2, 1/4, ... of the cut.
    """

    def __init__(self, widths: tuple[int, int, int, int, int] = (16, 32, 64, 96, 128)) -> None:
        super().__init__()
        a, b, c, d, e = widths
        self.cells = nn.Sequential(
            conv(2, a, 2), conv(a, b, 2), conv(b, b), conv(b, c, 2), conv(c, c), conv(c, d, 2), conv(d, d),
            conv(d, e, 2),
        )  # fmt: skip
        flat, units = e * (SIDE_PX >> len(widths)) ** 2, 96
        self.head = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(flat, units), nn.ReLU(inplace=True), nn.Dropout(0.3),
            nn.Linear(units, len(LEVELS)),
        )  # fmt: skip

    def forward(self, cuts: Tensor) -> Tensor:
        """Standardized :mod:`~spinetk.keypoints.centre.surroundings` (N, 2, S, S) to logits (N, L) of their levels."""
        return self.head(self.cells(cuts))
