"""Options that several verbs of the command line share, and how verbs speak. Light to import."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from spinetk.errors import InputError

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Spacing = Annotated[
    str | None, typer.Option(help="Pixel spacing MM or ROW,COLUMN in mm, in place of what the file says.")
]
Anchor = Annotated[str | None, typer.Option(help="Name levels from one that is known, e.g. L5=last.")]


class Facing(StrEnum):
    """Side of the picture that the patient's front faces."""

    LEFT = "left"
    RIGHT = "right"
    AUTO = "auto"


class Part(StrEnum):
    """Part of a split."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


def verbs(**settings: Any) -> typer.Typer:
    """An application for the verbs of a room, plain as all of the command line is."""
    return typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        **settings,
    )


def parse_spacing(text: str | None) -> tuple[float, float] | None:
    """``0.3`` or ``0.3,0.25`` (row, column) in mm."""
    if text is None:
        return None
    try:
        values = [float(v) for v in text.split(",")]
    except ValueError:
        values = []
    if len(values) not in (1, 2):
        raise InputError(f"--spacing {text}", "is not MM or ROW,COLUMN", "for example --spacing 0.3 or 0.3,0.25")
    return values[0], values[-1]


def show(content: Any) -> None:
    """Print JSON."""
    typer.echo(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))


def warn(lines: list[str]) -> None:
    """Print remarks and failures, one line each, on standard error."""
    for line in lines:
        typer.echo(f"spinetk: {line}", err=True)
