"""Look-once point networks: which of a set of candidate points are discs.

:class:`PointNet20` is the published classifier (Azad et al., PRIME 2022), which takes exactly twenty points in a
meaningful order. :class:`PointSet` is the default here: any number of points, in any order.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


def _point_layers(*widths: int, last_relu: bool = True) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Conv1d(inputs, outputs, 1), nn.BatchNorm1d(outputs), nn.ReLU()]
    return nn.Sequential(*(layers if last_relu else layers[:-1]))


class Transform(nn.Module):
    """T-net: a (B, 2, 2) matrix for a set of (B, 2, N) points."""

    def __init__(self) -> None:
        super().__init__()
        self.points = _point_layers(2, 64, 128, 1024)
        self.dense = nn.Sequential(
            nn.Linear(1024, 512),
            nn.BatchNorm1d(512),
            nn.ReLU(),
            nn.Linear(512, 256),
            nn.BatchNorm1d(256),
            nn.ReLU(),
            nn.Linear(256, 4),
        )

    def forward(self, points: Tensor) -> Tensor:
        matrix = self.dense(self.points(points).amax(dim=2)).view(-1, 2, 2)
        return matrix + torch.eye(2, device=points.device, dtype=points.dtype)


class PointNet20(nn.Module):
    """The published classifier. Its gate mixes the twenty places, so the order of the points matters."""

    COUNT = 20

    def __init__(self) -> None:
        super().__init__()
        self.transform = Transform()
        self.local = _point_layers(2, 64)
        self.trunk = _point_layers(64, 128, 1024, last_relu=False)
        self.fuse = _point_layers(1088, 512, 256, 128)
        self.gate_points = nn.Conv1d(2, 1, 1)
        self.gate_places = nn.Linear(self.COUNT, self.COUNT)
        self.head = nn.Conv1d(128, 2, 1)

    def forward(self, points: Tensor) -> Tensor:
        """(B, 2, 20) points to (B, 20, 2) log-probabilities of (false, true) disc."""
        turned = torch.einsum("bij,bin->bjn", self.transform(points), points)
        local = self.local(turned)
        whole = self.trunk(local).amax(dim=2, keepdim=True).expand(-1, -1, points.shape[2])
        fused = self.fuse(torch.cat([whole, local], dim=1))
        gate = self.gate_places(self.gate_points(points)).sigmoid()
        return self.head(fused * gate).transpose(1, 2).log_softmax(dim=2)


class PointSet(nn.Module):
    """Permutation-equivariant classifier of any number of points.

    Points attend to one another (three blocks of self-attention without positions), because whether a point continues
    a column of discs depends on its neighbours, which a pooled maximum does not tell.
    """

    FEATURES = 4
    WIDTH = 64

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(self.FEATURES, self.WIDTH), nn.GELU(), nn.Linear(self.WIDTH, self.WIDTH))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(self.WIDTH, 4, 2 * self.WIDTH, 0.0, "gelu", batch_first=True, norm_first=True)
            for _ in range(3)
        )
        self.head = nn.Linear(self.WIDTH, 1)

    def forward(self, features: Tensor, padding: Tensor | None = None) -> Tensor:
        """Logit of being a disc.

        Args:
            features: (B, N, 4) of :func:`point_features`.
            padding: (B, N) bool, True where there is no point.

        Returns:
            (B, N) logits.
        """
        x = self.embed(features)
        for block in self.blocks:
            x = block(x, src_key_padding_mask=padding)
        return self.head(x)[..., 0]


def point_features(points_mm: Tensor, scores: Tensor, channels: Tensor, count: int) -> Tensor:
    """What the classifier sees of candidates; nothing of it needs the truth.

    Args:
        points_mm: (N, 2) x, y in mm.
        scores: (N,) heights of the heatmap peaks, in 0..1.
        channels: (N,) index of the heatmap each came from.
        count: Number of heatmaps.

    Returns:
        (N, 4): position about the candidates' median in units of 100 mm, score, channel in -1..1.
    """
    if len(points_mm) == 0:
        return points_mm.new_zeros((0, PointSet.FEATURES))
    centred = (points_mm - points_mm.median(dim=0).values) / 100
    level = 2 * channels.to(points_mm) / max(1, count - 1) - 1
    return torch.cat([centred, scores[:, None].to(points_mm), level[:, None]], dim=1)
