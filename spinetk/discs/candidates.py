"""Candidates: peaks of heatmaps, before anything decides which of them are discs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

WINDOW_PX = 9
REACH_PX = 3
MAX_PER_CHANNEL = 100


@dataclass(frozen=True)
class Candidates:
    """N points that may be discs.

    Attributes:
        channel: (N,) int, the heatmap each comes from, ascending.
        points: (N, 2) x, y. Px of the heatmap from :func:`find_peaks`; callers scale them to mm.
        scores: (N,) height of the peak, cut to 0..1.
    """

    channel: np.ndarray
    points: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.channel)

    def take(self, chosen: np.ndarray) -> Candidates:
        """Some of them, by index or mask."""
        return Candidates(self.channel[chosen], self.points[chosen], self.scores[chosen])

    def scaled(self, factors: np.ndarray | float) -> Candidates:
        """The same points in other units."""
        return Candidates(self.channel, self.points * factors, self.scores)

    def strongest(self) -> np.ndarray:
        """Index of the highest peak of each channel that has one."""
        order = np.argsort(-self.scores, kind="stable")
        _, first = np.unique(self.channel[order], return_index=True)
        return order[first]


def find_peaks(maps: np.ndarray, threshold: float = 0.1) -> Candidates:
    """Local maxima above a threshold, in a window of 9 x 9 px, with subpixel places.

    A parabola through the logarithms of the peak and of the values 3 px beside it gives the place: exact for a
    Gaussian, and wider than the steps of maps that were enlarged four times.

    Args:
        maps: (K, H, W) float.
        threshold: Least height.
    """
    channel, points, scores = [], [], []
    for k, heat in enumerate(np.ascontiguousarray(maps, np.float32)):
        highest = cv2.dilate(heat, np.ones((WINDOW_PX, WINDOW_PX), np.uint8))
        tops = ((heat >= highest) & (heat > threshold)).astype(np.uint8)
        # Equal neighbours are one peak.
        count, _, _, centroids = cv2.connectedComponentsWithStats(tops, connectivity=8)
        found = [(float(heat[round(y), round(x)]), x, y) for x, y in centroids[1:count]]
        for height, x, y in sorted(found, reverse=True)[:MAX_PER_CHANNEL]:
            channel.append(k)
            points.append(_refined(heat, x, y))
            scores.append(min(height, 1.0))
    return Candidates(
        np.array(channel, np.int64), np.array(points, np.float64).reshape(-1, 2), np.array(scores, np.float64)
    )


def _refined(heat: np.ndarray, x: float, y: float) -> tuple[float, float]:
    column, row = round(x), round(y)
    return (
        x + 0.5 + _vertex(heat[row], column) if x == column else x + 0.5,
        y + 0.5 + _vertex(heat[:, column], row) if y == row else y + 0.5,
    )


def _vertex(line: np.ndarray, at: int) -> float:
    """Offset of the vertex of the parabola through the logarithms at ``at`` and 3 px to either side."""
    if not REACH_PX <= at < len(line) - REACH_PX:
        return 0.0
    before, here, after = np.log(np.maximum(line[[at - REACH_PX, at, at + REACH_PX]], 1e-3))
    bend = before - 2 * here + after
    return float(np.clip(REACH_PX / 2 * (before - after) / bend, -2, 2)) if bend < -1e-6 else 0.0
