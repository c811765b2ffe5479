"""Options that several verbs of the command line share, and how verbs speak. Light to import."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import typer

from spinetk.arguments import Verb
from spinetk.bounds import MOST_SEED
from spinetk.errors import InputError
from spinetk.overrides import Facing, Overrides, OverridesTable, parse_spacing
from spinetk.views import OFFERED, checked_view

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Seed = Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of everything random.")]
Spacing = Annotated[
    str | None, typer.Option(help="Pixel spacing MM or ROW,COLUMN in mm, in place of what the file says.")
]
ViewSaid = Annotated[
    str | None,
    typer.Option("--view", metavar="VIEW", help=f"What the pictures show, against all else: {', '.join(OFFERED)}."),
]
FacingSaid = Annotated[Facing, typer.Option("--facing", help="Side the patient's front faces, seen with the head up.")]
Views = Annotated[
    Path | None,
    typer.Option("--views", help="CSV: file and any of view, spacing, facing, anchor; for folders of mixed pictures."),
]
CaseFolder = Annotated[Path, typer.Argument(help="Case folder.")]
About = Annotated[Path, typer.Option(help="TOML with the model card's licence, use, data, command, ...")]
Anchor = Annotated[str | None, typer.Option(help="Name levels from one that is known, e.g. L5=last.")]
Threshold = Annotated[
    float,
    typer.Option(
        help="Least confidence of a vertebra. A body between sure ones, or one that completes a counted column, is"
        " kept below it and marked below_threshold."
    ),
]


@dataclass(frozen=True)
class PictureOptions:
    """The user's word on the pictures, for the verbs that read or measure them."""

    view: ViewSaid = None
    spacing: Spacing = None
    facing: FacingSaid = "auto"
    anchor: Anchor = None
    views: Views = None

    def overrides(self) -> OverridesTable:
        """The same as a table of overrides."""
        view = None if self.view is None else checked_view(self.view.lower(), f"--view {self.view}")
        return OverridesTable.read(self.views, Overrides(view, parse_spacing(self.spacing), self.facing, self.anchor))


Part = Literal["train", "val", "test", "all"]
"""Part of a split, or the whole."""


def reading_format(value: str) -> str:
    """What ``--from`` takes: a name from the registry, or ``auto``."""
    from spinetk.formats.registry import readable

    return value if value == "auto" else _format_name(value, readable())


def writing_formats(value: str) -> str:
    """What ``--as`` takes: names from the registry or ``html``, separated by commas."""
    from spinetk.formats.registry import writable

    given = [name.strip() for name in value.split(",")]
    return ",".join(name if name == "html" else _format_name(name, writable(), "html") for name in given if name)


def _format_name(name: str, among: Any, *others: str) -> str:
    from spinetk.formats.registry import format_named

    try:
        return format_named(name, among).name
    except InputError as error:
        raise typer.BadParameter(f"there is no format {name!r} (use {', '.join([*others, *among])})") from error


class ReadingCommand(Verb):
    """A verb whose help ends with the formats that are read. The registry is asked late: it imports them all."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """List them."""
        from spinetk.formats.registry import readable

        _list(formatter, "Formats that are read", [(e.name, e.title) for e in readable().values()])


class WritingCommand(Verb):
    """A verb whose help ends with the formats that are written."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """List them."""
        from spinetk.formats.registry import writable

        pages = ("html", "Self-contained pages and an overview")
        _list(formatter, "Formats that are written", [pages, *((e.name, e.title) for e in writable().values())])


def _list(formatter: Any, title: str, rows: list[tuple[str, str]]) -> None:
    with formatter.section(title):
        formatter.write_dl(rows)


class Verbs(typer.Typer):
    """An application whose commands are :class:`spinetk.arguments.Verb`."""

    def command(self, name: str | None = None, *, cls: Any = None, **settings: Any) -> Any:
        """As Typer's."""
        return super().command(name, cls=cls or Verb, **settings)


def verbs(**settings: Any) -> typer.Typer:
    """An application for the verbs of a room, plain as all of the command line is."""
    return Verbs(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        **settings,
    )


def grouped(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Let a verb take groups of options: of a parameter that is a dataclass, each field becomes an option.

    The fields are annotated as a verb's own parameters are; all of them need a default. What is given on the command
    line arrives as one instance of the dataclass.
    """
    hints = get_type_hints(verb, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    parameters = []
    for name, parameter in inspect.signature(verb).parameters.items():
        if name not in groups:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name]))
            continue
        own = get_type_hints(groups[name], include_extras=True)
        for f in fields(groups[name]):
            parameters.append(
                inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=own[f.name])
            )

    @wraps(verb)
    def with_groups(**given: Any) -> Any:
        for name, group in groups.items():
            given[name] = group(**{f.name: given.pop(f.name) for f in fields(group)})
        return verb(**given)

    with_groups.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_groups.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_groups


def show(content: Any) -> None:
    """Print JSON."""
    typer.echo(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))


def counted(number: int, noun: str) -> str:
    """A number of things whose plural ends in s: ``1 case``, ``2 cases``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def warn(lines: list[str]) -> None:
    """Print remarks and failures, one line each, on standard error."""
    for line in lines:
        typer.echo(f"spinetk: {line}", err=True)
