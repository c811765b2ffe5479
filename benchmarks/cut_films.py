"""Names of vertebrae on films that show a part of the spine: frontal films of whole spines, cut between two bodies.

python benchmarks/cut_films.py MODEL CASES [--part val]

Where the first or last body of the column is kept, so is all above or below it (skull, sacrum).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.cases.splitting import make_split
from spinetk.formats.record import reading_of
from spinetk.keypoints.matching import match
from spinetk.keypoints.pictures import to_grey
from spinetk.keypoints.predictor import Predictor
from spinetk.reading import Reading, Vertebra

PARTS = (("T1", "L5"), ("T1", "T12"), ("T6", "L5"), ("T10", "L5"), ("L1", "L5"), ("T3", "T10"))


def cut(
    picture: np.ndarray, truth: Reading, start: int, stop: int, sides: tuple[int, int] | None = None
) -> tuple[np.ndarray, Reading]:
    """The part of a picture (H, W) that shows the vertebrae ``start`` to ``stop`` - 1, and the reading of it.

    It ends in the middle between two bodies, at the picture's own edge beyond the first and last, and at the columns
    ``sides`` (from, to).
    """
    middles = np.array([v.points[:, 1].mean() for v in truth.vertebrae])
    top = round((middles[start - 1] + middles[start]) / 2) if start else 0
    bottom = round((middles[stop - 1] + middles[stop]) / 2) if stop < len(middles) else len(picture)
    left, right = sides or (0, picture.shape[1])
    kept = [Vertebra.from_points(v.points - [left, top], v.visible, label=v.label) for v in truth.vertebrae[start:stop]]
    shown = np.ascontiguousarray(picture[top:bottom, left:right])
    return shown, replace(truth, height=bottom - top, width=right - left, vertebrae=kept)


def main() -> None:
    """Print a line for every cut."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("cases", type=Path)
    parser.add_argument("--part", choices=("train", "val", "test"), default="val")
    options = parser.parse_args()
    frame = make_split(options.cases)[("train", "val", "test").index(options.part)]
    predictor = Predictor.load(options.model)
    records, _ = CaseFolder(options.cases).records(frame.index, augmented=False)
    films = [(to_grey(read_pixels(record)), reading_of(record)) for record in records]
    films = [(p, t) for p, t in films if {n for part in PARTS for n in part} <= {v.label for v in t.vertebrae}]
    print(f"{predictor.name}, {len(films)} films, {options.part} part")
    for first, last in PARTS:
        counts = dict.fromkeys(("bodies", "missed", "false", "films named", "named", "right"), 0)
        for picture, whole in films:
            names = [v.label for v in whole.vertebrae]
            shown, truth = cut(picture, whole, names.index(first), names.index(last) + 1)
            found = predictor.read(shown, view="ap")
            pairs, _, false = match(found, truth)
            named = [(found.vertebrae[i].label, truth.vertebrae[j].label) for i, j in pairs if found.vertebrae[i].label]
            counts["bodies"] += len(truth.vertebrae)
            counts["missed"] += len(truth.vertebrae) - len(pairs)
            counts["false"] += false
            counts["films named"] += bool(named)
            counts["named"] += len(named)
            counts["right"] += sum(own == true for own, true in named)
        print(f"{first:>3} to {last:<3}", ", ".join(f"{name} {count}" for name, count in counts.items()), flush=True)


if __name__ == "__main__":
    main()
