"""Tables of readers: measurements by picture and level, read from CSV or made of results, and paired.

A table has a column ``file``, a column ``label`` (or ``level``) where a row is about a vertebra, and a column a
measurement, as ``vertebrae.csv`` has them. Angles of the whole picture, which stand in each of its rows there, count
once. Where both tables say the spacing of a picture (``spacing_row_mm``, ``spacing_column_mm``) and say another one,
its lengths are compared in px.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinetk.errors import InputError
from spinetk.formats.labels import level_in
from spinetk.formats.table import RATIOS, rows
from spinetk.measure.comparison import ANGLES
from spinetk.measure.readout import measure
from spinetk.reading import Reading
from spinetk.report.about import SPACING, About, differences, number, rescaled

if TYPE_CHECKING:
    import pandas as pd

KEYS = ("file", "label")
# Columns of our own tables that are no measurements, only grade one that is compared (the slip in percent), or divide
# those that are (ratios of heights).
OTHER = ("index", "label_probability", "score", "below_threshold", "slice", "series", *SPACING, "meyerding",
         "hip_axis_heads", *(f"{name}_ratio" for name in RATIOS))  # fmt: skip
UNITS = {"_mm": "mm", "_px": "px", "_percent": "%", "_deg": "deg"}
GRADES = ("grade", "deformity_grade")
MISSING = ("", "-", "na", "n/a", "nan", "none", "null")
MOST_NAMED = 5


@dataclass(frozen=True)
class Table:
    """What one reader measured.

    Attributes:
        values: A row a vertebra or picture, by (file, label); the label is empty for what is about the whole picture,
            ``#3`` for the third body from the top where it has no name.
        about: What else the table says, by file.
    """

    values: pd.DataFrame
    about: dict[str, About]


def tabulate(readings: dict[str, Reading]) -> Table:
    """Readings by result name as a table."""
    content: list[dict[str, Any]] = []
    for name, reading in readings.items():
        measured = measure(reading)
        content += [row | {"file": name} for row in rows(measured)]
        content.append({"file": name} | {key: measured.angles.get(key) for key in ANGLES})
    return _table(content, "results")


def read_table(path: Path, failures: list[str]) -> Table:
    """A reader's table; what of it cannot be used is told to ``failures``.

    Raises:
        InputError: It is no table, has no column ``file``, or two rows about one vertebra.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        head = text.partition("\n")[0]
        # Spreadsheets of some countries part columns by semicolons.
        between = max(",;\t", key=head.count)
        content = list(csv.DictReader(io.StringIO(text), delimiter=between))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, "cannot be read as a table", "give comma-separated UTF-8") from error
    # Readers write File and Level, with blanks beside them.
    content = [{k.strip().lower() if k else k: v for k, v in row.items()} for row in content]
    if not content or "file" not in content[0]:
        raise InputError(path, "has no row, or no column 'file'", "name the picture in every row")
    if between != ",":  # where they do, they write 20,5 for 20.5
        content = [{k: _with_point(v) if k else v for k, v in row.items()} for row in content]
    for name in filter(_measured, filter(None, content[0])):
        cells = [cell for row in content if (cell := (row[name] or "").strip().lower()) not in MISSING]
        words = [cell for cell in cells if np.isnan(number(cell))]
        if words and (len(words) < len(cells) or _unit(name)[1]):
            failures.append(f"{path}: {len(words)} of {len(cells)} cells of {name} are no numbers and were left out")
    # None collects what a row has beyond the head.
    return _table([{("label" if k == "level" else k): v for k, v in row.items() if k} for row in content], path)


def paired_rows(first: Table, second: Table, failures: list[str]) -> pd.DataFrame:
    """Every measurement that both have, one a row, as :func:`spinetk.measure.comparison.paired_values` gives them.

    Lengths are in mm where both have them and do not say another spacing, else in px; both are told to ``failures``,
    as are pictures whose bodies have no names and are not as many in both.

    Raises:
        InputError: A grade is none of 0 to 3.
    """
    other_scale = _compared(first, second, failures)
    _say_strange(first, second, failures)
    unpaired = _unpaired(first, second, failures)
    sides = [side.values.drop(index=unpaired, errors="ignore") for side in (first, second)]
    shared = [name for name in sides[0].columns if name in sides[1].columns]
    both = {name: _both(sides, name) for name in shared}
    found = []
    for name in shared:
        quantity, unit = _unit(name)
        pairs = both[name]
        in_mm = both.get(f"{quantity}_mm")
        if unit == "mm":
            pairs = pairs[~pairs.index.isin(other_scale, level="file")]
        elif unit == "px" and in_mm is not None:  # says no more where both readers have mm
            kept = in_mm.index[~in_mm.index.isin(other_scale, level="file")]
            pairs = pairs[~pairs.index.isin(kept)]
        pairs = pairs.reset_index().rename(columns={"label": "level"})
        pairs.insert(2, "quantity", quantity)
        pairs.insert(3, "unit", unit)
        found.append(pairs)
    table = stacked(found)
    if len(table):
        table["difference"] = table["second"] - table["first"]
        heights = table["unit"].isin(["mm", "px"]) & (table["first"] > 0)
        table["percent"] = (100 * table["difference"] / table["first"]).where(heights)
        grades = table.loc[table["unit"] == "grade", ["first", "second"]].to_numpy()
        if not np.isin(grades, (0, 1, 2, 3)).all():
            raise InputError("grades", "are not all 0, 1, 2 or 3", "correct the tables")
    return table


