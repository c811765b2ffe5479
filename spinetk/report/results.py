"""Reports: result files written as pages and in the formats of other programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spinetk.errors import InputError
from spinetk.formats.registry import Format, format_named, lost, writable
from spinetk.formats.results import iter_results
from spinetk.images import to_uint8
from spinetk.images.source import picture_of
from spinetk.reading import Reading
from spinetk.report.page import write_page, write_summary

PAGES = "html"
"""What ``--as`` calls the self-contained pages, which are no format of another program."""


@dataclass
class Reports:
    """Outcome of :func:`write_reports`: the files written, one line for each result that could not be reported, and
    what a format does not hold."""

    written: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def names() -> list[str]:
    """What ``--as`` takes."""
    return [PAGES, *writable()]


def write_reports(
    results: Iterable[str | Path],
    out: str | Path,
    *,
    html: bool = True,
    formats: Sequence[str] = (),
    sr: bool = False,
    slicer: bool = False,
    cvat: bool = False,
    labelstudio: bool = False,
) -> Reports:
    """Write the chosen reports of result files, named after them.

    The picture is read again from the path in the result, so it must still be there.

    Args:
        results: JSON files of ``spinetk predict``, or of another program (:func:`iter_results`).
        out: Folder for ``<stem>.html`` and ``index.html`` and for the files of the formats.
        html: Self-contained pages and an overview.
        formats: Names of formats to write (:func:`spinetk.formats.registry.writable`); ``html`` is one, too.
        sr, slicer, cvat, labelstudio: The same as their names in ``formats``.

    Raises:
        InputError: A format is unknown.
    """
    out = Path(out)
    aliases = {"sr": sr, "slicer": slicer, "cvat": cvat, "labelstudio": labelstudio}
    chosen = list(dict.fromkeys([*formats, *(name for name, asked in aliases.items() if asked)]))
    html = html or PAGES in chosen
    asked = [format_named(name, writable()) for name in chosen if name != PAGES]
    done = Reports()
    known: list[tuple[str, Reading]] = []
    readings: list[Reading] = []
    pages: list[Path] = []
    failed: dict[str, str] = {}
    for path, reading in iter_results(results):
        if isinstance(reading, InputError):
            done.failures.append(str(reading))
            failed[path.name] = reading.fault
            continue
        known.append((path.stem, reading))
        for entry in asked:
            if not entry.many:
                _write(entry, entry.path_in(out, path.stem), [reading], done)
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
    for entry in asked:
        if entry.many and known:
            _write(entry, entry.path_in(out, ""), [reading for _, reading in known], done)
    return done


def _write(entry: Format, path: Path, readings: Sequence[Reading], done: Reports) -> None:
    assert entry.write is not None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        done.written += entry.write(path, readings)
        done.remarks += [f"{path.name}: {line}" for line in lost(entry, readings)]
    except InputError as error:
        done.failures.append(str(error))


def _picture(reading: Reading) -> object:
    picture = picture_of(reading)
    return to_uint8(picture.pixels, picture.padding)
