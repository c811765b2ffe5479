"""Batch: files to labels, JSON and overlays."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from spinetk._version import __version__
from spinetk.atomic import write_json
from spinetk.discs.levels import FIRST_UNKNOWN
from spinetk.discs.pictures import attention_overlay, draw, heat_overlay, write_png
from spinetk.discs.points import DiscReading
from spinetk.discs.predictor import DiscPredictor, Evidence
from spinetk.discs.slab import read_slab, to_bytes, to_grid
from spinetk.errors import InputError
from spinetk.geometry import Frame, upright
from spinetk.images import find_pictures, find_series, read_picture
from spinetk.images.volume import SUFFIXES

Facing = Literal["left", "right", "auto"]
TRAILER = "_desc-discs_labels"


@dataclass
class Batch:
    """Outcome: readings by stem of their results, and one line per failure."""

    readings: dict[str, DiscReading] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def predict_files(
    files: Sequence[str | Path],
    out: str | Path,
    predictor: DiscPredictor,
    *,
    method: str | None = None,
    spacing_mm: tuple[float, float] | None = None,
    facing: Facing = "auto",
    show_attention: bool = False,
) -> Batch:
    """Label the discs of volumes and sagittal pictures.

    For each input ``OUT/<stem>_desc-discs_labels.json`` and ``.png`` (overlay), for a volume also ``.nii.gz``: single
    voxels in its own geometry with Spinal Cord Toolbox numbers, or 101, 102, ... from the head where the level cannot
    be known. ``OUT/run.json`` says what was done and what failed. Points of pictures are in px of the picture as
    stored; overlays are drawn upright.

    Args:
        files: NIfTI or NRRD volumes; PNG, JPEG, TIFF or DICOM pictures; folders of them, or of a DICOM series.
        out: Folder for the results.
        predictor: The model.
        method: See :func:`spinetk.discs.decision.decide`; None for the predictor's own.
        spacing_mm: The user's (row, column) spacing, for pictures.
        facing: Side that the patient's front faces, head up, for pictures that do not say.
        show_attention: Also write ``<stem>_attention.png`` and ``<stem>_heatmaps.png``.
    """
    out, batch, began = Path(out), Batch(), time.time()
    for file in _inputs(files, batch.failures):
        try:
            way = None
            if file.name.lower().endswith(SUFFIXES):
                slab = read_slab(file)
                reading, evidence = predictor.read_slab(slab, file=str(file), method=method)
                stem = _stem(file, batch)
                values = [d.number or FIRST_UNKNOWN + k for k, d in enumerate(reading.discs)]
                slab.write_labels(out / f"{stem}{TRAILER}.nii.gz", reading.points, values)
                pixels = slab.pixels
            else:
                picture = read_picture(file, spacing_mm=spacing_mm)
                pixels, way = upright(picture.pixels, picture.frame)
                frame = _facing(way.frame, facing)
                reading, evidence = predictor.read(pixels, frame, file=str(file), method=method)
                reading.remarks = [*picture.remarks, *reading.remarks]
                stem = _stem(file, batch)
            write_png(out / f"{stem}{TRAILER}.png", draw(to_bytes(pixels), reading))
            if show_attention:
                _show(out / stem, pixels, reading.frame, evidence, predictor.grid_mm)
            if way is not None and way.changes:
                reading = reading.stored(way)
            write_json(out / f"{stem}{TRAILER}.json", reading.to_json())
            batch.readings[stem] = reading
        except InputError as error:
            batch.failures.append(str(error))
    run: dict[str, Any] = {
        "spinetk": __version__, "model": predictor.name, "method": method or predictor.method,
        "device": predictor.device.type,
        "inputs": [str(f) for f in files], "done": len(batch.readings), "failed": batch.failures,
        "seconds": round(time.time() - began, 3), "unknown_levels_from": FIRST_UNKNOWN,
    }  # fmt: skip
    write_json(out / "run.json", run)
    return batch


def _inputs(files: Sequence[str | Path], failures: list[str]) -> list[Path]:
    """Files, and folders that are one DICOM series; other folders are searched, derivatives of BIDS apart."""
    found = []
    for file in map(Path, files):
        if not file.is_dir():
            found.append(file)
            continue
        try:
            if find_series(file):
                found.append(file)
                continue
            inside = [p for p in find_pictures([file]) if "derivatives" not in p.relative_to(file).parts]
        except InputError as error:
            failures.append(str(error))
            continue
        if not inside:
            failures.append(str(InputError(file, "holds no picture", "give files or another folder")))
        found += inside
    return found


def _stem(file: Path, batch: Batch) -> str:
    """A name for the results that none of this batch has."""
    name = file.name
    lowered = name.lower()
    suffix = next((s for s in sorted(SUFFIXES, key=len, reverse=True) if lowered.endswith(s)), Path(name).suffix)
    stem = name[: len(name) - len(suffix)] or "input"
    count, free = 2, stem
    while free in batch.readings:
        free, count = f"{stem}-{count}", count + 1
    return free


def _facing(frame: Frame, facing: Facing) -> Frame:
    if frame.anterior is not None or facing == "auto":
        return frame
    toward = "P" if facing == "left" else "A"
    return Frame(frame.spacing_mm, frame.spacing_source, toward, frame.toward_bottom)


def _show(stem: Path, pixels: Any, frame: Frame, evidence: Evidence, grid_mm: float) -> None:
    """Heatmaps and attention on the model's grid, front left."""
    grey = pixels[:, ::-1] if frame.anterior == "right" else pixels
    height, width = evidence.maps.shape[1:]
    spacing = (height * grid_mm / grey.shape[0], width * grid_mm / grey.shape[1])
    grid = to_bytes(to_grid(grey, spacing, grid_mm)[0])
    write_png(stem.with_name(f"{stem.name}_heatmaps.png"), heat_overlay(grid, evidence.maps))
    if evidence.attention is not None:
        write_png(stem.with_name(f"{stem.name}_attention.png"), attention_overlay(grid, evidence.attention))
