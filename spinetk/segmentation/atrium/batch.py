"""Many volumes: each mask is written beside the others, what fails is recorded, the rest goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

from spinetk._version import __version__
from spinetk.atomic import write_json
from spinetk.errors import InputError
from spinetk.images.find import find_pictures, find_series
from spinetk.images.grid import AXIAL
from spinetk.images.volume import SUFFIXES, read_volume
from spinetk.segmentation.atrium.predictor import AtriumPredictor
from spinetk.segmentation.series import SEG_SUFFIX, read_series

Draw = Callable[..., None]


def volume_files(inputs: Iterable[str | Path]) -> list[Path]:
    """The volumes among files and, at any depth, folders: files, and folders that hold a DICOM series.

    Files that are named are given on whatever they are called.

    Raises:
        InputError: A folder cannot be listed.
    """
    found: list[Path] = []
    for given in map(Path, inputs):
        if not given.is_dir():
            found.append(given)
            continue
        files = list(find_pictures([given]))
        volumes = [path for path in files if path.name.endswith(SUFFIXES)]
        folders = sorted({path.parent for path in files if path not in set(volumes)})
        found += volumes + [folder for folder in folders if find_series(folder)]
    return found


def predict_files(
    predictor: AtriumPredictor,
    inputs: Iterable[str | Path],
    output: str | Path,
    how: Literal["locate", "slide"] = "locate",
    draw: Draw | None = None,
) -> dict[str, Any]:
    """Write ``output/<name of the input>`` for every volume, in its format and geometry, and ``output/run.json``.

    Args:
        predictor: Of the task.
        inputs: NIfTI or NRRD files, folders of a DICOM series, or folders of these at any depth. The mask of a series
            is a DICOM segmentation, ``<folder>.seg.dcm``.
        output: Folder. Inputs of one name in several folders are numbered.
        how: As in :meth:`AtriumPredictor.predict`.
        draw: Called with the name of the mask without its suffix, values, spacing_mm and mask of every volume.

    Returns:
        What ``run.json`` holds: ``written`` (file, mask, voxels, seconds, remarks) and ``failed`` (file, why).
    """
    output = Path(output)
    taken: set[str] = set()
    written: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    for path in volume_files(inputs):
        start = time.perf_counter()
        try:
            volume = read_series(path) if path.is_dir() else read_volume(path)
            mask = predictor.predict_volume(volume, how)
            name = _free_name(path, taken)
            volume.write(mask, output / name)
            if draw is not None:
                axial, turn = volume.as_closest(AXIAL)
                draw(_split(name)[0], axial.values, axial.spacing_mm, turn.take(mask))
        except InputError as error:
            failed.append({"file": str(path), "why": str(error)})
            continue
        seconds = round(time.perf_counter() - start, 3)
        entry = {"file": str(path), "mask": name, "voxels": int(mask.sum()), "seconds": seconds}
        written.append(entry | {"remarks": list(volume.remarks)})
    run = {"spinetk": __version__, "device": str(predictor.device), "how": how, "written": written, "failed": failed}
    write_json(output / "run.json", run)
    return run


def _free_name(path: Path, taken: set[str]) -> str:
    """The input's own name, numbered where another input had it; ``.nrrd`` for one without a suffix of volumes."""
    stem, suffix = (path.resolve().name or "series", SEG_SUFFIX) if path.is_dir() else _split(path.name)
    suffix = suffix or ".nrrd"
    name, number = stem + suffix, 1
    while name.lower() in taken:
        number += 1
        name = f"{stem}-{number}{suffix}"
    taken.add(name.lower())
    return name


def _split(name: str) -> tuple[str, str]:
    suffix = next((s for s in (*SUFFIXES, SEG_SUFFIX) if name.endswith(s)), "")
    return name.removesuffix(suffix), suffix
