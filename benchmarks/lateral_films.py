"""How a lateral model does on real films: found, not found, and what it takes the sacrum and the pelvis for.

python benchmarks/lateral_films.py MODEL DATA [--sheet SHEET.png] [--as-a-user]

DATA holds ``lateral_masks`` (34 small films, one mask per body T12..L5 and S1) and ``lateral_films`` (16 films, 7 with
loose boxes). Both are for measuring and looking: no model was or may be trained on them. A body counts as found when a
predicted outline shares more than half with its mask (intersection over union); for a box, when one of the two covers
the other's middle and neither is more than twice as large. What lies below the lowest body of a film is in the pelvis.
Each file is read as `spinetk predict --model MODEL` reads it, grey scale, turn and refusals included.
``--as-a-user`` reads them once more without any flag, with the released models: how many are read,
on which side the front is said to be (it is the left in all films of ``lateral_masks``), which get names, and how the
S1 endplates that are measured lie to the upper sides of the masks of S1 (four corners of their hulls; of a mask of 20
px an angle is known to some 3 degrees).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from spinetk.errors import InputError
from spinetk.keypoints.reader import Reader
from spinetk.reading import Reading

RING = ("top_left", "top_middle", "top_right", "bottom_right", "bottom_middle", "bottom_left")
NAMES = ("T12", "L1", "L2", "L3", "L4", "L5", "S1")


def outlines(reading: Reading) -> list[np.ndarray]:
    """(6, 2) outlines in px, head to foot."""
    ring = [reading.schema.index(name) for name in RING]
    return [vertebra.points[ring] for vertebra in reading.vertebrae]


def filled(outline: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) bool."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round((outline - 0.5) * 16).astype(np.int32)], 1, shift=4)
    return mask > 0


def bodies_of(reader: Reader, path: Path) -> list[np.ndarray]:
    """Outlines found in a file; none where it is refused, which is printed."""
    try:
        return outlines(reader.read(path)[0])
    except InputError as error:
        print(error)
        return []


def score_masks(reader: Reader, folder: Path) -> dict[str, tuple[int, int]]:
    """(found, all) per level; for S1 how often it was taken for a body."""
    counts = {name: [0, 0] for name in (*NAMES, "below S1")}
    areas = []
    for path in sorted((folder / "masks").glob("*.png")):
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        found = [filled(own, mask.shape) for own in bodies_of(reader, folder / "images" / path.name)]
        for value, name in enumerate(NAMES, start=1):
            body = mask == value
            if not body.any():
                continue
            shares = [float((own & body).sum() / max((own | body).sum(), 1)) for own in found]
            best = max(shares, default=0.0)
            if best > 0.5 and name != "S1":
                areas.append(found[shares.index(best)].sum() / body.sum())
            counts[name][0] += best > 0.5
            counts[name][1] += 1
        sacrum = np.nonzero(mask == 7)[0]
        if len(sacrum):
            counts["below S1"][0] += sum(bool(own.any() and np.nonzero(own)[0].mean() > sacrum.max()) for own in found)
            counts["below S1"][1] += 1
    print(
        f"lateral_masks: outlines have {100 * np.median(areas):.1f} % of the area of the masks (median of {len(areas)})"
    )
    return {name: (hit, total) for name, (hit, total) in counts.items()}


@dataclass
class Plate:
    """An S1 endplate that is measured: its film and score, how far it lies off (in its widths) and how much aslant."""

    film: str
    score: float
    off_widths: float
    slope_off_deg: float


def upper_side(mask: np.ndarray) -> np.ndarray:
    """(2, 2) px, left and right end of the S1 endplate: that side of the hull of S1's mask which is next to L5."""
    contours, _ = cv2.findContours((mask == 7).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.convexHull(max(contours, key=cv2.contourArea))
    for share in np.arange(0.02, 0.2, 0.005):
        corners = cv2.approxPolyDP(hull, share * cv2.arcLength(hull, True), True)[:, 0] + 0.5
        if len(corners) <= 4:
            break
    lowest = np.argwhere(mask == 6).mean(0)[::-1] + 0.5
    sides = [corners[[k, (k + 1) % len(corners)]] for k in range(len(corners))]
    side = min(sides, key=lambda own: float(np.linalg.norm(own.mean(0) - lowest)))
    return side[np.argsort(side[:, 0])]


def plate_of(reading: Reading, film: str, mask: np.ndarray) -> Plate | None:
    """How the endplate of a reading lies to the mask's; None where none is measured."""
    seen = next((own for own in reading.landmarks if own.kind == "s1"), None)
    if seen is None or not (mask == 7).any():
        return None
    truth = upper_side(mask)
    angles = [np.degrees(np.arctan2(*(own[1] - own[0])[::-1])) for own in (seen.points, truth)]
    off = float(np.linalg.norm(seen.points.mean(0) - truth.mean(0)) / np.linalg.norm(truth[1] - truth[0]))
    return Plate(film, seen.score or 0.0, off, float((angles[0] - angles[1] + 90) % 180 - 90))


def print_plates(plates: list[Plate]) -> None:
    """How many lie at their place and how wrong slopes taken from them are, by score."""
    for least, most in ((0.0, 0.8), (0.8, 1.01)):
        own = [plate for plate in plates if least <= plate.score < most]
        if own:
            off = np.abs([plate.slope_off_deg for plate in own])
            print(
                f"S1 endplates of {least} to {min(most, 1)}: {len(own)}, {sum(p.off_widths < 0.5 for p in own)} within "
                f"half a width; slope off by {np.median(off):.1f} degrees in the median, over 10 in {(off > 10).sum()}"
            )
    for plate in plates:
        if abs(plate.slope_off_deg) > 10 or plate.off_widths >= 0.5:
            where = f"{plate.off_widths:.2f} widths off, {plate.slope_off_deg:.0f} degrees aslant"
            print(f"  {plate.film}: score {plate.score:.2f}, {where}")


def score_names(folder: Path) -> tuple[dict[str, int], list[Plate]]:
    """What the released models say of each film of ``lateral_masks`` when nothing is told them."""
    reader, counts, plates = Reader(), Counter(films=0), list[Plate]()
    for path in sorted((folder / "images").glob("*.png")):
        counts["films"] += 1
        try:
            reading, _ = reader.read(path)
        except InputError:
            counts["refused"] += 1
            continue
        counts[f"front {reading.vertebrae[0].measures['anterior_side'] if reading.vertebrae else None}"] += 1
        mask = cv2.imread(str(folder / "masks" / path.name), cv2.IMREAD_UNCHANGED)
        plate = plate_of(reading, path.stem, mask)
        plates.extend([plate] if plate else [])
        labels = [vertebra.label for vertebra in reading.vertebrae]
        if not any(labels):
            continue
        counts["named"] += 1
        shares = {}
        for label, own in zip(labels, outlines(reading), strict=True):
            drawn, body = filled(own, mask.shape), mask == NAMES.index(label) + 1 if label in NAMES else None
            shares[label] = 0.0 if body is None else (drawn & body).sum() / max((drawn | body).sum(), 1)
        counts["L5 right"] += shares.get("L5", 0.0) > 0.5
        counts["all of T12..L5 right"] += all(share > 0.5 for name, share in shares.items() if name in NAMES)
    return dict(counts), plates


def score_films(reader: Reader, folder: Path, sheet: Path | None) -> dict[str, int]:
    """Boxed bodies, how many are found, and bodies seen in the pelvis of the boxed films; optionally a drawn sheet."""
    counts, drawn = {"boxes": 0, "found": 0, "in the pelvis": 0}, []
    for entry in json.loads((folder / "annotations.json").read_text(encoding="utf-8")):
        picture = cv2.imread(str(folder / entry["image"]), cv2.IMREAD_GRAYSCALE)
        found = bodies_of(reader, folder / entry["image"])
        drawn.append(_tile(picture, found))
        boxes = np.array(entry["boxes_xyxy"] or []).reshape(-1, 4)[:-1]  # the last box is that of the sacrum
        counts["boxes"] += len(boxes)
        for box in boxes:
            counts["found"] += any(_meets(own, box) for own in found)
        if len(boxes):
            counts["in the pelvis"] += sum(own[:, 1].mean() > boxes[:, 3].max() for own in found)
    if sheet is not None:
        cv2.imwrite(str(sheet), np.vstack([np.hstack(drawn[k : k + 4]) for k in range(0, len(drawn) - 3, 4)]))
    return {name: int(value) for name, value in counts.items()}


def _meets(outline: np.ndarray, box: np.ndarray) -> bool:
    low, high = outline.min(0), outline.max(0)
    middle, own = (box[:2] + box[2:]) / 2, (low + high) / 2
    centred = ((middle > low) & (middle < high)).all() and ((own > box[:2]) & (own < box[2:])).all()
    size = np.prod(high - low) / np.prod(box[2:] - box[:2])
    return bool(centred and 0.4 < size < 2.0)


def _tile(picture: np.ndarray, found: list[np.ndarray], side: int = 560) -> np.ndarray:
    factor = side / max(picture.shape)
    small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    tile = np.zeros((side, side, 3), np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small[..., None]
    for own in found:
        cv2.polylines(tile, [np.round(own * factor * 16).astype(np.int32)], True, (80, 220, 255), 1, cv2.LINE_AA, 4)
    return tile


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("data", type=Path)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--as-a-user", action="store_true")
    options = parser.parse_args()
    reader = Reader(options.model)
    masks = score_masks(reader, options.data / "lateral_masks")
    for name, (hit, total) in masks.items():
        print(f"lateral_masks {name}: {hit} of {total}" + (" taken for a body" if "S1" in name else " found"))
    bodies = [masks[name] for name in NAMES[:-1]]
    hit, total = (sum(column) for column in zip(*bodies, strict=True))
    print(f"lateral_masks T12..L5: {hit} of {total} found ({100 * hit / total:.1f} %)")
    if options.as_a_user:
        said, plates = score_names(options.data / "lateral_masks")
        print("lateral_masks without a flag: " + ", ".join(f"{value} {name}" for name, value in said.items()))
        print_plates(plates)
    films = score_films(reader, options.data / "lateral_films", options.sheet)
    print("lateral_films: " + ", ".join(f"{value} {name}" for name, value in films.items()))


if __name__ == "__main__":
    main()
