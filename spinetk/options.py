"""Options that several verbs of the command line share, and how verbs speak. Light to import."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

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


def reading_format(value: str) -> str:
    """What ``--from`` takes: a name from the registry, or ``auto``."""
    from spinetk.formats.registry import format_named, readable

    return value if value == "auto" else format_named(value, readable()).name


def writing_formats(value: str) -> str:
    """What ``--as`` takes: names from the registry or ``html``, separated by commas."""
    from spinetk.formats.registry import format_named, writable

    given = [name.strip() for name in value.split(",")]
    return ",".join(name if name == "html" else format_named(name, writable()).name for name in given if name)


class ReadingCommand(TyperCommand):
    """A verb whose help ends with the formats that are read. The registry is asked late: it imports them all."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """List them."""
        from spinetk.formats.registry import readable

        _list(formatter, "Formats that are read", [(e.name, e.title) for e in readable().values()])


class WritingCommand(TyperCommand):
    """A verb whose help ends with the formats that are written."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """List them."""
        from spinetk.formats.registry import writable

        pages = ("html", "Self-contained pages and an overview")
        _list(formatter, "Formats that are written", [pages, *((e.name, e.title) for e in writable().values())])


def _list(formatter: Any, title: str, rows: list[tuple[str, str]]) -> None:
    with formatter.section(title):
        formatter.write_dl(rows)


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
