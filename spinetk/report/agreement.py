"""Agreement of two readers: results or tables paired by picture and level, then Bland-Altman, ICC and kappa."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinetk.atomic import replacing, write_json, write_text
from spinetk.errors import InputError
from spinetk.formats.registry import read
from spinetk.formats.results import iter_results
from spinetk.formats.table import rows
from spinetk.measure.agreement import bland_altman, icc, weighted_kappa
from spinetk.measure.angle_words import ANGLE_NAMES
from spinetk.measure.comparison import bland_altman_panel, measured, paired_values
from spinetk.reading import Reading
from spinetk.report.about import ABOUT_NAMES, About, differences
from spinetk.report.tables import paired_rows, read_table, stacked, tabulate

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

PANELS_A_ROW = 3
TITLES = ANGLE_NAMES | {"cobb_max_endplates": "Cobb of endplates, largest"}
OF_FIRST = "% of first"
"""Unit of lengths in px when pictures are pooled: a pixel of one is not a pixel of another."""


@dataclass
class Agreement:
    """How two readers agree.

    Attributes:
        values: One row a pair, as :func:`spinetk.measure.comparison.paired_values` gives them.
        quantities: One entry a quantity, strict JSON: ``quantity``, ``unit`` and what :func:`judge` says.
        only_first, only_second: Pictures that one of the two lacks.
        failures: One line for each file that could not be used.
    """

    values: pd.DataFrame
    quantities: list[dict[str, Any]]
    only_first: list[str] = field(default_factory=list)
    only_second: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Strict JSON of everything but the pairs."""
        names = ("quantities", "only_first", "only_second", "failures")
        return {"pictures": int(self.values["file"].nunique())} | {name: getattr(self, name) for name in names}


def agree(first: str | Path, second: str | Path) -> Agreement:
    """Compare two readers of the same pictures.

    Either may be a folder of results, one result, or a table (CSV) with a column ``file``, a column ``label`` where a
    row is about a vertebra, and a column a measurement, as ``vertebrae.csv`` has them. Results are paired by their
    names, their vertebrae by level or, where levels are missing, by overlap; rows of tables by the name of the file
    without folder and ending, and by level (:mod:`spinetk.report.tables`).

    Args:
        first: The reference of differences (second - first) and of percentages.
        second: The other.

    Returns:
        The agreement.

    Raises:
        InputError: One of them cannot be used, or they have no measurement in common.
    """
    failures: list[str] = []
    tables = [Path(given).suffix.lower() == ".csv" for given in (first, second)]
    if any(tables):
        sides = [
            read_table(Path(given), failures) if table else tabulate(_readings(given, failures))
            for given, table in zip((first, second), tables, strict=True)
        ]
        pictures = [{file for file, _ in side.values.index} for side in sides]
        values = paired_rows(sides[0], sides[1], failures)
    else:
        one, other = (_readings(given, failures) for given in (first, second))
        pictures = [set(one), set(other)]
        values = _paired(one, other, failures)
    return _agreement(values, pictures, failures, first, second)


def agree_in(source: str | Path) -> Agreement:
    """Compare the two readers of one annotation project: those who read the most pictures.

    Args:
        source: A file or folder of an annotation program (:mod:`spinetk.formats.registry`).

    Raises:
        InputError: It holds the work of fewer than two.
    """
    failures: list[str] = []
    by: dict[str, dict[str, Reading]] = {}
    for item in read(source):
        try:
            if isinstance(item, InputError):
                raise item
            by.setdefault(item.annotator or f"reading {item.rank + 1}", {})[item.case] = item.reading()
        except InputError as error:
            failures.append(str(error))
    if len(by) < 2:
        raise InputError(source, "holds one reading of each picture", "give two: spinetk agree FIRST SECOND")
    first, second, *others = sorted(by, key=lambda name: (-len(by[name]), name))
    if others:
        failures.append(f"{source}: {first} and {second} are compared, not {', '.join(others)}")
    pictures = [set(by[first]), set(by[second])]
    values = _paired(by[first], by[second], failures)
    return _agreement(values, pictures, failures, f"{source} ({first})", f"{source} ({second})")


