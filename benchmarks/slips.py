"""How far bodies lie before or behind the next, and how alike facing endplates are: the limits of slips.

    python benchmarks/slips.py ../shared/data

Of the annotated lateral films the front corners: where the lower front corner of a body lies along the upper endplate
of the next, in percent of that body's width (twice the way from its centroid to the middle of its front), less the
median of the level, which is that of bodies that grow and of the bend. Of MR the lengths of facing endplates.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import numpy as np

LEVELS = ("L1/L2", "L2/L3", "L3/L4", "L4/L5")


def steps(data: Path) -> np.ndarray:
    """(films, 4) percent, forward positive."""
    found = []
    for _, _, points in json.loads(gzip.decompress((data / "lateral_shapes" / "lumbar.json.gz").read_bytes())):
        centroids, front = np.split(np.array(points, float), [7])
        tops, bottoms = front[1::2], front[0::2]  # of L1 to S1, of T12 to L5
        middle = (tops[1:5] + bottoms[2:6]) / 2  # of the fronts of L2 to L5
        forward = 2 * (middle - centroids[2:6])
        found.append(100 * ((bottoms[1:5] - tops[1:5]) * forward).sum(1) / (forward**2).sum(1))
    return np.array(found)


def shares(data: Path) -> np.ndarray:
    """(discs,) how many times as long as the other the longer of two facing endplates is."""
    found = []
    for own in json.loads((data / "mr_sagittal" / "annotations.json").read_text(encoding="utf-8")).values():
        corners = np.array([v["corners_TL_TR_BL_BR"] for v in own["vertebrae"]], float)
        above = np.linalg.norm(corners[:-1, 2] - corners[:-1, 3], axis=1)
        below = np.linalg.norm(corners[1:, 0] - corners[1:, 1], axis=1)
        found += [*np.maximum(above / below, below / above)]
    return np.array(found)


def main() -> None:
    data = Path(sys.argv[1])
    for name, own in zip(LEVELS, steps(data).T, strict=True):
        middle = np.median(own)
        away = own - middle
        print(f"{name}: {len(own)}, median {middle:.1f}, {away.min():.1f} to {away.max():.1f} from it;",
              f"over 25 % back {(away < -25).sum()}, forward {(away > 25).sum()}")  # fmt: skip
    apart = shares(data)
    limits = ", ".join(f"over {limit} {(apart > limit).sum()}" for limit in (1.1, 1.15, 1.18, 1.25))
    print(f"facing endplates: {len(apart)}, greatest {apart.max():.2f}; {limits}")


if __name__ == "__main__":
    main()
