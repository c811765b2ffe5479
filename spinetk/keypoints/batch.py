"""Batch: many pictures to result files, one failure never costing the others.

For each input ``OUT/<stem>.json`` and ``<stem>.png`` (overlay), and a line in ``OUT/journal.jsonl`` as soon as it is
done; at the end, of all that is in the folder, ``OUT/vertebrae.csv`` (a row per vertebra) and ``OUT/run.json``
(versions, model, inputs, seconds, what failed and why). The same run again does only what is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, overload

import numpy as np

from spinetk.atomic import write_json
from spinetk.batch.pools import Here, Pool
from spinetk.batch.run import Names, Run, run_batch
from spinetk.batch.sources import sources
from spinetk.batch.task import Work
from spinetk.bounds import USUAL_CONFIDENCE, check_confidence
from spinetk.device import check_device
from spinetk.errors import InputError
from spinetk.formats.table import LEADING_COLUMNS, write_table
from spinetk.images import Picture, find_inputs, read_picture
from spinetk.images.identity import safe_name
from spinetk.images.picture import SliceChoice
from spinetk.keypoints.centre.runtime import Precision, check_runtime
from spinetk.keypoints.fingerprint import settings_of
from spinetk.keypoints.manifest import manifest
from spinetk.keypoints.pictures import to_grey
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.reader import Reader
from spinetk.overrides import Overrides, OverridesTable
from spinetk.pacs.address import is_address
from spinetk.reading import Reading
from spinetk.report.overlay import write_overlay
from spinetk.schema import VERTEBRA6


class Readings(Sequence[Reading]):
    """Readings of result files, each read when it is asked for."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    def __len__(self) -> int:
        return len(self._files)

    @overload
    def __getitem__(self, index: int) -> Reading: ...
    @overload
    def __getitem__(self, index: slice) -> list[Reading]: ...
    def __getitem__(self, index: int | slice) -> Reading | list[Reading]:
        if isinstance(index, slice):
            return [_read(file) for file in self._files[index]]
        return _read(self._files[index])


def _read(file: Path) -> Reading:
    return Reading.from_json(json.loads(file.read_text(encoding="utf-8")), str(file))


@dataclass
class Batch:
    """Outcome of :func:`predict_files`.

    Attributes:
        readings: Of the pictures that could be read, in order; those that were read before among them.
        results: The JSON file of each.
        failures: One line each for those that could not.
        unmet: Names in a table of overrides that no picture bears.
        shared: In words, those that several pictures bear.
        skipped: How many had been read before.
        vertebrae: How many there are in each of the readings.
        has_errors: Whether a failure is this software's fault.
    """

    readings: Readings = field(default_factory=lambda: Readings([]))
    results: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    unmet: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    skipped: int = 0
    vertebrae: list[int] = field(default_factory=list)
    has_errors: bool = False


@dataclass(frozen=True)
class ReaderMaker:
    """Makes a reader where it is to work; travels to other processes.

    Attributes:
        model, threshold, device, precision: As of :class:`Reader`.
        overrides, slice_choice, series, overlay: As of :class:`How`.
    """

    model: str | None
    threshold: float
    device: str
    overrides: OverridesTable
    slice_choice: SliceChoice
    series: str | None = None
    overlay: bool = True
    precision: Precision = "32-true"

    def __call__(self) -> Work:
        """Load the model, and return what reads one picture."""
        reader = Reader(self.model, threshold=self.threshold, device=self.device, precision=self.precision)
        return partial(_predict_one, reader, self.overrides, self.slice_choice, self.series, self.overlay)


