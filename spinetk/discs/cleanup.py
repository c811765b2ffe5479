"""Condition-based clean-up of points without labels (Countception, Rouhier et al. 2020), for comparison.

Hand-written conditions on the height of points in a nearly upright column. Lengths were px of a 1 mm grid; give mm.
"""

from __future__ import annotations

import numpy as np

SIDEWAYS_MM = 15.0
MERGE_MM = 10.0
RUN_MM = 20.0
BEFORE_SHARE = 0.9
AFTER_SHARE = 0.3
GAPS = 4


def clean(points: np.ndarray) -> list[np.ndarray]:
    """Groups of points that make one disc each.

    Points more than 15 mm from the median column go. Neighbours less than 10 mm apart in height are merged, in runs of
    at most 20 mm. A point goes whose gap to the one before is below 0.9 and to the one after below 0.3 of the median
    of the four gaps around it.

    Args:
        points: (N, 2) x, y mm.

    Returns:
        For each disc kept, head to foot, the indices of the points whose mean it is.
    """
    points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if not len(points):
        return []
    near = np.flatnonzero(np.abs(points[:, 0] - np.median(points[:, 0])) <= SIDEWAYS_MM)
    runs: list[list[int]] = []
    for k in near[np.argsort(points[near, 1], kind="stable")]:
        height = points[k, 1]
        if runs and height - points[runs[-1][-1], 1] < MERGE_MM and height - points[runs[-1][0], 1] <= RUN_MM:
            runs[-1].append(int(k))
        else:
            runs.append([int(k)])
    heights = np.array([points[run, 1].mean() for run in runs])
    gaps = np.diff(heights)
    kept = []
    for i, run in enumerate(runs):
        if 0 < i < len(runs) - 1:
            start = max(0, min(i - GAPS // 2, len(gaps) - GAPS))
            usual = np.median(gaps[start : start + GAPS])
            if gaps[i - 1] < BEFORE_SHARE * usual and gaps[i] < AFTER_SHARE * usual:
                continue
        kept.append(np.array(run))
    return kept
