"""How often levels are named on sagittal MR, and how often rightly.

python benchmarks/mr_names.py MODEL CASES [--part val] [--sheet SHEET.png] [--discs discs-t2w] [--cut]

CASES is the case folder of ``mr_set.py``. Truth is counted up from the lowest labelled body: L5, but S1 in the group
vb1 of ``mr_sagittal`` (looked at in the slices of the val part), whose labels go on into the sacrum. A slice shows the
sacrum when half a body's height of picture is left below L5. Names are right when each body that lies on a true one
bears its name. ``--discs`` asks a model of discs too: in how many named slices its sure levels agree, and what it costs
in processor time beside the first. ``--cut`` reads each slice again as if the picture ended in or below L5 or L4, where
no sacrum is seen that names could be counted from, and says in how many of these they are right, wrong and not given.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.cases.splitting import PARTS, make_split
from spinetk.discs.levels import VERTEBRAE
from spinetk.discs.points import DiscReading
from spinetk.discs.predictor import DiscPredictor
from spinetk.formats.record import reading_of
from spinetk.keypoints.matching import MATCH_SHARE, mean_height
from spinetk.keypoints.pictures import to_grey
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.sacrum import SPINE
from spinetk.measure import measure
from spinetk.reading import Reading, Vertebra
from spinetk.report.overlay import draw

TO_S1 = ("sub-vb1",)
CUTS = {"L4": (0.7, 1.15), "L5": (0.7, 1.15, 1.5)}
"""Bodies, and where a picture is cut: in their heights below their upper endplate."""


def main() -> None:
    """Print a line per subject, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("cases", type=Path)
    parser.add_argument("--part", choices=PARTS, default="val")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--discs")
    parser.add_argument("--cut", action="store_true")
    options = parser.parse_args()
    predictor, folder = Predictor.load(options.model), CaseFolder(options.cases)
    index = dict(zip(PARTS, make_split(options.cases)[:3], strict=True))[options.part].index
    predictor.unmeasured = ()  # to see it drawn
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    drawn: dict[str, np.ndarray] = {}
    cuts: dict[tuple[str, float], Counter[str]] = defaultdict(Counter)
    discs, spent, said = DiscPredictor.load(options.discs) if options.discs else None, [0.0, 0.0], Counter()
    for record in folder.records(index, augmented=False)[0]:
        truth, picture, case = reading_of(record), to_grey(read_pixels(record)), str(record["case"])
        bodies = truth.vertebrae[: -1 if case.startswith(TO_S1) else None]
        names = SPINE[-len(bodies) :]
        lowest = bodies[-1]
        shown = lowest.points[:, 1].max() + 0.5 * mean_height(lowest, truth.schema) < truth.height
        start = time.process_time()
        reading = predictor.read(picture, frame=truth.frame, view="sagittal")
        between = time.process_time()
        if discs is not None:
            said[_compared(reading, discs.read(picture, truth.frame)[0])] += 1
            spent = [spent[0] + between - start, spent[1] + time.process_time() - between]
        right = judged(reading, bodies, names)
        for name in CUTS if options.cut else ():
            for share in CUTS[name] if name in names else ():
                top, bottom = (_level(bodies[names.index(name)], truth, end) for end in (0, 1))
                end = round(top + share * (bottom - top))
                if end < len(picture):
                    shorter = predictor.read(np.ascontiguousarray(picture[:end]), frame=truth.frame, view="sagittal")
                    own = judged(shorter, bodies, names)
                    cuts[name, share]["right" if own and all(own) else "wrong" if own else "without names"] += 1
        seen = any(mark.kind == "s1" for mark in reading.landmarks)
        subject = case.split("_")[0]
        counts[subject] = [
            a + b for a, b in zip(counts[subject], (shown, seen, bool(right), bool(right) and all(right)), strict=True)
        ]
        drawn.setdefault(subject, _tile(picture, reading))
    print("slices that show the sacrum, with S1 found, named, right")
    for subject, own in counts.items():
        print(subject, *own)
    print("all", *(sum(column) for column in zip(*counts.values(), strict=True)))
    for (name, share), told in cuts.items():
        print(
            f"cut {share} of its height below the top of {name}: " + ", ".join(f"{told[k]} {k}" for k in sorted(told))
        )
    if discs is not None:
        print("discs: " + ", ".join(f"{name} {count}" for name, count in said.items()))
        print(f"processor: bodies {spent[0]:.1f} s, discs {spent[1]:.1f} s ({spent[1] / spent[0]:+.0%})")
    if options.sheet is not None:
        tiles = list(drawn.values())
        tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 5)
        cv2.imwrite(str(options.sheet), np.vstack([np.hstack(tiles[k : k + 5]) for k in range(0, len(tiles), 5)]))


def judged(reading: Reading, bodies: Sequence[Vertebra], names: Sequence[str]) -> list[bool]:
    """Of each named body that lies on a true one, whether its name is right."""
    right = []
    for own in reading.vertebrae:
        away = [float(np.linalg.norm(own.centre - body.centre)) for body in bodies]
        nearest = int(np.argmin(away))
        if own.label and away[nearest] <= MATCH_SHARE * mean_height(bodies[nearest], reading.schema):
            right.append(own.label == names[nearest])
    return right


def _level(body: Vertebra, truth: Reading, end: int) -> float:
    """Row of the upper (0) or lower (1) endplate of a body, px."""
    return float(np.mean([body.points[truth.schema.index(pair[end]), 1] for pair in truth.schema.columns.values()]))


def _compared(reading: Reading, discs: DiscReading) -> str:
    """Whether the levels of discs are those of the bodies they lie under, within half a body's height."""
    if not any(vertebra.label for vertebra in reading.vertebrae):
        return "without names"
    lower = [bottom for _, bottom in reading.schema.columns.values()]
    pairs = []
    for disc in discs.discs:
        ends = [[vertebra.point(reading.schema, name) for name in lower] for vertebra in reading.vertebrae]
        away = [min(float(np.linalg.norm(end - disc.point)) for end in own if end is not None) for own in ends]
        body = reading.vertebrae[int(np.argmin(away))]
        if disc.number is not None and min(away) < 0.5 * mean_height(body, reading.schema):
            pairs.append(body.label == VERTEBRAE[disc.number - 1])
    return "unsure" if not pairs else "agree" if all(pairs) else "disagree"


def _tile(picture: np.ndarray, reading: Reading, side: int = 420) -> np.ndarray:
    shown = cv2.cvtColor(draw(picture, measure(reading, picture=picture)), cv2.COLOR_RGB2BGR)
    factor = side / max(shown.shape[:2])
    small = cv2.resize(shown, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    tile = np.zeros((side, side, 3), np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small
    return tile


if __name__ == "__main__":
    main()
