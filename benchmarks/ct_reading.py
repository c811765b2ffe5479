"""What released models make of a sagittal CT: found, false, error and bias of heights, wedges.

python benchmarks/ct_reading.py CT MASK [--models sagittal-ct sagittal-mr xray-lateral]

The slice through the middle of the bodies and its neighbours, in a bone and in a soft window and (for models of MR)
inverted, against the mask's bodies (labels of VerSe or TotalSegmentator). A body is found when a predicted one lies
within half its height. Last, over all slices and windows of a model: how much its heights differ in the mean, and the
anterior by the posterior height of the body that the mask shows most wedged, slice by slice.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from ct_slices import PX_MM, bodies_of, load, middle_of, windowed

from spinetk.geometry import Frame
from spinetk.keypoints.matching import match
from spinetk.keypoints.predictor import Predictor
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

SIDES = ("anterior", "middle", "posterior")  # of the columns, the front being on the left
ANTERIOR, POSTERIOR = 0, 2
WINDOWS = {"bone": (400.0, 1800.0), "soft": (50.0, 400.0)}


def heights(vertebra: Vertebra) -> np.ndarray:
    """The three heights in px."""
    pairs = [(VERTEBRA6.index(top), VERTEBRA6.index(bottom)) for top, bottom in VERTEBRA6.columns.values()]
    return np.array([np.linalg.norm(vertebra.points[a] - vertebra.points[b]) for a, b in pairs])


def main() -> None:
    """Print the figures of each model, window and slice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ct", type=Path)
    parser.add_argument("mask", type=Path)
    parser.add_argument("--models", nargs="+", default=["sagittal-ct", "sagittal-mr", "xray-lateral"])
    options = parser.parse_args()
    values, marks, known = load(options.ct, options.mask)
    middle = middle_of(marks, known)
    frame = Frame((PX_MM, PX_MM), "resampled", toward_right="P", toward_bottom="F")
    for model in options.models:
        predictor = Predictor.load(model)
        ratios: list[np.ndarray] = []
        wedges: list[str] = []
        for name, window in WINDOWS.items():
            for inverted in (False, True) if model == "sagittal-mr" else (False,):
                for place in range(middle - 1, middle + 2):
                    bodies = bodies_of(marks[:, :, place], known)
                    shape = values.shape[:2]
                    truth = Reading("slice", *shape, VERTEBRA6, bodies, frame, "sagittal")
                    picture = windowed(values[:, :, place], *window)
                    found = predictor.read(255 - picture if inverted else picture, frame=frame, view="sagittal")
                    pairs, _, false = match(found, truth)
                    whole = [
                        (heights(found.vertebrae[i]), heights(bodies[j]))
                        for i, j in pairs
                        if bodies[j].visible.all() and found.vertebrae[i].visible.all()
                    ]
                    errors = [seen / true - 1 for seen, true in whole]
                    said = f"{100 * np.mean(np.abs(errors)):.1f} % off in height" if errors else "no height to compare"
                    print(
                        f"{model}, {name} window{', inverted' if inverted else ''}, slice {place}: "
                        f"{len(pairs)} of {len(bodies)} found, {false} false, {said}"
                    )
                    if whole and not inverted:
                        ratios += errors
                        seen, true = min(whole, key=lambda pair: pair[1][ANTERIOR] / pair[1][POSTERIOR])
                        wedge = [own[ANTERIOR] / own[POSTERIOR] for own in (seen, true)]
                        wedges.append(f"{name} {place}: {wedge[0]:.2f} (mask {wedge[1]:.2f})")
        if ratios:
            bias = ", ".join(f"{side} {100 * own:+.1f} %" for side, own in zip(SIDES, np.mean(ratios, 0), strict=True))
            print(f"{model}: heights beside the mask's in the mean: {bias}; most wedged body: {', '.join(wedges)}")


if __name__ == "__main__":
    main()
