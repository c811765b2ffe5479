"""Preparation: a BIDS data set to pictures on a grid in mm, points, and a split; the cache that training reads.

A prepared folder holds ``<stem>.png`` (8-bit grey, head up, front on the left), ``<stem>.json`` (points in px of the
picture by disc number) and ``dataset.json`` (settings, split, what was skipped).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from spinetk.atomic import replacing, write_json
from spinetk.discs.bids import Skipped, Subject, find_subjects
from spinetk.discs.slab import is_inside, project, read_labels, read_slab, to_bytes, to_grid
from spinetk.discs.straightening import find_sct, straighten
from spinetk.errors import InputError
from spinetk.images.volume import Volume, read_volume

DATASET = "dataset.json"
PARTS = ("train", "val", "test")
SHARES = (0.75, 0.10, 0.15)
GRID_MM = 1.0


@dataclass(frozen=True)
class Sample:
    """One prepared picture.

    Attributes:
        stem: Its name.
        path: The PNG.
        points: Disc number to (x, y) px.
        grid_mm: Side of a pixel.
    """

    stem: str
    path: Path
    points: dict[int, tuple[float, float]]
    grid_mm: float

    def pixels(self) -> np.ndarray:
        """(H, W) uint8; raises ``InputError`` when the file cannot be read."""
        picture = cv2.imread(str(self.path), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            raise InputError(self.path, "cannot be read as a picture", "prepare the data set again")
        return picture

    def on_grid(self, grid_mm: float) -> tuple[np.ndarray, np.ndarray]:
        """The picture (H, W) uint8 on a model's grid, and the (2,) true sides (x, y) of its px in mm."""
        picture, factors = to_grid(self.pixels(), (self.grid_mm, self.grid_mm), grid_mm)
        return picture, self.grid_mm / factors


def prepare(
    root: str | Path,
    out: str | Path,
    *,
    modalities: Sequence[str] = ("T2w",),
    grid_mm: float = GRID_MM,
    seed: int = 0,
    straightened: bool = False,
) -> dict[str, Any]:
    """Prepare a data set.

    Six slices (fewer where they are thick) are averaged about the spinal cord where a mask of it is among the
    derivatives. Without one they are about the labels for training, and about the middle of the volume for validation
    and testing, where a user would have no labels either.

    Args:
        root: BIDS root.
        out: The prepared folder.
        modalities: ``T1w``, ``T2w`` or both.
        grid_mm: Side of a pixel.
        seed: Of the split.
        straightened: Straighten along the cord first, with Spinal Cord Toolbox; subjects it fails on are listed.

    Returns:
        The content of ``dataset.json``.

    Raises:
        InputError: No subject can be used, or Spinal Cord Toolbox is wanted and not installed.
    """
    out = Path(out)
    if straightened:
        find_sct()
    found: list[Subject] = []
    skipped: list[Skipped] = []
    for modality in modalities:
        own, left = find_subjects(root, modality)
        found += own
        skipped += left
    parts = split({subject.name: subject.centre for subject in found}, seed)
    content: dict[str, list[str]] = {part: [] for part in PARTS}
    levels: set[int] = set()
    remarks: dict[str, list[str]] = {}
    known: dict[str, str] = {}
    for subject in found:
        try:
            volume = read_volume(subject.image)
            digest = _digest(volume)
            if digest in known:
                skipped.append(Skipped(subject.stem, f"the same image as {known[digest]}"))
                continue
            with TemporaryDirectory() as folder:
                used = straighten(subject, Path(folder)) if straightened else subject
                seen = read_volume(used.image) if straightened else volume
                points, said = _prepare_one(used, seen, out, grid_mm, about_labels=parts[subject.name] == "train")
        except InputError as error:
            skipped.append(Skipped(subject.stem, error.fault, failed=True))
            continue
        known[digest] = subject.stem
        content[parts[subject.name]].append(subject.stem)
        if said:
            remarks[subject.stem] = said
        if parts[subject.name] == "train":
            levels |= set(points)
    if not any(content.values()):
        raise InputError(root, "holds no labelled image that can be used", "see `derivatives/labels`")
    summary = {
        "modalities": list(modalities),
        "grid_mm": grid_mm,
        "straightened": straightened,
        "seed": seed,
        "levels": sorted(levels),
        "centres": {subject.name: subject.centre for subject in found},
        "split": content,
        "skipped": [vars(s) for s in skipped],
        "remarks": remarks,
    }
    write_json(out / DATASET, summary)
    return summary


