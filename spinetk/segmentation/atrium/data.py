"""Training data of locator and segmenter: each case is read once and its crops and distance map are kept on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from spinetk.atomic import replacing, write_json
from spinetk.errors import InputError
from spinetk.segmentation.atrium.augmentation import Augmentation, augment
from spinetk.segmentation.atrium.crop import LOCATOR_MM, locator_shape, shrink
from spinetk.segmentation.atrium.predictor import Geometry, Triple, resample, standardise
from spinetk.segmentation.data.files import Pair
from spinetk.segmentation.data.said import summed
from spinetk.segmentation.losses.distance import signed_distance

INDEX = "cases.json"
VERSION = 1
"""Of what :func:`prepare` writes."""

Stage = Literal["locator", "segmenter"]
Item = tuple[np.ndarray, np.ndarray, np.ndarray | None]


@summed()
def choose_geometry(
    pairs: Sequence[Pair], grid_mm: Triple | None = None, locator_mm: Triple = LOCATOR_MM, margin_mm: float = 10.0
) -> Geometry:
    """The geometry of a training part: its first case's spacing, and a patch that holds every atrium with its margin.

    Raises:
        InputError: No case, or a case that cannot be read.
    """
    if not pairs:
        raise InputError("training part", "holds no case", "give pairs of images and masks")
    grid_mm = grid_mm or pairs[0].read()[0].spacing_mm
    loose = Geometry(_three(grid_mm), (1, 1, 1), _three(locator_mm), margin_mm)
    patch = np.ones(3, int)
    for pair in pairs:
        volume, mask = pair.read()
        shape = loose.shape(mask.shape, volume.spacing_mm)
        coarse = shrink(resample(mask, shape), locator_shape(shape, grid_mm, locator_mm))
        box = loose.box(coarse, shape)
        patch = patch if box is None else np.maximum(patch, box.size)
    depth, height, width = (int(n) for n in patch)
    return Geometry(loose.grid_mm, (depth, height, width), loose.locator_mm, margin_mm)


def _three(values: Sequence[float]) -> Triple:
    first, second, third = values
    return first, second, third


@summed()
def prepare(pairs: Sequence[Pair], geometry: Geometry, folder: Path, stage: Stage, distance: bool) -> list[Path]:
    """Write what a stage trains on, one file a case, numbered; what the same call wrote before is kept.

    Args:
        pairs: Cases. One without an atrium is of use to the locator only.
        geometry: Of the training.
        folder: Receives the files.
        stage: Coarse copies, or crops.
        distance: Whether the loss needs distance maps (mm).

    Returns:
        ``.npz`` files of ``values`` (float32, standardised), ``mask`` (bool) and, if asked for, ``distance`` (float32).
    """
    made_of = _fingerprint(pairs, geometry, stage, distance)
    kept = _kept(folder, made_of)
    if kept is not None:
        return kept
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, pair in enumerate(pairs):
        volume, mask = pair.read()
        shape = geometry.shape(mask.shape, volume.spacing_mm)
        values, share = resample(volume.values, shape), resample(mask, shape)
        coarse = locator_shape(shape, geometry.grid_mm, geometry.locator_mm)
        coarse_share = shrink(share, coarse)
        spacing = geometry.grid_mm
        if stage == "locator":
            values, mask = standardise(shrink(values, coarse)), coarse_share >= 0.5
            spacing = tuple(n * s / c for n, s, c in zip(shape, spacing, coarse, strict=True))
        else:
            box = geometry.box(coarse_share, shape)
            if box is None:
                continue
            values, mask = standardise(box.cut(values)), box.cut(share, fill=0) >= 0.5
        arrays: dict[str, Any] = {"values": values, "mask": mask}
        if distance:
            arrays["distance"] = signed_distance(mask, spacing)
        path = folder / f"{number:05d}.npz"
        with replacing(path) as temporary:
            np.savez(temporary, **arrays)
        written.append(path)
    write_json(folder / INDEX, {"made_of": made_of, "files": [path.name for path in written]})
    return written


def _fingerprint(pairs: Sequence[Pair], geometry: Geometry, stage: Stage, distance: bool) -> str:
    """Changes with the files (by name, size and time), the geometry and what is asked for."""
    files = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for p in pairs for path in (p.image, p.mask)]
    told = json.dumps([VERSION, files, geometry.to_json(), stage, distance])
    return hashlib.sha256(told.encode()).hexdigest()


def _kept(folder: Path, made_of: str) -> list[Path] | None:
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        files = [folder / name for name in index["files"]]
        return files if index["made_of"] == made_of and all(path.is_file() for path in files) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


class CaseDataset(Dataset):
    """Prepared cases.

    Args:
        files: Of :func:`prepare`.
        augmentation: None for validation.
        seed: Draw k of case i is augmented from (seed, k, i), whatever the number of workers.
    """

    def __init__(self, files: Sequence[Path], augmentation: Augmentation | None = None, seed: int = 0) -> None:
        self.files, self.augmentation, self.seed = list(files), augmentation, seed

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int | tuple[int, int]) -> Item:
        epoch, case = index if isinstance(index, tuple) else (0, index)
        with np.load(self.files[case]) as arrays:
            item = arrays["values"], arrays["mask"], arrays.get("distance")
        if self.augmentation is None:
            return item
        return augment(*item, self.augmentation, np.random.default_rng([self.seed, epoch, case]))


def collate(items: Sequence[Item]) -> tuple[Tensor, Tensor, Tensor | None]:
    """A batch at the largest sides: values continue with their smallest, masks with none, distances with their edge."""
    sides = np.max([item[0].shape for item in items], axis=0)

    def stack(arrays: Sequence[np.ndarray], how: Literal["constant", "edge"]) -> Tensor:
        padded = []
        for array in arrays:
            width = [(0, int(n - m)) for n, m in zip(sides, array.shape, strict=True)]
            if how == "constant":
                padded.append(np.pad(array, width, "constant", constant_values=array.min()))
            else:
                padded.append(np.pad(array, width, "edge"))
        return torch.from_numpy(np.stack(padded).astype(np.float32))[:, None]

    values = stack([item[0] for item in items], "constant")
    mask = torch.zeros_like(values)
    for row, item in zip(mask, items, strict=True):
        row[(0, *(slice(n) for n in item[1].shape))] = torch.from_numpy(item[1].astype(np.float32))
    maps = [item[2] for item in items if item[2] is not None]
    return values, mask, stack(maps, "edge") if maps else None
