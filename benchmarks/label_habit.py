"""Whether found bodies are too wide or too high, patient by patient, and by the month in which labels were made.

python benchmarks/label_habit.py MODEL CASES [--part val]

A bias of the model is the same in all patients; one that changes sign between batches of labels is theirs. The month is
read from case names such as AASCE's, ``sunhl-1th-02-Jan-2017-162 A AP``.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.cases.splitting import PARTS, make_split
from spinetk.formats.record import reading_of
from spinetk.keypoints.chain import body_axes
from spinetk.keypoints.matching import match
from spinetk.keypoints.pictures import to_grey
from spinetk.keypoints.predictor import Predictor

MONTH = re.compile(r"-([A-Z][a-z]{2}-\d{4})-")


def main() -> None:
    """Print a line for every patient and every month."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("cases", type=Path)
    parser.add_argument("--part", choices=PARTS, default="val")
    options = parser.parse_args()
    frame = dict(zip(PARTS, make_split(options.cases)[:3], strict=True))[options.part]
    predictor = Predictor.load(options.model)
    ratios: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for record in tqdm(CaseFolder(options.cases).records(frame.index, augmented=False)[0], "films"):
        truth, case = reading_of(record), str(record["case"])
        found = predictor.read(to_grey(read_pixels(record)), frame=truth.frame, view=truth.view)
        pairs, _, _ = match(found, truth)
        if not pairs:
            continue
        sizes = []
        for reading, place in ((found, 0), (truth, 1)):
            axes, widths = body_axes(np.stack([reading.vertebrae[pair[place]].points for pair in pairs]), truth.schema)
            sizes.append(np.column_stack([widths, np.linalg.norm(axes, axis=1)]))
        month = MONTH.search(case)
        patient = str(frame["group"].get(case, case)) if "group" in frame else case
        for name in ("all", *([month[1]] if month else []), f"patient {patient}"):
            ratios[name] += [(float(width), float(height)) for width, height in sizes[0] / sizes[1]]
    for name, own in ratios.items():
        width, height = np.median(own, axis=0)
        print(f"{name:>14}: {len(own):4d} bodies, width found / labelled {width:.3f}, height {height:.3f}")


if __name__ == "__main__":
    main()
