"""What the released models make of sagittal CT, which none of them was made for: found, false, height error.

python benchmarks/ct_reading.py CT MASK [--models sagittal-mr xray-lateral]

The slice through the middle of the bodies and its neighbours, in a bone and in a soft window and (for models of MR)
inverted, against the mask's bodies (labels of VerSe or TotalSegmentator). A body is found when a predicted one lies
within half its height.
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
    parser.add_argument("--models", nargs="+", default=["sagittal-mr", "xray-lateral"])
    options = parser.parse_args()
    values, marks, known = load(options.ct, options.mask)
    middle = middle_of(marks, known)
    frame = Frame((PX_MM, PX_MM), "resampled", toward_right="P", toward_bottom="F")
    for model in options.models:
        predictor = Predictor.load(model)
        for name, window in WINDOWS.items():
            for inverted in (False, True) if model == "sagittal-mr" else (False,):
                for place in range(middle - 1, middle + 2):
                    bodies = bodies_of(marks[:, :, place], known)
                    shape = values.shape[:2]
                    truth = Reading("slice", *shape, VERTEBRA6, bodies, frame, "sagittal")
                    picture = windowed(values[:, :, place], *window)
                    found = predictor.read(255 - picture if inverted else picture, frame=frame, view="sagittal")
                    pairs, _, false = match(found, truth)
                    errors = [
                        100 * np.abs(heights(found.vertebrae[i]) / heights(bodies[j]) - 1)
                        for i, j in pairs
                        if bodies[j].visible.all() and found.vertebrae[i].visible.all()
                    ]
                    said = f"{np.mean(errors):.1f} % off in height" if errors else "no height to compare"
                    print(
                        f"{model}, {name} window{', inverted' if inverted else ''}, slice {place}: "
                        f"{len(pairs)} of {len(bodies)} found, {false} false, {said}"
                    )


if __name__ == "__main__":
    main()
