"""Wrong content for every field of a schema, made from what is right."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

WRONG: dict[str, Any] = {
    "null": None,
    "text": "seven",
    "list": [],
    "mapping": {"odd": 1},
    "negative": -3,
    "zero": 0,
    "huge": 10**12,
    "fraction": 0.123456,
    "nan": float("nan"),
    "infinite": float("inf"),
    "true": True,
    "deep": [[[[0]]]],
}
MISSING = object()


def places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every field of some JSON content, and the first item of every list, from the outside in."""
    listed = list(enumerate(content))[:1] if isinstance(content, list) else []
    for key, value in content.items() if isinstance(content, dict) else listed:
        yield (*path, key)
        yield from places(value, (*path, key))


def changed(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at a place, or without it (``MISSING``)."""
    copied = copy.deepcopy(content)
    here = copied
    for key in path[:-1]:
        here = here[key]
    if value is MISSING:
        del here[path[-1]]
    else:
        here[path[-1]] = value
    return copied


def mutations(content: Any) -> Iterator[tuple[tuple[Any, ...], str, Any]]:
    """(place, what was done, content) for every place x {missing, wrong values}."""
    for path in places(content):
        for kind, value in {"missing": MISSING, **WRONG}.items():
            yield path, kind, changed(content, path, value)
