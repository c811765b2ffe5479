"""Column: the figures of every vertebra, one line each, laid out beside the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spinetk.measure import words
from spinetk.reading import Reading
from spinetk.report.layout import spread
from spinetk.report.lettering import Align, Colour, text_width

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Cell:
    """A piece of text at (x, y_middle), px of the drawing."""

    text: str
    x: float
    y_middle: float
    align: Align
    colour: Colour
    bold: bool = False


@dataclass(frozen=True)
class Label:
    """The line of one vertebra: its cells, the box around them and the point of the picture it belongs to."""

    cells: list[Cell]
    box: Box
    anchor: tuple[float, float]
    colour: Colour


@dataclass(frozen=True)
class Column:
    """The laid-out column: its head and one label a vertebra, in the order of the reading."""

    head: list[Cell]
    labels: list[Label]
    right: float
    bottom: float


PALE = (225, 228, 232)
FAINT = (140, 146, 153)


def lay_out(
    reading: Reading, anchors: Sequence[tuple[float, float]], left: float, top: float, bottom: float, text_px: int
) -> Column:
    """Place one line of figures for each vertebra, as near to its anchor's height as non-overlap allows.

    Args:
        reading: The vertebrae; measures that are absent leave no column.
        anchors: Where each vertebra is, (x, y) in px of the drawing.
        left, top, bottom: Free area of the drawing, px. A crowd that does not fit runs over ``bottom``.
        text_px: Size of the text.
    """
    line = text_px * 1.6
    columns = _columns(reading)
    gap = text_px * 1.1
    # x is the left edge of a left-aligned column and the right edge of a right-aligned one.
    positions, x = [], left
    for title, texts, align, bold in columns:
        width = max(text_width(text, text_px, bold) for text in [title, *texts])
        positions.append(x if align == "left" else x + width)
        x += width + gap
    right = x - gap if columns else 0.0

    head = [
        Cell(title, at, top + line * 1.5, align, FAINT)
        for (title, _, align, _), at in zip(columns, positions, strict=True)
    ]
    sides = [at for (title, *_), at in zip(columns, positions, strict=True) if title in words.SIDES.values()]
    if sides:
        head.append(Cell(f"height ({words.height_unit(reading)})", sides[-1], top + line * 0.5, "right", FAINT))

    low = top + line * 2.2
    heights = [line] * len(anchors)
    high = max(bottom, low + sum(heights))
    middles = spread([y for _, y in anchors], heights, low, high)
    labels = []
    for index, (vertebra, anchor, middle) in enumerate(zip(reading.vertebrae, anchors, middles, strict=True)):
        colour = words.GRADE_COLOURS[words.grade_of(vertebra)]
        cells = [
            Cell(texts[index], at, float(middle), align, colour if bold or title == words.DEFORMITY else PALE, bold)
            for (title, texts, align, bold), at in zip(columns, positions, strict=True)
            if texts[index]
        ]
        box = (left, float(middle) - line / 2, right, float(middle) + line / 2)
        labels.append(Label(cells, box, anchor, colour))
    return Column(head, labels, right, max([low, *(label.box[3] for label in labels)]))


def _columns(reading: Reading) -> list[tuple[str, list[str], Align, bool]]:
    """(title, one text a vertebra, alignment, bold) of the columns that hold anything."""
    vertebrae = reading.vertebrae
    if not vertebrae:
        return []
    unit = words.height_unit(reading)
    columns: list[tuple[str, list[str], Align, bool]] = [
        ("level", [words.level_of(reading, i) for i in range(len(vertebrae))], "left", True)
    ]
    for side in words.sides_of(reading):
        heights = (words.number((v.measures.get(f"heights_{unit}") or {}).get(side)) for v in vertebrae)
        texts = ["\N{EN DASH}" if height is None else f"{height:.1f}" for height in heights]
        columns.append((words.SIDES[side], texts, "right", False))
    if words.any_grade(reading):
        columns.append((words.DEFORMITY, [words.deformity_text(v) for v in vertebrae], "left", False))
    columns.append(("score", [words.score_text(v, reading.threshold) for v in vertebrae], "right", False))
    return [entry for entry in columns if any(entry[1])]
