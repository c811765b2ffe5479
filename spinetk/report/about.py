"""What two readers say about one picture besides its figures: scale, front, slice, names. Where they differ is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spinetk.formats.labels import level_in
from spinetk.geometry import Side, median

SPACING = ("spacing_row_mm", "spacing_column_mm")
SAME = 1e-3
"""Share by which spacings of one picture may differ: tables round them."""
ONE_PLACE = 0.25
"""Share of the distance from body to body by which centres of one body may differ."""

ABOUT_NAMES = "the readings name one body otherwise"


@dataclass(frozen=True)
class About:
    """One reader's word about a picture, as far as it is known.

    Attributes:
        spacing: (row, column) mm.
        front: The side whose heights are called anterior.
        shown: The slice, counted from 1, and the series; None where nothing is said of slices at all.
        centres: (x, y) px of each named body.
    """

    spacing: tuple[float, float] | None = None
    front: Side | None = None
    shown: str | None = None
    centres: Mapping[str, tuple[float, float]] | None = None

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> About:
        """From the rows of one picture, as :func:`spinetk.formats.table.rows` makes them or a CSV file holds them."""
        spacing, front, shown = None, None, None
        centres: dict[str, tuple[float, float]] = {}
        for row in rows:
            size = number(row.get(SPACING[0])), number(row.get(SPACING[1]))
            spacing = size if np.isfinite(size).all() else spacing
            front = _front(row) or front
            shown = _shown(row) or shown
            level = level_in(row.get("label"))
            points = _points(row)
            if level and len(points):
                x, y = points.mean(axis=0).tolist()
                centres[level] = x, y
        return cls(spacing, front, shown, centres)


def number(value: Any) -> float:
    """A cell as a number, NaN where it is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def rescaled(one: About, other: About) -> bool:
    """Whether both say a spacing, and another one."""
    if one.spacing is None or other.spacing is None:
        return False
    return not np.allclose(one.spacing, other.spacing, rtol=SAME, atol=0)


def differences(name: str, one: About, other: About) -> list[str]:
    """A line for each thing that the two say otherwise of the picture ``name``."""
    found = []
    if rescaled(one, other):
        said = " and ".join("{:.4g} x {:.4g}".format(*own.spacing) for own in (one, other) if own.spacing)
        found.append(f"{name}: the readings say pixels of {said} mm: its lengths are compared in px")
    if one.front and other.front and one.front != other.front:
        said = "the anterior height of one is compared with the posterior height of the other"
        found.append(f"{name}: the readings have the front on other sides: {said}")
    if one.shown and other.shown and one.shown != other.shown:
        found.append(f"{name}: the readings are of two slices ({one.shown} and {other.shown})")
    names = renamed(one.centres or {}, other.centres or {})
    if names:
        said = "{} of the first is {} of the second".format(*names[-1])
        found.append(f"{name}: {ABOUT_NAMES} ({said}): figures of one level are of two bodies")
    return found


def renamed(
    first: Mapping[str, tuple[float, float]], second: Mapping[str, tuple[float, float]]
) -> list[tuple[str, str]]:
    """Names of bodies at one place that two readers name otherwise, in the order of the first.

    Args:
        first: (x, y) px of the centres by level.
        second: The same of the other.
    """
    names, others = list(first), list(second)
    one, other = (np.array(list(own.values()), dtype=np.float64).reshape(-1, 2) for own in (first, second))
    pitch = _pitch(max(one, other, key=len))
    apart = _apart(one, other)
    found = []
    for k, row in enumerate(apart):
        near = int(row.argmin()) if len(row) else None
        if near is not None and row[near] < ONE_PLACE * pitch and names[k] != others[near]:
            found.append((names[k], others[near]))
    return found


def _apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(n, m) distances of (n, 2) and (m, 2) points."""
    return np.hypot(*(one[:, None] - other[None]).transpose(2, 0, 1))


def _pitch(centres: np.ndarray) -> float:
    """From a body to the nearest other one, in the middle of all; NaN of a single one."""
    apart = _apart(centres, centres)
    np.fill_diagonal(apart, np.inf)
    return median(apart.min(axis=1)) if len(apart) > 1 else np.nan


def _front(row: Mapping[str, Any]) -> Side | None:
    left, right, anterior = (number(row.get(f"height_{side}_px")) for side in ("left", "right", "anterior"))
    if np.isnan(anterior) or left == right:
        return None
    return "left" if anterior == left else "right" if anterior == right else None


def _shown(row: Mapping[str, Any]) -> str | None:
    if "slice" not in row:
        return None
    place, series = number(row["slice"]), row.get("series")
    return ("none named" if np.isnan(place) else f"{place + 1:.0f}") + (f" of series {series}" if series else "")


def _points(row: Mapping[str, Any]) -> np.ndarray:
    """(n, 2) px of the points of a row that are seen."""
    names = [name.removesuffix("_x_px") for name in row if name and name.endswith("_x_px")]
    points = np.array([[number(row.get(f"{name}_{axis}_px")) for axis in "xy"] for name in names]).reshape(-1, 2)
    return points[np.isfinite(points).all(axis=1)]
