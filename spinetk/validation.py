"""Validation: content of files against a declared schema; one line says which field is wrong and what it takes.

A schema is a dataclass or a pydantic model whose annotations give types and ranges (:func:`between`). Files hold
lists and mappings where the schema has tuples and dataclasses; beyond that nothing is converted: ``"5"`` is no number,
``true`` is none either, and no number is infinite.
"""

from __future__ import annotations

import difflib
import os
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from spinetk.errors import InputError

T = TypeVar("T")
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False, revalidate_instances="always")
"""Of every schema, as its ``__pydantic_config__``."""
OPEN = ConfigDict(extra="ignore", allow_inf_nan=False, revalidate_instances="always")
"""Of a schema whose content may say more than the program asks: the model card, read by people."""
NO_PLUGINS = "PYDANTIC_DISABLE_PLUGINS"
_UNKNOWN = {"extra_forbidden", "unexpected_keyword_argument", "invalid_key"}
_MISSING = {"missing", "missing_argument", "missing_keyword_only_argument"}
_WORDS = {"boolean": "true or false", "string": "text", "null": "null", "object": "a mapping"}
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60


def between(least: float, most: float) -> Any:
    """The range of a number, both ends included: ``Annotated[int, between(1, 8)]``."""
    return Field(strict=True, ge=least, le=most)


def above(least: float, most: float) -> Any:
    """The range of a number that is greater than its lower end."""
    return Field(strict=True, gt=least, le=most)


Share = Annotated[float, between(0, 1)]


def by_names(*kinds: type) -> Callable[[Any], str | None]:
    """Tells which of several dataclasses a mapping stands for: the one that knows most of its names.

    For ``Discriminator`` of a union whose parts carry their class name as ``Tag``; ``str`` may be among them.
    """

    def tag(value: Any) -> str | None:
        for kind in kinds:
            if isinstance(value, kind):
                return kind.__name__
        if not isinstance(value, Mapping):
            return None
        known = [kind for kind in kinds if is_dataclass(kind)]
        return max(known, key=lambda kind: len({f.name for f in fields(kind)} & value.keys())).__name__

    return tag


def validated(kind: type[T], content: Any, source: str | Path, what: str = "field") -> T:
    """Content of a file as an instance of ``kind``.

    Args:
        kind: Dataclass or pydantic model.
        content: As the file's parser gave it.
        source: Named in the error.
        what: A value is called so there: ``field`` of a card, ``setting``.

    Raises:
        InputError: A name or a value is wrong; the nearest right name, or what the value must be, is said.
    """
    try:
        wanted: type = kind
        return cast(T, _adapter(wanted).validate_python(content))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(source, *_said(kind, content, first, what)) from error


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    # pydantic looks for plugins in every package that is installed; ours are plain schemas.
    before = os.environ.get(NO_PLUGINS)
    os.environ[NO_PLUGINS] = "1"
    try:
        return TypeAdapter(kind)
    finally:
        if before is None:
            del os.environ[NO_PLUGINS]
        else:
            os.environ[NO_PLUGINS] = before


@cache
def schema_of(kind: type) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of a dataclass or model."""
    return _adapter(kind).json_schema()


def _said(kind: type, content: Any, error: Any, what: str) -> tuple[str, str]:
    """Fault and remedy of one of pydantic's errors."""
    path = _path(content, error)
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
    node = whole = schema_of(kind)
    unknown = error["type"] in _UNKNOWN
    for part in path[:-1] if unknown else path:
        node = _inside(whole, node, part)
    if unknown:
        names = sorted({name for option in _options(whole, node) for name in option.get("properties", {})})
        near = difflib.get_close_matches(str(path[-1]), names, 1, 0.5)
        before = _cut(name[: len(name) - len(str(path[-1]))])
        remedy = f"did you mean {before + near[0]!r}?" if near else f"use one of {', '.join(names)}"
        return f"{what} {_cut(name)!r} is unknown", remedy
    name = _cut(name)
    if error["type"] in _MISSING:
        return f"{what} {name!r} is missing", f"give {_wanted(whole, node)}"
    cause = (error.get("ctx") or {}).get("error")
    if isinstance(cause, InputError):
        return (f"{what} {name!r} " if path else "") + _cut(cause.fault, 200), _cut(cause.remedy, 200)
    if not path:
        return f"holds {_repr(content)}", "write NAME and VALUE pairs"
    if error["type"] in {"union_tag_invalid", "union_tag_not_found"} and "discriminator" in (error.get("ctx") or {}):
        key = str(error["ctx"]["discriminator"]).strip("'")
        if isinstance(error["input"], Mapping):
            given, fault = error["input"].get(key), f"{what} '{name}.{key}' is "
            return fault + _repr(given), f"give {' or '.join(str(t) for t in _tags(whole, node, key))}"
    return f"{what} {name!r} is {_repr(error['input'])}", f"give {_wanted(whole, node)}"


