"""Strips: a picture resampled along its spine, so that the spine runs straight down, whatever its curve.

A strip has ``ROWS`` rows from head to foot and ``COLUMNS`` columns, ``1 / STEP_ROWS`` of the distance of two bodies
apart, so that a spine looks the same on a film of the whole back and on one of its lower half.
"""

from __future__ import annotations

import numpy as np

from spinetk.keypoints.centre.crop import sample

ROWS, COLUMNS = 576, 96  # 29 bodies long and 5 wide: ribs' heads and the sacrum's wings lie within
STEP_ROWS = 20.0  # rows from body to body
SMOOTH = 0.37  # SD of the smoothing of the line, in bodies
FINE_PX = 2.0  # distance of samples up to which a picture is taken as it is


def row_px(centres: np.ndarray) -> float:
    """Distance in px of a strip's rows along a line through (N, 2) centres: median, for a body may be missing."""
    steps = np.sort(np.linalg.norm(np.diff(centres, axis=0), axis=-1))
    return max(1.0, float(steps[(len(steps) - 1) // 2])) / STEP_ROWS  # the lower of two medians: a gap is no step


def midline(centres: np.ndarray, pixel_px: float, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """The line through the bodies, smoothed, going straight on beyond both ends.

    Args:
        centres: (N, 2) px, head to foot, at least two.
        pixel_px: Distance of the rows.
        shift: How far, in rows, the middle of the strip lies below the middle of the line.

    Returns:
        Places (ROWS, 2) px of the strip's rows, and unit vectors (ROWS, 2) along the line, foot-ward.
    """
    reach = min(3, len(centres) - 1)
    first, last = centres[0] - centres[reach], centres[-1] - centres[-1 - reach]
    knots = np.concatenate([(centres[0] + first)[None], centres, (centres[-1] + last)[None]])
    lengths = np.concatenate([[0.0], np.linalg.norm(np.diff(knots, axis=0), axis=-1).clip(1e-3).cumsum()])
    at = (lengths[1] + lengths[-2]) / 2 + (np.arange(ROWS) - (ROWS - 1) / 2 + shift) * pixel_px
    near = np.linspace(-2, 2, 13)
    weights = np.exp(-0.5 * near**2)
    spots = between(knots, lengths, at[:, None] + near * (SMOOTH * STEP_ROWS * pixel_px))
    places = (spots * (weights / weights.sum())[:, None]).sum(1)
    steps = np.concatenate([places[1:2] - places[:1], places[2:] - places[:-2], places[-1:] - places[-2:-1]])
    return places, steps / np.linalg.norm(steps, axis=-1, keepdims=True).clip(1e-12)


def straighten(picture: np.ndarray, places: np.ndarray, tangents: np.ndarray, pixel_px: float) -> np.ndarray:
    """Resample a (3, H, W) picture along a line: (4, ROWS, COLUMNS), the fourth channel 1 inside the picture."""
    whole = int(pixel_px / FINE_PX)
    if whole > 1:  # what lies between two samples is not lost
        picture, places, pixel_px = shrunk(picture, whole), places / whole, pixel_px / whole
    right = np.stack([tangents[:, 1], -tangents[:, 0]], -1)
    across = (np.arange(COLUMNS) - (COLUMNS - 1) / 2) * pixel_px
    where = places[:, None] + across[None, :, None] * right[:, None]
    return sample(np.concatenate([picture, np.ones_like(picture[:1])]), where)


def shrunk(picture: np.ndarray, factor: int) -> np.ndarray:
    """Means of whole blocks; a rest at the right and bottom edge is left out."""
    channels, height, width = picture.shape
    rows, columns = height // factor, width // factor
    blocks = picture[:, : rows * factor, : columns * factor].reshape(channels, rows, factor, columns, factor)
    return blocks.mean((2, 4))


def between(values: np.ndarray, places: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Values (N, ...) at increasing places (N,), linear between them and going on evenly beyond both ends."""
    after = np.searchsorted(places, wanted).clip(1, len(places) - 1)
    gap = (places[after] - places[after - 1]).clip(1e-3)
    share = ((wanted - places[after - 1]) / gap).reshape(wanted.shape + (1,) * (values.ndim - 1))
    return values[after - 1] + share * (values[after] - values[after - 1])


def rows_of(centres: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(N,) the row of the line that is nearest to each of (N, 2) centres."""
    return np.linalg.norm(centres[:, None] - places[None], axis=-1).argmin(1)