def stacked(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Tables of pairs below one another; an empty one of the same columns where there is none."""
    import pandas as pd

    names = ["file", "level", "quantity", "unit", "first", "second", "difference", "percent"]
    tables = [table for table in tables if len(table)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=names)


def _both(sides: list[pd.DataFrame], name: str) -> pd.DataFrame:
    """The column of both, where both have a number."""
    import pandas as pd

    columns = [side[name].rename(who) for side, who in zip(sides, ("first", "second"), strict=True)]
    return pd.concat(columns, axis=1, join="inner").dropna().rename_axis(KEYS)


def _compared(first: Table, second: Table, failures: list[str]) -> list[str]:
    """Tell ``failures`` what the two say otherwise of a picture; the pictures of which they say another spacing."""
    found = []
    for name in sorted(set(first.about) & set(second.about)):
        failures += differences(name, first.about[name], second.about[name])
        if rescaled(first.about[name], second.about[name]):
            found.append(name)
    return found


def _unpaired(first: Table, second: Table, failures: list[str]) -> list[tuple[str, str]]:
    """Rows of bodies without names that are not as many in both: the third of one may be the second of the other."""
    unnamed: list[dict[str, set[str]]] = []
    for side in (first, second):
        by_file: dict[str, set[str]] = {}
        for file, label in side.values.index:
            if label.startswith("#"):
                by_file.setdefault(file, set()).add(label)
        unnamed.append(by_file)
    shared = sorted(set(unnamed[0]) & set(unnamed[1]))
    apart = [name for name in shared if unnamed[0][name] != unnamed[1][name]]
    for name in apart:
        counts = f"{len(unnamed[0][name])} and {len(unnamed[1][name])}"
        failures.append(f"{name}: {counts} bodies have no level name and cannot be paired by their place: name them")
    if len(apart) < len(shared):
        count = len(shared) - len(apart)
        failures.append(f"bodies without level names were paired by their place from the top (pictures: {count})")
    return [(name, label) for name in apart for label in unnamed[0][name] | unnamed[1][name]]


def _say_strange(first: Table, second: Table, failures: list[str]) -> None:
    """Tell ``failures`` of rows of one table alone whose labels are no levels (``LWK2``): they meet none."""
    one, other = (set(side.values.index) for side in (first, second))
    shared = {file for file, _ in one} & {file for file, _ in other}
    found = {
        label for file, label in one ^ other if file in shared and label and label[0] != "#" and not level_in(label)
    }
    if found:
        named = ", ".join(sorted(found)[:MOST_NAMED]) + (", ..." if len(found) > MOST_NAMED else "")
        failures.append(f"labels that are no level and stand in one table only: {named}; their rows were left out")


def _with_point(cell: str | None) -> str | None:
    """A number with a decimal comma as one with a point; anything else as it is."""
    return cell.replace(",", ".") if cell and re.fullmatch(r"\s*[-+]?\d*,\d+\s*", cell) else cell


def _table(content: list[dict[str, Any]], source: str | Path) -> Table:
    """Numbers by (picture, level)."""
    import pandas as pd

    keys, kept = [], []
    by_picture: dict[str, list[dict[str, Any]]] = {}
    for row in content:
        # A table of `predict` names pictures with their path, a reader's perhaps without the ending.
        picture = Path(str(row["file"]).strip().replace("\\", "/")).name.removesuffix(".gz")
        ending = Path(picture).suffix
        # A case may be called 31.01.2024: an ending begins with a letter.
        picture = picture.removesuffix(ending) if ending[1:2].isalpha() else picture
        level = str(row.get("label") or "").strip() or (f"#{row['index']}" if row.get("index") else "")
        keys.append((picture, level_in(level) or level))
        kept.append({_plain_name(name): number(value) for name, value in row.items() if _measured(name)})
        by_picture.setdefault(picture, []).append(row)
    index = pd.MultiIndex.from_tuples(keys, names=KEYS)
    table = _of_pictures(pd.DataFrame(kept, index=index).astype(float)).dropna(axis=1, how="all")
    if table.index.has_duplicates:
        picture, level = table.index[table.index.duplicated()][0]
        raise InputError(source, f"has two rows about {level or 'the whole'} of {picture!r}", "remove one")
    return Table(table, {picture: About.of(own) for picture, own in by_picture.items()})


def _of_pictures(table: pd.DataFrame) -> pd.DataFrame:
    """The table with angles of the whole picture in a row of the picture, where all its rows say the same."""
    import pandas as pd

    angles = [name for name in table.columns if name in ANGLES]
    if not angles or not (table.index.get_level_values("label") != "").any():
        return table
    by_picture = table[angles].groupby(level="file", sort=False)
    alike = (by_picture.nunique() < 2).all()
    whole = [name for name in angles if alike[name]]
    if not whole:
        return table
    values = by_picture.first()[whole]
    values.index = pd.MultiIndex.from_product([values.index, [""]], names=KEYS)
    rest = table.drop(columns=whole)
    alone = rest.index.get_level_values("label") == ""
    own = rest[alone]
    joined = own.join(values, how="outer") if len(own) else values
    return pd.concat([rest[~alone], joined])


def _plain_name(name: str) -> str:
    """``cobb_max_deg`` of our tables as ``cobb_max``, the name of the angle."""
    angle = name.removesuffix("_deg")
    return angle if angle in ANGLES else name


def _measured(name: str) -> bool:
    return name not in (*KEYS, *OTHER) and not name.endswith(("_x_px", "_y_px", "_low", "_high", "_probability"))


def _unit(column: str) -> tuple[str, str]:
    """(quantity, unit) of a column."""
    if column in GRADES:
        return "grade", "grade"
    if column in ANGLES:
        return column, "deg"
    for ending, unit in UNITS.items():
        if column.endswith(ending):
            return column.removesuffix(ending), unit
    return column, ""
