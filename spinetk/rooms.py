"""Rooms: which module holds which verb of the command line, so that a verb imports its own module and no other."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

VERBS = {
    "spinetk.commands": ("info", "phantom", "models"),
    "spinetk.cases.commands": ("prepare", "augment", "coco", "split"),
    "spinetk.keypoints.commands": ("train", "evaluate", "predict", "release", "convert", "export"),
    "spinetk.report.commands": ("measure", "report", "agree"),
    "spinetk.review.commands": ("serve",),
}
"""Verbs by module, in the order of the help."""
GROUPS = {
    "discs": "spinetk.discs.commands",
    "segment": "spinetk.segmentation.commands",
    "node": "spinetk.node.commands",
}
"""Modules whose verbs form a group of their own, by its name; they come last in the help."""
HOMES = {verb: module for module, own in VERBS.items() for verb in own} | GROUPS


class Homes(Mapping[str, Any]):
    """Verbs and groups by name, each built when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        app = import_module(HOMES[name]).app
        built = get_command(app)
        if name in GROUPS:
            built.name = name
            return built
        # Of a lone verb typer makes no group.
        return built.commands[name] if isinstance(built, TyperGroup) else built

    def __iter__(self) -> Iterator[str]:
        return iter(HOMES)

    def __len__(self) -> int:
        return len(HOMES)


class Rooms(TyperGroup):
    """The verbs of all rooms. Their options are built for the verb that is run; the help needs their names alone."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = Homes()  # type: ignore[assignment]

    def list_commands(self, ctx: Any) -> list[str]:
        """Names, in the order of the help."""
        return list(HOMES)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Each name with the first line of its help."""
        width = formatter.width - 6 - max(map(len, HOMES))
        with formatter.section("Commands"):
            formatter.write_dl([(name, _short(name, text, width)) for name, text in helps()])


def helps() -> Iterator[tuple[str, str | None]]:
    """Name and help of every verb and group, as their modules declare them."""
    for module in VERBS:
        for name, callback in declared(import_module(module).app):
            yield name, inspect.getdoc(callback)
    for name, module in GROUPS.items():
        app = import_module(module).app
        own = app.registered_callback.callback if app.registered_callback else None
        yield name, inspect.getdoc(own) if own else app.info.help


def declared(app: typer.Typer) -> Iterator[tuple[str, Any]]:
    """Name and function of an application's verbs."""
    for command in app.registered_commands:
        function = command.callback
        yield command.name or function.__name__.replace("_", "-"), function  # type: ignore[union-attr]


def _short(name: str, text: str | None, width: int) -> str:
    return TyperCommand(name, help=text).get_short_help_str(width)
