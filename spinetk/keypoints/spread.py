"""Spread: factors that make the blur of a network's heatmaps the standard deviation of its points.

A heatmap is as wide as the target it learnt from, whether or not its peak is right: intervals from its blur alone are
too wide (or too narrow). On pictures of patients the network has not seen, one factor a point name is fitted so that of
the heights' 95 % intervals 95 % hold the truth. Kuleshov et al., ICML 2018, recalibrate regression by its quantiles;
ours is one scale a point, because few patients are at hand. What is taken from several bodies, such as discs and Cobb
angles, gets a factor of its own besides (:mod:`spinetk.keypoints.quantities`).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from spinetk.keypoints.matching import match
from spinetk.keypoints.quantities import fit_scales, measured_truth, quantities, scaled
from spinetk.measure.uncertainty import COVERAGE_PERCENT
from spinetk.reading import Reading
from spinetk.schema import KeypointSchema
from spinetk.validation import OPEN, above

FEWEST = 30  # bodies to fit on
CLIPPED = (0.01, 0.99)  # quantiles at which single blunders are cut off
WITHIN_SDS = 1.96
FOLDS = 10
OF_POINTS = ("height", "tilt", "loss")
"""Kinds of measurement of a single body: the points' factors are fitted on its heights, and hold for these as well."""
Pair = tuple[Reading, Reading]
Case = tuple[str, Reading, Reading]
Known = tuple[str, Reading, Reading, Reading]
Part = tuple[set[str], np.ndarray | None, dict[str, float]]


@dataclass(frozen=True)
class PointSpread:
    """What a model card says of its points' standard deviations.

    Attributes:
        points: (K,) factors of the heatmaps' blur, in the order of the schema.
        fitted_on: The pictures they were fitted on, in words.
        coverage: Share of true heights inside their 95 % interval, and its median half width in percent of the height:
            as the network gives it, and with factors fitted on other patients than the one judged.
        scales: By kind of measurement (:data:`spinetk.measure.uncertainty.KINDS`), how much wider its intervals are
            than the points make them; kinds of which too little is known are not there.
        kinds: By kind, how many were compared, and the share of truths inside: by the points alone, and with factors
            fitted on other patients.
    """

    __pydantic_config__ = OPEN

    points: Annotated[tuple[Annotated[float, above(0, 100)], ...], Field(min_length=1, max_length=64)]
    fitted_on: str = ""
    coverage: dict[str, Any] | None = None
    scales: dict[str, Annotated[float, above(0, 100)]] = field(default_factory=dict)
    kinds: dict[str, Any] = field(default_factory=dict)

    @property
    def scales_of_all(self) -> dict[str, float]:
        """The scales, and 1 for what the points' own factors are fitted for."""
        return dict.fromkeys(OF_POINTS, 1.0) | self.scales


@dataclass(frozen=True)
class Errors:
    """Matched bodies of readings and their truth, all lengths in shares of the body's height.

    Attributes:
        along: (N, K) by how much points lie too far toward the head; NaN where not both see the point.
        sigma: (N, K) standard deviations as the network gave them.
        height: (N, C) error of each column's height.
        columns: (C, 2) rows of the points that end each column.
    """

    along: np.ndarray
    sigma: np.ndarray
    height: np.ndarray
    columns: np.ndarray

    def height_sigma(self, factors: np.ndarray) -> np.ndarray:
        """(N, C) standard deviation of the heights with these (K,) factors."""
        return np.sqrt(((self.sigma * factors)[:, self.columns] ** 2).sum(-1))


