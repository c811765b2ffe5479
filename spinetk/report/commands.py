"""Verbs on results: measure them anew, report them. Heavy libraries are imported inside them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinetk.batch.options import PoolOptions, given_inputs
from spinetk.errors import InputError
from spinetk.exits import leave
from spinetk.options import (
    AsJson,
    Out,
    PictureOptions,
    ReadingCommand,
    WritingCommand,
    counted,
    grouped,
    show,
    verbs,
    warn,
    writing_formats,
)

app = verbs()


@app.command(cls=ReadingCommand)
@grouped
def measure(
    results: Annotated[list[Path], typer.Argument(help="Results, files of other programs, or their folders.")],
    options: PictureOptions,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write measured JSON and vertebrae.csv here.")] = None,
    grade_limits: Annotated[
        str, typer.Option("--grade-limits", "--thresholds", help="Height loss in % at which grades 1, 2, 3 begin.")
    ] = "20,25,40",
    as_json: AsJson = False,
) -> None:
    """Heights, grades and angles of results, or of files of annotation programs (CVAT, Slicer, ...), measured again.

    View, spacing, front and level names of a result are kept unless an option replaces them; what is replaced is said.
    """
    from spinetk.atomic import write_json
    from spinetk.formats.results import iter_results, several_runs
    from spinetk.formats.table import write_table
    from spinetk.measure import words
    from spinetk.measure.again import PREFIX, measure_again
    from spinetk.measure.deformity import checked
    from spinetk.report.stems import Stems

    try:
        limits = checked(grade_limits.split(","))
    except InputError as error:
        raise InputError(f"--grade-limits {grade_limits}", error.fault, "for example 20,25,40") from error
    overrides = options.overrides()
    readings, failures, stems = [], [], Stems()
    # All are read before any is written: a result in the folder of the new ones keeps its name, and is not written over
    # by another's of its name before its turn comes.
    found = list(iter_results(results))
    for path, reading in found:
        if out is not None and not isinstance(reading, InputError) and path.parent.resolve() == out.resolve():
            stems.of(path, reading.file)
    for path, reading in found:
        if isinstance(reading, InputError):
            failures.append(str(reading))
            continue
        try:
            readings.append(measure_again(reading, overrides.of(reading.file), limits))
        except InputError as error:
            failures.append(f"{path}: {error}")
            continue
        if out is not None:
            write_json(out / f"{stems.of(path, reading.file)}.json", readings[-1].to_json())
    if out is not None:
        write_table(out / "vertebrae.csv", readings)
    if as_json:
        show([reading.to_json() for reading in readings])
    else:
        for line in words.lines_of(readings):
            typer.echo(line)
    said = words.all_remarks(readings) if not as_json else []
    warn([line.replace(f": {PREFIX}", ": ", 1) for line in said])
    warn([f"{options.views}: no result is about {name}" for name in overrides.unmet(r.file for r in readings)])
    warn([f"{options.views}: {words}" for words in overrides.shared(r.file for r in readings)])
    warn(several_runs(results))
    warn(failures)
    leave(len(readings), len(failures))


@app.command(cls=WritingCommand)
@grouped
def report(
    options: PoolOptions,
    results: Annotated[
        list[str] | None, typer.Argument(help="Results, files of other programs, or their folders.")
    ] = None,
    out: Out = Path("output/report"),
    html: Annotated[
        bool | None,
        typer.Option(
            help="Self-contained pages and an overview, index.html; on unless --as says otherwise.", show_default=False
        ),
    ] = None,
    formats: Annotated[
        str,
        typer.Option(
            "--as",
            parser=writing_formats,
            metavar="FORMAT[,FORMAT]",
            help="Formats of other programs, separated by commas; html is one, too.",
        ),
    ] = "",
    sr: Annotated[bool, typer.Option("--sr", help="The same as --as sr.")] = False,
    slicer: Annotated[bool, typer.Option("--slicer", help="The same as --as slicer.")] = False,
    cvat: Annotated[bool, typer.Option("--cvat", help="The same as --as cvat.")] = False,
    labelstudio: Annotated[bool, typer.Option("--labelstudio", help="The same as --as labelstudio.")] = False,
) -> None:
    """Reports of results: HTML pages, DICOM SR, and files for other programs to look at and to correct."""
    from spinetk.batch.sources import sources
    from spinetk.report.results import write_reports

    chosen = [name for name in formats.split(",") if name]
    pages = not chosen if html is None else html
    asked = list(sources(given_inputs(results, options.lists), options.lists or [], expand=lambda paths: paths))
    with options.pool() as pool:
        done = write_reports(
            asked, out, html=pages, formats=chosen, sr=sr, slicer=slicer, cvat=cvat, labelstudio=labelstudio, pool=pool
        )
    warn([*done.remarks, *done.failures])
    reports = [path for path in done.written if path.name != "index.html"]
    typer.echo(f"{len(reports)} {'report' if len(reports) == 1 else 'reports'} in {out}, {len(done.failures)} failed")
    leave(len(done.written), len(done.failures))


@app.command()
def agree(
    first: Annotated[
        Path, typer.Argument(help="Results of predict, a file of an annotation program, or a table (CSV).")
    ],
    second: Annotated[
        Path | None,
        typer.Argument(help="The same pictures by another reader or model; left out where FIRST holds both."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write CSV, JSON and a picture here.")] = None,
    as_json: AsJson = False,
) -> None:
    """How two readers agree: Bland-Altman, ICC, kappa of grades."""
    from spinetk.report.agreement import agree as run
    from spinetk.report.agreement import agree_in, lines, write_agreement

    found = agree_in(first) if second is None else run(first, second)
    warn(found.failures)
    for names, which in ((found.only_first, first), (found.only_second, second or "the other reading")):
        if names:
            some = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
            warn([f"{counted(len(names), 'picture')} only in {which}: {some}"])
    if out is not None:
        write_agreement(found, out)
    if as_json:
        show(found.to_json())
    else:
        typer.echo("\n".join(lines(found)))
        typer.echo(counted(found.values["file"].nunique(), "picture") + (f"; see {out}" if out is not None else ""))
    leave(found.values["file"].nunique(), len(found.failures))
