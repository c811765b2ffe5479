"""Uncertainty: how far the measurements move when the points move by their standard deviations.

Monte Carlo with a fixed seed: the same reading gives the same interval. Points are moved independently of each other
and by the same amount in x and y, which is all that ``point_sigma_px`` says; errors shared by neighbouring points (a
shifted endplate) are not in it. What is taken from several points can therefore err by more or less than its draws: a
factor for each kind of measurement, fitted on patients new to the network (:mod:`spinetk.keypoints.quantities`), widens
or narrows its intervals; they stand in a reading's ``interval_scale``. A kind that is not there was not fitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from spinetk.measure.body import number, stack
from spinetk.measure.rounding import DECIMALS
from spinetk.reading import Reading
from spinetk.views import rules_of

DRAWS = 1000
SEED = 20210728
COVERAGE_PERCENT = 95.0
TAILS_PERCENT = ((100 - COVERAGE_PERCENT) / 2, 100 - (100 - COVERAGE_PERCENT) / 2)


KINDS = {
    "height": "heights of bodies",
    "tilt": "tilt",
    "loss": "height loss",
    "disc_height": "disc heights",
    "disc_angle": "disc angles",
    "listhesis": "slips",
    "cobb_max": "the largest Cobb angle",
    "cobb_upper": "the Cobb angle above",
    "cobb_lower": "the Cobb angle below",
    "cobb_max_endplates": "the Cobb angle of endplates",
    "curve": "lordosis and kyphosis",
    "pelvic": "pelvic angles",
}
"""Kinds of measurement with an interval, in words."""
ANGLE_KINDS = {"lordosis": "curve", "kyphosis": "curve", "sacral": "pelvic", "pelvic": "pelvic"}
"""Kind of an angle by how its name begins; Cobb angles are kinds of their own."""
SACRAL = {
    "sacral_slope": "pelvic", "pelvic_tilt": "pelvic", "pelvic_incidence": "pelvic", "lordosis_l1_s1": "curve",
    "lumbosacral_height": "disc_height", "lumbosacral_angle": "disc_angle", "lumbosacral_slip": "listhesis",
}  # fmt: skip
"""What is taken from the endplate of S1, and its kind: angles, then height and angle of the disc above it, and the slip
over it. A reading may hold factors by these names, which go before those of the kinds: how far they may be off depends
on how surely the endplate was seen."""


def kind_of(angle: str) -> str:
    """The kind of an angle of a reading."""
    name = angle.removesuffix("_interval")
    return ANGLE_KINDS.get(name.partition("_")[0], name)


def scaled(span: list[float] | None, value: float | None, factor: float, least: float | None = None) -> Any:
    """An interval with both its ends ``factor`` times as far from the value; no end below ``least``."""
    if span is None or value is None or factor == 1.0:
        return span
    ends = [value + factor * (end - value) for end in span]
    return [round(end if least is None else max(least, end), 4) for end in ends]


def scale_angles(angles: dict[str, Any], scales: Mapping[str, float]) -> dict[str, Any]:
    """The angles of a reading with their intervals scaled by name (``SACRAL``) or kind."""
    found = dict(angles)
    for name in [name for name in angles if name.endswith("_interval")]:
        angle = name.removesuffix("_interval")
        least = 0.0 if angle.startswith("cobb") else None  # a Cobb angle has no sign
        found[name] = scaled(angles[name], angles[angle], scales.get(angle, scales.get(kind_of(angle), 1.0)), least)
    return found


def not_fitted(reading: Reading) -> list[str]:
    """The kinds of measurement of a measured reading that have an interval nobody has calibrated."""
    bodies = [vertebra.measures for vertebra in reading.vertebrae]
    discs = [own.get("disc_below") or {} for own in bodies]
    given = {
        "height": any(own.get("heights_px_interval") for own in bodies),
        "tilt": any(own.get("tilt_deg_interval") for own in bodies),
        "loss": any((own.get("deformity") or {}).get("loss_percent_interval") for own in bodies),
        "disc_height": any(own.get("heights_px_interval") for own in discs),
        "disc_angle": any(own.get("angle_deg_interval") for own in discs),
        "listhesis": any(own.get("listhesis_px_interval") for own in discs),
    }
    shown = rules_of(reading.view).angles
    for name, span in reading.angles.items():
        if name.endswith("_interval") and name.startswith(shown) and span is not None:
            given[kind_of(name)] = True
    return [kind for kind in KINDS if given.get(kind) and kind not in reading.interval_scale]


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


def interval(values: np.ndarray) -> list[float] | None:
    """[low, high] of the middle ``COVERAGE_PERCENT`` of (DRAWS,) values; None when fewer than half are finite."""
    finite = values[np.isfinite(values)]
    if 2 * len(finite) < len(values) or not len(finite):
        return None
    return [round(float(value), DECIMALS) for value in tails(finite[:, None])[:, 0]]


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
