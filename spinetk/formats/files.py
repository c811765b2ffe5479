"""Names and plain files of data sets: what a case may be called, JSON with its faults named, ``metadata.json``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spinetk.atomic import write_json
from spinetk.errors import InputError

METADATA = "metadata.json"
LONGEST_NAME = 200  # bytes; file systems allow 255


def natural_key(name: str) -> tuple[list[tuple[int, int | str]], str]:
    """Sort key that orders numbers inside names by value, and ``7`` and ``007`` always alike."""
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part)) if part.isdecimal() and part.isascii() else (1, part) for part in parts], name


def check_name(case: str) -> str:
    """A case name that can be one folder name, unchanged.

    Raises:
        InputError: It would lead elsewhere or cannot be a folder.
    """
    bad = not case or case.startswith(".") or case != case.strip() or any(c in case for c in '/\\:\0"*?<>|')
    if bad or any(ord(c) < 32 for c in case) or len(case.encode("utf-8", "surrogatepass")) > LONGEST_NAME:
        raise InputError(f"case {case[:60]!r}", "cannot be the name of a folder", "use letters, digits, '-' and '_'")
    return case


def clean_name(text: str) -> str:
    """A folder name made from any text: what :func:`check_name` refuses is replaced or cut."""
    name = "".join("_" if c in '/\\:"*?<>|' or not c.isprintable() else c for c in text).strip().lstrip(".").strip()
    return name.encode("utf-8", "replace")[:LONGEST_NAME].decode("utf-8", "ignore").strip() or "case"


def read_json(path: Path) -> Any:
    """JSON of a file; every fault is an ``InputError`` that names it."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise InputError(path, "is missing", "every picture of a case has a JSON beside it") from error
    except OSError as error:
        raise InputError(path, "cannot be read", "check the path and its permissions") from error
    except (ValueError, RecursionError) as error:
        line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(path, f"is not valid JSON{line}", "mend the file or prepare the case again") from error


def read_metadata(base: str | Path) -> dict[str, dict[str, Any]]:
    """``metadata.json`` of a case folder: case name to its table of variables; empty when there is none."""
    path = Path(base) / METADATA
    if not path.exists():
        return {}
    content = read_json(path)
    if not isinstance(content, dict) or not all(isinstance(entry, dict) for entry in content.values()):
        raise InputError(path, "is not a table of tables", 'it looks like {"case": {"Hardware": true}}')
    return content


def write_metadata(base: str | Path, content: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write ``metadata.json`` atomically, cases in natural order."""
    path = Path(base) / METADATA
    write_json(path, {case: dict(content[case]) for case in sorted(content, key=natural_key)})
    return path