@dataclass(frozen=True)
class How:
    """How the pictures of :func:`predict_files` are read.

    Attributes:
        threshold, device, precision: For a model that is loaded there, as of :class:`Reader`.
        spacing_mm, facing, anchor: The user's word on all of them, as of :class:`spinetk.overrides.Overrides`.
        overrides: The user's word on each of them, in place of these three.
        slice_choice: Slice of series and volumes.
        series: Which of several series of a folder or file, as of :func:`spinetk.images.read_picture`.
        overlay: Whether to draw ``<stem>.png``.

    Raises:
        InputError: A threshold that is no probability, or a device that is none; whether there is one is asked where
            the pictures are read.
    """

    threshold: float = USUAL_CONFIDENCE
    device: str = "auto"
    spacing_mm: tuple[float, float] | None = None
    facing: str = "auto"
    anchor: str | None = None
    overrides: OverridesTable | None = None
    slice_choice: SliceChoice = "central"
    series: str | None = None
    overlay: bool = True
    precision: Precision = "32-true"

    def __post_init__(self) -> None:
        check_confidence(self.threshold)
        check_device(self.device)

    def table(self) -> OverridesTable:
        """The user's word on each picture."""
        return self.overrides or OverridesTable(Overrides(None, self.spacing_mm, self.facing, self.anchor))


def predict_files(
    inputs: Iterable[str | Path],
    out: str | Path,
    model: Reader | Predictor | str | Path | None = None,
    *,
    lists: Iterable[str | Path] = (),
    pool: Pool | None = None,
    again: bool = False,
    aet: str = "SPINETK",
    progress: bool = True,
    **how: Any,
) -> Batch:
    """Read every picture among ``inputs`` and write the results to ``out``; what is there already is not read again.

    Args:
        inputs: Files, folders of any depth, patterns, addresses of archives (see `spinetk.batch.sources`).
        out: Folder of the results.
        model: What reads them; None takes the released model that each picture calls for.
        lists: Files with one input per line.
        pool: Processes or a cluster that read; the model is then given by name or path. This process by default.
        again: Read everything anew.
        aet: Our own AE title, for archives by DIMSE.
        progress: Whether to show how far it is.
        **how: Fields of :class:`How`: ``threshold=0.6``, ``anchor="L5=last"``, ...

    Raises:
        InputError: There is no picture at all, the model is none, the folder is another run's or cannot be written, or
            the disk is full.
    """
    inputs, asked = list(inputs), How(**how)
    table, choice = asked.table(), (asked.slice_choice, asked.series)
    settings = settings_of(model, asked.threshold, table, *choice) | ({} if asked.overlay else {"overlay": False})
    if asked.precision != "32-true":
        settings["precision"] = asked.precision
    if model is None or isinstance(model, str | Path):
        if model is None and (pool is None or pool.local):
            check_runtime(asked.device, asked.precision)
        name = None if model is None else str(Path(model).absolute()) if Path(model).is_file() else str(model)
        maker: Callable[[], Work] = ReaderMaker(
            name, asked.threshold, asked.device, table, *choice, asked.overlay, asked.precision
        )
    elif pool is None or isinstance(pool, Here):
        reader = Reader.of(model)
        maker = partial(partial, _predict_one, reader, table, *choice, asked.overlay)
    else:
        raise InputError("a model in memory", "cannot go to other processes", "give its name or path")
    run = run_batch(
        _found(inputs, lists, aet), out, maker, settings, names=Names(beside=("{}.png",)),
        pool=pool, again=again, aet=aet, progress=progress,
        finish=partial(_finish, model or "chosen by view", asked.device),
    )  # fmt: skip
    batch = _batch(run)
    if table.rows:
        batch.unmet, batch.shared = table.unmet(run.sources), table.shared(run.sources)
    return batch


