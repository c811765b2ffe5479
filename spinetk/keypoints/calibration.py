"""Calibration: a detector's scores as probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spinetk.cases.folder import read_pixels
from spinetk.formats.record import Record, reading_of
from spinetk.keypoints.matching import MATCH_SHARE, mean_height
from spinetk.keypoints.pictures import to_grey
from spinetk.keypoints.predictor import Predictor


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
        points, scores = predictor.detections(to_grey(read_pixels(record)))
        centres = np.array([v.centre for v in truth.vertebrae]).reshape(-1, 2)
        limits = np.array([MATCH_SHARE * mean_height(v, truth.schema) for v in truth.vertebrae])
        away = np.linalg.norm(points.mean(1)[:, None] - centres, axis=-1) if len(points) else np.zeros((0, len(limits)))
        hits += (away <= limits).any(1).tolist()
        logits += np.log(scores / (1 - scores)).tolist()
    if len(set(hits)) < 2:
        return 1.0, 0.0
    fitted = LogisticRegression(C=1e6).fit(np.array(logits)[:, None], hits)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
