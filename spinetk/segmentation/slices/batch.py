"""Many volumes or pictures: each mask is written beside the others, what fails is recorded, the rest goes on."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from spinetk._version import __version__
from spinetk.atomic import write_json
from spinetk.errors import InputError
from spinetk.images.grid import AXIAL
from spinetk.images.volume import SUFFIXES, Volume, read_volume
from spinetk.segmentation.data.case import files, is_volume, stem
from spinetk.segmentation.data.colour import read_colour, write_png
from spinetk.segmentation.slices import contours
from spinetk.segmentation.slices.pictures import PicturePredictor
from spinetk.segmentation.slices.predictor import SlicePredictor

Predictor = SlicePredictor | PicturePredictor


def predict_files(
    predictor: Predictor, inputs: Iterable[str | Path], output: str | Path, pictures: bool = False
) -> dict[str, Any]:
    """Write a mask for every input: a volume in its format and geometry, a picture as PNG of its size.

    Args:
        predictor: Of slices (volumes in) or of pictures.
        inputs: Files, or folders of them at any depth.
        output: Folder. Inputs of one name in several folders are numbered.
        pictures: Also draw outlines, as ``output/pictures/<name>.png``.

    Returns:
        What ``output/run.json`` holds: ``written`` (file, mask, pixels, seconds, remarks) and ``failed`` (file, why).
    """
    output, volumes = Path(output), isinstance(predictor, SlicePredictor)
    taken: set[str] = set()
    written: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    for path in _inputs(inputs, volumes):
        start = time.perf_counter()
        try:
            name, mask, drawn, remarks = _one(predictor, path, output, taken, pictures)
            if drawn is not None:
                write_png(output / "pictures" / f"{stem(Path(name))}.png", drawn)
        except InputError as error:
            failed.append({"file": str(path), "why": str(error)})
            continue
        seconds = round(time.perf_counter() - start, 3)
        entry = {"file": str(path), "mask": name, "pixels": int(mask.sum()), "seconds": seconds}
        written.append(entry | {"remarks": list(remarks)})
    run = {"spinetk": __version__, "device": str(predictor.device), "written": written, "failed": failed}
    write_json(output / "run.json", run)
    return run


def segment_volume(predictor: SlicePredictor, volume: Volume) -> np.ndarray:
    """(D, H, W) bool mask of a volume as stored, segmented in axial slices."""
    axial, turn = volume.as_closest(AXIAL)
    return turn.back(predictor.predict(axial.values))


def _one(
    predictor: Predictor, path: Path, output: Path, taken: set[str], draw: bool
) -> tuple[str, np.ndarray, np.ndarray | None, tuple[str, ...]]:
    drawn, remarks = None, ()
    if isinstance(predictor, SlicePredictor):
        volume = read_volume(path)
        remarks = volume.remarks
        mask = segment_volume(predictor, volume)
        name = _free_name(stem(path), next((s for s in SUFFIXES if path.name.endswith(s)), ".nrrd"), taken)
        volume.write(mask, output / name)
        if draw:
            axial, turn = volume.as_closest(AXIAL)
            drawn = contours.volume_case(axial.values, turn.take(mask), None, name, axial.spacing_mm)
    else:
        picture = read_colour(path)
        mask = predictor.predict(picture)
        name = _free_name(stem(path), ".png", taken)
        write_png(output / name, mask)
        drawn = contours.picture_case(picture, mask, None, name) if draw else None
    return name, mask, drawn, remarks


def _inputs(inputs: Iterable[str | Path], volumes: bool) -> list[Path]:
    found: list[Path] = []
    for given in map(Path, inputs):
        found += [p for p in files(given, deep=True) if is_volume(p) == volumes] if given.is_dir() else [given]
    return found


def _free_name(name: str, suffix: str, taken: set[str]) -> str:
    """The input's own name, numbered where another input had it."""
    free, number = name, 1
    while free.lower() in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free.lower())
    return free + suffix
