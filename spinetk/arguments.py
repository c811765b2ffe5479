"""What is typed after a verb, read as users of the originals type it, before the command line parses it.

* ``--att true``, ``--att False``, ``--att=true``: a switch may be followed by its value. In the originals every value,
  ``False`` too, meant on; here it means what it says. A folder named ``true`` is given as ``./true``.
* ``--num_layers`` is ``--num-layers``.
* ``--schedule 60 90`` is ``--schedule 60 --schedule 90``.
* A flag of :mod:`spinetk.original_flags` becomes ours, or is answered with a line that names what takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from typer.core import TyperCommand

from spinetk.original_flags import OriginalFlag, find_flag

SWITCH = {"true": True, "false": False}


class OriginalFlagError(ValueError):
    """Flags of an original that have another way here; ``lines`` says which, a line each."""

    def __init__(self, rows: Sequence[OriginalFlag]) -> None:
        self.lines = [f"{row.flag} of the original's {row.program}: {row.instead}" for row in rows]
        super().__init__("; ".join(self.lines))


class Verb(TyperCommand):
    """A verb that understands what users of the originals type."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what :func:`understood` makes of it."""
        names, place = [], ctx
        while place.parent is not None:
            names.append(place.info_name)
            place = place.parent
        options = {name: p for p in self.params if p.param_type_name == "option" for name in _names(p)}
        return super().parse_args(ctx, understood(args, tuple(reversed(names)), options))


def understood(words: Sequence[str], verb: tuple[str, ...], options: Mapping[str, Any]) -> list[str]:
    """The words after a verb as our command line takes them.

    Args:
        words: As typed.
        verb: For example ``("discs", "train")``.
        options: The verb's options by each of their names.

    Raises:
        OriginalFlagError: There are flags of an original that have another way here.
    """
    waiting, done = list(words), list[str]()
    strange: list[OriginalFlag] = []
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            done += [word, *waiting]
            break
        if not word.startswith("-") or word == "-":
            done.append(word)
            continue
        name, equals, value = word.partition("=")
        row = find_flag(verb, name)
        if row is not None and row.ours is None:
            strange.append(row)
            continue
        name = row.ours if row is not None and row.ours is not None else _spelled(name, options)
        option = options.get(name)
        if option is None:
            done.append(word)
        elif option.is_flag:
            on = SWITCH.get((value if equals else waiting[0] if waiting else "").lower())
            if on is not None and not equals:
                waiting.pop(0)
            done += [word] if equals and on is None else _switched(name, option, on)
        else:
            values = [value] if equals else [waiting.pop(0)] if waiting else []
            while option.multiple and waiting and all(map(_is_number, [*values, waiting[0]])):
                values.append(waiting.pop(0))
            known = {} if row is None else row.values
            done += [part for one in values for part in (name, known.get(one.lower(), one))] or [name]
    if strange:
        raise OriginalFlagError(strange)
    return done


def _names(option: Any) -> list[str]:
    return [*option.opts, *option.secondary_opts]


def _spelled(name: str, options: Mapping[str, Any]) -> str:
    """``--num_layers`` as ``--num-layers``, where that is an option and the first is not."""
    dashed = name.replace("_", "-")
    return dashed if name.startswith("--") and name not in options and dashed in options else name


def _switched(name: str, option: Any, on: bool | None) -> list[str]:
    """A switch with its value; without one it stands as it was typed."""
    if on is None or on:
        return [name]
    # Off is the other side; a switch without one is off when it is not there.
    return (option.secondary_opts if name in option.opts else option.opts)[:1]


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
