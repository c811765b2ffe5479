"""Add slices that show L5/S1 to a prepared folder of ``mr_discs_bids``, where that disc is labelled nowhere.

python benchmarks/discs_sacral_set.py DATA PREPARED OUT [--sheet SHEET.png]

DATA holds ``spider_slices``; PREPARED is what ``spinetk discs prepare DATA/mr_discs_bids --grid 1.5`` wrote. OUT is a
folder like it, with the slices of SPIDER dealt out by patient (a quarter to ``val``, none to ``test``). A disc between
two bodies is the middle of their posterior corners, as in ``mr_discs_bids``; L5/S1 is the posterior end of its mask,
set back by as much as the masks of the other discs reach beyond those corners. The size of a pixel is unknown: the mean
step between discs of a patient is taken to be that of ``mr_discs_bids``. A slice of each patient was looked at; those
of :data:`LEFT_OUT` have discs or corners that cannot be believed.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from mr_set import CANAL, DISC, SPIDER, bodies

from spinetk.discs.predictor import LUMBOSACRAL
from spinetk.discs.slab import to_bytes, to_grid

STEP_MM = 34.5
VAL_EVERY = 4
LEFT_OUT = ("34", "152", "162", "234")


def corners(own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower posterior corner, (2,) px, of a body's mask whose back is to the right."""
    outline, _ = cv2.findContours(own.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    box = cv2.boxPoints(cv2.minAreaRect(max(outline, key=cv2.contourArea))) + 0.5
    back = box[np.argsort(box[:, 0])[2:]]
    upper, lower = back[np.argsort(back[:, 1])]
    return upper, lower


def ends(mask: np.ndarray) -> list[np.ndarray]:
    """(2,) px of the posterior end of every disc, head to foot, in a mask whose back is to the right."""
    discs = cv2.morphologyEx((mask == DISC).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(discs, connectivity=4)
    usual = np.median(stats[1:count, cv2.CC_STAT_AREA]) if count > 1 else 0
    found = []
    for k in range(1, count):
        if stats[k, cv2.CC_STAT_AREA] < usual / 4:
            continue
        points = np.argwhere(pieces == k)[:, ::-1] + 0.5
        middle = points.mean(0)
        across = np.linalg.eigh(np.cov((points - middle).T))[1][:, 1]
        across = across * np.sign(across[0])
        along = (points - middle) @ across
        found.append(points[along > np.percentile(along, 97)].mean(0))
    return sorted(found, key=lambda point: point[1])


def tips(mask: np.ndarray) -> tuple[dict[int, np.ndarray], np.ndarray | None]:
    """Disc number to (2,) px between bodies, and the end of the disc below the lowest body.

    The back is to the right.
    """
    labels = bodies(mask)
    own = sorted((corners(labels == k) for k in range(1, labels.max() + 1)), key=lambda pair: pair[0][1])
    between = {
        LUMBOSACRAL - len(own) + 1 + k: (upper[1] + lower[0]) / 2 for k, (upper, lower) in enumerate(pairwise(own))
    }
    step = np.linalg.norm(own[-1][0] - own[-2][0]) if len(own) > 1 else 0.0
    below = [e for e in ends(mask) if own and e[1] > own[-1][0][1] and np.linalg.norm(e - own[-1][1]) < 0.6 * step]
    return between, below[-1] if below else None


@dataclass(frozen=True)
class Slice:
    """One slice whose back is to the right: its discs between bodies by number, and the end of L5/S1's mask; px."""

    stem: str
    image: np.ndarray
    between: dict[int, np.ndarray]
    last: np.ndarray


def read_slices(data: Path) -> tuple[dict[str, list[Slice]], np.ndarray]:
    """The slices of each patient, and by how much (2,) px the masks of discs reach beyond the bodies' corners."""
    found: dict[str, list[Slice]] = defaultdict(list)
    beyond = []
    for path in sorted((data / SPIDER / "masks").glob("*.png")):
        mask, image = (cv2.imread(str(p), cv2.IMREAD_GRAYSCALE) for p in (path, data / SPIDER / "images" / path.name))
        if np.nonzero(mask == DISC)[1].mean() > np.nonzero(mask == CANAL)[1].mean():
            mask, image = mask[:, ::-1].copy(), image[:, ::-1].copy()
        between, last = tips(mask)
        if last is None or len(between) < 3:
            print(f"{path.name}: left out, {len(between)} discs between bodies{', no L5/S1' if last is None else ''}")
            continue
        tips_of_masks = ends(mask)
        for place in between.values():
            near = min(tips_of_masks, key=lambda e, p=place: np.linalg.norm(e - p))
            beyond.append(near - place)
        found[path.name.split("_")[0]].append(Slice(path.stem, image, between, last))
    return found, np.median([b for b in beyond if np.linalg.norm(b) < 20], axis=0)


def pixel_mm(slices: list[Slice]) -> float:
    """The size of a pixel that makes a patient's mean step between discs the usual one."""
    steps = [
        np.linalg.norm(own.between[k + 1] - own.between[k])
        for own in slices
        for k in (21, 22, 23)
        if k in own.between and k + 1 in own.between
    ]
    return STEP_MM / float(np.mean(steps))


def write(own: Slice, out: Path, mm: float, back: np.ndarray, grid_mm: float) -> tuple[np.ndarray, dict]:
    """Write a slice as one of the prepared folder; its picture (H, W) uint8 on the grid, and its discs there in px."""
    picture, factors = to_grid(own.image.astype(np.float32), (mm, mm), grid_mm)
    places = {**own.between, LUMBOSACRAL: own.last - back}
    points = {number: place * factors for number, place in places.items() if number >= 19}
    cv2.imwrite(str(out / f"spider-{own.stem}.png"), to_bytes(picture))
    record = {"stem": f"spider-{own.stem}", "modality": "T2w", "grid_mm": grid_mm, "slices": own.stem}
    record["points"] = {str(number): [round(float(v), 4) for v in place] for number, place in points.items()}
    (out / f"spider-{own.stem}.json").write_text(json.dumps(record))
    return to_bytes(picture), points


def draw(picture: np.ndarray, points: dict[int, np.ndarray], words: str) -> np.ndarray:
    """(480, 380, 3) uint8: a slice at twice its size with its discs."""
    drawn = cv2.cvtColor(cv2.resize(picture, None, fx=2, fy=2), cv2.COLOR_GRAY2BGR)
    for number, (x, y) in points.items():
        colour = (0, 0, 255) if number == LUMBOSACRAL else (0, 255, 0)
        cv2.circle(drawn, (int(2 * x), int(2 * y)), 3, colour, 1)
    cv2.putText(drawn, words, (2, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 0))
    below, beside = max(0, 480 - drawn.shape[0]), max(0, 380 - drawn.shape[1])
    return cv2.copyMakeBorder(drawn, 0, below, 0, beside, cv2.BORDER_CONSTANT)[:480, :380]


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    shutil.copytree(options.prepared, options.out, dirs_exist_ok=True)
    content = json.loads((options.out / "dataset.json").read_text())
    patients, back = read_slices(options.data)
    count = sum(map(len, patients.values()))
    print(f"{len(patients)} patients, {count} slices; masks reach {back.round(1)} px beyond corners")
    drawn = []
    for number, (patient, slices) in enumerate(patients.items()):
        if patient in LEFT_OUT:
            continue
        part, mm = "val" if number % VAL_EVERY == VAL_EVERY - 1 else "train", pixel_mm(slices)
        for own in slices:
            picture, points = write(own, options.out, mm, back, content["grid_mm"])
            content["split"][part].append(f"spider-{own.stem}")
        drawn.append(draw(picture, points, f"{patient} {mm:.2f}"))
    content["levels"] = sorted({*content["levels"], LUMBOSACRAL})
    (options.out / "dataset.json").write_text(json.dumps(content, indent=1))
    if options.sheet:
        drawn += [np.zeros_like(drawn[0])] * (-len(drawn) % 8)
        cv2.imwrite(str(options.sheet), np.vstack([np.hstack(drawn[k : k + 8]) for k in range(0, len(drawn), 8)]))


if __name__ == "__main__":
    main()
