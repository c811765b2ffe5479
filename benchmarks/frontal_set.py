"""Films for training ``xray-ap``: beside each good one copies that show a part of its spine, or are spoilt at the ends.

python benchmarks/frontal_set.py CASES OUT [--spoilt 2] [--cut 1] [--seed 0]

CASES is copied to OUT. The val part gets no copies, nor do cases with an entry ``qc_flags``, which are not trained on.
Spoilt is a film in one way (spinetk.keypoints.exposure), at the size the network sees: most often at the foot, where
the lowest body is missed. Cut, it shows a run of five bodies or more, half of the time with less of the body's sides.
"""

from __future__ import annotations

import argparse
import shutil
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from cut_films import cut
from tqdm import tqdm

from spinetk.cases.folder import CaseFolder, read_pixels, write_record
from spinetk.cases.splitting import make_split
from spinetk.formats.record import reading_of, record_of
from spinetk.geometry import Frame
from spinetk.keypoints.centre.preset import CENTRE_AP
from spinetk.keypoints.exposure import spoil
from spinetk.keypoints.pictures import network_scale, resize, to_grey
from spinetk.reading import Reading, Vertebra

LEAST = 5
CHANCES = {
    "foot collimated": 6, "film ends": 3, "gas": 5, "foot dark": 5, "foot bright": 2, "foot hazy": 2, "cropped": 3,
    "both ends dark": 4, "head dark": 1, "other gamma": 1, "blurred": 1,
}  # fmt: skip
Film = tuple[np.ndarray, Reading]


def spoilt(picture: np.ndarray, whole: Reading, random: np.random.Generator) -> Film:
    """A film at network size, spoilt, and its bodies; points beyond its edge are not seen."""
    share = np.array([*CHANCES.values()], float)
    kind = str(random.choice([*CHANCES], p=share / share.sum()))
    scale = network_scale(*picture.shape, CENTRE_AP.short_px[-1], CENTRE_AP.long_px)
    small, factors = resize(picture, scale, CENTRE_AP.layout)
    points = np.stack([vertebra.points for vertebra in whole.vertebrae]) * factors
    film, begins = spoil(small, points, kind, int(random.integers(1 << 31)))
    points = points - begins
    height, width = film.shape
    seen = ((points >= 0) & (points <= (width, height))).all(-1)
    bodies = [
        Vertebra.from_points(own, there & vertebra.visible, label=vertebra.label)
        for own, there, vertebra in zip(points, seen, whole.vertebrae, strict=True)
    ]
    return film, replace(whole, height=height, width=width, vertebrae=bodies, frame=Frame())


def shortened(picture: np.ndarray, whole: Reading, random: np.random.Generator) -> Film:
    """A film of some of its bodies."""
    shown = int(random.integers(LEAST, len(whole.vertebrae)))
    start = int(random.integers(0, len(whole.vertebrae) - shown + 1))
    film, reading = cut(picture, whole, start, start + shown)
    if random.random() < 0.5:
        spine = np.concatenate([vertebra.points for vertebra in reading.vertebrae])
        sides = drawn_sides(spine, film.shape[1], film.shape[0], random)
        film, reading = cut(picture, whole, start, start + shown, sides)
    return film, reading


def drawn_sides(spine: np.ndarray, width: int, height: int, random: np.random.Generator) -> tuple[int, int]:
    """Columns of a film around points (N, 2) of a spine, 0.6 to 1.2 times as wide as high where there is as much."""
    left, right = spine[:, 0].min(), spine[:, 0].max()
    free = max(0.1 * (right - left), (random.uniform(0.6, 1.2) * height - (right - left)) / 2)
    return max(0, int(left - free)), min(width, int(right + free) + 1)


KINDS: dict[str, Callable[[np.ndarray, Reading, np.random.Generator], Film]] = {"spoilt": spoilt, "cut": shortened}


def main() -> None:
    """Write the case folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--spoilt", type=int, default=2, help="spoilt copies of a film")
    parser.add_argument("--cut", type=int, default=1, help="cut copies of a film")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    shutil.copytree(options.cases, options.out)
    train, _, test, *_ = make_split(options.out)
    folder = CaseFolder(options.out)
    flags = folder.metadata()
    index = [case for case in (*train.index, *test.index) if not flags.get(case, {}).get("qc_flags")]
    wanted = [(which, copy) for which, kind in enumerate(KINDS) for copy in range(1, getattr(options, kind) + 1)]
    for record in tqdm(folder.records(index, augmented=False)[0], "films"):
        whole, picture, case = reading_of(record), to_grey(read_pixels(record)), str(record["case"])
        for number, (which, copy) in enumerate(wanted, start=1):
            random = np.random.default_rng((options.seed, zlib.crc32(case.encode()), copy, which))
            kind = [*KINDS][which]
            film, reading = KINDS[kind](picture, whole, random)
            content = record_of(replace(reading, file=""), f"{case}-{kind}-{copy}", case=case, augmentation=number)
            write_record(folder.copy(case, number), content, cv2.cvtColor(film, cv2.COLOR_GRAY2BGR))
    print(f"{len(index) * len(wanted)} copies of {len(index)} films in {options.out}")


if __name__ == "__main__":
    main()
