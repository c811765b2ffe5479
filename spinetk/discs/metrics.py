"""Metrics that know labels, in mm, with confidence intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from spinetk.discs.legacy import trio

RIGHT_MM = 10.0
"""A disc is at its place within this distance: a third of the smallest usual step between lumbar discs."""
Labelled = Mapping[int, Sequence[float] | np.ndarray]


@dataclass(frozen=True)
class Case:
    """One subject: disc number to (x, y) mm, x across and y along the spine. Predictions of unknown level apart.

    Attributes:
        truth, found: By number.
        unknown: (N, 2) predicted points without a level.
    """

    truth: Labelled
    found: Labelled
    unknown: Sequence[Sequence[float] | np.ndarray] = ()

    @property
    def true_points(self) -> np.ndarray:
        """(N, 2) mm."""
        return np.array(list(self.truth.values()), dtype=np.float64).reshape(-1, 2)

    @property
    def found_points(self) -> np.ndarray:
        """(M, 2) mm, those without a level included."""
        return np.array([*self.found.values(), *self.unknown], dtype=np.float64).reshape(-1, 2)


def level_accuracy(cases: Sequence[Case]) -> float | None:
    """Share of all true discs that have a prediction of the *same number* within 10 mm."""
    right = [
        number in case.found and _distance(case.found[number], point) <= RIGHT_MM
        for case in cases
        for number, point in case.truth.items()
    ]
    return float(np.mean(right)) if right else None


def shift_rate(cases: Sequence[Case]) -> float | None:
    """Share of all true discs whose nearest prediction, within 10 mm, bears the number of a neighbouring disc."""
    shifted = []
    for case in cases:
        numbers = list(case.found)
        for number, point in case.truth.items():
            apart = [_distance(case.found[n], point) for n in numbers]
            nearest = int(np.argmin(apart)) if apart else -1
            shifted.append(nearest >= 0 and apart[nearest] <= RIGHT_MM and abs(numbers[nearest] - number) == 1)
    return float(np.mean(shifted)) if shifted else None


def errors_mm(cases: Sequence[Case]) -> dict[int, list[float]]:
    """Distances between discs of the same number, in mm, by number."""
    errors: dict[int, list[float]] = {}
    for case in cases:
        for number in sorted(set(case.truth) & set(case.found)):
            errors.setdefault(number, []).append(_distance(case.truth[number], case.found[number]))
    return dict(sorted(errors.items()))


def mean_error_mm(cases: Sequence[Case]) -> float | None:
    """Mean distance between discs of the same number, mm."""
    values = [value for own in errors_mm(cases).values() for value in own]
    return float(np.mean(values)) if values else None


def set_counts(cases: Sequence[Case], levels: Sequence[int]) -> dict[str, int | float | None]:
    """TP, FP, FN and TN on the sets of disc numbers, and accuracy (TP + TN) / all, as in the disc-labelling benchmark.

    Args:
        cases: Subjects.
        levels: The numbers that could have been given; further ones count as they occur.
    """
    counts = {"tp": 0, "fp": 0, "fn": 0, "tn": 0}
    for case in cases:
        for number in {*levels, *case.truth, *case.found}:
            true, found = number in case.truth, number in case.found
            counts["tp" if true and found else "fp" if found else "fn" if true else "tn"] += 1
    total = sum(counts.values())
    return {**counts, "accuracy": (counts["tp"] + counts["tn"]) / total if total else None}


def selection(judged: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, float | None]:
    """How well a method tells true candidates from false ones, as the look-once paper compares methods.

    Args:
        judged: For each image whether each candidate is true, and whether the method kept it: two (N,) bool arrays.

    Returns:
        ``f1``, ``accuracy``, ``sensitivity``, ``specificity`` and ``auc`` (of hard decisions, the mean of the last
        two), each the mean over the images where it is defined, None where it never is.
    """
    rows: dict[str, list[float]] = {name: [] for name in ("f1", "accuracy", "sensitivity", "specificity", "auc")}
    for true, kept in judged:
        tp, tn = int((true & kept).sum()), int((~true & ~kept).sum())
        fp, fn = int((~true & kept).sum()), int((true & ~kept).sum())
        shares = {
            "f1": (2 * tp, 2 * tp + fp + fn),
            "accuracy": (tp + tn, len(true)),
            "sensitivity": (tp, tp + fn),
            "specificity": (tn, tn + fp),
        }
        for name, (part, whole) in shares.items():
            if whole:
                rows[name].append(part / whole)
        if tp + fn and tn + fp:
            rows["auc"].append((tp / (tp + fn) + tn / (tn + fp)) / 2)
    return {name: float(np.mean(values)) if values else None for name, values in rows.items()}


def _set_count(cases: Sequence[Case], levels: Sequence[int], key: str) -> float | None:
    return set_counts(cases, levels)[key]


def bootstrap(
    cases: Sequence[Case],
    measure: Callable[[Sequence[Case]], float | None],
    *,
    rounds: int = 1000,
) -> tuple[float, float] | None:
    """95 % percentile interval of a measure over subjects drawn with replacement; None when it is never defined."""
    random = np.random.default_rng(0)
    draws = [tuple(random.integers(0, len(cases), len(cases)).tolist()) for _ in range(rounds)]
    values = {draw: measure([cases[i] for i in draw]) for draw in set(draws)}  # few subjects are often drawn alike
    defined = [value for draw in draws if (value := values[draw]) is not None]
    if not defined:
        return None
    low, high = np.quantile(defined, [0.025, 0.975])
    return float(low), float(high)


def summary(cases: Sequence[Case], levels: Sequence[int], *, rounds: int = 1000) -> dict[str, Any]:
    """Everything at once: the published trio in mm beside the metrics that know labels, with 95 % intervals."""

    def legacy(key: str) -> Callable[[Sequence[Case]], float | None]:
        return lambda chosen: trio([(case.true_points, case.found_points) for case in chosen])[key]

    measures = {
        "dtt_median_mm": legacy("dtt_median"),
        "dtt_mean_mm": legacy("dtt_mean"),
        "fnr_percent": legacy("fnr_percent"),
        "fpr_percent": legacy("fpr_percent"),
        "level_accuracy": level_accuracy,
        "one_level_shift_rate": shift_rate,
        "l2_mean_mm": mean_error_mm,
    }
    content: dict[str, Any] = {
        "subjects": len(cases),
        "discs": sum(len(case.truth) for case in cases),
        "dtt_sd_mm": legacy("dtt_sd")(cases),
    }
    for name, measure in measures.items():
        content[name] = measure(cases)
        interval = bootstrap(cases, measure, rounds=rounds) if cases else None
        content[f"{name}_ci95"] = None if interval is None else list(interval)
    content["levels"] = {
        str(number): {"n": len(own), "l2_mean_mm": float(np.mean(own)), "l2_median_mm": float(np.median(own))}
        for number, own in errors_mm(cases).items()
    }
    content["sets"] = sets = set_counts(cases, levels)
    for key in sets:
        interval = bootstrap(cases, partial(_set_count, levels=levels, key=key), rounds=rounds)
        content.setdefault("sets_ci95", {})[key] = None if interval is None else list(interval)
    return content


def _distance(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray) -> float:
    return float(np.hypot(a[0] - b[0], a[1] - b[1]))
