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
    shown: dict[str, list[tuple[str, np.ndarray, dict[int, np.ndarray], np.ndarray]]] = defaultdict(list)
    beyond = []
    for path in sorted((options.data / SPIDER / "masks").glob("*.png")):
        mask, image = (
            cv2.imread(str(p), cv2.IMREAD_GRAYSCALE) for p in (path, options.data / SPIDER / "images" / path.name)
        )
        if np.nonzero(mask == DISC)[1].mean() > np.nonzero(mask == CANAL)[1].mean():
            mask, image = mask[:, ::-1].copy(), image[:, ::-1].copy()
        between, last = tips(mask)
        if last is None or len(between) < 3:
            print(f"{path.name}: left out, {len(between)} discs between bodies{', no L5/S1' if last is None else ''}")
            continue
        found = ends(mask)
        for place in between.values():
            near = min(found, key=lambda e, p=place: np.linalg.norm(e - p))
            beyond.append(near - place)
        shown[path.name.split("_")[0]].append((path.stem, image, between, last))
    back = np.median([b for b in beyond if np.linalg.norm(b) < 20], axis=0)
    print(
        f"{len(shown)} patients, {sum(map(len, shown.values()))} slices; masks reach {back.round(1)} px beyond corners"
    )
    drawn = []
    for number, (patient, slices) in enumerate(shown.items()):
        if patient in LEFT_OUT:
            continue
        steps = [
            np.linalg.norm(b[k + 1] - b[k]) for _, _, b, _ in slices for k in (21, 22, 23) if k in b and k + 1 in b
        ]
        mm = STEP_MM / float(np.mean(steps))
        for stem, image, between, last in slices:
            picture, factors = to_grid(image.astype(np.float32), (mm, mm), content["grid_mm"])
            points = {n: p * factors for n, p in {**between, LUMBOSACRAL: last - back}.items() if n >= 19}
            name = f"spider-{stem}"
            cv2.imwrite(str(options.out / f"{name}.png"), to_bytes(picture))
            record = {"stem": name, "modality": "T2w", "grid_mm": content["grid_mm"], "slices": stem}
            record["points"] = {str(n): [round(float(v), 4) for v in p] for n, p in points.items()}
            (options.out / f"{name}.json").write_text(json.dumps(record))
            content["split"]["val" if number % VAL_EVERY == VAL_EVERY - 1 else "train"].append(name)
        sheet = cv2.cvtColor(cv2.resize(to_bytes(picture), None, fx=2, fy=2), cv2.COLOR_GRAY2BGR)
        for n, (x, y) in points.items():
            cv2.circle(sheet, (int(2 * x), int(2 * y)), 3, (0, 0, 255) if n == LUMBOSACRAL else (0, 255, 0), 1)
        cv2.putText(sheet, f"{patient} {mm:.2f}", (2, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 0))
        drawn.append(
            cv2.copyMakeBorder(
                sheet, 0, max(0, 480 - len(sheet)), 0, max(0, 380 - sheet.shape[1]), cv2.BORDER_CONSTANT
            )[:480, :380]
        )
    content["levels"] = sorted({*content["levels"], LUMBOSACRAL})
    (options.out / "dataset.json").write_text(json.dumps(content, indent=1))
    if options.sheet:
        drawn += [np.zeros_like(drawn[0])] * (-len(drawn) % 8)
        cv2.imwrite(str(options.sheet), np.vstack([np.hstack(drawn[k : k + 8]) for k in range(0, len(drawn), 8)]))


if __name__ == "__main__":
    main()
