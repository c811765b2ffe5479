"""The published mean skeleton and its search, without the exponential time.

The cost of a choice of one candidate per disc is the distance of the normalised choice to the mean skeleton, where the
first disc is the origin and the distance from the first to the fifth the unit. Once those two are chosen, every other
disc's part of the cost depends on that disc alone, so the best choice is found by trying the pairs and taking the
nearest candidate for each of the rest: the same optimum as trying everything.

This is the named legacy search; it needs one candidate list per disc that is present, the first and fifth among them.
:mod:`spinetk.discs.search` needs neither and is the default.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FIRST, FIFTH = 0, 4
JOINTS = 11


def normalised(points: np.ndarray) -> np.ndarray:
    """(N >= 5, 2) discs from head to foot, moved to the first and divided by the distance from first to fifth."""
    points = np.asarray(points, dtype=np.float64)
    return (points - points[FIRST]) / np.linalg.norm(points[FIRST] - points[FIFTH])


def mean_skeleton(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Mean of the normalised columns, each disc over the columns that have it.

    Args:
        columns: (N, 2) points each, from head to foot. Columns of fewer than five discs are left out.

    Returns:
        (11, 2); NaN for discs that no column has.
    """
    stacked = np.full((len(columns), JOINTS, 2), np.nan)
    for row, column in zip(stacked, columns, strict=True):
        if len(column) > FIFTH:
            own = normalised(column)[:JOINTS]
            row[: len(own)] = own
    known = np.isfinite(stacked)
    with np.errstate(invalid="ignore"):
        return np.where(known, stacked, 0).sum(axis=0) / known.sum(axis=0)


def nearest_to_skeleton(candidates: Sequence[np.ndarray], mean: np.ndarray) -> tuple[list[int], float]:
    """The choice of one candidate per disc with the least Frobenius norm of ``mean[:N] - normalised(points)``.

    Args:
        candidates: (M_k >= 1, 2) points for each of at least five discs, from head to foot.
        mean: (11, 2) mean skeleton.

    Returns:
        Index of the chosen candidate of each disc, and the norm.
    """
    from scipy.spatial import KDTree

    first, fifth = (np.asarray(candidates[k], dtype=np.float64) for k in (FIRST, FIFTH))
    starts, ends = np.repeat(np.arange(len(first)), len(fifth)), np.tile(np.arange(len(fifth)), len(first))
    unit = np.linalg.norm(first[starts] - fifth[ends], axis=1)
    starts, ends, unit = starts[unit > 0], ends[unit > 0], unit[unit > 0]
    total = np.zeros(len(unit))
    chosen = np.zeros((len(candidates), len(unit)), np.int64)
    for k, own in enumerate(candidates):
        wanted = first[starts] + unit[:, None] * mean[k]
        if k in (FIRST, FIFTH):
            chosen[k] = starts if k == FIRST else ends
            apart = np.linalg.norm(np.asarray(own, dtype=np.float64)[chosen[k]] - wanted, axis=1)
        else:
            apart, chosen[k] = KDTree(own).query(wanted)
        total += (apart / unit) ** 2
    best = int(total.argmin())
    return chosen[:, best].tolist(), float(np.sqrt(total[best]))
