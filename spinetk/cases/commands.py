"""Verbs that make and divide case folders. Heavy libraries are imported inside them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinetk.bounds import MOST_SEED
from spinetk.exits import leave
from spinetk.options import (
    AsJson,
    CaseFolder,
    Out,
    Part,
    ReadingCommand,
    Seed,
    Spacing,
    counted,
    parse_spacing,
    reading_format,
    show,
    verbs,
    warn,
)

app = verbs()


@app.command(cls=ReadingCommand)
def prepare(
    source: Annotated[Path, typer.Argument(help="Folder or file of pictures and annotations.")],
    out: Out,
    layout: Annotated[
        str,
        typer.Option("--from", parser=reading_format, metavar="FORMAT", help="What the source is; auto looks."),
    ] = "auto",
    width: Annotated[int | None, typer.Option(help="Resize to this width in px (the original used 800).")] = None,
    spacing: Spacing = None,
    schema: Annotated[str | None, typer.Option(help="vertebra6, vertebra4, or a .json/.toml file.")] = None,
) -> None:
    """Pictures and annotations to case folders: windowed 8-bit PNG and JSON per case."""
    from spinetk.cases.preparation import prepare as run

    chosen = None if layout == "auto" else layout
    done = run(source, out, layout=chosen, width=width, spacing_mm=parse_spacing(spacing), schema=schema)
    warn([*map(str, done.remarks), *map(str, done.failures)])
    typer.echo(f"{counted(len(done.cases), 'case')} in {out}, {len(done.failures)} failed")
    leave(len(done.cases), len(done.failures))


@app.command()
def augment(
    base: CaseFolder,
    copies: Annotated[int, typer.Option(help="Augmented copies per case.")] = 10,
    hardware_copies: Annotated[int, typer.Option(help="Copies where the flag is set.")] = 30,
    flag: Annotated[str, typer.Option(help="Field of metadata.json that asks for more copies.")] = "Hardware",
    seed: Seed = 0,
    workers: Annotated[int, typer.Option(help="Processes; the files do not depend on it.")] = 0,
) -> None:
    """Augmented copies of every case with the original's imgaug recipe."""
    from spinetk.cases.augmentation import augment as run

    done = run(base, copies=copies, hardware_copies=hardware_copies, flag=flag, seed=seed, workers=workers)
    warn([str(failure) for failure in done.failures])
    typer.echo(f"{done.written} copies written, {done.kept} were there")
    leave(max(done.written + done.kept, not done.failures), len(done.failures))


@app.command()
def coco(
    base: CaseFolder,
    out: Annotated[Path, typer.Option("--out", "-o", help="COCO keypoint JSON to write.")],
    part: Annotated[Part, typer.Option(help="Part of the split.")] = "all",
) -> None:
    """Write a case folder as COCO keypoints."""
    from spinetk.cases.exporting import export

    number = export(base, out, part=None if part == "all" else part)
    typer.echo(f"{counted(number, 'picture')} in {out}")


@app.command()
def split(
    base: CaseFolder,
    stratify: Annotated[str | None, typer.Option(help="Field of metadata.json to stratify by.")] = None,
    group: Annotated[str | None, typer.Option(help="Field of metadata.json that names the patient.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=MOST_SEED, help="Seed of everything random; 100 unless given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Split the cases 68.6 / 11.4 / 20 into train, val and test; saved in BASE/split.json.

    Without options, the split that is there already is kept, however it was made.
    """
    from spinetk.cases.splitting import make_split

    train_part, val, test, *_ = make_split(base, stratify, group=group, seed=seed)
    parts = {"train": train_part, "val": val, "test": test}
    if as_json:
        show({name: [str(case) for case in part.index] for name, part in parts.items()})
    else:
        typer.echo(", ".join(f"{name} {len(part)}" for name, part in parts.items()))
