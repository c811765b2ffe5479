"""Comparison: two readings of the same pictures side by side, as JSON, tables and Bland-Altman plots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from spinetk.errors import InputError
from spinetk.measure.agreement import bland_altman, matched
from spinetk.measure.alignment import PELVIC
from spinetk.measure.angles import COBB, SAGITTAL
from spinetk.measure.body import number, scale_of, stack
from spinetk.measure.readout import measure
from spinetk.reading import Reading

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

ANGLES = (*COBB, "cobb_max_endplates", *SAGITTAL, *PELVIC)


def compare(reading_a: Reading, reading_b: Reading) -> dict[str, Any]:
    """Compare two readings of one picture, e.g. truth and prediction, or two readers.

    Readings that were not measured yet are measured first. Differences are second minus first, percentages of the
    first.

    Args:
        reading_a: The first reading, the reference of the percentages.
        reading_b: The second reading; it needs the same landmark names.

    Returns:
        Strict JSON content: ``matched`` pairs in number, ``only_first`` and ``only_second`` (label or position from
        0), ``vertebrae`` (per pair ``first`` and ``second`` position, ``label``, ``point_error_px`` and
        ``point_error_mm`` = mean distance of the points seen by both, ``heights_px`` and ``heights_mm`` by column, each
        {first, second, difference, percent}, and ``deformity`` {first_type, second_type, first_grade, second_grade})
        and ``angles`` by name, each {first, second, difference}. Null where one of the two has no value; those in mm
        also where the readings give the picture different pixel sizes.

    Raises:
        InputError: The readings have other landmarks or are of pictures of other sizes.
    """
    if set(reading_a.schema.keypoints) != set(reading_b.schema.keypoints):
        raise InputError(reading_b.file, "has other landmarks than the first reading", "compare like sets")
    if (reading_a.height, reading_a.width) != (reading_b.height, reading_b.width):
        raise InputError(reading_b.file, "is a picture of another size", "compare readings of the same picture")
    first, second = measured(reading_a), measured(reading_b)
    pairs = matched(first, second)
    found = tuple({pair[side] for pair in pairs} for side in (0, 1))
    left_out = [
        [v.label or k for k, v in enumerate(reading.vertebrae) if k not in seen]
        for reading, seen in zip((first, second), found, strict=True)
    ]
    return {
        "matched": len(pairs),
        "only_first": left_out[0],
        "only_second": left_out[1],
        "vertebrae": [_vertebra(first, second, *pair) for pair in pairs],
        "angles": {name: _values(first.angles.get(name), second.angles.get(name), relative=False) for name in ANGLES},
    }


def measured(reading: Reading) -> Reading:
    """The reading with its measurements: as it is, where it has them."""
    done = reading.angles and all("heights_px" in v.measures for v in reading.vertebrae)
    return reading if done else measure(reading)


def _values(first: float | None, second: float | None, relative: bool) -> dict[str, float | None]:
    content: dict[str, float | None] = {"first": first, "second": second, "difference": None}
    if relative:
        content["percent"] = None
    if first is not None and second is not None:
        content["difference"] = number(second - first)
        if relative and first > 0:
            content["percent"] = number(100 * (second - first) / first)
    return content


def _vertebra(first: Reading, second: Reading, i: int, j: int) -> dict[str, Any]:
    a, b = first.vertebrae[i].measures, second.vertebrae[j].measures
    order = [second.schema.index(name) for name in first.schema.keypoints]
    offset = stack(second)[j][order] - stack(first)[i]
    seen = offset[np.isfinite(offset).all(axis=1)]
    known_mm = same_scale(first, second)

    def error(scale: Any) -> float | None:
        return number(np.hypot(*(seen * scale).T).mean()) if len(seen) else None

    def heights(name: str) -> dict[str, Any] | None:
        one, other = a.get(name), b.get(name)
        if one is None or other is None or (name == "heights_mm" and not known_mm):
            return None
        return {column: _values(one[column], other[column], relative=True) for column in one if column in other}

    grades = {"first": a.get("deformity") or {}, "second": b.get("deformity") or {}}
    return {
        "first": i,
        "second": j,
        "label": first.vertebrae[i].label or second.vertebrae[j].label,
        "point_error_px": error(1.0),
        "point_error_mm": error(scale_of(first)) if known_mm else None,
        "heights_px": heights("heights_px"),
        "heights_mm": heights("heights_mm"),
        "deformity": {f"{who}_{what}": grades[who].get(what) for what in ("type", "grade") for who in grades},
    }


def same_scale(first: Reading, second: Reading) -> bool:
    """Whether both know the pixel size of their picture and agree on it (to a thousandth)."""
    one, other = first.frame.spacing_mm, second.frame.spacing_mm
    return one is not None and other is not None and bool(np.allclose(one, other, rtol=1e-3, atol=0.0))


def _same_thresholds(first: Reading, second: Reading) -> bool:
    """Whether both graded by the same thresholds, as far as they say which."""
    said = {
        tuple(limits)
        for reading in (first, second)
        for v in reading.vertebrae
        if (limits := (v.measures.get("deformity") or {}).get("thresholds_percent"))
    }
    return len(said) < 2


def paired_values(pairs: Iterable[tuple[Reading, Reading]]) -> pd.DataFrame:
    """Every measurement that both readings of each picture have, one a row.

    Returns:
        Columns ``file``, ``level`` (None where unnamed, and for angles), ``quantity`` (``height_anterior``, ...,
        ``grade``, or the name of an angle), ``unit`` (``mm``, ``px``, ``deg``, ``grade``), ``first``, ``second``,
        ``difference``, ``percent`` of the first (heights only). Heights are in mm where both have them and agree on the
        pixel size, else in px; grades are left out where the two graded by different thresholds.
    """
    import pandas as pd

    rows = []
    for first, second in pairs:
        first, second = measured(first), measured(second)
        result = compare(first, second)
        graded = _same_thresholds(first, second)
        for vertebra in result["vertebrae"]:
            unit = "px" if vertebra["heights_mm"] is None else "mm"
            for column, values in (vertebra[f"heights_{unit}"] or {}).items():
                rows.append((first.file, vertebra["label"], f"height_{column}", unit, values))
            one, other = (vertebra["deformity"][f"{who}_grade"] if graded else None for who in ("first", "second"))
            rows.append((first.file, vertebra["label"], "grade", "grade", _values(one, other, relative=False)))
        rows += [(first.file, None, name, "deg", values) for name, values in result["angles"].items()]
    names = ("first", "second", "difference", "percent")
    known = [(*row, *(values.get(n) for n in names)) for *row, values in rows if values["difference"] is not None]
    table = pd.DataFrame(known, columns=["file", "level", "quantity", "unit", *names])
    return table.astype(dict.fromkeys(names, float))


def error_table(values: pd.DataFrame, by: Sequence[str] = ("quantity", "unit", "level")) -> pd.DataFrame:
    """Errors per quantity and level.

    Args:
        values: From :func:`paired_values`.
        by: Columns to group by.

    Returns:
        One row a group: ``n``, ``bias``, ``sd``, ``mae``, ``rmse``, ``max`` of the differences in the unit of the
        row, and ``mape``, the mean absolute percentage; NaN where not defined.
    """
    import pandas as pd

    rows = []
    for key, group in values.groupby(list(by), dropna=False, sort=False):
        difference = group["difference"].to_numpy()
        row = dict(zip(by, key, strict=True)) | {"n": len(group), "bias": difference.mean()}
        row["sd"] = difference.std(ddof=1) if len(group) > 1 else np.nan
        row |= {"mae": np.abs(difference).mean(), "rmse": np.sqrt((difference**2).mean())}
        row |= {"max": np.abs(difference).max(), "mape": group["percent"].abs().mean()}
        rows.append(row)
    return pd.DataFrame(rows, columns=[*by, "n", "bias", "sd", "mae", "rmse", "max", "mape"])


def bland_altman_panel(axes: Axes, first: Sequence[float], second: Sequence[float], name: str, unit: str) -> None:
    """Bland-Altman plot: difference against mean, with bias, limits of agreement and their 95 % intervals.

    Args:
        axes: To be drawn into.
        first: The n values of one reader or method.
        second: Those of the other.
        name: What was measured, for the title.
        unit: Its unit, for the axes.
    """
    result = bland_altman(first, second)
    known = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    values = np.array(known, dtype=np.float64).reshape(-1, 2)
    axes.scatter(values.mean(axis=1), values[:, 1] - values[:, 0], s=14, color="#0072b2", alpha=0.6, linewidths=0)
    for key, style in (("bias", "-"), ("lower", "--"), ("upper", "--")):
        if result[key] is None:
            continue
        axes.axhline(result[key], color="#444444", linestyle=style, linewidth=1)
        if result[f"{key}_interval"] is not None:
            axes.axhspan(*result[f"{key}_interval"], color="#444444", alpha=0.12, linewidth=0)
        if key != "bias" and result["lower"] == result["upper"]:
            continue  # all pairs differ alike: one line, and not three names on it
        place = {"x": 1.01, "y": result[key], "transform": axes.get_yaxis_transform()}
        axes.text(s=f"{key} {result[key]:.2f}", va="center", fontsize=8, **place)
    measured_in = f" ({unit})" if unit else ""
    axes.set(title=f"{name} (n = {result['n']})")
    axes.set(xlabel=f"mean of both{measured_in}", ylabel=f"second - first{measured_in}")
    axes.spines[["top", "right"]].set_visible(False)
