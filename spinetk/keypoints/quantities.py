"""Quantities: every measurement with an interval beside its truth, and what makes the intervals of a kind hold 95 %.

Points that are moved independently of each other (:mod:`spinetk.measure.uncertainty`) say too little of what is taken
from several bodies: an endplate seen too high makes one body shorter and the disc above it higher. For each kind of
measurement one factor is fitted, by which the ends of its intervals lie farther from the value: the 95 % quantile of
how far truths lie out, counted in half intervals (Lei et al., J Am Stat Assoc 2018;113:1094-1111, split conformal
prediction with locally weighted residuals; ours is pooled over the bodies of a patient, which are not independent).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from spinetk.keypoints.matching import match
from spinetk.measure import measure
from spinetk.measure.alignment import PELVIC
from spinetk.measure.angles import COBB, SAGITTAL
from spinetk.measure.uncertainty import COVERAGE_PERCENT, kind_of
from spinetk.reading import Reading
from spinetk.views import rules_of

FEWEST = 40  # values of a kind to fit on
FEWEST_PATIENTS = 5
ANGLES = (*COBB, "cobb_max_endplates", *SAGITTAL, *PELVIC)
SIDES = ("left", "middle", "right")
DISC_SIDES = ("anterior", "middle", "posterior")
DISC_ANGLES = (
    ("angle_deg", "disc_angle", "disc angle, degrees"),
    ("listhesis_percent", "listhesis", "slip, % of the endplate"),
)


class Quantity(NamedTuple):
    """One measurement of a picture beside its truth.

    Attributes:
        name: For tables, with the unit; heights and discs in percent of the true height of the body.
        kind: Of :data:`spinetk.measure.uncertainty.KINDS`.
    """

    name: str
    kind: str
    value: float
    low: float
    high: float
    true: float

    @property
    def off(self) -> float:
        """How far the truth lies from the value, in half intervals of its side; above 1 it lies outside."""
        end = self.high if self.true >= self.value else self.low
        off, half = abs(self.true - self.value), abs(end - self.value)
        return off / half if half else 0.0 if not off else float("inf")


def scaled(reading: Reading, factors: np.ndarray | None, scales: Mapping[str, float] | None = None) -> Reading:
    """The reading with its points' standard deviations times (K,) ``factors``, and these scales of intervals."""
    vertebrae = reading.vertebrae
    if factors is not None:
        vertebrae = [
            replace(v, point_sigma_px=None if v.point_sigma_px is None else np.asarray(v.point_sigma_px) * factors)
            for v in vertebrae
        ]
    return replace(reading, vertebrae=vertebrae, interval_scale=dict(scales or {}))


def measured_truth(truth: Reading) -> Reading:
    """The truth measured with the front that it tells or, where it tells none, with the left: for heights and angles of
    discs it does not matter which it is, as long as it is that of the prediction.
    """
    return measure(truth, facing=_front(measure(truth)))


def _front(measured: Reading) -> str:
    return "left" if measured.facing is None or measured.facing.side is None else measured.facing.side


def quantities(found: Reading, truth: Reading, right: Reading | None = None) -> Iterator[Quantity]:
    """All that a prediction gives with an interval and its truth holds, too.

    Args:
        found, truth: Both are measured with one front.
        right: :func:`measured_truth` of the truth, where it is known already.
    """
    right = measured_truth(truth) if right is None else right
    own = measure(found, facing=_front(right))
    pairs = dict(match(found, truth)[0])
    for i, j in pairs.items():
        yield from _of_body(own.vertebrae[i].measures, right.vertebrae[j].measures)
        if pairs.get(i + 1) == j + 1:
            yield from _of_disc(own.vertebrae[i].measures, right.vertebrae[j].measures)
    shown = rules_of(truth.view).angles
    for name in [name for name in ANGLES if name.startswith(shown)]:
        figures = own.angles.get(name), own.angles.get(f"{name}_interval"), right.angles.get(name)
        yield from _one(f"{name}, degrees", kind_of(name), *figures)


def _of_body(own: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[Quantity]:
    for name in SIDES:
        true = right["heights_px"].get(name)
        if true:
            value, span = own["heights_px"].get(name), (own["heights_px_interval"] or {}).get(name)
            yield from _one(f"height {name}, %", "height", value, span, true, true / 100)
    yield from _one("tilt, degrees", "tilt", own["tilt_deg"], own["tilt_deg_interval"], right["tilt_deg"])
    one, other = own["deformity"] or {}, right["deformity"] or {}
    losses = one.get("loss_percent"), one.get("loss_percent_interval"), other.get("loss_percent")
    yield from _one("height loss, %", "loss", *losses)


def _of_disc(own: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[Quantity]:
    one, other, size = own["disc_below"] or {}, right["disc_below"] or {}, right["heights_px"].get("left")
    for name in DISC_SIDES:
        value, span, true = (
            (side.get(field) or {}).get(name)
            for side, field in ((one, "heights_px"), (one, "heights_px_interval"), (other, "heights_px"))
        )
        if size:
            yield from _one("disc height, % of the body's", "disc_height", value, span, true, size / 100)
    for name, kind, words in DISC_ANGLES:
        yield from _one(words, kind, one.get(name), one.get(f"{name}_interval"), other.get(name))


def _one(name: str, kind: str, value: Any, span: Any, true: Any, unit: float = 1.0) -> Iterator[Quantity]:
    """A quantity, where prediction and truth both have it."""
    if span is not None and value is not None and true is not None:
        yield Quantity(name, kind, *(float(number) / unit for number in (value, *span, true)))


def fit_scales(found: Iterable[tuple[str, Quantity]]) -> dict[str, float]:
    """The factor of each kind of which enough is known.

    Args:
        found: (patient, measurement), with intervals as the points make them.
    """
    off: dict[str, list[float]] = defaultdict(list)
    whose: dict[str, set[str]] = defaultdict(set)
    for patient, one in found:
        if np.isfinite(one.off):  # an interval without width stays one, whatever the factor
            off[one.kind].append(one.off)
            whose[one.kind].add(patient)
    return {
        kind: round(quantile(values), 4)
        for kind, values in off.items()
        if len(values) >= FEWEST and len(whose[kind]) >= FEWEST_PATIENTS
    }


def quantile(values: Sequence[float]) -> float:
    """The least value that a further one exceeds in 5 % of cases at most, whatever their distribution (ibid., 2.2)."""
    rank = min(len(values), int(np.ceil((len(values) + 1) * COVERAGE_PERCENT / 100)))
    return float(np.sort(values)[rank - 1])
