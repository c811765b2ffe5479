"""Sacral spread: how much wider intervals are that rest on the S1 endplate, by how surely it was seen.

An endplate that a network hardly sees may be another line of the sacrum, and its heatmaps do not say so: they are as
narrow there as on the right line. So angles, disc and slip that are taken from it get, in each band of its score, the
factor by which 95 % of their intervals hold the truth on pictures new to the network (as
:func:`spinetk.keypoints.quantities.fit_scales`, whose quantile it is).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field

from spinetk.keypoints.matching import match
from spinetk.keypoints.quantities import DISC_ANGLES, DISC_SIDES, Quantity, quantile
from spinetk.landmark import Landmark
from spinetk.measure import measure
from spinetk.measure.uncertainty import SACRAL
from spinetk.reading import Reading
from spinetk.validation import OPEN, Share, above

FEWEST = 20  # values to fit a factor on: the 95 % quantile of fewer is not known
Factors = Annotated[tuple[Annotated[float, above(0, 100)], ...], Field(min_length=1, max_length=16)]


@dataclass(frozen=True)
class SacralSpread:
    """What a model card says of intervals that rest on its S1 endplate.

    Attributes:
        least: Scores at which the bands begin, rising; what is seen less surely than the first counts as in it.
        scales: By name (:data:`spinetk.measure.uncertainty.SACRAL`), the factor of each band.
        fitted_on: The pictures, in words.
        judged: What others say of them, for the reader.
    """

    __pydantic_config__ = OPEN

    least: Annotated[tuple[Share, ...], Field(min_length=1, max_length=16)]
    scales: dict[str, Factors]
    fitted_on: str = ""
    judged: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if list(self.least) != sorted(set(self.least)):
            raise ValueError("bands of S1's score do not rise")
        if not set(self.scales) <= set(SACRAL):
            raise ValueError("scales are of what does not rest on S1")
        if any(len(own) != len(self.least) for own in self.scales.values()):
            raise ValueError("scales are not one a band of S1's score")

    def of(self, landmarks: Iterable[Landmark], kinds: Mapping[str, float]) -> dict[str, float]:
        """The factors of a reading with these landmarks; none where it has no S1 endplate.

        Phantoms are easier to read than patients: no factor is smaller than that of its kind, or 1 where that has none.
        """
        score = next((own.score for own in landmarks if own.kind == "s1" and own.score is not None), None)
        if score is None:
            return {}
        return {name: self.factor(name, score, kinds) for name in self.scales}

    def factor(self, name: str, score: float, kinds: Mapping[str, float]) -> float:
        """One of them."""
        return max(self.scales[name][band(score, self.least)], kinds.get(SACRAL[name], 1.0))


class Off(NamedTuple):
    """One measurement from an S1 endplate: its name of ``SACRAL``, the endplate's score, and the error in half
    intervals (:attr:`spinetk.keypoints.quantities.Quantity.off`)."""

    name: str
    score: float
    off: float


def band(score: float, least: Iterable[float]) -> int:
    """The index of the band that a score lies in."""
    return max(0, sum(score >= own for own in least) - 1)


def with_plate(truth: Reading) -> Reading:
    """The truth with the S1 endplate that lies outside the picture, where its extras say where (``s1``)."""
    if "s1" not in truth.extras or any(own.kind == "s1" for own in truth.landmarks):
        return truth
    return replace(truth, landmarks=[Landmark("s1", truth.extras["s1"]), *truth.landmarks])


def errors_of(found: Reading, truth: Reading) -> Iterator[Off]:
    """What a prediction takes from its S1 endplate, beside the truth: both by the true front and the true names.

    The disc above S1 is compared where the lowest body found is the lowest of the truth, and that L5.

    Args:
        found: As predicted; its own factors are left aside.
        truth: With names and front; the endplate may lie outside the picture (:func:`with_plate`).
    """
    score = next((own.score for own in found.landmarks if own.kind == "s1"), None)
    side, right = truth.frame.anterior, with_plate(truth)
    if score is None or side is None:
        return
    pairs = dict(match(found, truth)[0])
    named = [
        replace(own, label=truth.vertebrae[pairs[k]].label if k in pairs else None)
        for k, own in enumerate(found.vertebrae)
    ]
    own = measure(replace(found, vertebrae=named, interval_scale={}), facing=side)
    right = measure(right, facing=side)
    for name in list(SACRAL)[:4]:
        yield from _one(name, score, own.angles.get(name), own.angles.get(f"{name}_interval"), right.angles.get(name))
    last, lowest = len(found.vertebrae) - 1, len(truth.vertebrae) - 1
    if pairs.get(last, -1) != lowest or lowest < 0 or truth.vertebrae[lowest].label != "L5":
        return
    one, other = (r.vertebrae[k].measures["disc_below"] or {} for r, k in ((own, last), (right, lowest)))
    for place in DISC_SIDES:
        figures = (
            (disc.get(key) or {}).get(place)
            for disc, key in ((one, "heights_px"), (one, "heights_px_interval"), (other, "heights_px"))
        )
        yield from _one("lumbosacral_height", score, *figures)
    for (key, *_), name in zip(DISC_ANGLES, list(SACRAL)[-2:], strict=True):
        yield from _one(name, score, one.get(key), one.get(f"{key}_interval"), other.get(key))


def _one(name: str, score: float, value: Any, span: Any, true: Any) -> Iterator[Off]:
    """An error, where prediction and truth both have the measurement."""
    if value is not None and span is not None and true is not None:
        low, high = span
        quantity = Quantity(name, name, float(value), float(low), float(high), float(true))
        yield Off(name, float(score), quantity.off)


def fit_sacral(rows: Iterable[Off], least: tuple[float, ...], fitted_on: str = "") -> SacralSpread | None:
    """The factors of each band; None where a name has too few values in all of them.

    A band's factor is not below that of a surer one: what is seen less surely is not known better. Where a band has too
    few values (few films that show hips hide the sacrum), it takes those of the surer ones too, and no less than the
    factor of the slope: all of it rests on one endplate.
    """
    held: dict[tuple[str, int], list[float]] = {}
    for one in rows:
        if np.isfinite(one.off):
            held.setdefault((one.name, band(one.score, least)), []).append(one.off)
    scales: dict[str, tuple[float, ...]] = {}
    for name in SACRAL:
        own = [held.get((name, k), []) for k in range(len(least))]
        factors = []
        for k in range(len(least)):
            few = len(own[k]) < FEWEST
            values = [value for others in own[k:] for value in others] if few else own[k]
            if len(values) < FEWEST or (few and not scales):
                return None
            factors.append(max(quantile(values), scales["sacral_slope"][k] if few else 0.0))
        rising = np.maximum.accumulate(factors[::-1])[::-1]
        scales[name] = tuple(round(float(value), 4) for value in rising)
    return SacralSpread(least, scales, fitted_on)


def coverage(
    rows: Iterable[Off], known: SacralSpread, kinds: Mapping[str, float]
) -> dict[tuple[str, int], tuple[int, float, float]]:
    """By name and band: how many, and the share inside, with the factors of ``kinds`` alone and with those of S1."""
    held: dict[tuple[str, int], list[tuple[bool, bool]]] = {}
    for one in rows:
        before, now = kinds.get(SACRAL[one.name], 1.0), known.factor(one.name, one.score, kinds)
        held.setdefault((one.name, band(one.score, known.least)), []).append((one.off <= before, one.off <= now))
    shares = {key: np.mean(own, axis=0) for key, own in held.items()}
    return {key: (len(own), float(shares[key][0]), float(shares[key][1])) for key, own in held.items()}
