"""How high a true body is against those beside it: the limit ``tall`` of :mod:`spinetk.measure.plausibility`.

    python benchmarks/tall.py ../shared/data

By the median of a body's columns against the greatest of those of all bodies up to two levels away. The lateral films
have front heights alone.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import numpy as np

from spinetk.errors import InputError
from spinetk.formats.aasce import aasce_items
from spinetk.measure.body import stack
from spinetk.measure.heights import heights
from spinetk.phantoms import lateral_radiograph

LIMITS = (1.1, 1.15, 1.2, 1.25, 1.3)
PHANTOMS = range(50000, 50120)


def shares(columns: np.ndarray) -> list[float]:
    """Of (n, C) heights of a column of bodies, head to foot."""
    middle = np.nanmedian(columns, axis=1)
    found = []
    for k in range(len(columns)):
        beside = [middle[j] for j in range(max(0, k - 2), min(len(columns), k + 3)) if j != k]
        if len(beside) >= 2:
            found.append(float(middle[k] / max(beside)))
    return found


def films(data: Path) -> list[float]:
    found = []
    for _, _, points in json.loads(gzip.decompress((data / "lateral_shapes" / "lumbar.json.gz").read_bytes())):
        front = np.array(points, float)[7:]
        found += shares(np.linalg.norm(front[2:12:2] - front[1:11:2], axis=1)[:, None])
    return found


def slices(data: Path) -> list[float]:
    found = []
    for own in json.loads((data / "mr_sagittal" / "annotations.json").read_text(encoding="utf-8")).values():
        corners = np.array([v["corners_TL_TR_BL_BR"] for v in own["vertebrae"]], float)
        left, right = (np.linalg.norm(corners[:, a] - corners[:, a + 2], axis=1) for a in (0, 1))
        found += shares(np.stack([left, (left + right) / 2, right], axis=1))
    return found


def frontal(data: Path) -> list[float]:
    found = []
    for item in aasce_items(data / "aasce2019"):
        if not isinstance(item, InputError):
            reading = item.reading()
            found += shares(heights(stack(reading), reading.schema))
    return found


def phantoms() -> list[float]:
    readings = (lateral_radiograph(seed).reading for seed in PHANTOMS)
    return [share for reading in readings for share in shares(heights(stack(reading), reading.schema))]


def main() -> None:
    data = Path(sys.argv[1])
    parts = {"lateral films": films(data), "MR": slices(data), "frontal films": frontal(data), "phantoms": phantoms()}
    for name, found in parts.items():
        over = ", ".join(f"{sum(share > limit for share in found)} over {limit:g}" for limit in LIMITS)
        print(f"{name}: {len(found)} bodies, greatest {max(found):.2f}; {over}")


if __name__ == "__main__":
    main()
