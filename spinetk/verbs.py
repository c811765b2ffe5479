"""Verbs: the command line as data, for the page of options and for the tests of it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints


@dataclass(frozen=True)
class Option:
    """An option of a verb.

    Attributes:
        flag: Its first long name.
        others: Its other names, old ones and short ones.
        idea: Name of the parameter behind it.
        kind: ``switch``, ``text``, ``path``, ``int`` or ``float``; a choice is text.
        several: Whether it may be repeated.
        default: Where it is not given; of a setting that its own default holds for, what the help says of it.
        help: Of the command line.
    """

    flag: str
    others: tuple[str, ...]
    idea: str
    kind: str
    several: bool
    default: Any
    help: str


KINDS = {bool: "switch", int: "int", float: "float", Path: "path"}


def verbs() -> dict[str, Any]:
    """Every verb, such as ``discs train``, and its command."""
    from typer.main import get_command

    from spinetk.cli import app

    return dict(_walk(get_command(app), ""))


def _walk(command: Any, name: str) -> list[tuple[str, Any]]:
    inner = getattr(command, "commands", {})
    found = [(name, command)] if not inner or (command.invoke_without_command and name) else []
    for word in inner:
        found += _walk(inner[word], f"{name} {word}".strip())
    return found


def options(command: Any) -> dict[str, Option]:
    """Options of a verb by their first long name; hidden ones are left out."""
    found = {}
    # The function itself, or what stands for it with its groups of options spread out.
    function = inspect.unwrap(command.callback, stop=lambda f: hasattr(f, "__signature__"))
    hints = get_type_hints(function)
    for parameter in command.params:
        if parameter.param_type_name != "option" or parameter.hidden:
            continue
        flag, *others = sorted(parameter.opts, key=lambda name: not name.startswith("--"))
        if flag == "--help":
            continue
        kind, several = _kind(hints[parameter.name])
        shown = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
        said = " ".join((parameter.help or "").split())
        found[flag] = Option(flag, tuple(others), parameter.name, kind, several, shown, said)
    return found


def _kind(hint: Any) -> tuple[str, bool]:
    """Kind of an option's value, and whether there may be several."""
    plain = [part for part in get_args(hint) if part is not NoneType] if isinstance(hint, UnionType) else [hint]
    if get_origin(plain[0]) is list:
        return _kind(get_args(plain[0])[0])[0], True
    return KINDS.get(plain[0], "text"), False
