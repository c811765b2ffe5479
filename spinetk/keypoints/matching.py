"""Matching: which prediction is which true vertebra, and how far its points are off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from spinetk.reading import Reading
from spinetk.schema import KeypointSchema
from spinetk.vertebra import Vertebra

MATCH_SHARE = 0.5  # of the true vertebra's height: a farther prediction is of something else


def mean_height(vertebra: Vertebra, schema: KeypointSchema) -> float:
    """Mean length of the columns with both ends visible, px; the box height where there is none."""
    heights = []
    for top, bottom in schema.columns.values():
        ends = vertebra.point(schema, top), vertebra.point(schema, bottom)
        if ends[0] is not None and ends[1] is not None:
            heights.append(float(np.linalg.norm(ends[0] - ends[1])))
    return float(np.mean(heights)) if heights else vertebra.bbox[3] - vertebra.bbox[1]


def match(found: Reading, truth: Reading) -> tuple[list[tuple[int, int]], int, int]:
    """Pair predictions with true vertebrae one to one.

    Pairs minimise the total mean point distance (Hungarian assignment); a pair farther apart than half the true
    height is none.

    Returns:
        Pairs (prediction, truth), the number of duplicates (unpaired predictions within half a height of a paired
        truth's centre) and of false ones (other unpaired predictions).
    """
    from scipy.optimize import linear_sum_assignment

    heights = np.array([mean_height(t, truth.schema) for t in truth.vertebrae])
    cost = np.full((len(found.vertebrae), len(truth.vertebrae)), np.inf)
    for i, f in enumerate(found.vertebrae):
        for j, t in enumerate(truth.vertebrae):
            if t.visible.any():
                cost[i, j] = np.linalg.norm(f.points - t.points, axis=1)[t.visible].mean() / max(heights[j], 1e-6)
    pairs = []
    if cost.size:
        rows, columns = linear_sum_assignment(np.minimum(cost, 10.0))
        pairs = [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if cost[i, j] <= MATCH_SHARE]
    taken = {i for i, _ in pairs}
    duplicates = false = 0
    for i, f in enumerate(found.vertebrae):
        if i in taken:
            continue
        near = any(np.linalg.norm(f.centre - truth.vertebrae[j].centre) <= MATCH_SHARE * heights[j] for _, j in pairs)
        duplicates, false = duplicates + near, false + (not near)
    return pairs, duplicates, false


def point_errors(found: Sequence[Reading], truths: Sequence[Reading]) -> dict[str, Any]:
    """Errors over matched vertebrae and counts over all, as JSON content.

    ``*_mm`` is over pictures with a known spacing (None when there is none), of which there are ``pictures_mm``;
    ``*_percent`` is of the true vertebra's mean height.
    """
    px: list[float] = []
    mm: list[float] = []
    percent: list[float] = []
    per_case: list[dict[str, Any]] = []
    total = missed = duplicated = false = complete = 0
    for f, t in zip(found, truths, strict=True):
        pairs, twice, invented = match(f, t)
        own: list[float] = []
        for i, j in pairs:
            true = t.vertebrae[j]
            difference = (f.vertebrae[i].points - true.points)[true.visible]
            distance = np.linalg.norm(difference, axis=1)
            px += distance.tolist()
            own += (100 * distance / max(mean_height(true, t.schema), 1e-6)).tolist()
            if t.frame.spacing_mm is not None:
                mm += np.linalg.norm(t.frame.to_mm(difference), axis=1).tolist()
        percent += own
        lost = len(t.vertebrae) - len(pairs)
        total, missed = total + len(t.vertebrae), missed + lost
        duplicated, false = duplicated + twice, false + invented
        complete += lost == 0
        mean = round(float(np.mean(own)), 3) if own else None
        per_case.append({"file": t.file, "missed": lost, "duplicated": twice, "false": invented, "mean_percent": mean})
    statistics: dict[str, Any] = {
        "pictures": len(per_case), "vertebrae": total, "missed": missed, "duplicated": duplicated, "false": false,
        "pictures_complete": complete, "pictures_mm": sum(t.frame.spacing_mm is not None for t in truths),
    }  # fmt: skip
    for unit, values in (("px", px), ("mm", mm), ("percent", percent)):
        statistics[f"mean_{unit}"] = round(float(np.mean(values)), 4) if values else None
        statistics[f"median_{unit}"] = round(float(np.median(values)), 4) if values else None
    return {**statistics, "cases": per_case}
