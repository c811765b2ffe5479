"""Reports: result files written as pages and in the formats of other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from spinetk.batch.each import do_each
from spinetk.batch.pools import Here, Pool
from spinetk.errors import InputError
from spinetk.formats.loss import lost
from spinetk.formats.registry import Format, format_named, writable
from spinetk.formats.results import iter_results, own_results, read_result, several_runs
from spinetk.images.source import seen_of
from spinetk.reading import Reading
from spinetk.report.page import card, write_page, write_summary
from spinetk.report.stems import Stems

SUMMARY = "index.html"
PAGES = "html"
"""What ``--as`` calls the self-contained pages, which are no format of another program."""


@dataclass
class Reports:
    """Outcome of :func:`write_reports`: the files written, one line for each result that could not be reported, and
    what a format does not hold."""

    written: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def write_reports(
    results: Sequence[str | Path],
    out: str | Path,
    *,
    html: bool = True,
    formats: Sequence[str] = (),
    sr: bool = False,
    slicer: bool = False,
    cvat: bool = False,
    labelstudio: bool = False,
    pool: Pool | None = None,
) -> Reports:
    """Write the chosen reports of result files, named after them (apart where two have one name).

    The picture is read again from the path in the result, so it must still be there.

    Args:
        results: JSON files of ``spinetk predict``, or of another program (:func:`iter_results`).
        out: Folder for ``<stem>.html`` and ``index.html`` and for the files of the formats.
        html: Self-contained pages and an overview.
        formats: Names of formats to write (:func:`spinetk.formats.registry.writable`); ``html`` is one, too.
        sr, slicer, cvat, labelstudio: The same as their names in ``formats``.
        pool: Processes or a cluster that write; this process by default.

    Raises:
        InputError: A format is unknown.
    """
    out = Path(out)
    aliases = {"sr": sr, "slicer": slicer, "cvat": cvat, "labelstudio": labelstudio}
    chosen = list(dict.fromkeys([*formats, *(name for name, asked in aliases.items() if asked)]))
    html = html or PAGES in chosen
    asked = [format_named(name, writable()) for name in chosen if name != PAGES]
    done = Reports()
    known: list[Reading] = []
    pages: list[Reading] = []
    cards: list[str] = []
    failed: dict[str, str] = {}
    single = [entry.name for entry in asked if not entry.many]
    for path, reading, one in _reported(results, out, html, single, pool or Here()):
        done.remarks += one.get("remarks", [])
        done.failures += one.get("failures", [])
        done.written += map(Path, one.get("written", []))
        if reading is not None:
            known.append(reading)
        if "card" in one and reading is not None:
            pages.append(reading)
            cards.append(one["card"])
        elif "fault" in one:
            failed[str(path) if path.name in failed else path.name] = one["fault"]
    if pages:
        write_summary(out / SUMMARY, pages, cards, failed=failed)
        done.written.append(out / SUMMARY)
    for entry in asked:
        if entry.many and known:
            found = _write(entry, entry.path_in(out, ""), known)
            done.written += map(Path, found["written"])
            done.failures += found["failures"]
            done.remarks += found["remarks"]
    done.remarks += several_runs(results)
    return done


Reported = tuple[Path, Reading | None, dict[str, Any]]


def _reported(
    results: Sequence[str | Path], out: Path, html: bool, formats: Sequence[str], pool: Pool
) -> Iterator[Reported]:
    """Each result with its reading and what was written of it, in order; our own in the pool, others here."""
    order: list[tuple[Path, Reading | InputError | None]] = []
    for given in map(Path, results):
        order += [(path, None) for path in own_results(given)] or list(iter_results([given]))
    stems = Stems({Path(SUMMARY).stem} if html else ())
    results_only = [path for path, reading in order if reading is None]
    # A result in the folder of the reports keeps its name: no other is written over it before its turn comes.
    results_only.sort(key=lambda path: path.parent.resolve() != out.resolve())
    own = {str(path): stems.of(path) for path in results_only}
    made = do_each(own, partial(_report, html, tuple(formats)), pool, out, own)
    for path, reading in order:
        if isinstance(reading, InputError):
            yield path, None, _failed(reading)
        elif reading is not None:
            try:
                yield path, reading, _report_one(reading, stems.of(path, reading.file), out, html, formats)
            except InputError as error:
                yield path, reading, _failed(error)
        else:
            outcome = made[str(path)]
            if outcome.state == "full":
                raise InputError(*outcome.fault)
            if outcome.state != "done":
                yield path, None, {"failures": [outcome.why], "fault": outcome.why.removeprefix(f"{path}: ")}
                continue
            yield path, read_result(path), outcome.about


def _failed(error: InputError) -> dict[str, Any]:
    return {"failures": [str(error)], "fault": error.fault}


def _report(html: bool, formats: Sequence[str], path: Path, source: str, out: Path, stem: str) -> dict[str, Any]:
    """The work of a pool: the reports of one result file."""
    return _report_one(read_result(path), stem, out, html, formats)


def _report_one(reading: Reading, stem: str, out: Path, html: bool, formats: Sequence[str]) -> dict[str, Any]:
    """Write the reports of one reading; what was written, failed and is remarked, and its card for the overview."""
    found: dict[str, Any] = {"written": [], "failures": [], "remarks": []}
    seen = cache(lambda: seen_of(reading)[1])
    for name in formats:
        entry = format_named(name, writable())
        check = seen if entry.stored and reading.pixels_sha256 is not None else None
        for key, values in _write(entry, entry.path_in(out, stem), [reading], check).items():
            found[key] += values
    if html:
        page = out / f"{stem}.html"
        try:
            picture = seen()
            write_page(page, reading, picture)
            found["card"] = card(reading, page, out / SUMMARY, picture)
            found["written"].append(str(page))
        except InputError as error:
            found["failures"] += [] if str(error) in found["failures"] else [str(error)]
            found["fault"] = error.fault
    return found


def _write(
    entry: Format, path: Path, readings: Sequence[Reading], check: Callable[[], object] | None = None
) -> dict[str, list[str]]:
    """Write a file of a format, after ``check`` has not raised."""
    assert entry.write is not None
    try:
        if check is not None:
            check()
        path.parent.mkdir(parents=True, exist_ok=True)
        written = entry.write(path, readings)
    except InputError as error:
        return {"written": [], "failures": [str(error)], "remarks": []}
    remarks = [f"{path.name}: {line}" for line in lost(entry, readings)]
    return {"written": list(map(str, written)), "failures": [], "remarks": remarks}
