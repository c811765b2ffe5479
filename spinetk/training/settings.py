"""Settings: how a run is carried out, from keywords, the command line and files.

A settings file is JSON, TOML or YAML: a mapping of the names below, or the ``settings.json`` of an earlier run. What is
given in the call or on the command line wins over the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import StrictBool, StrictStr

from spinetk.bounds import MOST_SEED
from spinetk.errors import InputError
from spinetk.validation import STRICT, above, between, validated

MOST_BYTES = 64_000_000  # of a settings file; that of a run names its cases
# Ranges are wide: what is outside of them is a slip, and would take hours or gigabytes before it came out.
Iterations = Annotated[int, between(1, 100_000_000)]
Batch = Annotated[int, between(1, 4096)]
Rate = Annotated[float, above(0, 10)]
Seed = Annotated[int, between(0, MOST_SEED)]
Precision = Literal["auto", "64-true", "32-true", "bf16-mixed", "16-mixed", "bf16-true", "16-true"]


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
        also: Other names that settings are known by, to their own.
    """

    __pydantic_config__ = STRICT
    also: ClassVar[Mapping[str, str]] = {}

    iterations: Iterations = 1000
    check_every: Iterations = 100
    early_stop: StrictBool = False
    best_by: StrictStr = "val_loss"
    seed: Seed = 0
    workers: Annotated[int, between(0, 128)] = 0
    device: Literal["auto", "cpu", "cuda", "gpu"] = "auto"
    devices: Annotated[int, between(1, 64)] | None = None
    nodes: Annotated[int, between(1, 1024)] | None = None
    accumulate: Batch = 1
    precision: Precision = "auto"
    compile: StrictBool = False
    progress: StrictBool = True

    @classmethod
    def of(cls, config: str | Path | Mapping[str, Any] | None = None, **given: Any) -> Self:
        """Defaults, changed by a file (or mapping), changed by what is given.

        Raises:
            InputError: The file cannot be read, or a name or a value is wrong; the nearest right name, or the range,
                is said.
        """
        kept = {} if config is None else {cls.also.get(n, n): v for n, v in read_settings(config).items()}
        source = "settings" if config is None or isinstance(config, Mapping) else str(config)
        chosen = validated(cls, kept, source, "setting")
        own = {cls.also.get(n, n): str(value) if isinstance(value, Path) else value for n, value in given.items()}
        # Of a mapping (a recipe) single values may be given.
        for name, value in own.items():
            if isinstance(value, Mapping) and isinstance(kept.get(name), Mapping):
                own[name] = {**kept[name], **value}
        checked = validated(cls, own, "settings", "setting")
        return replace(chosen, **{name: getattr(checked, name) for name in own})

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
        if path.stat().st_size > MOST_BYTES:
            raise InputError(path, "is too large for settings", "give a .json, .toml or .yaml file of names and values")
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".toml":
            import tomllib

            content: Any = tomllib.loads(text)
        elif path.suffix in {".yaml", ".yml"}:
            import yaml

            content = yaml.safe_load(text)
        else:
            content = json.loads(text)
    except InputError:
        raise
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", "give a .json, .toml or .yaml file") from error
    except Exception as error:  # each of the three parsers has errors of its own
        raise InputError(path, f"is not valid: {error}", "give a .json, .toml or .yaml file") from error
    if not isinstance(content, dict):
        raise InputError(path, "holds no settings", "write NAME and VALUE pairs")
    own = content.get("settings")
    return dict(own) if isinstance(own, dict) else content


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value
