"""Table: one row per vertebra, for spreadsheets and statistics; the angles of a picture stand in each of its rows."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spinetk.atomic import replacing
from spinetk.formats.registry import Format
from spinetk.measure.deformity import chances_of
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6

SIDES = ("left", "anterior", "middle", "right", "posterior")
ENDS = ("low", "high")  # of a 95 % interval
RATIOS = ("wedge", "biconcavity", "crush")
# Of the whole picture, and so the same in each of its rows.
ANGLES = ("cobb_max", "cobb_upper", "cobb_lower", "lordosis_l1_l5", "lordosis_l1_s1", "kyphosis_t1_t12",
          "kyphosis_t4_t12", "sacral_slope", "pelvic_tilt", "pelvic_incidence")  # fmt: skip
COBB = tuple(angle for angle in ANGLES if angle.startswith("cobb"))
DISC_SIDES = ("anterior", "middle", "posterior")
SLIPS = tuple(f"listhesis_{unit}" for unit in ("px", "mm", "percent"))
DISC = (*(f"disc_{side}_{unit}" for unit in ("px", "mm") for side in DISC_SIDES), "disc_angle_deg", *SLIPS, "meyerding")
LEADING_COLUMNS = (
    "file",
    "index",
    "label",
    "label_probability",
    "score",
    "below_threshold",
    "view",
    "slice",
    "series",
    "anterior_side",
    *(f"height_{side}_px" for side in SIDES),
    *(f"height_{side}_mm" for side in SIDES),
    *(f"height_{side}_{unit}_{end}" for unit in ("px", "mm") for side in SIDES for end in ENDS),
    "deformity_type",
    "deformity_grade",
    "deformity_grade_probability",
    *(f"deformity_grade_{end}" for end in ENDS),
    "deformity_loss_percent",
    *(f"deformity_loss_percent_{end}" for end in ENDS),
    "deformity_reason",
    *(f"{name}_ratio" for name in RATIOS),
    *(f"tilt_deg{end}" for end in ("", "_low", "_high")),
    "disc_below",
    *(f"{name}{end}" for name in DISC for end in ("", "_low", "_high")),
    "meyerding_reason",
    *(f"{angle}_deg{end}" for angle in ANGLES for end in ("", "_low", "_high")),
    *(f"{angle}_ends" for angle in COBB),
    "hip_axis_heads",
    "spacing_row_mm",
    "spacing_column_mm",
    "spacing_source",
    "model",
)
HEADING = ",".join(LEADING_COLUMNS[:4]).encode()
# A spreadsheet runs a cell that begins with one of these as a formula (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def columns(readings: Iterable[Reading]) -> list[str]:
    """Column names in their fixed order: `LEADING_COLUMNS`, then x and y of every point.

    The six points of ``vertebra6`` always have columns, so that tables of different runs can be stacked; names of
    other schemas follow in order of appearance.
    """
    names = list(VERTEBRA6.keypoints)
    for reading in readings:
        names += [name for name in reading.schema.keypoints if name not in names]
    return [*LEADING_COLUMNS, *(f"{name}_{axis}_px" for name in names for axis in "xy")]


def rows(reading: Reading) -> list[dict[str, Any]]:
    """One dictionary a vertebra, head to foot; values are plain, None where unknown.

    ``index`` counts from 1 at the top, ``slice`` from 0 as in the JSON; ``slice`` and ``series`` are None where the
    file holds one picture. Points are in px of the stored picture (pixel centres at integer + 0.5); a
    point that is not visible has None. Heights and angles that were not measured have None. ``deformity_type`` is
    ``uncertain`` where no deformity is one of several possible answers; ``deformity_grade`` is then the likeliest
    reading of the points, ``deformity_grade_probability`` says how likely. Where there is none,
    ``deformity_reason`` says why, as ``meyerding_reason`` does of a slip that is doubted. ``..._ends`` are the end
    vertebrae of a Cobb angle (``T5-T11``; ``#3-#9`` from the top without names).
    """
    row_mm, column_mm = reading.frame.spacing_mm or (None, None)
    table = []
    for index, vertebra in enumerate(reading.vertebrae, start=1):
        measures = vertebra.measures
        deformity = measures.get("deformity") or {}
        row: dict[str, Any] = {
            "file": reading.file,
            "index": index,
            "label": vertebra.label,
            "label_probability": reading.probability_of(vertebra),
            "score": vertebra.score,
            "below_threshold": int(bool(measures.get("below_threshold"))),
            "view": reading.view,
            "slice": reading.slice,
            "series": reading.series,
            "anterior_side": measures.get("anterior_side"),
        }
        for unit in ("px", "mm"):
            heights = measures.get(f"heights_{unit}") or {}
            row |= {f"height_{side}_{unit}": heights.get(side) for side in SIDES}
            spans = measures.get(f"heights_{unit}_interval") or {}
            for side in SIDES:
                row |= _ends(f"height_{side}_{unit}", spans.get(side))
        row |= {f"deformity_{field}": deformity.get(field) for field in ("type", "grade", "loss_percent")}
        for field in ("grade", "loss_percent"):
            row |= _ends(f"deformity_{field}", deformity.get(f"{field}_interval"))
        chances = dict(enumerate(chances_of(deformity) or []))
        row["deformity_reason"] = measures.get("deformity_reason")
        row["deformity_grade_probability"] = chances.get(deformity.get("grade", -1))
        row |= {f"{name}_ratio": (measures.get("ratios") or {}).get(name) for name in RATIOS}
        row |= {"tilt_deg": measures.get("tilt_deg")} | _ends("tilt_deg", measures.get("tilt_deg_interval"))
        row |= _disc(measures.get("disc_below") or {}) | _angles(reading)
        row |= {
            "spacing_row_mm": row_mm,
            "spacing_column_mm": column_mm,
            "spacing_source": reading.frame.spacing_source,
            "model": reading.model,
        }
        for name, point, seen in zip(reading.schema.keypoints, vertebra.points, vertebra.visible, strict=True):
            row |= {f"{name}_{axis}_px": float(v) if seen else None for axis, v in zip("xy", point, strict=True)}
        table.append(row)
    return table


def _ends(name: str, interval: Any) -> dict[str, Any]:
    """Cells of a 95 % interval."""
    known = isinstance(interval, list | tuple) and len(interval) == len(ENDS)
    return dict(zip((f"{name}_{end}" for end in ENDS), interval if known else (None, None), strict=True))


def _angles(reading: Reading) -> dict[str, Any]:
    """Cells of the angles of a picture, with what they were taken between."""
    cells: dict[str, Any] = {"hip_axis_heads": reading.angles.get("hip_axis_heads")}
    for angle in ANGLES:
        cells[f"{angle}_deg"] = reading.angles.get(angle)
        cells |= _ends(f"{angle}_deg", reading.angles.get(f"{angle}_interval"))
    for angle in COBB:
        ends = reading.angles.get(f"{angle}_ends") or []
        cells[f"{angle}_ends"] = "-".join(end if isinstance(end, str) else f"#{end + 1}" for end in ends) or None
    return cells


def _disc(disc: Mapping[str, Any]) -> dict[str, Any]:
    """Cells of the disc below a vertebra."""
    cells = {"disc_below": disc.get("name"), "meyerding_reason": disc.get("meyerding_reason")}
    for unit in ("px", "mm"):
        heights, spans = (disc.get(f"heights_{unit}{end}") or {} for end in ("", "_interval"))
        for side in DISC_SIDES:
            cells[f"disc_{side}_{unit}"] = heights.get(side)
            cells |= _ends(f"disc_{side}_{unit}", spans.get(side))
    for field in ("angle_deg", *SLIPS, "meyerding"):
        name = f"disc_{field}" if field == "angle_deg" else field
        cells |= {name: disc.get(field)} | _ends(name, disc.get(f"{field}_interval"))
    return cells


def write_table(path: str | Path, readings: Iterable[Reading], names: Iterable[str] | None = None) -> None:
    """Write the rows of all readings as comma-separated UTF-8, atomically; unknown values are empty cells.

    Text that a spreadsheet would run as a formula gets a leading apostrophe. Numbers have at most 4 decimals.

    Args:
        path: The file.
        readings: Gone through twice, unless ``names`` is given; then they are held one at a time.
        names: The columns (:func:`columns`), when they are known beforehand.
    """
    if names is None:
        readings = readings if isinstance(readings, Sequence) else list(readings)
        names = columns(readings)
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(names), restval="", lineterminator="\n")
        writer.writeheader()
        for reading in readings:
            for row in rows(reading):
                writer.writerow({name: _cell(value) for name, value in row.items()})


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, str):
        # File names may hold bytes that are no UTF-8 (surrogate escapes); strict UTF-8 has no place for them.
        text = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return "'" + text if text.lstrip(" ").startswith(FORMULA_STARTS) else text
    if isinstance(value, int):
        return str(value)
    return f"{round(float(value), 4):.10g}"


def write_rows(path: Path, readings: Sequence[Reading], *, chosen: int | None = None) -> list[Path]:
    """:func:`write_table`, as the registry calls it."""
    write_table(path, readings)
    return [path]


FORMAT = Format(
    name="csv",
    title="CSV, a row per vertebra",
    suffix="vertebrae.csv",
    media_type="text/csv; charset=utf-8",
    write=write_rows,
    recognises=lambda source: any(source.head(p).startswith(HEADING) for p in source.ending(".csv")),
    many=True,
    holds=frozenset({
        "points", "levels", "visibility", "outside", "other names", "scores", "slice", "spacing", "front", "refusals",
        "measurements",
    }),
    origin="outer corner of the first pixel, as everywhere in spinetk",
    documented="spreadsheets, pandas, R",
    source="RFC 4180",
)  # fmt: skip
