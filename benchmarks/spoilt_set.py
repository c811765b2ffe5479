"""Films spoilt at the ends beside each good one, for training: copies of the cases not in the val part.

python benchmarks/spoilt_set.py CASES OUT [--copies 2] [--seed 0]

CASES is copied to OUT; each copy is a film spoilt in one way (spinetk.keypoints.exposure), at the size the network
sees: most often at the foot, where the lowest body is missed. Cases with an entry ``qc_flags`` get none.
"""

from __future__ import annotations

import argparse
import shutil
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from spinetk.cases.folder import CaseFolder, read_pixels, write_record
from spinetk.cases.splitting import make_split
from spinetk.formats.record import reading_of, record_of
from spinetk.geometry import Frame
from spinetk.keypoints.centre.preset import CENTRE_AP
from spinetk.keypoints.exposure import spoil
from spinetk.keypoints.pictures import network_scale, resize, to_grey
from spinetk.reading import Reading, Vertebra

CHANCES = {
    "foot collimated": 6, "film ends": 3, "gas": 5, "foot dark": 5, "foot bright": 2, "foot hazy": 2, "cropped": 3,
    "both ends dark": 4, "head dark": 1, "other gamma": 1, "blurred": 1,
}  # fmt: skip


def spoilt(picture: np.ndarray, whole: Reading, kind: str, seed: int) -> tuple[np.ndarray, Reading]:
    """A film at network size, spoilt, and its bodies; points beyond its edge are not seen."""
    scale = network_scale(*picture.shape, CENTRE_AP.short_px[-1], CENTRE_AP.long_px)
    small, factors = resize(picture, scale, CENTRE_AP.layout)
    points = np.stack([vertebra.points for vertebra in whole.vertebrae]) * factors
    film, begins = spoil(small, points, kind, seed)
    points = points - begins
    height, width = film.shape
    seen = ((points >= 0) & (points <= (width, height))).all(-1)
    bodies = [
        Vertebra.from_points(own, there & vertebra.visible, label=vertebra.label)
        for own, there, vertebra in zip(points, seen, whole.vertebrae, strict=True)
    ]
    return film, replace(whole, file="", height=height, width=width, vertebrae=bodies, frame=Frame())


def main() -> None:
    """Write the case folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    shutil.copytree(options.cases, options.out)
    train, _, test, *_ = make_split(options.out)
    folder = CaseFolder(options.out)
    flags, kinds = folder.metadata(), list(CHANCES)
    share = np.array([CHANCES[kind] for kind in kinds], float) / sum(CHANCES.values())
    index = [case for case in (*train.index, *test.index) if not flags.get(case, {}).get("qc_flags")]
    for record in tqdm(folder.records(index, augmented=False)[0], "films"):
        whole, picture, case = reading_of(record), to_grey(read_pixels(record)), str(record["case"])
        for copy in range(1, options.copies + 1):
            random = np.random.default_rng((options.seed, zlib.crc32(case.encode()), copy))
            kind = str(random.choice(kinds, p=share))
            film, reading = spoilt(picture, whole, kind, int(random.integers(1 << 31)))
            content = record_of(reading, f"{case}-spoilt-{copy}", case=case, augmentation=copy)
            write_record(folder.copy(case, copy), content, cv2.cvtColor(film, cv2.COLOR_GRAY2BGR))
    print(f"{len(index) * options.copies} spoilt films in {options.out}")


if __name__ == "__main__":
    main()
