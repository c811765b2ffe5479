"""How much of a model's error can be the labels' own: how well they, and the model, agree with themselves.

python benchmarks/label_scatter.py MODEL CASES [--part val]

Neighbouring slices of a patient show the same body all but unchanged: half of what its two labelled heights differ by
(in variance) is scatter of one. Along a spine bodies change slowly: what a corner, seen from its body's centre, departs
from the mean of both neighbours is its scatter, and some anatomy. Neither needs the model; the same of the model's
points stands beside. Scatter that repeats from slice to slice, or along a spine, does not show here.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
from landmarks import heights_px

from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.cases.splitting import make_split
from spinetk.formats.files import read_metadata
from spinetk.formats.record import reading_of
from spinetk.keypoints.evaluation import PARTS
from spinetk.keypoints.matching import match, mean_height
from spinetk.keypoints.pictures import to_grey
from spinetk.keypoints.predictor import Predictor
from spinetk.reading import Reading

Pair = tuple[Reading, Reading, dict[int, int]]  # truth, found, found's index of each matched vertebra


def between_slices(first: Pair, second: Pair) -> list[tuple[np.ndarray, np.ndarray]]:
    """Relative height differences (labels, model) of the bodies that two slices share, divided by the root of two."""
    result = []
    for j, i in match(first[0], second[0])[0]:
        here, there = first[0].vertebrae[j], second[0].vertebrae[i]
        if j not in first[2] or i not in second[2] or not (here.visible.all() and there.visible.all()):
            continue
        labels = heights_px(first[0], j), heights_px(second[0], i)
        model = heights_px(first[1], first[2][j]), heights_px(second[1], second[2][i])
        size = np.mean(labels, axis=0) * np.sqrt(2)
        result.append((np.abs(labels[0] - labels[1]) / size, np.abs(model[0] - model[1]) / size))
    return result


def along_spine(reading: Reading, rows: list[int]) -> np.ndarray:
    """(K, 2) px by which a body's corners depart from both neighbours', scaled to the scatter of one."""
    above, own, below = (v.points - v.points.mean(0) for v in (reading.vertebrae[row] for row in rows))
    return (own - (above + below) / 2) / np.sqrt(1.5)


def main() -> None:
    """Print both scatters, of labels and model, in percent of the height."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("cases", type=Path)
    parser.add_argument("--part", choices=PARTS, default="val")
    options = parser.parse_args()
    index = dict(zip(PARTS, make_split(options.cases)[:3], strict=True))[options.part].index
    records, _ = CaseFolder(options.cases).records(index, augmented=False)
    metadata = read_metadata(options.cases)
    predictor = Predictor.load(options.model)
    patients: dict[str, list[Pair]] = defaultdict(list)
    for record in sorted(records, key=lambda record: record["case"]):
        truth = reading_of(record)
        found = predictor.read(to_grey(read_pixels(record)), frame=truth.frame, view=truth.view)
        group = metadata.get(record["case"], {}).get("group", record["case"])
        patients[group].append((truth, found, {j: i for i, j in match(found, truth)[0]}))

    slices, labels, model = [], [], []
    for pairs in patients.values():
        for first, second in pairwise(pairs):
            if first[0].view == "sagittal":
                slices += between_slices(first, second)
        for truth, found, where in pairs:
            for k in range(1, len(truth.vertebrae) - 1):
                near = [k - 1, k, k + 1]
                if all(n in where and truth.vertebrae[n].visible.all() for n in near):
                    height = mean_height(truth.vertebrae[k], truth.schema)
                    labels.append(along_spine(truth, near) / height)
                    model.append(along_spine(found, [where[n] for n in near]) / height)
    if slices:
        ours, theirs = 100 * np.mean(slices, axis=0)
        print(f"heights between neighbouring slices, {len(slices)} pairs, mean %: labels {ours.round(1)}", end="")
        print(f", model {theirs.round(1)}")
    for name, values in (("labels", labels), ("model", model)):
        x, y = 100 * np.median(np.abs(np.stack(values)), axis=(0, 1))
        print(f"corners along the spine, {len(values)} bodies, median % of height: {name} x {x:.1f}, y {y:.1f}")


if __name__ == "__main__":
    main()
