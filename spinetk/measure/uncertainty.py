"""Uncertainty: how far the measurements move when the points move by their standard deviations.

Monte Carlo with a fixed seed: the same reading gives the same interval. Points are moved independently of each other
and by the same amount in x and y, which is all that ``point_sigma_px`` says; errors shared by neighbouring points (a
shifted endplate) are not in it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from spinetk.measure.body import number, stack
from spinetk.reading import Reading

DRAWS = 1000
SEED = 20210728
COVERAGE_PERCENT = 95.0
TAILS_PERCENT = ((100 - COVERAGE_PERCENT) / 2, 100 - (100 - COVERAGE_PERCENT) / 2)


def disturbed(reading: Reading) -> np.ndarray | None:
    """(DRAWS, n, K, 2) copies of the points of a reading in px, each moved by noise of ``point_sigma_px``.

    Vertebrae without ``point_sigma_px`` stay where they are.

    Returns:
        None when no vertebra carries a standard deviation.
    """
    known = [v.point_sigma_px is not None for v in reading.vertebrae]
    if not any(known):
        return None
    sigma = np.zeros((len(known), len(reading.schema)))
    for row, vertebra in zip(sigma, reading.vertebrae, strict=True):
        if vertebra.point_sigma_px is not None:
            row[:] = np.nan_to_num(np.asarray(vertebra.point_sigma_px, float), posinf=0.0, neginf=0.0)
    points = stack(reading)
    return points + _noise(points.shape) * np.abs(sigma)[..., None]


@lru_cache(maxsize=4)
def _noise(shape: tuple[int, ...]) -> np.ndarray:
    """(DRAWS, *shape) standard normal numbers, the same for every reading of this shape."""
    noise = np.random.default_rng(SEED).standard_normal((DRAWS, *shape))
    noise.flags.writeable = False
    return noise


def interval(values: np.ndarray, digits: int = 4) -> list[float] | None:
    """[low, high] of the middle ``COVERAGE_PERCENT`` of (DRAWS,) values; None when fewer than half are finite."""
    finite = values[np.isfinite(values)]
    if 2 * len(finite) < len(values) or not len(finite):
        return None
    return [round(float(value), digits) for value in tails(finite[:, None])[:, 0]]


def tails(columns: np.ndarray) -> np.ndarray:
    """(2, M) ends of the middle ``COVERAGE_PERCENT`` of each of (N, M) columns, N at least 1.

    ``numpy.percentile(columns, TAILS_PERCENT, axis=0)`` to the bit, which imports ``numpy.ma`` for its first call.
    """
    last = len(columns) - 1
    places = np.array(TAILS_PERCENT) / 100 * last
    below = places.astype(int)
    above, share = (below + 1).clip(max=last), (places - below)[:, None]
    ordered = np.partition(np.ascontiguousarray(columns.T), sorted({*below.tolist(), *above.tolist()}), axis=1).T
    low, step = ordered[below], ordered[above] - ordered[below]
    return np.where(share < 0.5, low + step * share, ordered[above] - step * (1 - share))


def intervals(values: np.ndarray) -> np.ndarray:
    """:func:`interval` of every column of (DRAWS, ...) values, at once: (...) objects, each [low, high] or None."""
    columns = values.reshape(len(values), -1)
    whole = np.isfinite(columns).all(axis=0)
    low, high = tails(columns[:, whole])
    found = np.empty(len(whole), object)
    for k, *ends in zip(np.flatnonzero(whole), low, high, strict=True):
        found[k] = [number(end) for end in ends]
    for k in np.flatnonzero(~whole):
        found[k] = interval(columns[:, k])
    return found.reshape(values.shape[1:])
