"""Which level the lowest body of a film is, from the shape of the four lowest: the weights of ``lumbar_shape``.

    python benchmarks/lumbar_shape.py ../shared/data

1,755 annotated lateral films (``lateral_shapes``) give each a column L2 to L5 and one L1 to L4. Their annotations hold
centres and front corners; the middle of the rear edge lies as far behind the centre as that of the front before it.
Prints means and spreads, how often films that were not fitted on (ten folds of films) are told right, and the weights.
"""

from __future__ import annotations

import gzip
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from spinetk.measure.lumbar_shape import BODIES, features
from spinetk.phantoms import lateral_radiograph
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

SHRINK = 0.03  # inverse strength of the ridge: the weights of neighbouring widths stay small
BINS = (0, 0.05, 0.2, 0.5, 0.8, 0.95, 1.001)
PHANTOMS = range(50000, 50200)


def columns(data: Path) -> Iterator[np.ndarray]:
    """(5, 6, 2) px of L1 to L5, the front on the right."""
    for _, _, points in json.loads(gzip.decompress((data / "lateral_shapes" / "lumbar.json.gz").read_bytes())):
        own = np.array(points, float)
        centre, top, bottom = own[1:6], own[8:17:2], own[9:18:2]
        front = (top + bottom) / 2
        if (front - centre)[:, 0].mean() < 0:
            centre, top, bottom, front = (part * (-1, 1) for part in (centre, top, bottom, front))
        half = (bottom - top) / 2  # the rear edge as high as the front one: only its middle is used
        rear = 2 * centre - front
        corners = {"top_right": top, "bottom_right": bottom, "top_left": rear - half, "bottom_left": rear + half}
        corners["top_middle"] = (corners["top_left"] + top) / 2
        corners["bottom_middle"] = (corners["bottom_left"] + bottom) / 2
        yield np.stack([corners[name] for name in VERTEBRA6.keypoints], axis=1)


def parts(bodies: np.ndarray) -> list[np.ndarray]:
    """The features of the four lowest and of those one level above."""
    found = []
    for end in (len(bodies), len(bodies) - 1):
        vertebrae = [Vertebra.from_points(own) for own in bodies[end - BODIES : end]]
        own = features(Reading("film", 1, 1, VERTEBRA6, vertebrae, view="lateral"), "right")
        assert own is not None
        found.append(own)
    return found


def drawn() -> Iterator[np.ndarray]:
    """(n, 6, 2) px of phantoms down to L5, the front on the right."""
    for seed in PHANTOMS:
        reading = lateral_radiograph(seed, region="lumbar").reading
        reading = reading if reading.frame.anterior == "right" else reading.flipped()
        labels = [vertebra.label for vertebra in reading.vertebrae]
        if labels[-BODIES - 1 :] == ["L1", "L2", "L3", "L4", "L5"]:
            yield np.array([vertebra.points for vertebra in reading.vertebrae])


def print_told(what: str, said: np.ndarray, is_lower: np.ndarray) -> None:
    """How often what is said is right."""
    right = (said > 0.5) == is_lower
    loss = -np.log(np.where(is_lower, said, 1 - said).clip(1e-9)).mean()
    print(f"{what}: {len(said)} columns, {100 * right.mean():.1f} % told right, log loss {loss:.3f}")
    for low, high in itertools.pairwise(BINS):
        own = (said >= low) & (said < high)
        if own.any():
            print(
                f"  {low} to {min(high, 1)}: {own.sum()}, said {said[own].mean():.3f}, are {is_lower[own].mean():.3f}"
            )


def main() -> None:
    """Fit, judge, print."""
    seen = np.array([own for bodies in columns(Path(sys.argv[1])) for own in parts(bodies)])
    is_lower = np.arange(len(seen)) % 2 == 0
    for name, own in (("L2 to L5", seen[is_lower]), ("L1 to L4", seen[~is_lower])):
        print(f"{name}: means {own.mean(0).round(2).tolist()}, SD {own.std(0).round(2).tolist()}")
    model = make_pipeline(StandardScaler(), LogisticRegression(C=SHRINK))
    folds = {"groups": np.arange(len(seen)) // 2, "cv": GroupKFold(10), "method": "predict_proba"}
    print_told("films that were not fitted on", cross_val_predict(model, seen, is_lower, **folds)[:, 1], is_lower)
    model.fit(seen, is_lower)
    other = np.array([own for bodies in drawn() for own in parts(bodies)])
    print_told("phantoms", model.predict_proba(other)[:, 1], np.arange(len(other)) % 2 == 0)
    scaler, logistic = model[0], model[1]
    weights = logistic.coef_[0] / scaler.scale_
    print(
        "WEIGHTS",
        weights.round(3).tolist(),
        "INTERCEPT",
        round(float(logistic.intercept_[0] - weights @ scaler.mean_), 3),
    )


if __name__ == "__main__":
    main()
