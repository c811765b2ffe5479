"""Record: what a run was, beside its weights: settings, versions, data and split."""

from __future__ import annotations

import hashlib
import json
import platform
import warnings
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from spinetk._version import __version__
from spinetk.atomic import write_json
from spinetk.errors import InputError
from spinetk.training.launch import Distributed
from spinetk.training.saving import numbered
from spinetk.training.settings import Settings

SETTINGS = "settings.json"
WITHOUT_EFFECT = (
    "iterations", "check_every", "workers", "device", "devices", "nodes", "accumulate", "compile", "progress",
    "stratify",
)  # fmt: skip
"""On what a resumed run computes; a larger total is what resuming is for."""
LIBRARIES = ("torch", "torchvision", "lightning", "numpy", "opencv-python", "monai", "nibabel", "pynrrd")


def fingerprint(files: Iterable[str | Path], annotations: Any = None) -> dict[str, Any]:
    """SHA-256 over the contents of files, in order, and of annotations; names are not in it.

    Args:
        files: Read whole; of a folder (a DICOM series) all its files.
        annotations: JSON content; arrays as lists.

    Raises:
        InputError: A file cannot be read.
    """
    total, count, size = hashlib.sha256(), 0, 0
    for digest, length in map(_digest, _single(files)):
        total.update(digest)
        size += length
        count += 1
    total.update(json.dumps(annotations, sort_keys=True, default=_listed).encode())
    return {"sha256": total.hexdigest(), "files": count, "bytes": size}


def known_again(files: Iterable[str | Path]) -> list[str]:
    """The first 12 hexadecimal digits of the SHA-256 of each file, by which it is known again under any name.

    Raises:
        InputError: A file cannot be read.
    """
    return [_digest(Path(file))[0].hex()[:12] for file in files]


def files_of(case: Any) -> list[Path]:
    """The files that a case (a dataclass with paths) consists of."""
    found = []
    for value in vars(case).values():
        found += [v for v in (value if isinstance(value, (list, tuple)) else [value]) if isinstance(v, Path)]
    return found


def _digest(file: Path) -> tuple[bytes, int]:
    """SHA-256 and length of a file."""
    try:
        with open(file, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest(), stream.tell()
    except OSError as error:
        raise InputError(file, f"cannot be read ({error.strerror})", "prepare the cases again") from error


def _single(files: Iterable[str | Path]) -> Iterator[Path]:
    for file in map(Path, files):
        if file.is_dir():
            yield from sorted(p for p in file.rglob("*") if p.is_file())
        else:
            yield file


def _listed(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def versions() -> dict[str, str]:
    """Of spinetk, Python and the libraries that decide what is computed."""
    found = {"spinetk": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def write_run(run: Path, settings: Settings, distributed: Distributed, *, resume: bool, **about: Any) -> None:
    """Write ``settings.json``: the resolved settings, which ``--config`` reads back, and what else is known.

    Says so when a run goes on with other data, or other settings that change its result, than it was begun with.
    """
    path = run / SETTINGS
    before = _written(path) if resume and numbered(run / "checkpoints") else {}
    if before.get("data") is not None and before["data"] != about.get("data"):
        warnings.warn(f"{run}: the data have changed since this run was begun", stacklevel=3)
    changed = _changed(before.get("settings"), settings.to_json())
    if changed:
        warnings.warn(f"{run}: goes on with {', '.join(changed)}", stacklevel=3)
    machine = {"processes": distributed.world_size, "nodes": distributed.nodes, "system": platform.platform()}
    write_json(path, {"settings": settings.to_json(), **about, "versions": versions(), "machine": machine})


def settings_of(run: Path) -> dict[str, Any] | None:
    """Settings a run was begun with, for its continuation; None where there is nothing to continue.

    Raises:
        InputError: There are checkpoints, but what was written about them cannot be read.
    """
    path = run / SETTINGS
    if not any((run / "checkpoints").glob("[0-9]*.ckpt")) or not path.exists():
        return None
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")).get("settings", {}))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(path, "cannot be read", "start again without --resume, or in another folder") from error


def _changed(before: Any, now: dict[str, Any], prefix: str = "") -> list[str]:
    """``NAME NEW (was OLD)`` of every setting that a result depends on, down to those of a recipe."""
    found: list[str] = []
    for name, value in now.items() if isinstance(before, dict) else ():
        if name not in before or name in WITHOUT_EFFECT or before[name] == value:
            continue
        if isinstance(value, dict) and isinstance(before[name], dict):
            found += _changed(before[name], value, f"{prefix}{name}.")
        else:
            found.append(f"{prefix}{name} {value} (was {before[name]})")
    return found


def _written(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return content if isinstance(content, dict) else {}
    except (OSError, ValueError):
        return {}
