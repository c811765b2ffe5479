"""Target heatmaps: one channel per anatomical level, or, as the named legacy mode, per ordinal from the head.

Points are (x, y) px of the picture, pixel centres at integer + 0.5; pictures have the head at the top and the front on
the left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import cv2
import numpy as np

VARIANCE_PX2 = 5.0
"""Variance of a disc's Gaussian. The originals call it a radius; READMEs speak of sigma 10, the code uses this."""
LEGACY_CUT = 0.2
LEGACY_JOINTS = 11

Point = Sequence[float] | np.ndarray
Points = Mapping[int, Point]


def gaussian(shape: tuple[int, int], point: Point, variance_px2: float = VARIANCE_PX2) -> np.ndarray:
    """(H, W) float32 Gaussian of height 1 at ``point``."""
    rows = np.arange(shape[0], dtype=np.float32)[:, None] + 0.5 - np.float32(point[1])
    columns = np.arange(shape[1], dtype=np.float32)[None] + 0.5 - np.float32(point[0])
    return np.exp(-(rows**2 + columns**2) / (2 * variance_px2))


def level_heatmaps(points: Points, levels: Sequence[int], shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """One channel per level.

    Args:
        points: Disc number to (x, y) px. Points outside the picture, and numbers that are no level, are left out.
        levels: Disc number of each channel.
        shape: (H, W) of the picture.

    Returns:
        (K, H, W) float32 in 0..1, all zero where a disc is absent; (K,) float32, 1 where it is present.
    """
    maps = np.zeros((len(levels), *shape), np.float32)
    present = np.zeros(len(levels), np.float32)
    for channel, number in enumerate(levels):
        point = points.get(number)
        if point is not None and 0 <= point[0] <= shape[1] and 0 <= point[1] <= shape[0]:
            maps[channel] = gaussian(shape, point)
            present[channel] = 1
    return maps, present


def legacy_map(points: Iterable[Point], shape: tuple[int, int]) -> np.ndarray:
    """All discs in one map as the original draws them: peak 1, cut to 8 bits, merged by maximum, stretched to 0..1."""
    merged = np.zeros(shape, np.uint8)
    for point in points:
        disc = gaussian(shape, point)
        merged = np.maximum(merged, (disc / disc.max() * 255).astype(np.uint8))
    low, high = float(merged.min()), float(merged.max())
    return (merged - low).astype(np.float32) / np.float32(high - low) if high > low else np.zeros(shape, np.float32)


def ordinal_heatmaps(points: Iterable[Point], shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The original's targets: channel k holds the k-th connected blob from the top of the picture.

    A disc that is not labelled, or one more, shifts every channel below it. Blobs beyond eleven are dropped.

    Args:
        points: (x, y) px of the discs, in any order.
        shape: (H, W) of the picture the points are about.

    Returns:
        (K, H, W) float32, exactly 0 at and below 0.2; (K,) float32, 1 for channels in use.
    """
    merged = legacy_map(points, shape)
    count, blobs = cv2.connectedComponents((merged > LEGACY_CUT).astype(np.uint8))
    used = min(count - 1, LEGACY_JOINTS)
    maps = np.zeros((LEGACY_JOINTS, *shape), np.float32)
    for channel in range(used):
        maps[channel] = merged * (blobs == channel + 1)
    return maps, (np.arange(LEGACY_JOINTS) < used).astype(np.float32)
