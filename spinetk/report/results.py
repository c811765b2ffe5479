"""Result files: finding and reading what ``spinetk predict`` wrote, and reporting on it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from spinetk.errors import InputError
from spinetk.formats.labelstudio import write_labelling, write_tasks
from spinetk.images import read_picture, to_uint8
from spinetk.reading import Reading
from spinetk.report.corrections import (
    CVAT,
    MARKUPS,
    corrected_in_cvat,
    corrected_in_slicer,
    write_for_cvat,
    write_for_slicer,
)
from spinetk.report.page import write_page, write_summary

MANIFEST = "run.json"


def find_results(inputs: Iterable[str | Path]) -> list[Path]:
    """Result files among files and folders (their ``*.json`` without ``run.json``), in sorted order.

    Raises:
        InputError: There is none.
    """
    inputs = [Path(given) for given in inputs]
    found: list[Path] = []
    for given in inputs:
        found += (
            sorted(p for p in given.glob("*.json") if p.name != MANIFEST and not p.name.endswith(MARKUPS))
            if given.is_dir()
            else [given]
        )
    if not found:
        raise InputError(", ".join(map(str, inputs)), "holds no result", "give the JSON files of `spinetk predict`")
    return found


def read_result(path: str | Path) -> Reading:
    """One result file.

    Raises:
        InputError: It cannot be read, is no JSON, or is no result.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(path, "cannot be read", "check the path") from error
    except (ValueError, RecursionError) as error:
        raise InputError(path, "is not valid JSON", "give a JSON of `spinetk predict`") from error
    if not isinstance(content, dict):
        raise InputError(path, "is not a spinetk result", "give a JSON of `spinetk predict`")
    return Reading.from_json(content, str(path))


@dataclass
class Reports:
    """Outcome of :func:`write_reports`: the files written, and one line for each result that could not be reported."""

    written: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def write_reports(
    results: Iterable[str | Path],
    out: str | Path,
    *,
    html: bool = True,
    sr: bool = False,
    slicer: bool = False,
    cvat: bool = False,
    labelstudio: bool = False,
) -> Reports:
    """Write the chosen reports of result files, named after them.

    The picture is read again from the path in the result, so it must still be there.

    Args:
        results: JSON files of ``spinetk predict``.
        out: Folder for ``<stem>.html`` and ``index.html`` (``html``) and ``<stem>.dcm`` (``sr``).
        html: Self-contained pages and an overview.
        sr: DICOM Structured Reports (TID 1500), for results of DICOM files and of series with sagittal slices.
        slicer: Point lists for 3D Slicer, ``<stem>.mrk.json``.
        cvat: All points in one file for CVAT, ``annotations.xml``.
        labelstudio: All points as tasks for Label Studio, ``labelstudio.json``, and the labelling set-up they need,
            ``labelstudio.xml``.
    """
    out = Path(out)
    done = Reports()
    known: list[Reading] = []
    readings: list[Reading] = []
    pages: list[Path] = []
    failed: dict[str, str] = {}
    for path in map(Path, results):
        try:
            reading = read_result(path)
        except InputError as error:
            done.failures.append(str(error))
            failed[path.name] = error.fault
            continue
        known.append(reading)
        for asked, write, ending in ((sr, _write_sr, ".dcm"), (slicer, write_for_slicer, MARKUPS)):
            if asked:
                try:
                    done.written.append(write(out / f"{path.stem}{ending}", reading))
                except InputError as error:
                    done.failures.append(str(error))
        if html:
            try:
                write_page(out / f"{path.stem}.html", reading, _picture(reading))
                readings.append(reading)
                pages.append(out / f"{path.stem}.html")
            except InputError as error:
                done.failures.append(str(error))
                failed[path.name] = error.fault
    if html and readings:
        write_summary(out / "index.html", readings, pages=pages, pictures=map(_picture, readings), failed=failed)
        done.written += [*pages, out / "index.html"]
    if cvat and known:
        try:
            done.written.append(write_for_cvat(out / CVAT, known))
        except InputError as error:
            done.failures.append(str(error))
    if labelstudio and known:
        tasks, labelling = out / "labelstudio.json", out / "labelstudio.xml"
        write_tasks(tasks, known)
        write_labelling(labelling, known[0].schema)
        done.written += [tasks, labelling]
    return done


def _write_sr(path: Path, reading: Reading) -> Path:
    from spinetk.formats.sr import write_sr
    from spinetk.images.source import dicom_source

    source, frame = dicom_source(reading.file)
    write_sr(path, reading, source, frame=frame)
    return path


def _picture(reading: Reading) -> object:
    picture = read_picture(reading.file)
    return to_uint8(picture.pixels, picture.padding)


def iter_results(inputs: Iterable[str | Path]) -> Iterator[tuple[Path, Reading | InputError]]:
    """Each result file with its reading, or with the error it gave.

    A ``<stem>.mrk.json`` of 3D Slicer and an XML of CVAT stand for the results in their folder that they correct.
    """
    for path in find_results(inputs):
        try:
            if path.name.endswith(MARKUPS):
                base = path.with_name(path.name.removesuffix(MARKUPS) + ".json")
                if not base.exists():
                    raise InputError(path, f"has no {base.name} beside it", "put it into the folder of the result")
                yield base, corrected_in_slicer(path, read_result(base))
            elif path.suffix.lower() == ".xml":
                beside = list(iter_results([path.parent]))
                yield from corrected_in_cvat(path, [(w, r) for w, r in beside if isinstance(r, Reading)])
            else:
                yield path, read_result(path)
        except InputError as error:
            yield path, error