def _path(content: Any, error: Any) -> list[Any]:
    """Where an error is, without what pydantic adds to tell apart the kinds of a union."""
    path: list[Any] = []
    here, last = content, len(error["loc"]) - 1
    for number, part in enumerate(error["loc"]):
        listed = isinstance(here, (list, tuple)) and isinstance(part, int) and part < len(here)
        if listed or (isinstance(here, Mapping) and part in here):
            here = here[part]
        elif is_dataclass(here) and isinstance(part, str) and hasattr(here, part):
            here = getattr(here, part)
        elif not (number == last and error["type"] in _MISSING):
            continue
        path.append(part)
    return path


def _resolved(whole: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = whole["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return node


def _options(whole: dict[str, Any], node: dict[str, Any]) -> list[dict[str, Any]]:
    """The alternatives of a part of a JSON schema."""
    node = _resolved(whole, node)
    inner = node.get("anyOf") or node.get("oneOf")
    return [option for part in inner for option in _options(whole, part)] if inner else [node]


def _inside(whole: dict[str, Any], node: dict[str, Any], part: Any) -> dict[str, Any]:
    """The schema of a field, or of an item of a list."""
    for option in _options(whole, node):
        if isinstance(part, int):
            items = option.get("prefixItems")
            if items and part < len(items):
                return items[part]
            if "items" in option:
                return option["items"]
        elif part in option.get("properties", {}):
            return option["properties"][part]
        elif isinstance(option.get("additionalProperties"), dict):
            return option["additionalProperties"]
    return {}


def _wanted(whole: dict[str, Any], node: dict[str, Any]) -> str:
    """What a value must be, in words."""
    said: list[str] = []
    for option in _options(whole, node):
        if "const" in option or "enum" in option:
            said += [repr(choice) for choice in option.get("enum", [option.get("const")])]
        elif option.get("type") in {"integer", "number"}:
            said.append(_number(option))
        elif option.get("type") == "array":
            said.append(_list(whole, option))
        else:
            said.append(_WORDS.get(option.get("type", ""), "something else"))
    # A mapping may stand for each of several dataclasses: said once.
    words = [word for word in dict.fromkeys(said) if word != "null"]
    return " or ".join(words) + (", or null" if "null" in said else "")


def _tags(whole: dict[str, Any], node: dict[str, Any], key: str) -> list[str]:
    """What the field may be by which the kinds of a union are told apart."""
    return [repr(o["properties"][key].get("const")) for o in _options(whole, node) if key in o.get("properties", {})]


def _number(option: dict[str, Any]) -> str:
    word = "a whole number" if option["type"] == "integer" else "a number"
    low, most = option.get("minimum"), option.get("maximum")
    if low is not None and most is not None:
        return f"{word} from {low} to {most}"
    if "exclusiveMinimum" in option and most is not None:
        return f"{word} above {option['exclusiveMinimum']} and up to {most}"
    return word


def _list(whole: dict[str, Any], option: dict[str, Any]) -> str:
    parts = option.get("prefixItems")
    if parts:
        words = list(dict.fromkeys(_wanted(whole, part) for part in parts))
        return f"a list of {len(parts)}" + (f", each {words[0]}" if len(words) == 1 else f": {', '.join(words)}")
    least, most = option.get("minItems", 0), option.get("maxItems")
    count = f" of {least} to {most}" if most is not None else f" of {least} or more" if least else ""
    return f"a list{count}" + (f", each {_wanted(whole, option['items'])}" if option.get("items") else "")


def _repr(value: Any) -> str:
    try:
        return _cut(_short.repr(value))
    except ValueError:  # Python writes out no number of more than 4300 digits
        return "a number of thousands of digits"


def _cut(text: str, most: int = 80) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
