"""ViewNet: a small residual network over the whole picture with three answers: kind, quarter turn, side of the front.

Basic residual blocks (He et al., CVPR 2016) of 24 to 160 channels, global mean and maximum, one linear layer per
answer. 562,068 parameters; a picture in its four turns takes some 10 ms on one core.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spinetk.keypoints.viewing.kinds import KINDS, SIDE_PX

WIDTHS = (24, 48, 96, 160)


class ViewNet(nn.Module):
    """Pictures (B, 1, S, S), standardised, to logits.

    Args:
        widths: Channels at 1/4, 1/8, 1/16 and 1/32 of the input.
        kinds: Names of the kinds, in order of their logits.
        side_px: S.
    """

    def __init__(
        self, widths: tuple[int, ...] = WIDTHS, kinds: tuple[str, ...] = KINDS, side_px: int = SIDE_PX
    ) -> None:
        super().__init__()
        self.widths, self.kinds, self.side_px = tuple(widths), tuple(kinds), side_px
        first = self.widths[0]
        self.stem = nn.Sequential(
            nn.Conv2d(1, first, 5, 2, 2, bias=False), nn.BatchNorm2d(first), nn.ReLU(inplace=True), nn.MaxPool2d(2)
        )
        self.blocks = nn.Sequential(
            *(
                _Block(before, after, 1 if k == 0 else 2)
                for k, (before, after) in enumerate(zip((first, *self.widths), self.widths, strict=False))
            )
        )
        whole = 2 * self.widths[-1]
        self.kind = nn.Linear(whole, len(self.kinds))
        self.turn = nn.Linear(whole, 4)
        self.front = nn.Linear(whole, 2)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the kind (B, kinds), of the quarter turns (B, 4) and of the front, left or right (B, 2)."""
        x = self.blocks(self.stem(pictures))
        x = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        return self.kind(x), self.turn(x), self.front(x)

    def config(self) -> dict[str, Any]:
        """Everything needed to build this network again, as JSON content."""
        return {"task": "view", "widths": list(self.widths), "kinds": list(self.kinds), "side_px": self.side_px}


def as_function(network: nn.Module) -> Callable[[np.ndarray], list[np.ndarray]]:
    """A network as a function of arrays, in evaluation mode."""
    network.eval()

    @torch.inference_mode()
    def answers(pictures: np.ndarray) -> list[np.ndarray]:
        return [own.float().cpu().numpy() for own in network(torch.from_numpy(np.ascontiguousarray(pictures)))]

    return answers


class _Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
        )
        self.second = nn.Sequential(nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after))
        self.shortcut = (
            nn.Identity()
            if before == after and stride == 1
            else nn.Sequential(nn.AvgPool2d(stride), nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after))
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.second(self.first(x)) + self.shortcut(x))