def _paired(one: dict[str, Reading], other: dict[str, Reading], failures: list[str]) -> pd.DataFrame:
    """The values of both, picture by picture."""
    pairs = []
    for name in sorted(set(one) & set(other)):
        both = measured(one[name]), measured(other[name])
        said = differences(name, *(About.of(rows(reading)) for reading in both))
        if _differ(*both):
            said = [line for line in said if ABOUT_NAMES not in line]  # places of two films say nothing
            said.append(f"{name}: the readings are of pictures with other pixels: are they the same film?")
        failures += said
        try:
            pairs.append((name, paired_values([both])))
        except InputError as error:
            failures.append(str(error))
    return stacked([table.assign(file=name) for name, table in pairs])


def _differ(one: Reading, other: Reading) -> bool:
    """Whether two readings are of different pixels, by the digests that both have."""
    both = [(one.pixels_sha256, other.pixels_sha256), (one.stored_sha256, other.stored_sha256)]
    known = [first == second for first, second in both if first is not None and second is not None]
    return bool(known) and not any(known)


def _agreement(
    values: pd.DataFrame, pictures: list[set[str]], failures: list[str], first: str | Path, second: str | Path
) -> Agreement:
    if not len(values):
        raise InputError(second, f"has nothing in common with {first}", "give two readings of the same pictures")
    quantities = [
        {"quantity": quantity, "unit": unit, **judge(group, unit)}
        for (quantity, unit), group in on_one_scale(values).groupby(["quantity", "unit"], sort=False)
    ]
    one, other = pictures
    return Agreement(values, quantities, sorted(one - other), sorted(other - one), failures)


def on_one_scale(values: pd.DataFrame) -> pd.DataFrame:
    """The pairs as they may be pooled: lengths in px of several pictures become percentages of the first reader's.

    Args:
        values: As :attr:`Agreement.values`.
    """
    px = values["unit"] == "px"
    if values.loc[px, "file"].nunique() < 2:
        return values
    pooled = values[~px | values["percent"].notna()].copy()
    px = pooled["unit"] == "px"
    pooled.loc[px, "difference"] = pooled.loc[px, "percent"]
    pooled.loc[px, "first"], pooled.loc[px, "second"] = 100.0, 100.0 + pooled.loc[px, "percent"]
    pooled.loc[px, "unit"] = OF_FIRST
    return pooled


def judge(group: pd.DataFrame, unit: str) -> dict[str, Any]:
    """The statistics of one quantity.

    Args:
        group: Rows of :func:`spinetk.measure.comparison.paired_values`.
        unit: Of the rows; ``grade`` means grades.

    Returns:
        For grades ``n``, ``kappa_linear``, ``kappa_quadratic``, ``same_percent`` and ``table`` (4 x 4 counts, first
        reader down); else the content of ``bland_altman`` and ``icc`` (null for percentages of the first reader's
        values, which do not vary), and ``mae`` and ``mape``.
    """
    first, second = (group[name].to_numpy() for name in ("first", "second"))
    if unit == "grade":
        table = np.zeros((4, 4), int)
        np.add.at(table, (first.astype(int), second.astype(int)), 1)
        kappas = {f"kappa_{w}": weighted_kappa(first, second, w) for w in ("linear", "quadratic")}
        return {"n": len(group), **kappas, "same_percent": _plain(100 * (first == second).mean())} | {
            "table": table.tolist()
        }
    correlation = icc(np.stack([first, second], axis=1)[: 0 if unit == OF_FIRST else None])
    del correlation["n"]  # 0 where there is none
    errors = {"mae": _plain(group["difference"].abs().mean()), "mape": _plain(group["percent"].abs().mean())}
    return bland_altman(first, second) | correlation | errors


