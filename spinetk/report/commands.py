"""Verbs on results: measure them anew, report them. Heavy libraries are imported inside them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinetk.errors import InputError
from spinetk.options import Anchor, AsJson, Facing, Out, show, verbs, warn

app = verbs()


@app.command()
def measure(
    results: list[Path],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write measured JSON and vertebrae.csv here.")] = None,
    facing: Annotated[Facing, typer.Option(help="Side the patient's front faces.")] = Facing.AUTO,
    anchor: Anchor = None,
    thresholds: Annotated[str, typer.Option(help="Height loss in % at which grades 1, 2, 3 begin.")] = "20,25,40",
    as_json: AsJson = False,
) -> None:
    """Heights, grades and angles of result files (JSON of predict, Slicer markups, CVAT XML), measured anew."""
    from spinetk.atomic import write_json
    from spinetk.formats.table import rows, write_table
    from spinetk.measure import measure as run
    from spinetk.report.results import iter_results

    try:
        limits = tuple(float(v) for v in thresholds.split(","))
    except ValueError as error:
        raise InputError(f"--thresholds {thresholds}", "is not three numbers", "for example 20,25,40") from error
    readings, failures = [], []
    for path, reading in iter_results(results):
        if isinstance(reading, InputError):
            failures.append(str(reading))
            continue
        readings.append(run(reading, facing=facing.value, anchor=anchor, thresholds=limits))
        if out is not None:
            write_json(out / path.name, readings[-1].to_json())
    if out is not None:
        write_table(out / "vertebrae.csv", readings)
    if as_json:
        show([reading.to_json() for reading in readings])
    else:
        for row in (row for reading in readings for row in rows(reading)):
            unit = "mm" if row.get("spacing_row_mm") else "px"
            heights = " ".join(f"{row.get(f'height_{side}_{unit}') or '-':>8}" for side in ("left", "middle", "right"))
            grade = row.get("deformity_grade")
            verdict = "not graded" if grade in (None, "") else f"{row['deformity_type']}, grade {grade}"
            typer.echo(f"{Path(row['file']).name:<32.32} {row['label'] or row['index']:>4} {heights} {unit}  {verdict}")
    warn(failures)
    if failures and not readings:
        raise typer.Exit(2)


@app.command()
def report(
    results: list[Path],
    out: Out = Path("output/report"),
    html: Annotated[bool, typer.Option(help="Self-contained pages and an overview, index.html.")] = True,
    sr: Annotated[bool, typer.Option("--sr", help="DICOM Structured Reports, for results of DICOM files.")] = False,
    slicer: Annotated[
        bool, typer.Option("--slicer", help="3D Slicer markups, to correct and give to measure.")
    ] = False,
    cvat: Annotated[bool, typer.Option("--cvat", help="CVAT annotations, to correct and give to measure.")] = False,
    labelstudio: Annotated[
        bool, typer.Option("--labelstudio", help="Label Studio tasks, to correct and give to prepare.")
    ] = False,
) -> None:
    """Reports of result files (JSON of predict): HTML pages, DICOM SR, 3D Slicer, CVAT, Label Studio."""
    from spinetk.report.results import find_results, write_reports

    done = write_reports(
        find_results(results), out, html=html, sr=sr, slicer=slicer, cvat=cvat, labelstudio=labelstudio
    )
    warn(done.failures)
    typer.echo(f"{len(done.written)} reports in {out}, {len(done.failures)} failed")
    if not done.written:
        raise typer.Exit(2)


@app.command()
def agree(
    first: Annotated[Path, typer.Argument(help="Results of predict (a folder or a JSON), or a table (CSV).")],
    second: Annotated[Path, typer.Argument(help="The same pictures by another reader or model.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write CSV, JSON and a picture here.")] = None,
    as_json: AsJson = False,
) -> None:
    """How two readers agree: Bland-Altman, ICC, kappa of grades."""
    from spinetk.report.agreement import agree as run
    from spinetk.report.agreement import lines, write_agreement

    found = run(first, second)
    warn(found.failures)
    for names, which in ((found.only_first, first), (found.only_second, second)):
        if names:
            warn([f"{len(names)} pictures only in {which}: {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}"])
    if out is not None:
        write_agreement(found, out)
    if as_json:
        show(found.to_json())
    else:
        typer.echo("\n".join(lines(found)))
        typer.echo(f"{found.values['file'].nunique()} pictures" + (f"; see {out}" if out is not None else ""))
