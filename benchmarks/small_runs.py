"""Runs of seconds of every trainer, for the benchmarks of kills and of processes, and for the tests.

``python small_runs.py FOLDER KIND...`` trains in FOLDER/several; run so by several processes it is one of them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SHARED: dict[str, Any] = {"device": "cpu", "precision": "64-true", "progress": False}


def keypoints(data: Path, out: Path, resume: bool = False, iterations: int = 2, **how: Any) -> Path:
    """Keypoint R-CNN with batch norm, SGD."""
    from spinetk.cases.catalog import setup_catalogs
    from spinetk.cases.splitting import make_split
    from spinetk.keypoints.preset import FAST, Recipe
    from spinetk.keypoints.trainer import train

    setup_catalogs("t", *make_split(data / "cases", save=False)[:3])
    tiny = replace(FAST, short_px=(64,), long_px=96, point_layers=(8,), box_units=16, proposals=(30, 10), channels=16)
    solver = Recipe("steady", "sgd", 0.01, 0.0, 0, False, 4, 0.0, "flip")
    how = SHARED | {"check_every": 2} | how
    return train("t", iterations, resume, preset=tiny, recipe=solver, start="scratch", output=out, **how)


def discs(data: Path, out: Path, resume: bool = False, iterations: int = 1, **how: Any) -> Path:
    """Stacked hourglass: batch norm, RMSprop; ``iterations`` are epochs of one."""
    from spinetk.discs.module import Recipe
    from spinetk.discs.trainer import train

    recipe = Recipe(epochs=iterations, batch=2, augment="none")
    return train(data / "discs", out, stacks=1, recipe=recipe, resume=resume, **(SHARED | how))


def atrium(data: Path, out: Path, resume: bool = False, iterations: int = 2, **how: Any) -> Path:
    """V-Net of volumes, Dice over the whole batch, Adam, a rate that validation lowers."""
    from spinetk.segmentation.atrium.predictor import Geometry
    from spinetk.segmentation.atrium.trainer import ready_stage
    from spinetk.segmentation.data.files import find_pairs

    pairs = find_pairs(data / "atria")
    return ready_stage(
        "locator", pairs[:2], pairs[2:], out, Geometry((6.0,) * 3, (16, 32, 32), (12.0,) * 3), batch=2, resume=resume,
        iterations=iterations, options={"width": 2}, patience=0, **(SHARED | {"check_every": 1} | how),
    ).train()  # fmt: skip


def lesion(data: Path, out: Path, resume: bool = False, iterations: int = 2, **how: Any) -> Path:
    """U-Net of slices, weighted cross-entropy, Adam."""
    from spinetk.segmentation.data.files import find_pairs
    from spinetk.segmentation.slices.lesion_trainer import ready_slices

    pairs = find_pairs(data / "brains")
    return ready_slices(
        pairs[:2], pairs[2:], out, network="unet", channels=1, batch=2, iterations=iterations, resume=resume,
        **(SHARED | {"check_every": 2} | how),
    ).train()  # fmt: skip


KINDS = {"keypoints": keypoints, "discs": discs, "atrium": atrium, "lesion": lesion}


def write_data(folder: Path) -> None:
    """Small sets of all kinds; all pictures of a set have one size."""
    _write_columns(folder / "cases")
    write_discs(folder / "discs")
    _write_volumes(folder)


def _write_columns(folder: Path) -> None:
    """Ten pictures of three bright boxes."""
    from spinetk.cases.folder import CaseFolder, write_record
    from spinetk.formats.record import record_of
    from spinetk.reading import Reading, Vertebra
    from spinetk.schema import VERTEBRA6

    folder.mkdir(parents=True)
    for number in range(10):
        random = np.random.default_rng(number)
        picture, vertebrae = random.normal(40, 8, (96, 80)), []
        for level in range(3):
            left, top = random.integers(18, 26), 8 + 28 * level
            picture[top : top + 18, left : left + 32] += 150
            xs, ys = (left, left + 16, left + 32), (top + 18, top)
            points = [(xs[i], ys[0]) for i in (0, 1, 2)] + [(xs[i], ys[1]) for i in (2, 1, 0)]
            vertebrae.append(Vertebra.from_points(np.array(points, float), label=f"L{level + 1}"))
        name = f"c{number}"
        record = record_of(Reading("", 96, 80, VERTEBRA6, vertebrae), name, case=name)
        write_record(CaseFolder(folder).source(name), record, picture.clip(0, 255).astype(np.uint8))


def write_discs(folder: Path) -> None:
    folder.mkdir()
    for number in range(8):
        picture = np.random.default_rng(number).integers(0, 255, (64, 64), dtype=np.uint8)
        cv2.imwrite(str(folder / f"d{number}.png"), picture)
        points = {str(n): [30.0, 10.0 + 15 * k + number] for k, n in enumerate((20, 21, 22))}
        (folder / f"d{number}.json").write_text(json.dumps({"points": points, "grid_mm": 1.0}))
    split: dict[str, list[str]] = {"train": ["d0", "d1"], "val": [f"d{n}" for n in range(2, 8)], "test": []}
    content = {"grid_mm": 1.0, "levels": [20, 21, 22], "modalities": ["T2w"], "split": split}
    (folder / "dataset.json").write_text(json.dumps(content))


def _write_volumes(folder: Path) -> None:
    import SimpleITK as sitk

    from spinetk.phantoms.atrium import atrium_volume
    from spinetk.phantoms.lesion import lesion_volume

    for name, make in (
        ("atria", lambda k: atrium_volume(k, shape=(16, 32, 32), spacing_mm=(6.0, 7.0, 7.0))),
        ("brains", lambda k: lesion_volume(k, shape=(4, 32, 32), spacing_mm=(8.0, 5.0, 5.0), radius_mm=(5, 9))),
    ):
        for number in range(4):
            made = make(number)
            for part, values in (("raw", made.values), ("label", made.mask.astype(np.uint8))):
                (folder / name / part).mkdir(parents=True, exist_ok=True)
                image = sitk.GetImageFromArray(values)
                image.SetSpacing((6.0, 6.0, 6.0))
                sitk.WriteImage(image, str(folder / name / part / f"p{number}.nii.gz"))


def run(folder: str | Path, kinds: Iterable[str]) -> None:
    """Train in ``folder/several``, from ``folder/data``, as one of however many processes."""
    for kind in kinds:
        KINDS[kind](Path(folder) / "data", Path(folder) / "several" / kind)


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2:])
