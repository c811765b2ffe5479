"""Table: rows of an evaluation as text to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spinetk.discs.levels import name_of

Row = Mapping[str, Any]
# Heading, name of the figure, factor, decimals.
FIGURES = (
    ("DTT mm", "dtt_median_mm", 1, 2),
    ("mean mm", "dtt_mean_mm", 1, 2),
    ("FNR %", "fnr_percent", 1, 2),
    ("FPR %", "fpr_percent", 1, 2),
    ("level acc. %", "level_accuracy", 100, 1),
    ("shift %", "one_level_shift_rate", 100, 1),
    ("L2 mm", "l2_mean_mm", 1, 2),
)
SETS = ("TP", "FP", "FN")
METHOD_ORDER = ("condition", "search", "lookonce")
"""From worst to best, as published, by F1 of telling true candidates from false ones."""
NETWORK_ORDER = (("PlainUNet", "peaks"), ("StackedHourglass", "search"), ("ShapeUNet", "lookonce"))
"""From worst to best, as published for T2w, by DTT, FNR and FPR."""


def table(rows: Sequence[Row]) -> str:
    """Figures; their 95 % intervals; L2 by level in mm; which published orders hold. A line a row, blocks by blanks."""
    blocks = [_figures(rows), _intervals(rows), _levels(rows)]
    if unjudged := {row["model"]: row["not_judged"] for row in rows if row.get("not_judged")}:
        left = [f"{model}: {', '.join(map(name_of, levels))}" for model, levels in unjudged.items()]
        blocks.append(["Not judged, for want of labels", *left])
    orders = [(what, published, ", ".join(_number(v, 1, 3) for v in values), "holds" if holds else "does not hold")
              for what, published, values, holds in orderings(rows)]  # fmt: skip
    if orders:
        blocks.append(["Published orders, worst first", *_aligned(orders)])
    return "\n\n".join("\n".join(block) for block in blocks)


def orderings(rows: Sequence[Row]) -> list[tuple[str, str, list[float], bool]]:
    """Published orders of methods that the rows can be asked about.

    Returns:
        For each the figure (and the model it is of), the order from worst to best, the values found in that order, and
        whether each is at least as good as the one before.
    """
    found = []
    for model in dict.fromkeys(row["model"] for row in rows):
        own = {row["method"]: row["candidates"]["f1"] for row in rows if row["model"] == model}
        if not any(own.get(method) is None for method in METHOD_ORDER):
            values = [own[method] for method in METHOD_ORDER]
            found.append((f"F1 of candidates, {model}", " < ".join(METHOD_ORDER), values, values == sorted(values)))
    # Of several hourglasses the one with attention is the published.
    chosen = {
        (row["network"], row["method"]): row
        for row in sorted(rows, key=lambda row: row["attention"])
        if (row["network"], row["method"]) in NETWORK_ORDER
    }
    if len(chosen) == len(NETWORK_ORDER):
        order = " > ".join(f"{chosen[key]['model']} {key[1]}" for key in NETWORK_ORDER)
        for head, name, *_ in FIGURES:
            if name in ("dtt_mean_mm", "fnr_percent", "fpr_percent"):
                values = [chosen[key][name] for key in NETWORK_ORDER]
                holds = None not in values and values == sorted(values, reverse=True)
                found.append((head if name != "dtt_mean_mm" else "DTT, mean, mm", order, values, holds))
    return found


def _figures(rows: Sequence[Row]) -> list[str]:
    lines = [["model", "attention", "look-once", "search", "method", *(f[0] for f in FIGURES), "DTT sd",
              *SETS, "set acc. %", "F1"]]  # fmt: skip
    for row in rows:
        method, sets = row["method"], row["sets"]
        flags = ["on" if flag else "off" for flag in (row["attention"], "lookonce" in method, "search" in method)]
        numbers = [_number(row[name], factor, places) for _, name, factor, places in FIGURES]
        numbers += [_number(row["dtt_sd_mm"], 1, 2), *(str(sets[name.lower()]) for name in SETS)]
        numbers.append(_number(sets["accuracy"], 100, 1))
        lines.append([row["model"], *flags, method, *numbers, _number(row["candidates"]["f1"], 1, 3)])
    about = [
        f"{rows[0]['subjects']} pictures, {rows[0]['discs']} discs. DTT, FNR and FPR are blind to levels.",
        "TP, FP, FN and their accuracy: sets of levels. F1: true candidates told from false ones.",
    ]
    return [*about, *_aligned(lines)]


def _intervals(rows: Sequence[Row]) -> list[str]:
    lines = [["model", "method", *(f[0] for f in FIGURES), *SETS, "set acc. %"]]
    for row in rows:
        cells, sets = [], row["sets_ci95"]
        figures = [(row[f"{name}_ci95"], factor, places) for _, name, factor, places in FIGURES]
        figures += [*((sets[name.lower()], 1, 0) for name in SETS), (sets["accuracy"], 100, 1)]
        for ends, factor, places in figures:
            cells.append("-" if ends is None else " to ".join(_number(end, factor, places) for end in ends))
        lines.append([row["model"], row["method"], *cells])
    return ["95 % intervals, bootstrap over pictures", *_aligned(lines)]


def _levels(rows: Sequence[Row]) -> list[str]:
    numbers = sorted({int(number) for row in rows for number in row["levels"]})
    lines = [["model", "method", *(name_of(number) for number in numbers)]]
    for row in rows:
        own = [row["levels"].get(str(number)) for number in numbers]
        cells = ["-" if level is None else f"{level['l2_mean_mm']:.2f} ({level['n']})" for level in own]
        lines.append([row["model"], row["method"], *cells])
    return ["L2 by level, mean in mm (pairs of discs of one number)", *_aligned(lines)]


def _number(value: float | None, factor: float, places: int) -> str:
    return "-" if value is None else f"{value * factor:.{places}f}"


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
