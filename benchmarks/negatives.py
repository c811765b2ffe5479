"""How many radiographs, as they are and inverted, are taken for negatives (`spinetk.keypoints.negative`).

    python benchmarks/negatives.py ../shared/data

Nothing is random, no network is run.
"""

from __future__ import annotations

import sys
from pathlib import Path

from spinetk.images import read_picture, to_uint8
from spinetk.keypoints.negative import looks_negative

SETS = {
    "lateral_films": ("lateral_films/images/*", 1),
    "lateral_masks": ("lateral_masks/images/*", 1),
    "AASCE 2019, every eighth": ("aasce2019/data/training/*.jpg", 8),
}


def main() -> None:
    base = Path(sys.argv[1])
    for name, (pattern, step) in SETS.items():
        films = [to_uint8(read_picture(path).pixels) for path in sorted(base.glob(pattern))[::step]]
        told, inverted = (sum(map(looks_negative, some)) for some in (films, [255 - film for film in films]))
        print(f"{name}: {len(films)} films, {told} taken for negatives, {inverted} of them inverted")


if __name__ == "__main__":
    main()