def split(centres: dict[str, str], seed: int, shares: Sequence[float] = SHARES) -> dict[str, str]:
    """Part of each subject, every centre dealt out in like proportion.

    Subjects are ranged by centre, at random within one, and parts are taken along the range at even distances.
    """
    random = np.random.default_rng(seed)
    order = sorted(centres)
    rank = dict(zip(order, random.permutation(len(order)).tolist(), strict=True))
    ranged = sorted(order, key=lambda name: (centres[name], rank[name]))
    taken = np.zeros(len(shares))
    parts = {}
    for count, name in enumerate(ranged, 1):
        # The part furthest behind its share is next.
        behind = np.array(shares) * count - taken
        part = int(behind.argmax())
        taken[part] += 1
        parts[name] = PARTS[part]
    return parts


def _prepare_one(
    subject: Subject, volume: Volume, out: Path, grid_mm: float, *, about_labels: bool
) -> tuple[dict[int, Any], list[str]]:
    said: list[str] = []
    grid = volume.grid
    labels = read_labels(subject.labels, grid, said)
    if not labels:
        fault = "; ".join(["holds no disc label", *said])
        raise InputError(subject.labels, fault, "values are disc numbers, 3 = C2/C3, 25 = L5/S1")
    middle = np.median(np.array(list(labels.values())), axis=0) if about_labels else None
    if subject.cord is not None:
        middle = _centre_of(subject.cord)
        if not is_inside(grid, middle):
            raise InputError(
                subject.cord, "mask of the cord lies outside the image", "remove it, or correct its header"
            )
    slab = read_slab(subject.image, middle, volume)
    spacing = slab.frame.spacing_mm
    assert spacing is not None  # a volume has one
    picture, factors = to_grid(slab.pixels, spacing, grid_mm)
    height, width = picture.shape
    points = {n: (x * factors[0], y * factors[1]) for n, (x, y) in project(slab, labels).items()}
    inside = {n: p for n, p in points.items() if 0 <= p[0] <= width and 0 <= p[1] <= height}
    if not inside:
        raise InputError(subject.labels, "disc labels lie outside the image", "image and labels must share their space")
    with replacing(out / f"{subject.stem}.png") as temporary:
        cv2.imwrite(str(temporary), to_bytes(picture))
    record = {"stem": subject.stem, "modality": subject.modality, "grid_mm": grid_mm}
    record |= {"points": {str(n): [round(float(v), 4) for v in p] for n, p in inside.items()}}
    write_json(out / f"{subject.stem}.json", record | {"slices": slab.remarks[0]})
    return inside, [*said, *slab.remarks[1:]]


def _digest(volume: Volume) -> str:
    """Of the voxels of a volume, whatever compressed them: a subject under two names would be trained on and tested."""
    return hashlib.sha256(np.ascontiguousarray(volume.values).tobytes()).hexdigest()


def _centre_of(mask: Path) -> np.ndarray:
    volume = read_volume(mask)
    found = np.argwhere(volume.values > 0)
    if not len(found):
        raise InputError(mask, "is an empty mask", "remove it")
    return volume.grid.to_mm(found.mean(axis=0)[::-1])


def read_dataset(folder: str | Path) -> dict[str, Any]:
    """``dataset.json`` of a prepared folder; raises ``InputError`` when it is none."""
    path = Path(folder) / DATASET
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        _ = [content[key] for key in ("grid_mm", "levels", "modalities")] + [content["split"][p] for p in PARTS]
    except OSError as error:
        raise InputError(folder, "is not a prepared data set", "run `spinetk discs prepare` first") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(path, "is damaged", "run `spinetk discs prepare` again") from error
    return content


def read_samples(folder: str | Path, part: str) -> list[Sample]:
    """Samples of a part of a prepared folder; of ``all`` the parts one after the other.

    Raises:
        InputError: The folder is not prepared, or a file is missing or damaged.
    """
    folder = Path(folder)
    samples = []
    split = read_dataset(folder)["split"]
    for stem in (stem for name in (PARTS if part == "all" else (part,)) for stem in split[name]):
        path = folder / f"{Path(stem).name}.json"
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            points = {int(n): (float(x), float(y)) for n, (x, y) in record["points"].items()}
            samples.append(Sample(stem, path.with_suffix(".png"), points, float(record["grid_mm"])))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(path, "is missing or damaged", "run `spinetk discs prepare` again") from error
    return samples
