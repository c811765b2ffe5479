"""Many volumes: each mask is written beside the others, what fails is recorded, the rest goes on."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from spinetk import __version__
from spinetk.atomic import write_json
from spinetk.errors import InputError
from spinetk.segmentation.atrium import AtriumPredictor
from spinetk.segmentation.volume import SUFFIXES, read_volume


def volume_files(inputs: Iterable[str | Path]) -> list[Path]:
    """The volumes among files and, at any depth, folders; named files whatever they are called."""
    found: list[Path] = []
    for given in map(Path, inputs):
        if given.is_dir():
            found += sorted(p for p in given.rglob("*") if p.name.endswith(SUFFIXES) and not p.name.startswith("."))
        else:
            found.append(given)
    return found


def predict_files(
    predictor: AtriumPredictor,
    inputs: Iterable[str | Path],
    output: str | Path,
    how: Literal["locate", "slide"] = "locate",
) -> dict[str, Any]:
    """Write ``output/<name of the input>`` for every volume, in its format and geometry, and ``output/run.json``.

    Args:
        predictor: Of the task.
        inputs: NIfTI or NRRD files, or folders of them.
        output: Folder. Inputs of one name in several folders are numbered.
        how: As in :meth:`AtriumPredictor.predict`.

    Returns:
        What ``run.json`` holds: ``written`` (file, mask, voxels, seconds) and ``failed`` (file, why).
    """
    output = Path(output)
    taken: set[str] = set()
    written: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    for path in volume_files(inputs):
        start = time.perf_counter()
        try:
            volume = read_volume(path)
            mask = predictor.predict(volume.values, volume.spacing_mm, how)
            name = _free_name(path, taken)
            volume.write(mask, output / name)
        except InputError as error:
            failed.append({"file": str(path), "why": str(error)})
            continue
        seconds = round(time.perf_counter() - start, 3)
        written.append({"file": str(path), "mask": name, "voxels": int(mask.sum()), "seconds": seconds})
    run = {"spinetk": __version__, "device": str(predictor.device), "how": how, "written": written, "failed": failed}
    write_json(output / "run.json", run)
    return run


def _free_name(path: Path, taken: set[str]) -> str:
    """The input's own name, numbered where another input had it; ``.nrrd`` for one without a suffix of volumes."""
    suffix = next((s for s in SUFFIXES if path.name.endswith(s)), None)
    stem = path.name.removesuffix(suffix) if suffix else path.name
    name, number = stem + (suffix or ".nrrd"), 1
    while name.lower() in taken:
        number += 1
        name = f"{stem}-{number}{suffix or '.nrrd'}"
    taken.add(name.lower())
    return name
