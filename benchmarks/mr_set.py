"""One tree of sagittal MR slices, a label picture of the vertebral bodies beside each, for ``prepare --from masks``.

python benchmarks/mr_set.py DATA OUT && spinetk prepare OUT -o CASES --from masks

DATA holds ``mr_sagittal`` (instance masks, copied as they are) and ``spider_slices`` (semantic masks: a body is a
connected part of the vertebra class about as large as those that touch a disc, before the canal). ``mr_slices_mit`` is
left out: its masks count the first sacral segment among the vertebrae, the others do not.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import cv2
import numpy as np

SPIDER = "spider_slices"
DISC, VERTEBRA, CANAL = 29, 76, 150


def bodies(mask: np.ndarray) -> np.ndarray:
    """(H, W) uint8 labels 1..N of the vertebral bodies."""
    # Neighbouring bodies of a coarse mask may touch at a corner: open before counting.
    own = cv2.morphologyEx((mask == VERTEBRA).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, parts, stats, centres = cv2.connectedComponentsWithStats(own, connectivity=4)
    near = cv2.dilate((mask == DISC).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    touching = [k for k in range(1, count) if (near & (parts == k)).sum() > 10]
    if not touching:
        return np.zeros(mask.shape, np.uint8)
    usual = np.median([stats[k, cv2.CC_STAT_AREA] for k in touching])
    kept = []
    for k in range(1, count):
        if not 0.4 * usual < stats[k, cv2.CC_STAT_AREA] < 2.5 * usual:
            continue
        # Discs lie before the canal, spinous processes behind it.
        rows = slice(max(0, int(centres[k, 1]) - 15), int(centres[k, 1]) + 15)
        back = np.nonzero(mask[rows] == CANAL)[1]
        front = np.nonzero(mask == DISC)[1].mean() - np.nonzero(mask == CANAL)[1].mean()
        if len(back) and (centres[k, 0] - back.mean()) * front < 0:
            continue
        kept.append(k)
    labels = np.zeros(mask.shape, np.uint8)
    for value, k in enumerate(kept, start=1):
        labels[parts == k] = value
    return labels


def main(data: Path, out: Path) -> None:
    """Write the tree."""
    shutil.copytree(data / "mr_sagittal", out, ignore=shutil.ignore_patterns("README*", "LICENSE*"))
    written = 0
    for path in sorted((data / SPIDER / "images").glob("*.png")):
        labels = bodies(cv2.imread(str(data / SPIDER / "masks" / path.name), cv2.IMREAD_GRAYSCALE))
        if labels.max() < 2:
            continue
        subject = out / f"spider-{path.stem.split('_')[0]}"
        subject.mkdir(exist_ok=True)
        cv2.imwrite(str(subject / path.name), cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
        cv2.imwrite(str(subject / f"{path.stem}_label.png"), labels)
        written += 1
    print(f"{written} slices of SPIDER added to mr_sagittal")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