def write_agreement(found: Agreement, out: str | Path) -> list[Path]:
    """Write ``pairs.csv``, ``agreement.csv``, ``agreement.json`` and ``bland_altman.png`` atomically.

    Returns:
        The files.
    """
    import pandas as pd

    out = Path(out)
    table = pd.DataFrame(found.quantities).drop(columns=["k", "table"], errors="ignore")
    for name in [name for name in table if name.endswith("_interval")]:
        bounds = [value if isinstance(value, list) else [None, None] for value in table[name]]
        place = table.columns.get_loc(name)
        table = table.drop(columns=name)
        for k, end in enumerate(("low", "high")):
            table.insert(place + k, name.replace("interval", end), [pair[k] for pair in bounds])
    write_text(out / "pairs.csv", found.values.round(4).to_csv(index=False))
    write_text(out / "agreement.csv", table.to_csv(index=False))
    write_json(out / "agreement.json", found.to_json())
    files = [out / name for name in ("pairs.csv", "agreement.csv", "agreement.json")]
    figure = draw(found.values)
    if figure is not None:
        files.append(out / "bland_altman.png")
        with replacing(files[-1]) as temporary:
            figure.savefig(temporary, dpi=110, format="png")
    return files


def draw(values: pd.DataFrame) -> Figure | None:
    """Bland-Altman panels of all measurements with two pairs or more; None when there is none.

    Args:
        values: As :attr:`Agreement.values`.
    """
    from matplotlib.figure import Figure

    pooled = on_one_scale(values).groupby(["quantity", "unit"], sort=False)
    groups = [(key, group) for key, group in pooled if key[1] != "grade"]
    groups = [(key, group) for key, group in groups if len(group) > 1]
    if not groups:
        return None
    across = min(PANELS_A_ROW, len(groups))
    down = -(-len(groups) // across)
    figure = Figure(figsize=(5.2 * across, 3.6 * down), layout="constrained")
    for place, ((quantity, unit), group) in enumerate(groups, start=1):
        axes = figure.add_subplot(down, across, place)
        title = TITLES.get(quantity, quantity.replace("_", " ").capitalize())
        bland_altman_panel(axes, group["first"], group["second"], title, unit)
    return figure


def _readings(given: str | Path, failures: list[str]) -> dict[str, Reading]:
    """Result name to reading."""
    found: dict[str, Reading] = {}
    for path, reading in iter_results([given]):
        if isinstance(reading, InputError):
            failures.append(str(reading))
        elif path.stem in found:
            failures.append(f"{path}: another reading is called {path.stem}: the first was taken")
        else:
            found[path.stem] = reading
    if not found:
        raise InputError(given, "holds no result that can be read", "give a folder of `spinetk predict`, or a CSV")
    return found


def _plain(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


def lines(found: Agreement) -> Iterator[str]:
    """The agreement as aligned text, a line per quantity."""
    yield f"{'quantity':<24}{'n':>5}{'bias':>9}{'limits of agreement':>23}{'ICC(2,1)':>10}{'ICC(3,1)':>10}"
    for row in found.quantities:
        name = f"{row['quantity']} {row['unit']}".replace("grade grade", "grade")
        if row["unit"] == "grade":
            kappas = [_text(row[f"kappa_{w}"]) for w in ("linear", "quadratic")]
            same = row["same_percent"]
            yield f"{name:<24}{row['n']:>5}  same {same:.0f} %, kappa linear {kappas[0]}, quadratic {kappas[1]}"
            continue
        limits = f"{_text(row['lower'])} to {_text(row['upper'])}"
        coefficients = "".join(f"{_text(row[key], 3):>10}" for key in ("icc_2_1", "icc_3_1"))
        yield f"{name:<24}{row['n']:>5}{_text(row['bias']):>9}{limits:>23}{coefficients}"


def _text(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