def predict_cases(
    base: str | Path, cases: Iterable[str], out: str | Path, predictor: Predictor, *, progress: bool = True
) -> Batch:
    """As :func:`predict_files` for cases of a case folder: named after them, with the scale and view in their files."""
    from spinetk.cases.folder import CaseFolder, read_pixels, read_record
    from spinetk.formats.record import reading_of

    reader = Reader.of(predictor)
    folder = CaseFolder(base)
    names = {str(folder.source(case)): safe_name(case) for case in cases}

    def read(path: Path, source: str, out: Path, stem: str) -> dict[str, Any]:
        record = read_record(path, left_out=[])
        known, grey = reading_of(record), to_grey(read_pixels(record))
        picture = Picture(grey, frame=known.frame, view=known.view, modality=record.get("modality"))
        return _write(*reader.read_picture(picture, record["file_name"], grey=grey), out, stem)

    settings = settings_of(reader, reader.threshold, OverridesTable(), "central")
    run = run_batch(
        list(names), out, lambda: read, settings,
        names=Names(stem_of=lambda source: names[source]), again=True, progress=progress,
        finish=partial(_finish, reader, ""),
    )  # fmt: skip
    return _batch(run)


def _found(inputs: list[str | Path], lists: Iterable[str | Path], aet: str) -> Iterable[str]:
    """The inputs: all of them at once where that needs no archive, so that it is known how many there are."""
    found = sources(inputs, lists, expand=find_inputs, aet=aet)
    if list(lists) or any(map(is_address, inputs)):
        return found
    paths = list(found)
    if not paths:
        remedy = "give DICOM, PNG, JPEG, TIFF, BMP, NIfTI, NRRD or MetaImage files"
        raise InputError(", ".join(str(i) for i in inputs), "holds no picture", remedy)
    return paths


def _predict_one(
    reader: Reader,
    overrides: OverridesTable,
    slice_choice: SliceChoice,
    series: str | None,
    overlay: bool,
    path: Path,
    source: str,
    out: Path,
    stem: str,
) -> dict[str, Any]:
    """The work of a batch: one picture to its files."""
    said = overrides.of(source)
    usual = said.over(reader.usual)
    picture = read_picture(path, slice_choice=slice_choice, spacing_mm=usual.spacing_mm, series=series)
    return _write(*reader.read_picture(picture, source, said), out, stem, overlay)


def _write(reading: Reading, grey: np.ndarray, out: Path, stem: str, overlay: bool = True) -> dict[str, Any]:
    # The overlay last: one without its JSON would be taken for somebody's picture when a killed batch goes on.
    drawing, result = out / f"{stem}.png", out / f"{stem}.json"
    if not overlay and result.is_file() and drawing.resolve() != Path(reading.file).resolve():
        drawing.unlink(missing_ok=True)  # of an earlier run: it shows another reading
    write_json(result, reading.to_json())
    if overlay:
        write_overlay(drawing, grey, reading)
    about: dict[str, Any] = {"vertebrae": len(reading.vertebrae)}
    if reading.schema.keypoints != VERTEBRA6.keypoints:
        about["points"] = list(reading.schema.keypoints)
    return about


def _batch(run: Run) -> Batch:
    done = [entry for _, entry in run.own() if entry.state == "done"]
    results = [run.out / f"{entry.stem}.json" for entry in done]
    vertebrae = [int((entry.about or {}).get("vertebrae", 0)) for entry in done]
    return Batch(
        Readings(results), results, run.failures(),
        skipped=run.skipped, vertebrae=vertebrae, has_errors=run.has_errors(),
    )  # fmt: skip


def _finish(model: Any, device: str, run: Run) -> None:
    """Write the table and the manifest of all that is in the folder."""
    done = [(source, entry) for source, entry in run.everything() if entry.state == "done"]
    files = [run.out / f"{entry.stem}.json" for _, entry in done]
    files = [file for file in files if file.is_file()]
    table = run.out / "vertebrae.csv"
    if run.done or not table.exists():
        points = list(VERTEBRA6.keypoints)
        for _, entry in done:
            points += [name for name in (entry.about or {}).get("points", []) if name not in points]
        names = [*LEADING_COLUMNS, *(f"{name}_{axis}_px" for name in points for axis in "xy")]
        write_table(table, map(_read, files), names)
    write_json(run.out / "run.json", manifest(model, device, run))