def folds(groups: Iterable[str], count: int = FOLDS) -> list[set[str]]:
    """Patients in ``count`` parts of about the same number (as many as there are patients, if these are fewer).

    By the hash of their names, so that nobody chose and the same patients always fall the same way.
    """
    names = sorted(set(groups), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    return [set(names[k::count]) for k in range(min(count, len(names)))]


def errors(pairs: Iterable[Pair], schema: KeypointSchema) -> Errors:
    """What is known of (prediction, truth) readings with the points of ``schema``."""
    ends = np.array([[schema.index(a), schema.index(b)] for a, b in schema.columns.values()], int).reshape(-1, 2)
    along, sigma, height = [], [], []
    for found, truth in pairs:
        order = [truth.schema.index(name) for name in schema.keypoints]
        for i, j in match(found, truth)[0]:
            own, true = found.vertebrae[i], truth.vertebrae[j]
            if own.point_sigma_px is None:
                continue
            seen = own.visible & true.visible[order]
            points = np.where(seen[:, None], own.points, np.nan)
            right = np.where(seen[:, None], true.points[order], np.nan)
            axes = points[ends[:, 0]] - points[ends[:, 1]]
            lengths = np.linalg.norm(axes, axis=1)
            if not np.isfinite(lengths).any():
                continue
            size, up = float(np.nanmean(lengths)), np.nanmean(axes, axis=0)
            along.append((points - right) @ (up / np.linalg.norm(up)) / size)
            sigma.append(np.asarray(own.point_sigma_px, float) / size)
            height.append((lengths - np.linalg.norm(right[ends[:, 0]] - right[ends[:, 1]], axis=1)) / size)
    shape = (-1, len(schema))
    return Errors(
        np.array(along).reshape(shape), np.array(sigma).reshape(shape), np.array(height).reshape(-1, len(ends)), ends
    )


def fit(found: Errors) -> np.ndarray | None:
    """(K,) factors for the standard deviations, or None from fewer than ``FEWEST`` bodies."""
    whole = np.isfinite(found.along).all(axis=1)
    if whole.sum() < FEWEST or not len(found.columns):
        return None
    z = found.along[whole] / found.sigma[whole]
    factors = np.sqrt(np.mean(np.clip(z, *np.quantile(z, CLIPPED, axis=0)) ** 2, axis=0))
    return factors * np.quantile(_off(found, factors), COVERAGE_PERCENT / 100)


def coverage(found: Errors, factors: np.ndarray | None = None) -> tuple[float, float]:
    """(share of true heights inside their 95 % interval, median half width in shares of the height).

    Args:
        found: Of other patients than the factors were fitted on.
        factors: (K,); None takes the standard deviations as they are.
    """
    factors = np.ones(found.sigma.shape[1]) if factors is None else factors
    half = WITHIN_SDS * found.height_sigma(factors)[np.isfinite(found.height)]
    return float((_off(found, factors) <= 1).mean()), float(np.median(half))


def _off(found: Errors, factors: np.ndarray) -> np.ndarray:
    """Errors of all heights in half widths of their intervals."""
    off = np.abs(found.height) / (WITHIN_SDS * found.height_sigma(factors))
    return off[np.isfinite(off)]


def crossed(
    pairs: Sequence[Case], schema: KeypointSchema, parts: Sequence[set[str]] | None = None
) -> list[tuple[set[str], np.ndarray | None]]:
    """Factors for the patients of each part, fitted on all others: (patients, (K,) factors or None).

    Args:
        pairs: (patient, prediction with the network's own standard deviations, truth).
        schema: The model's.
        parts: None takes :func:`folds`.
    """
    parts = folds(name for name, *_ in pairs) if parts is None else parts
    return [(own, fit(errors([(f, t) for name, f, t in pairs if name not in own], schema))) for own in parts]


def crossed_scales(
    pairs: Sequence[Case], schema: KeypointSchema, parts: Sequence[set[str]] | None = None
) -> list[Part]:
    """(patients, the points' factors, the kinds' scales) of each part, both fitted on all others.

    Args:
        pairs, schema, parts: As for :func:`crossed`.
    """
    known = _measured(pairs)
    return [(own, factors, _scales(known, factors, own)) for own, factors in crossed(pairs, schema, parts)]


def _measured(pairs: Sequence[Case]) -> list[Known]:
    """With each truth as measured, which takes as long as the prediction and does not depend on factors."""
    return [(name, found, truth, measured_truth(truth)) for name, found, truth in pairs]


def _scales(pairs: Sequence[Known], factors: np.ndarray | None, without: set[str]) -> dict[str, float]:
    """The kinds' scales from all patients but some."""
    kept = [case for case in pairs if case[0] not in without]
    found = ((name, one) for name, f, t, right in kept for one in quantities(scaled(f, factors), t, right))
    return fit_scales((name, one) for name, one in found if one.kind not in OF_POINTS)


def _kinds(pairs: Sequence[Known], parts: Sequence[Part]) -> dict[str, Any]:
    """By kind of measurement, how many were compared and what share was inside: by the points, and with its scale."""
    rows: dict[str, list[tuple[float, float | None]]] = defaultdict(list)
    for own, factors, scales in parts:
        for _, found, truth, right in [case for case in pairs if case[0] in own]:
            for one in quantities(scaled(found, factors), truth, right):
                rows[one.kind].append((one.off, scales.get(one.kind)))
    said = {}
    for kind, own_rows in rows.items():
        known = [off <= scale for off, scale in own_rows if scale is not None]
        shares = [np.mean([off <= 1 for off, _ in own_rows]), *([np.mean(known)] if known else [])]
        said[kind] = {"n": len(own_rows), "inside_percent": [round(100 * float(share), 1) for share in shares]}
    return said


def spread_of(
    pairs: Sequence[Case], schema: KeypointSchema, data: str, parts: Sequence[Part] | None = None
) -> PointSpread | None:
    """The spread of a model, fitted on all patients; each is judged by what was fitted on others (ten folds).

    Args:
        pairs, schema: As for :func:`crossed`.
        data: The pictures in words.
        parts: :func:`crossed_scales`, where it is known already.

    Returns:
        None where there is too little to fit on.
    """
    whole = errors([(found, truth) for _, found, truth in pairs], schema)
    factors = fit(whole)
    if factors is None:
        return None
    off, wide = [], []
    for own, others in crossed(pairs, schema):
        if others is not None:
            part = errors([(f, t) for name, f, t in pairs if name in own], schema)
            off.append(_off(part, others))
            wide.append(WITHIN_SDS * part.height_sigma(others)[np.isfinite(part.height)])
    before = coverage(whole)
    judged = {
        "patients": len({name for name, *_ in pairs}), "heights": int(np.isfinite(whole.height).sum()),
        "inside_percent": [round(100 * before[0], 1), round(100 * float((np.concatenate(off) <= 1).mean()), 1)],
        "half_width_percent": [round(100 * before[1], 2), round(100 * float(np.median(np.concatenate(wide))), 2)],
    } if off else None  # fmt: skip
    known = _measured(pairs)
    scales = _scales(known, factors, set())
    kinds = _kinds(known, crossed_scales(pairs, schema) if parts is None else parts)
    return PointSpread(tuple(factors.round(4).tolist()), data, judged, scales, kinds)
