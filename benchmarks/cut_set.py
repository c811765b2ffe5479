"""Films of a part of the spine beside each whole one, for training: copies of the cases not in the val part, cut.

python benchmarks/cut_set.py CASES OUT [--copies 1] [--seed 0]

CASES is copied to OUT; each copy shows a run of five bodies or more, half of them with less of the body's sides.
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from cut_films import cut

from spinetk.cases.folder import CaseFolder, read_pixels, write_record
from spinetk.cases.splitting import make_split
from spinetk.formats.record import reading_of, record_of
from spinetk.keypoints.pictures import to_grey

LEAST = 5


def drawn_sides(spine: np.ndarray, width: int, height: int, random: np.random.Generator) -> tuple[int, int]:
    """Columns of a film around points (N, 2) of a spine, 0.6 to 1.2 times as wide as high where there is as much."""
    left, right = spine[:, 0].min(), spine[:, 0].max()
    free = max(0.1 * (right - left), (random.uniform(0.6, 1.2) * height - (right - left)) / 2)
    return max(0, int(left - free)), min(width, int(right + free) + 1)


def main() -> None:
    """Write the case folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    shutil.copytree(options.cases, options.out)
    train, val, test, *_ = make_split(options.out)
    folder, written = CaseFolder(options.out), 0
    records, _ = folder.records([*train.index, *test.index], augmented=False)
    for number, record in enumerate(records):
        whole, picture = reading_of(record), to_grey(read_pixels(record))
        for copy in range(1, options.copies + 1):
            random = np.random.default_rng((options.seed, number, copy))
            shown = int(random.integers(LEAST, len(whole.vertebrae)))
            start = int(random.integers(0, len(whole.vertebrae) - shown + 1))
            film, reading = cut(picture, whole, start, start + shown)
            if random.random() < 0.5:
                spine = np.concatenate([v.points for v in reading.vertebrae])
                sides = drawn_sides(spine, film.shape[1], film.shape[0], random)
                film, reading = cut(picture, whole, start, start + shown, sides)
            name = f"{record['case']}-cut-{copy}"
            content = record_of(replace(reading, file=""), name, case=record["case"], augmentation=copy)
            write_record(folder.copy(record["case"], copy), content, cv2.cvtColor(film, cv2.COLOR_GRAY2BGR))
            written += 1
    print(f"{len(records) + len(val)} cases and {written} cut films in {options.out}")


if __name__ == "__main__":
    main()
