"""How a lateral model sees S1 and femoral heads on phantoms; and the scores of both as probabilities.

python benchmarks/sacral_endplates.py MODEL [--fit FOLDER...] --judge FOLDER... [--write]

The folders hold cases that were not trained on. --fit makes the scores probabilities (Platt), --write puts what was
fitted into the card of the release; names, fronts and intervals are fitted on top of it (`sacral_naming.py`,
`sacral_intervals.py`). Judged is what a reading measures: of the films that show S1, how many have its endplate at its
place (middles within half its width) and how wrong slopes are taken from these; in how many films an endplate is
measured though none is there; and heads within a third of their radius.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from spinetk import zoo
from spinetk.atomic import write_json
from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.formats.record import Record, reading_of
from spinetk.keypoints.calibration import calibrate_landmarks
from spinetk.keypoints.pictures import to_grey
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.sacrum import surest
from spinetk.reading import Reading

PLACE_WIDTHS, HEAD_RADII = 0.5, 1 / 3


@dataclass
class Sight:
    """Films that show S1, endplates measured and at their place there, slope errors of the latter; and so on."""

    films: int = 0
    shown: int = 0
    measured: int = 0
    placed: int = 0
    invented: int = 0
    heads: int = 0
    heads_found: int = 0
    heads_false: int = 0
    slopes_off_deg: list[float] = field(default_factory=list)

    def add(self, truth: Reading, read: Reading) -> None:
        """Count a film."""
        self.films += 1
        true = [own.points for own in truth.landmarks if own.kind == "s1"]
        seen = surest(read.landmarks)
        self.shown += bool(true)
        if seen is not None and not true:
            self.invented += 1
        elif seen is not None:
            self.measured += 1
            width = float(np.linalg.norm(true[0][1] - true[0][0]))
            if np.linalg.norm(seen.points.mean(0) - true[0].mean(0)) < PLACE_WIDTHS * width:
                self.placed += 1
                a, b = (own[1] - own[0] for own in (seen.points, true[0]))
                self.slopes_off_deg.append(abs(float(np.degrees(np.arctan2(a[0] * b[1] - a[1] * b[0], a @ b)))))
        heads = [own for own in truth.landmarks if own.kind == "femoral_head"]
        found = [own.points[0] for own in read.landmarks if own.kind == "femoral_head"]
        near = [
            [np.linalg.norm(own - head.points[0]) < HEAD_RADII * (head.radius_px or 0.0) for own in found]
            for head in heads
        ]
        self.heads += len(heads)
        self.heads_found += sum(any(row) for row in near)
        self.heads_false += sum(not any(row[k] for row in near) for k in range(len(found)))

    def __str__(self) -> str:
        off = np.array(self.slopes_off_deg or [np.nan])
        return (
            f"S1 shown in {self.shown} of {self.films} films, measured in {self.measured} of these, at its place in "
            f"{self.placed}, in {self.invented} others; slope off by {np.median(off):.2f} degrees, p90 "
            f"{np.percentile(off, 90):.1f}, over 10 in {(off > 10).sum()}; "
            f"heads {self.heads_found} of {self.heads}, {self.heads_false} false"
        )


def records_of(path: Path) -> list[Record]:
    """The films of a folder as they are."""
    folder = CaseFolder(path)
    return folder.records(folder.cases(), augmented=False)[0]


def main() -> None:
    """Fit, judge, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--fit", type=Path, nargs="+", default=[])
    parser.add_argument("--judge", type=Path, nargs="+", required=True)
    parser.add_argument("--write", action="store_true", help="put what was fitted into the card of the release")
    options = parser.parse_args()
    predictor = Predictor.load(options.model)
    if options.fit:
        records = [own for path in options.fit for own in records_of(path)]
        predictor.landmark_calibration = calibrate_landmarks(predictor, records)
        print(f"scores, fitted on {len(records)} films: {predictor.landmark_calibration}", flush=True)
        if options.write:
            card = zoo.find(options.model).with_suffix(".json")
            content = json.loads(card.read_text(encoding="utf-8"))
            fitted = predictor.landmark_calibration.items()
            content["landmarks"] = {kind: [round(value, 4) for value in values] for kind, values in fitted}
            write_json(card, content)
    for path in options.judge:
        sight = Sight()
        for record in records_of(path):
            truth = reading_of(record)
            read, _ = predictor.sacral_evidence(to_grey(read_pixels(record)), truth.frame, truth.view)
            sight.add(truth, read)
        print(f"{path.name}: {sight}", flush=True)


if __name__ == "__main__":
    main()
