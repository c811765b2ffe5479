"""Settings: how a run is carried out, from keywords, the command line and files.

A settings file is JSON, TOML or YAML: a mapping of the names below, or the ``settings.json`` of an earlier run. What is
given in the call or on the command line wins over the file.
"""

from __future__ import annotations

import difflib
import json
import types
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Self, Union, get_args, get_origin, get_type_hints

from spinetk.errors import InputError


@dataclass(frozen=True)
class Settings:
    """What every trainer takes; each adds its own.

    Attributes:
        iterations: In total, earlier starts included.
        check_every: Iterations between validations and checkpoints.
        early_stop: Stop when the validation loss fell by less than 10 % over 100 iterations (the original's advice).
        best_by: Logged value that chooses the best checkpoint: a loss (its least) or a score (its greatest).
        seed: Of everything random.
        workers: Processes that prepare data; results do not depend on it.
        device: ``auto``, ``cpu`` or ``cuda``.
        devices: Processes on each machine, one a GPU; None for as many as torchrun or SLURM started, else one.
        nodes: Machines; None as for ``devices``.
        accumulate: Parts in which each batch is computed, for a batch that does not fit; the batch stays what it is.
        precision: ``auto`` (bfloat16 mixed where the hardware computes it, else float32) or a Lightning precision.
        compile: Compile the network with ``torch.compile``.
        progress: Show a bar.
    """

    iterations: int = 1000
    check_every: int = 100
    early_stop: bool = False
    best_by: str = "val_loss"
    seed: int = 0
    workers: int = 0
    device: str = "auto"
    devices: int | None = None
    nodes: int | None = None
    accumulate: int = 1
    precision: str = "auto"
    compile: bool = False
    progress: bool = True

    @classmethod
    def of(cls, config: str | Path | Mapping[str, Any] | None = None, **given: Any) -> Self:
        """Defaults, changed by a file (or mapping), changed by what is given.

        Raises:
            InputError: The file cannot be read, or a name or a type is wrong; the nearest right name is named.
        """
        kept = {} if config is None else read_settings(config)
        known = _checked(cls, kept, "settings" if config is None or isinstance(config, Mapping) else str(config))
        # Of a mapping (a recipe) single values may be given.
        for name, value in given.items():
            if isinstance(value, Mapping) and isinstance(kept.get(name), Mapping):
                given[name] = {**kept[name], **value}
        return cls(**(known | _checked(cls, given, "settings")))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON content that :meth:`of` reads back."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}


def read_settings(config: str | Path | Mapping[str, Any]) -> dict[str, Any]:
    """Content of a settings file: JSON, TOML or YAML by its suffix; of a run's ``settings.json`` the settings.

    Raises:
        InputError: The file cannot be read, or holds no mapping.
    """
    if isinstance(config, Mapping):
        return dict(config)
    path = Path(config)
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".toml":
            import tomllib

            content: Any = tomllib.loads(text)
        elif path.suffix in {".yaml", ".yml"}:
            import yaml

            content = yaml.safe_load(text)
        else:
            content = json.loads(text)
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", "give a .json, .toml or .yaml file") from error
    except Exception as error:  # each of the three parsers has errors of its own
        raise InputError(path, f"is not valid: {error}", "give a .json, .toml or .yaml file") from error
    if not isinstance(content, dict):
        raise InputError(path, "holds no settings", "write NAME and VALUE pairs")
    own = content.get("settings")
    return dict(own) if isinstance(own, dict) else content


def _checked(kind: type, content: Mapping[str, Any], source: str, prefix: str = "") -> dict[str, Any]:
    """Content with every value of the type its field has, or an error that helps."""
    hints = get_type_hints(kind)
    names = [f.name for f in fields(kind)]
    checked = {}
    for name, value in content.items():
        if name not in names:
            near = difflib.get_close_matches(str(name), names, 1, 0.5)
            remedy = f"did you mean {prefix + near[0]!r}?" if near else f"use one of {', '.join(sorted(names))}"
            raise InputError(source, f"setting {prefix + str(name)!r} is unknown", remedy)
        checked[name] = _fit(value, hints[name], source, prefix + name)
    return checked


def _fit(value: Any, hint: Any, source: str, name: str) -> Any:
    """A value as its type wants it: lists become tuples, whole numbers floats, mappings the dataclass."""
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    for option in options:
        origin = get_origin(option)
        if option is Any or (option is type(None) and value is None):
            return value
        if origin is Literal and value in get_args(option):
            return value
        if option is float and type(value) in (int, float):
            return float(value)
        if option in (int, bool, str) and type(value) is option:
            return value
        if option is str and isinstance(value, Path):
            return str(value)
        if origin is tuple and isinstance(value, (list, tuple)):
            inner = get_args(option)
            each = [inner[0]] * len(value) if inner[1:] == (Ellipsis,) else list(inner)
            if len(each) == len(value):
                pairs = zip(value, each, strict=True)
                return tuple(_fit(v, k, source, f"{name}[{i}]") for i, (v, k) in enumerate(pairs))
        if (option is dict or origin is dict) and isinstance(value, Mapping):
            return dict(value)
        if is_dataclass(option) and isinstance(value, option):
            return value
    if isinstance(value, Mapping) and (kinds := [option for option in options if is_dataclass(option)]):
        # Of several kinds, the one that knows most of the names.
        kind = max(kinds, key=lambda option: len({f.name for f in fields(option)} & value.keys()))
        return kind(**_checked(kind, value, source, f"{name}."))
    raise InputError(source, f"setting {name!r} is {value!r}", f"give {_wanted(options)}")


def _wanted(options: tuple[Any, ...]) -> str:
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "null"}
    said = []
    for option in options:
        if get_origin(option) is Literal:
            said.append(" or ".join(repr(choice) for choice in get_args(option)))
        elif get_origin(option) is tuple:
            said.append("a list")
        else:
            said.append(words.get(option, "a mapping"))
    return " or ".join(dict.fromkeys(said))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value
