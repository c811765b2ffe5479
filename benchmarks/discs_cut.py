"""Disc levels in pictures that end above the sacrum: how often they are wrong, and how often nothing marks them.

python benchmarks/discs_cut.py MODEL DATA [--prepared FOLDER] [--every 3] [--first 0] [--keep FILE.json]

DATA holds ``spider_slices``, whose discs, L5/S1 among them, are known from the masks as ``discs_sacral_set.py`` takes
them (a patient's slices share a scale, which is guessed). With --prepared the pictures of the training and validation
part that ``spinetk discs prepare DATA/mr_discs_bids --grid 1.5`` wrote are shown instead, whose labels end at L4/L5.
All are shown whole, and cut below a disc by a share of the step to the next (below the last label: of the step to it).
Most of these patients were trained on; no cut was. A level is wrong when a disc within half a step of a true one bears
another number, and marked when it bears none. With --keep all that was seen goes into a file.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from discs_sacral_set import LEFT_OUT, STEP_MM, tips
from mr_set import CANAL, DISC, SPIDER

from spinetk.discs.levels import name_of
from spinetk.discs.predictor import LUMBOSACRAL, DiscPredictor
from spinetk.discs.preparation import read_samples
from spinetk.discs.slab import to_bytes, to_grid

BELOW = (24, 23, 22)
SHARES = (0.4, 0.8, 1.15)


Shown = Iterator[tuple[str, np.ndarray, dict[int, np.ndarray]]]


def spider(data: Path, grid_mm: float) -> Shown:
    """Name, picture on the grid with the back to the right, and disc number to (2,) px."""
    found: dict[str, list[tuple[str, np.ndarray, dict[int, np.ndarray]]]] = defaultdict(list)
    for path in sorted((data / SPIDER / "masks").glob("*.png")):
        mask, image = (cv2.imread(str(p), cv2.IMREAD_GRAYSCALE) for p in (path, data / SPIDER / "images" / path.name))
        if np.nonzero(mask == DISC)[1].mean() > np.nonzero(mask == CANAL)[1].mean():
            mask, image = mask[:, ::-1].copy(), image[:, ::-1].copy()
        between, last = tips(mask)
        patient = path.name.split("_")[0]
        if last is not None and len(between) >= 3 and patient not in LEFT_OUT:
            found[patient].append((path.stem, image, {**between, LUMBOSACRAL: last}))
    for own in found.values():
        pairs = [(points[k], points[k + 1]) for _, _, points in own for k in (21, 22, 23) if {k, k + 1} <= {*points}]
        mm = STEP_MM / float(np.mean([np.linalg.norm(b - a) for a, b in pairs]))
        for name, image, points in own:
            picture, factors = to_grid(image.astype(np.float32), (mm, mm), grid_mm)
            yield name, picture, {level: place * factors for level, place in points.items()}


def prepared(folder: Path) -> Shown:
    """The same of a prepared folder, without its test part."""
    for part in ("train", "val"):
        for sample in read_samples(folder, part):
            yield sample.stem, sample.pixels(), {level: np.array(place) for level, place in sample.points.items()}


def main() -> None:
    """Print a line for whole slices and for every cut."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("data", type=Path)
    parser.add_argument("--prepared", type=Path)
    parser.add_argument("--every", type=int, default=3, help="of the pictures")
    parser.add_argument("--first", type=int, default=0, help="of the pictures, from 0")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    predictor = DiscPredictor.load(options.model)
    counts: dict[tuple[int, float], Counter[str]] = defaultdict(Counter)
    kept = []
    shown = prepared(options.prepared) if options.prepared else spider(options.data, predictor.grid_mm)
    for name, picture, true in itertools.islice(shown, options.first, None, options.every):
        steps = {k: true.get(k + 1, 2 * true[k] - true.get(k - 1, true[k]))[1] - true[k][1] for k in BELOW if k in true}
        ends = {(LUMBOSACRAL, 0.0): len(picture)} | {
            (level, share): round(true[level][1] + share * step) for level, step in steps.items() for share in SHARES
        }
        for key, end in ends.items():
            if end > len(picture):
                continue
            evidence = predictor.look(to_bytes(picture[:end]))
            chosen = predictor.choose(evidence)
            said = [(disc.point, disc.number, disc.guess) for disc in predictor.label(evidence, chosen)]
            counts[key][judged(said, true)] += 1
            kept.append(
                {"name": name, "cut": key, "end": end, "said": said, "judged": judged(said, true),
                 "channel": chosen.channel.tolist(), "scores": chosen.scores.tolist(),
                 "points": chosen.points.tolist(), "true": {k: v.tolist() for k, v in true.items()},
                 "support": supports(evidence.maps, chosen.points, chosen.channel)}
            )  # fmt: skip
    for (level, share), own in sorted(counts.items(), reverse=True):
        where = "whole" if level == LUMBOSACRAL else f"cut {share} steps below {name_of(level)}"
        print(f"{where}: " + ", ".join(f"{own[what]} {what}" for what in ("right", "wrong", "marked", "not found")))
    if options.keep is not None:
        options.keep.write_text(json.dumps(kept))


def judged(said: list[tuple[tuple[float, float], int | None, int | None]], true: dict[int, np.ndarray]) -> str:
    """What the levels of a picture are: right, wrong (one at least), marked as unsure, or not found."""
    half = 0.5 * np.linalg.norm(true[23] - true[24])
    found = []
    for point, number, _ in said:
        away = {level: float(np.linalg.norm(np.array(point) - place)) for level, place in true.items()}
        nearest = min(away, key=lambda level: away[level])
        if away[nearest] < half:
            found.append(None if number is None else number == nearest)
    if not found:
        return "not found"
    return "marked" if None in found else "right" if all(found) else "wrong"


def supports(maps: np.ndarray, points: np.ndarray, channel: np.ndarray) -> list[float]:
    """Mean height of the maps at the discs, one level up, as chosen, one level down."""
    columns = points[:, 0].astype(int).clip(0, maps.shape[2] - 1)
    rows = points[:, 1].astype(int).clip(0, maps.shape[1] - 1)
    found = []
    for shift in (-1, 0, 1):
        own = channel + shift
        inside = (own >= 0) & (own < len(maps))
        values = maps[own.clip(0, len(maps) - 1), rows, columns].clip(0, 1)
        found.append(float(np.where(inside, values, 0).mean()) if len(points) else 0.0)
    return found


if __name__ == "__main__":
    main()
