"""Calibration: a detector's scores as probabilities."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spinetk.cases.folder import read_pixels
from spinetk.formats.record import Record, reading_of
from spinetk.keypoints import naming
from spinetk.keypoints.centre.landmarks import known
from spinetk.keypoints.counting import Counting, Evidence
from spinetk.keypoints.exposure import KINDS, spoil
from spinetk.keypoints.matching import MATCH_SHARE, mean_height
from spinetk.keypoints.pictures import network_scale, resize, to_grey
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.sacrum import SPINE, lies_on_sacrum, surest
from spinetk.landmark import Landmark
from spinetk.measure.body import scale_of
from spinetk.measure.pelvis import front_of
from spinetk.reading import Reading

LANDMARK_SHARE = 0.25

RIDGE = 1.0
SHAPE_SHARE = 0.5  # of the shape's log odds: with it names are right as often as they say on films not fitted on


def calibrate(predictor: Predictor, records: Sequence[Record]) -> tuple[float, float]:
    """Slope and intercept that turn scores into the share of detections that are vertebrae (Platt scaling).

    Every detection of the network counts, before any ordering: it is one when its centre lies within half a height
    of a true one. ``records`` are held-out cases; where all or none of the detections are right, nothing is changed.
    """
    from sklearn.linear_model import LogisticRegression

    logits: list[float] = []
    hits: list[bool] = []
    for record in records:
        truth = reading_of(record)
        points, scores = predictor.detections(to_grey(read_pixels(record)), truth.frame)
        centres = np.array([v.centre for v in truth.vertebrae]).reshape(-1, 2)
        limits = np.array([MATCH_SHARE * mean_height(v, truth.schema) for v in truth.vertebrae])
        away = np.linalg.norm(points.mean(1)[:, None] - centres, axis=-1) if len(points) else np.zeros((0, len(limits)))
        hits += np.asarray((away <= limits).any(1)).tolist()
        logits += np.log(scores / (1 - scores)).tolist()
    if len(set(hits)) < 2:
        return 1.0, 0.0
    fitted = LogisticRegression(C=1e6).fit(np.array(logits)[:, None], hits)
    slope, intercept = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    # Scores that are higher where nothing is: no calibration makes sense of them, and none may turn them round.
    return (slope, intercept) if slope > 0 else (1.0, 0.0)


def calibrate_landmarks(predictor: Predictor, records: Sequence[Record]) -> dict[str, tuple[float, float]]:
    """As :func:`calibrate`, for each kind of landmark, on the pictures whose truth knows of them.

    A landmark that is seen is one when the middle of its points lies within ``LANDMARK_SHARE`` of its size (width of an
    endplate, radius of a head) from that of a true one.
    """
    seen: dict[str, list[tuple[float, bool]]] = {}
    for record in records:
        if not known(record.get("landmarks")):
            continue
        truth = reading_of(record).landmarks
        for own in predictor.landmarks(to_grey(read_pixels(record))):
            away = [np.linalg.norm(own.points.mean(0) - true.points.mean(0)) / _size(true)
                    for true in truth if true.kind == own.kind]  # fmt: skip
            seen.setdefault(own.kind, []).append((own.score or 0.0, bool(min(away, default=np.inf) <= LANDMARK_SHARE)))
    return {kind: fitted for kind, own in seen.items() if (fitted := calibrate_outcomes(own)) is not None}


def _size(landmark: Landmark) -> float:
    """Width of an endplate, radius of a head, px."""
    return landmark.radius_px or float(np.linalg.norm(landmark.points[-1] - landmark.points[0]))


class Sacral(NamedTuple):
    """What the sacrum told of pictures whose truth is known.

    Attributes:
        names: The evidence for the names counted up from S1, and whether they are right. Names are right when every
            body that lies on a true one bears its name.
        fronts: The score of the S1 endplate, and whether the front that it tells is right.
    """

    names: list[tuple[naming.Evidence, bool]]
    fronts: list[tuple[float, bool]]


def sacral_outcomes(predictor: Predictor, records: Iterable[Record]) -> Sacral:
    """Names and fronts by the sacrum in the pictures where it tells any, and the truth knows them."""
    told = Sacral([], [])
    for record in records:
        truth = reading_of(record)
        if not truth.vertebrae:
            continue
        reading, seen = predictor.sacral_evidence(to_grey(read_pixels(record)), truth.frame, truth.view)
        right = _names_right(reading, truth)
        if seen is not None and right is not None:
            told.names.append((seen, right))
        side = front_of(reading.landmarks, scale_of(reading))
        usable = surest(reading.landmarks) or lies_on_sacrum(reading)
        if side is not None and usable is not None and truth.frame.anterior is not None:
            told.fronts.append((float(usable.score or 0.0), side == truth.frame.anterior))
    return told


def _names_right(reading: Reading, truth: Reading) -> bool | None:
    """Whether the names that a sacrum below its last body would give a column are right; None where nobody knows."""
    count = len(reading.vertebrae)
    if count > len(SPINE) or not all(vertebra.label for vertebra in truth.vertebrae):
        return None
    right = []
    for vertebra, name in zip(reading.vertebrae, SPINE[-count:] if count else [], strict=True):
        away = [float(np.linalg.norm(own.centre - vertebra.centre)) for own in truth.vertebrae]
        nearest = truth.vertebrae[int(np.argmin(away))]
        if min(away) <= MATCH_SHARE * mean_height(nearest, truth.schema):
            right.append(nearest.label == name)
    return all(right) if right else None


def calibrate_outcomes(outcomes: Sequence[tuple[float, bool]]) -> tuple[float, float] | None:
    """Platt's slope and intercept for what follows from the S1 endplate; None from fewer than 20 pictures.

    Targets are Platt's, (n + 1) / (n + 2) and 1 / (n + 2): what was right on all of n pictures is not certain.

    Args:
        outcomes: (score of the endplate, whether what follows from it is right), one a picture.
    """
    from sklearn.linear_model import LogisticRegression

    if len(outcomes) < 20:
        return None
    scores, right = np.array(outcomes, dtype=np.float64).T
    scores = scores.clip(1e-6, 1 - 1e-6)
    logits = np.log(scores / (1 - scores))[:, None]
    target = np.where(right > 0, (right.sum() + 1) / (right.sum() + 2), 1 / ((1 - right).sum() + 2))
    both = np.concatenate([logits, logits]), np.repeat([1, 0], len(logits))
    # The score of S1 may say little, but a higher one must not count against what follows from it.
    fitted = LogisticRegression(C=1.0).fit(*both, sample_weight=np.concatenate([target, 1 - target]))
    slope, intercept = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    if slope <= 0:
        share = float(target.mean())
        return 0.0, float(np.log(share / (1 - share)))
    return slope, intercept


@dataclass(frozen=True)
class Counted:
    """What a network counted of one film, beside the truth.

    Attributes:
        case, patient, kind: The film, and what was done to it (:mod:`spinetk.keypoints.exposure`).
        seen: The evidence for the count; None where it takes the column for a part of the spine.
        names, right: Bodies found that are true ones, and those of them whose counted name is the true one.
        shift: Of the names, in levels: 1 where most are one level too far down (the chain is one too high: C7 is taken
            for T1); None without any.
        found, false: True bodies found; bodies found that are none.
        lowest: Whether the lowest true body is among those found.
    """

    case: str
    patient: str
    kind: str
    seen: Evidence | None
    names: int
    right: int
    shift: int | None
    found: int
    false: int
    lowest: bool


def counted(predictor: Predictor, record: Record, patient: str = "") -> list[Counted]:
    """What a network counts of a film of the whole spine, as it is and spoilt; nothing where the truth has no names."""
    truth = reading_of(record)
    labels = [vertebra.label for vertebra in truth.vertebrae]
    levels = list(predictor.engine.preset.levels)
    if not labels or not set(labels) <= set(levels):
        return []
    grey, preset = to_grey(read_pixels(record)), predictor.engine.preset
    height, width = grey.shape
    small, factors = resize(grey, network_scale(height, width, preset.short_px[-1], preset.long_px), preset.layout)
    bodies = np.stack([vertebra.points for vertebra in truth.vertebrae]) * factors
    limits = MATCH_SHARE * np.array([mean_height(vertebra, truth.schema) for vertebra in truth.vertebrae]) * factors[1]
    entries = []
    for kind in KINDS:
        film, begins = spoil(small, bodies, kind, zlib.crc32(f"{record.get('case')} {kind}".encode()))
        points, count = predictor.count(film)
        away = np.linalg.norm((points.mean(1) + begins)[:, None] - bodies.mean(1), axis=-1)
        on = np.array([int(row.argmin()) if (row <= limits).any() else -1 for row in away], np.int64)
        shifts = [levels.index(count.levels[i]) - levels.index(str(labels[j])) for i, j in enumerate(on) if j >= 0]
        usual = Counter(shifts).most_common(1)[0][0] if shifts else None
        there = {int(j) for j in on if j >= 0}
        entries.append(
            Counted(
                str(record.get("case")), patient, kind, count.seen, len(shifts), shifts.count(0), usual, len(there),
                int((on < 0).sum()), len(labels) - 1 in there,
            )
        )  # fmt: skip
    return entries


def fit_counting(films: Sequence[Counted], fitted_on: str = "") -> Counting | None:
    """Weights that make the evidence for counts a probability; None from fewer than 20 films with any, or from one kind
    of outcome.

    Maximum likelihood of a logistic function with a slight ridge; weights are kept from falling below 0. A count is
    right when every body that lies on a true one bears its name.
    """
    usable = [film for film in films if film.seen is not None and film.names]
    right = np.array([film.right == film.names for film in usable], bool)
    if len(usable) < 20 or right.all() or not right.any():
        return None
    seen = np.array([film.seen for film in usable])
    (first, second, third), intercept = fit_weights(seen, right.astype(np.float64))
    return Counting((first, second, third), intercept, fitted_on)


def fit_naming(outcomes: Sequence[tuple[naming.Evidence, bool]], fitted_on: str = "") -> naming.Naming | None:
    """Weights that make the evidence for names counted up from the sacrum a probability; None from fewer than 20 films.

    Targets are Platt's, (n + 1) / (n + 2) and 1 / (n + 2): what was right on all of n films is not certain.
    """
    if len(outcomes) < 20:
        return None
    weighed = np.array([own.by_odds for own, _ in outcomes])
    right = np.array([own for _, own in outcomes], bool)
    target = np.where(right, (right.sum() + 1) / (right.sum() + 2), 1 / ((~right).sum() + 2))
    shape = SHAPE_SHARE * np.array([own.shape for own, _ in outcomes])
    weights, intercept = fit_weights(weighed, target, shape)
    return naming.Naming(tuple(weights), intercept, fitted_on, odds=True, shape=SHAPE_SHARE)


def fit_weights(seen: np.ndarray, target: np.ndarray, log_odds: np.ndarray | float = 0.0) -> tuple[list[float], float]:
    """Weights, none below 0, and intercept of a logistic function, by maximum likelihood with a slight ridge.

    Args:
        seen: (N, M) evidence.
        target: (N,) how probable the outcome was, 0 to 1.
        log_odds: (N,) what something else gives each outcome, beside the weights.
    """
    from scipy.optimize import minimize

    middle, scale = seen.mean(0), seen.std(0) + 1e-6
    count = seen.shape[1]
    standard = (seen - middle) / scale

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        logits = standard @ values[:-1] + values[-1] + log_odds
        slopes = (1 + np.tanh(logits / 2)) / 2 - target
        ridge = RIDGE * values * ([1] * count + [0])
        gradient = np.append(standard.T @ slopes, slopes.sum()) + ridge
        return float((np.logaddexp(0, logits) - target * logits).sum() + 0.5 * ridge @ values), gradient

    found = minimize(loss, np.zeros(count + 1), jac=True, bounds=[(0, None)] * count + [(None, None)]).x
    weights = found[:-1] / scale
    return [round(float(value), 4) for value in weights], round(float(found[-1] - weights @ middle), 4)
