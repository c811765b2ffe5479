"""Agreement: how well two sets of readings agree, as such studies report it.

Weighted kappa comes from scikit-learn and distributions from SciPy. The intraclass correlations are the mean squares of
a two-way analysis of variance (Shrout and Fleiss, Psychol Bull 1979;86:420; confidence limits: McGraw and Wong, Psychol
Methods 1996;1:30), since the one library that offers them, pingouin, is GPL and cannot be a dependency here. The tests
check them against the published example and, where pingouin is installed, against it. Limits of agreement: Bland and
Altman, Lancet 1986;327:307.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from spinetk.errors import InputError
from spinetk.measure.body import number
from spinetk.reading import Reading

GRADES = (0, 1, 2, 3)
# Vertebrae without names are the same body when their boxes overlap at least this much (intersection over union).
MIN_OVERLAP = 0.3


def _pairs(first: Sequence[float], second: Sequence[float]) -> np.ndarray:
    """(n, 2) finite pairs of two equally long sequences; None counts as missing."""
    if len(first) != len(second):
        raise InputError("agreement", f"{len(first)} and {len(second)} values cannot be paired", "give equal lengths")
    values = np.array([[np.nan if v is None else v for v in column] for column in (first, second)], dtype=np.float64).T
    return values.reshape(-1, 2)[np.isfinite(values.reshape(-1, 2)).all(axis=1)]


def bland_altman(first: Sequence[float], second: Sequence[float]) -> dict[str, Any]:
    """Bias and limits of agreement of paired values, in their unit.

    Args:
        first: The n values of one reader or method; None and NaN drop the pair.
        second: Those of the other.

    Returns:
        ``n``, ``bias`` (mean of second - first) with its 95 % ``bias_interval``, ``sd`` of the differences, the limits
        ``lower`` and ``upper`` (bias -/+ 1.96 sd) with ``lower_interval`` and ``upper_interval``. Null where n is too
        small: the bias needs one pair, the rest two.
    """
    from scipy import stats

    pairs = _pairs(first, second)
    n = len(pairs)
    keys = ("bias", "sd", "lower", "upper", "bias_interval", "lower_interval", "upper_interval")
    content: dict[str, Any] = {"n": n} | dict.fromkeys(keys)
    if n == 0:
        return content
    difference = pairs[:, 1] - pairs[:, 0]
    bias = float(difference.mean())
    content["bias"] = number(bias, 6)
    if n < 2:
        return content
    sd = float(difference.std(ddof=1))
    t = float(stats.t.ppf(0.975, n - 1))
    # Standard error of a limit, exact form of Bland and Altman's sqrt(3 / n) approximation.
    around = t * sd * np.sqrt(1 / n + 1.96**2 / (2 * (n - 1)))
    content |= {"sd": number(sd, 6), "bias_interval": _around(bias, t * sd / np.sqrt(n))}
    for name, limit in (("lower", bias - 1.96 * sd), ("upper", bias + 1.96 * sd)):
        content[name] = number(limit, 6)
        content[f"{name}_interval"] = _around(limit, around)
    return content


def _around(value: float, half: float) -> list[float | None]:
    return [number(value - half, 6), number(value + half, 6)]


def icc(values: np.ndarray) -> dict[str, Any]:
    """Intraclass correlations of single measurements from a two-way table.

    Args:
        values: (n targets, k readers); rows with a missing value are left out.

    Returns:
        ``n``, ``k``; ``icc_2_1`` (absolute agreement, readers are a random sample) and ``icc_3_1`` (consistency, these
        readers) with 95 % intervals ``icc_2_1_interval``, ``icc_3_1_interval``. Null with fewer than two targets or
        readers, or when nothing varies.

    Raises:
        InputError: ``values`` is not a table.
    """
    from scipy import stats

    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2:
        raise InputError("agreement", f"ICC needs targets x readers, got {values.ndim} dimensions", "give a table")
    values = values[np.isfinite(values).all(axis=1)]
    n, k = values.shape
    names = ("icc_2_1", "icc_3_1", "icc_2_1_interval", "icc_3_1_interval")
    content: dict[str, Any] = {"n": n, "k": k} | dict.fromkeys(names)
    if n < 2 or k < 2:
        return content
    mean = values.mean()
    by_target, by_reader = values.mean(axis=1), values.mean(axis=0)
    targets = k * ((by_target - mean) ** 2).sum() / (n - 1)
    readers = n * ((by_reader - mean) ** 2).sum() / (k - 1)
    error = ((values - by_target[:, None] - by_reader[None, :] + mean) ** 2).sum() / ((n - 1) * (k - 1))
    # Rounding of the means leaves crumbs where the readers agree exactly.
    error = 0.0 if error < 1e-20 * max(targets, 1e-300) else error
    absolute = targets + (k - 1) * error + k * (readers - error) / n
    if absolute <= 0 or targets + error <= 0:
        return content
    agreement = (targets - error) / absolute
    content["icc_2_1"] = number(agreement, 6)
    content["icc_3_1"] = number((targets - error) / (targets + (k - 1) * error), 6)
    if error == 0:
        content["icc_3_1_interval"] = [1.0, 1.0]
        return content
    free = (n - 1, (n - 1) * (k - 1))
    ratio = targets / error
    low, high = ratio / stats.f.ppf(0.975, *free), ratio * stats.f.ppf(0.975, *free[::-1])
    content["icc_3_1_interval"] = [number((f - 1) / (f + k - 1), 6) for f in (low, high)]
    if agreement >= 1:
        return content
    # Satterthwaite degrees of freedom of the reader and error part (McGraw and Wong, case 2A).
    a = k * agreement / (n * (1 - agreement))
    b = 1 + k * agreement * (n - 1) / (n * (1 - agreement))
    spread = (a * readers) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    if spread <= 0:
        return content
    v = (a * readers + b * error) ** 2 / spread
    up, down = stats.f.ppf(0.975, n - 1, v), stats.f.ppf(0.975, v, n - 1)
    common = k * readers + (k * n - k - n) * error
    content["icc_2_1_interval"] = [
        number(n * (targets - up * error) / (up * common + n * targets), 6),
        number(n * (down * targets - error) / (common + n * down * targets), 6),
    ]
    return content


def weighted_kappa(first: Sequence[int], second: Sequence[int], weights: str = "quadratic") -> float | None:
    """Cohen's weighted kappa of paired grades (scikit-learn). A step is one grade, whether or not each grade occurs.

    Args:
        first: Grades 0..3 of one reader; None drops the pair.
        second: Those of the other.
        weights: ``linear`` or ``quadratic``.

    Returns:
        Kappa, or None without pairs or when both readers gave one and the same grade throughout.

    Raises:
        InputError: A value is no grade.
    """
    from sklearn.metrics import cohen_kappa_score

    pairs = _pairs(first, second)
    if not np.isin(pairs, GRADES).all():
        raise InputError("grades", "are not all 0, 1, 2 or 3", "correct the tables")
    pairs = pairs.astype(int)
    if len(pairs) == 0 or len(np.unique(pairs)) < 2:
        return None
    return number(cohen_kappa_score(pairs[:, 0], pairs[:, 1], labels=GRADES, weights=weights), 6)


def matched(first: Reading, second: Reading) -> list[tuple[int, int]]:
    """Pair the vertebrae of two readings of one picture.

    By level name where all vertebrae of both carry one, none of them twice; otherwise by the overlap of their boxes,
    the best pair first, each vertebra once.

    Returns:
        (position in first, position in second), head to foot.
    """
    labels = [[v.label for v in reading.vertebrae] for reading in (first, second)]
    if all(row and all(row) and len(set(row)) == len(row) for row in labels):
        where = {label: k for k, label in enumerate(labels[1])}
        return [(k, where[label]) for k, label in enumerate(labels[0]) if label in where]
    overlaps = [
        (_overlap(a.bbox, b.bbox), i, j) for i, a in enumerate(first.vertebrae) for j, b in enumerate(second.vertebrae)
    ]
    taken: dict[int, int] = {}
    for overlap, i, j in sorted(overlaps, reverse=True):
        if overlap >= MIN_OVERLAP and i not in taken and j not in taken.values():
            taken[i] = j
    return sorted(taken.items())


def _overlap(a: Sequence[float], b: Sequence[float]) -> float:
    width = max(min(a[2], b[2]) - max(a[0], b[0]), 0.0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)
    shared = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union if union > 0 else 0.0
