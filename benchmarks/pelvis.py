"""S1, femoral heads, pelvic angles and names counted from the sacrum, on phantom films that no training has seen.

python benchmarks/pelvis.py MODEL [--films 80] [--seed 9500]

Prints how often S1 and the heads are found, the errors of slope, tilt, incidence and lordosis in degrees, on which
side the front is said to be, and how often names are given and right, by their probability.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from spinetk.geometry import Frame
from spinetk.images import to_uint8
from spinetk.keypoints.predictor import Predictor
from spinetk.measure import measure
from spinetk.phantoms import lateral_radiograph
from spinetk.reading import Reading

ANGLES = ("sacral_slope", "pelvic_tilt", "pelvic_incidence", "lordosis_l1_s1")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--films", type=int, default=80)
    parser.add_argument("--seed", type=int, default=9500)
    options = parser.parse_args()
    predictor = Predictor.load(options.model)
    predictor.naming, naming = None, predictor.naming
    errors: dict[str, list[float]] = {name: [] for name in ANGLES}
    seen = {"s1": [0, 0, 0], "femoral_head": [0, 0, 0]}
    fronts, names = [], []
    for number in range(options.films):
        phantom = lateral_radiograph(options.seed * 1_000_003 + number, region="lumbar")
        truth = phantom.reading
        spacing = Frame(truth.frame.spacing_mm, "phantom")
        found = predictor.read(to_uint8(phantom.pixels), frame=spacing, view="lateral")
        for kind, counts in seen.items():
            true, own = (sum(mark.kind == kind for mark in reading.landmarks) for reading in (truth, found))
            counts[0] += min(true, own)
            counts[1] += true
            counts[2] += max(0, own - true)
        labels = [_label(vertebra.centre, truth) for vertebra in found.vertebrae]
        evidence = predictor.sacral_evidence(to_uint8(phantom.pixels), spacing, "lateral")[1]
        if evidence is not None and any(labels):
            right = labels[-1] == "L5"
            names.append((naming.chance(evidence) if naming else float("nan"), right))
        given = replace(
            found, vertebrae=[replace(v, label=own) for v, own in zip(found.vertebrae, labels, strict=True)]
        )
        measured, wanted = measure(given), measure(truth)
        fronts.append(None if not measured.vertebrae else measured.vertebrae[0].measures["anterior_side"])
        fronts[-1] = None if fronts[-1] is None else fronts[-1] == truth.frame.anterior
        for name in ANGLES:
            a, b = measured.angles.get(name), wanted.angles.get(name)
            if a is not None and b is not None and fronts[-1]:
                errors[name].append(abs(a - b))
    for kind, (hit, total, extra) in seen.items():
        print(f"{kind}: {hit} of {total} found, {extra} where there is none")
    print(f"front: {sum(f is True for f in fronts)} right, {sum(f is False for f in fronts)} wrong, of {len(fronts)}")
    for name, own in errors.items():
        if own:
            print(f"{name}: median {np.median(own):.2f}, p90 {np.percentile(own, 90):.2f} degrees in {len(own)} films")
    for low, high in ((0, 0.8), (0.8, 0.9), (0.9, 0.95), (0.95, 1.01)):
        own = [right for sure, right in names if low <= sure < high]
        if own:
            print(f"names, probability {low} to {min(high, 1)}: {sum(own)} of {len(own)} right")
    if names and naming is None:
        print(f"names, not calibrated: {sum(right for _, right in names)} of {len(names)} right")


def _label(centre: np.ndarray, truth: Reading) -> str | None:
    """The true name of what lies at a place."""
    near = min(truth.vertebrae, key=lambda own: float(np.linalg.norm(own.centre - centre)), default=None)
    if near is None:
        return None
    height = float(np.ptp(near.points[:, 1]))
    return near.label if np.linalg.norm(near.centre - centre) < 0.5 * height else None


if __name__ == "__main__":
    main()
