"""Batch: many pictures to result files, one failure never costing the others.

For each input ``OUT/<stem>.json`` and ``<stem>.png`` (overlay), for all ``OUT/vertebrae.csv`` (a row per vertebra) and
``OUT/run.json`` (versions, model, device, inputs, seconds, what failed and why).
"""

from __future__ import annotations

import pickle
import platform
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import numpy as np

from spinetk._version import __version__
from spinetk.atomic import write_json
from spinetk.cases.folder import CaseFolder, read_pixels, read_record
from spinetk.errors import InputError
from spinetk.formats.record import reading_of
from spinetk.formats.table import write_table
from spinetk.images import Picture, find_inputs
from spinetk.images.identity import safe_name
from spinetk.images.picture import SliceChoice
from spinetk.keypoints.pictures import to_grey
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.reader import Reader
from spinetk.overrides import Overrides, OverridesTable
from spinetk.reading import Reading
from spinetk.report.overlay import write_overlay
from spinetk.training.launch import Place


class Readings(Sequence[Reading]):
    """Readings of many pictures in little memory: each is packed (2 kB in place of 40) and unpacked when asked for."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []

    def add(self, packed: bytes) -> None:
        """Append one of :func:`pack`."""
        self._packed.append(packed)

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, index: int) -> Reading: ...
    @overload
    def __getitem__(self, index: slice) -> list[Reading]: ...
    def __getitem__(self, index: int | slice) -> Reading | list[Reading]:
        if isinstance(index, slice):
            return [_unpack(packed) for packed in self._packed[index]]
        return _unpack(self._packed[index])


def pack(reading: Reading) -> bytes:
    """A reading as few bytes, for memory and for other processes; never written to a file."""
    return zlib.compress(pickle.dumps(reading), 1)


def _unpack(packed: bytes) -> Reading:
    return pickle.loads(zlib.decompress(packed))


@dataclass
class Batch:
    """Outcome of :func:`predict_files`.

    Attributes:
        readings: Of the pictures that could be read, in order.
        results: The JSON file of each.
        failures: One line each for those that could not.
        unmet: Names in a table of overrides that no picture bears.
    """

    readings: Readings = field(default_factory=Readings)
    results: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    unmet: list[str] = field(default_factory=list)


def predict_files(
    inputs: Iterable[str | Path],
    out: str | Path,
    model: Reader | Predictor | str | Path | None = None,
    *,
    spacing_mm: tuple[float, float] | None = None,
    facing: str = "auto",
    anchor: str | None = None,
    overrides: OverridesTable | None = None,
    slice_choice: SliceChoice = "central",
    series: str | None = None,
    place: Place | None = None,
    progress: bool = True,
) -> Batch:
    """Read every picture among ``inputs`` (files, or folders of any depth) and write the results to ``out``.

    Args:
        inputs: Files and folders.
        out: Folder of the results.
        model: What reads them; None takes the released model that each picture calls for.
        spacing_mm, facing, anchor: The user's word on all of them, as of :class:`spinetk.overrides.Overrides`.
        overrides: The user's word on each of them, in place of these three.
        slice_choice: Slice of series and volumes.
        series: Which of several series of a folder or file, as of :func:`spinetk.images.read_picture`.
        place: This process among several.
        progress: Whether to show how far it is.

    Of several processes (``place``, by :func:`spinetk.training.launch.launch`) each reads its share; the first writes
    the table and the manifest, and all return the whole. The files are those that one process would write.

    Raises:
        InputError: There is no picture at all.
    """
    inputs = list(inputs)
    paths = list(find_inputs(inputs))
    if not paths:
        raise InputError(", ".join(str(i) for i in inputs), "holds no picture", "give DICOM, PNG, JPEG or TIFF files")

    reader = Reader.of(model)
    table = overrides or OverridesTable(Overrides(None, spacing_mm, facing, anchor))

    def read(path: Path) -> tuple[Reading, np.ndarray]:
        return reader.read(path, table.of(path), slice_choice=slice_choice, series=series)

    sources = dict(zip(unique_stems(paths), paths, strict=True))
    batch = _write_all(sources, read, Path(out), reader, progress, place or Place())
    batch.unmet = table.unmet(paths)
    return batch


def predict_cases(
    base: str | Path, cases: Iterable[str], out: str | Path, predictor: Predictor, *, progress: bool = True
) -> Batch:
    """As :func:`predict_files` for cases of a case folder: named after them, with the scale and view in their files."""
    reader = Reader.of(predictor)
    folder = CaseFolder(base)
    sources = {safe_name(case): folder.source(case) for case in cases}

    def read(path: Path) -> tuple[Reading, np.ndarray]:
        record = read_record(path)
        known, grey = reading_of(record), to_grey(read_pixels(record))
        picture = Picture(grey, frame=known.frame, view=known.view, modality=record.get("modality"))
        return reader.read_picture(picture, record["file_name"], grey=grey)

    return _write_all(sources, read, Path(out), reader, progress, Place())


def _write_all(
    sources: dict[str, Path],
    read: Callable[[Path], tuple[Reading, np.ndarray]],
    out: Path,
    reader: Reader,
    progress: bool,
    place: Place,
) -> Batch:
    """Read each source (by the stem of its results) and write what was found; then the table and the manifest."""
    from tqdm import tqdm

    own: list[tuple[int, bytes | str, float]] = []
    shared = list(enumerate(sources.items()))[place.rank :: place.world]
    for number, (stem, path) in tqdm(shared, "predict", disable=not (progress and place.first) or len(sources) == 1):
        started = time.perf_counter()
        try:
            reading, grey = read(path)
        except InputError as error:
            own.append((number, str(error), 0.0))
            continue
        write_json(out / f"{stem}.json", reading.to_json())
        write_overlay(out / f"{stem}.png", grey, reading)
        own.append((number, pack(reading), round(time.perf_counter() - started, 4)))
    batch = Batch()
    seconds: dict[str, float] = {}
    failed: list[dict[str, str]] = []
    stems = list(sources)
    for number, found, taken in sorted((entry for part in place.gather(own) for entry in part), key=lambda e: e[0]):
        stem = stems[number]
        if isinstance(found, str):
            batch.failures.append(found)
            failed.append({"input": str(sources[stem]), "why": found})
            continue
        batch.readings.add(found)
        batch.results.append(out / f"{stem}.json")
        seconds[stem] = taken
    if place.first:
        write_table(out / "vertebrae.csv", batch.readings)
        write_json(out / "run.json", _manifest(reader, list(sources.values()), seconds, failed))
    place.wait()
    return batch


def unique_stems(paths: list[Path]) -> list[str]:
    """A file name stem for each input, safe and different from all others whatever the letter case."""
    taken: set[str] = {"run", "vertebrae"}
    stems = []
    for path in paths:
        base = safe_name(path.name.removesuffix(".gz").rsplit(".", 1)[0] or path.name)
        stem, number = base, 1
        while stem.casefold() in taken:
            number += 1
            stem = f"{base}-{number}"
        taken.add(stem.casefold())
        stems.append(stem)
    return stems


def _manifest(
    reader: Reader, paths: list[Path], seconds: dict[str, float], failed: list[dict[str, str]]
) -> dict[str, Any]:
    import torch
    import torchvision

    return {
        "spinetk": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "model": reader.name,
        "threshold": reader.threshold,
        "device": str(reader.device),
        "inputs": [str(path) for path in paths],
        "seconds": seconds,
        "failed": failed,
        "note": "For research use. Not a medical device.",
    }
