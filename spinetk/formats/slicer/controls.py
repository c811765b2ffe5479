"""Control points: what ``.mrk.json`` and ``.fcsv`` hold, as they are read."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinetk.errors import InputError

MARKUPS = ".mrk.json"
FCSV = ".fcsv"
FCSV_COLUMNS = "id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID"
REMEDY = "give a point list that `spinetk` wrote and 3D Slicer saved"


@dataclass(frozen=True)
class Control:
    """A control point: its label, what is noted beside it, its place in LPS, and whether it is defined."""

    label: str
    description: str
    position: np.ndarray
    seen: bool


def read_controls(path: Path) -> tuple[list[Control], list[str]]:
    """Control points of a file in LPS, and what was left out.

    Raises:
        InputError: The file is no point list.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(path, "cannot be read", "check the path") from error
    except ValueError as error:
        raise InputError(path, "is not a text file", REMEDY) from error
    if path.name.lower().endswith(FCSV):
        return _csv_controls(text, path), []
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(path, f"is not valid JSON{line}", REMEDY) from error
    found: list[Control] = []
    other: Counter[str] = Counter()
    try:
        for markup in content["markups"]:
            if markup.get("type", "Fiducial") != "Fiducial":
                other[str(markup["type"])[:40]] += 1
                continue
            turn = _turn(str(markup.get("coordinateSystem", "LPS")), path)
            for control in markup["controlPoints"]:
                seen = control.get("positionStatus", "defined") == "defined"
                place = control.get("position") if seen else (control.get("position") or [0, 0, 0])
                position = np.array(place, dtype=np.float64) * turn
                if position.shape != (3,) or not np.isfinite(position).all():
                    raise ValueError("position")
                note = str(control.get("description") or "").strip()
                found.append(Control(str(control["label"]).strip(), note, position, seen))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        where = f" (point {len(found) + 1})" if found else ""
        raise InputError(path, f"is not a markups file with points{where}", REMEDY) from error
    return found, [f"{count} x markup of type {kind}: left out" for kind, count in other.items()]


def _turn(system: str, path: Path) -> np.ndarray:
    """Signs that make LPS of a coordinate system; Slicer writes names, older versions numbers."""
    if system not in ("RAS", "0", "LPS", "1"):
        raise InputError(path, f"is in the coordinate system {system[:20]!r}", "save it in LPS or RAS")
    return np.array([-1.0, -1.0, 1.0]) if system in ("RAS", "0") else np.ones(3)


def _csv_controls(text: str, path: Path) -> list[Control]:
    """``.fcsv``: RAS where nothing is said, as before Slicer 4.6; two columns without a heading end newer rows."""
    notes = dict(re.findall(r"^#\s*([\w ]+?)\s*=\s*(.*?)\s*$", text, re.MULTILINE))
    turn = _turn(notes.get("CoordinateSystem", "RAS"), path)
    columns = [name.strip() for name in notes.get("columns", FCSV_COLUMNS).split(",")]
    if not {"x", "y", "z", "label"} <= set(columns):
        raise InputError(path, "has no columns x, y, z and label", "save it again in 3D Slicer")
    found = []
    rows = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for number, row in enumerate(csv.reader(rows), start=1):
        values = dict(zip(columns, row, strict=False))
        try:
            position = np.array([float(values[axis]) for axis in "xyz"]) * turn
            if not np.isfinite(position).all():
                raise ValueError("position")
        except (KeyError, ValueError) as error:
            raise InputError(path, f"row {number} has no x, y and z", "save it again in 3D Slicer") from error
        status = row[len(columns)].strip() if len(row) > len(columns) else "2"
        label, note = (values.get(name, "").strip() for name in ("label", "desc"))
        found.append(Control(label, note, position, status == "2"))
    return found
