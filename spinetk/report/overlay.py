"""Overlay: the picture with its vertebrae drawn on it and their figures in a column beside it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from spinetk.atomic import replacing
from spinetk.errors import InputError
from spinetk.geometry import turn
from spinetk.measure import angle_words, words
from spinetk.reading import Reading
from spinetk.report.column import FAINT, PALE, Column, lay_out
from spinetk.report.layout import nice_length
from spinetk.report.lettering import Colour, Pen, text_width, wrap
from spinetk.report.marks import (
    DARK,
    blend,
    draw_bodies,
    draw_dashed,
    draw_landmarks,
    draw_lines,
    draw_rulers,
    line,
    part_around,
)
from spinetk.report.placement import Placement, place_of, standing, text_px_of
from spinetk.report.png import encode
from spinetk.vertebra import Vertebra

BACKGROUND = (17, 19, 22)


def draw(
    picture: np.ndarray, reading: Reading, *, truth: Reading | None = None, scale: float | None = None
) -> np.ndarray:
    """Draw a reading on its picture.

    The picture is turned head up where its frame says how (never mirrored, EXIF apart), and keeps its proportions in
    mm: where pixels are not square it is stretched. Bodies are thin lines in the colour of their deformity grade;
    names, heights, deformity and score stand in a column to the right, and below are a scale bar with the source of the
    spacing, the legend, the angles and the remarks.

    Args:
        picture: (H, W) or (H, W, 3) RGB uint8, the picture as stored.
        reading: What to draw; points in px of ``picture`` (pixel centres at integer + 0.5).
        truth: A second reading of the same picture, drawn dashed.
        scale: Drawn px per picture px; None enlarges small pictures and reduces large ones.

    Returns:
        (H', W', 3) RGB uint8. A point lies where ``placement(reading, scale).of(point)`` says.

    Raises:
        InputError: The picture is not 8-bit or not of the reading's size.
    """
    body = outline(picture, reading, truth=truth, scale=scale)
    reading = standing(reading)
    place = place_of(reading, scale)
    height, width = body.shape[:2]
    text_px = text_px_of(width, height)
    picture_right, picture_bottom = place.left + width, place.top + height
    column = lay_out(
        reading,
        [_anchor(vertebra, place, reading.width, reading.height) for vertebra in reading.vertebrae],
        left=picture_right + text_px * 3,
        top=place.top,
        bottom=picture_bottom,
        text_px=text_px,
    )
    step = text_px * 1.7
    bar_px, bar_text = _scale_bar(reading, place, width)
    bar_right = place.left + bar_px + text_px * 0.6 + text_width(bar_text, text_px)
    canvas_width = round(max(column.right, picture_right, bar_right, text_px * 38)) + place.left
    foot_top = max(column.bottom, picture_bottom) + text_px * 0.8
    legend = _flow(_legend(reading, truth), place.left, canvas_width - place.left, text_px)
    notes = [part for note in _notes(reading) for part in wrap(note, text_px, canvas_width - 2 * place.left)]
    rows = 1 + (1 + max(row for *_, row in legend) if legend else 0) + len(notes) + 1
    below, beside = round(foot_top + rows * step) + place.top // 2 - picture_bottom, canvas_width - picture_right
    canvas = cv2.copyMakeBorder(body, place.top, below, place.left, beside, cv2.BORDER_CONSTANT, value=BACKGROUND)
    _draw_leaders(canvas, column, picture_right, text_px)

    pen = Pen(canvas, text_px)
    for cell in [*column.head, *(cell for label in column.labels for cell in label.cells)]:
        pen.write(cell.text, cell.x, cell.y_middle, cell.colour, cell.align, cell.bold)
    for ruler in reading.rulers:
        x, y = place.of(ruler.points[1] if ruler.kind == "angle" else ruler.points.mean(axis=0))
        x, y = x + text_px * 0.7, y - text_px * 0.8
        text = ruler.text(reading.frame)
        ends = x + text_width(text, text_px) + 2, y + text_px * 0.6
        pen.rectangle(x - 2, y - text_px * 0.6, *ends, BACKGROUND)
        pen.write(text, x, y, words.RULER_COLOUR)
    y = foot_top + step / 2
    _draw_bar(pen, place.left, place.left + bar_px, y)
    pen.write(bar_text, bar_right, y, PALE, align="right")
    for text, colour, x, row in legend:
        middle = y + (1 + row) * step
        pen.rectangle(x, middle - text_px * 0.3, x + text_px * 0.9, middle + text_px * 0.3, colour)
        pen.write(text, x + text_px * 1.3, middle, FAINT)
    for number, note in enumerate(notes, start=rows - 1 - len(notes)):
        pen.write(note, place.left, y + number * step, PALE)
    pen.write(words.RESEARCH_USE, canvas_width - place.left, y + (rows - 1) * step, FAINT, align="right")
    return pen.finish()


def outline(
    picture: np.ndarray,
    reading: Reading,
    *,
    truth: Reading | None = None,
    scale: float | None = None,
    dots: bool = True,
) -> np.ndarray:
    """The picture, head up, with the outlines only: `draw` without column, scale bar and legend.

    Without ``dots`` the outlines are plain lines, for thumbnails.

    Returns:
        (H', W', 3) RGB uint8, resized as ``placement(reading, scale)`` says, without its margin.

    Raises:
        InputError: The picture is not 8-bit or not of the reading's size.
    """
    picture = turn(_checked(picture, reading), reading.frame.upright_orientation(mirror=False))
    reading, truth = standing(reading), None if truth is None else standing(replace(truth, frame=reading.frame))
    place = place_of(reading, scale)
    width, height = round(reading.width * place.scale_x), round(reading.height * place.scale_y)
    reduced = width * height < reading.width * reading.height
    body = cv2.resize(
        np.ascontiguousarray(picture), (width, height), interpolation=cv2.INTER_AREA if reduced else cv2.INTER_CUBIC
    )
    if body.ndim == 2:  # coloured when it has its size: a third of the work
        body = cv2.cvtColor(body, cv2.COLOR_GRAY2RGB)
    text_px = text_px_of(width, height)
    thick = max(1, round(text_px / 14))
    inside = place._replace(left=0, top=0)
    if truth is not None:
        draw_dashed(body, truth, inside, thick, text_px)
    if dots:
        draw_bodies(body, reading, inside, thick)
    else:
        draw_lines(body, reading, inside)
    draw_landmarks(body, reading, inside, thick)
    draw_rulers(body, reading, inside, thick)
    return body


def write_overlay(path: str | Path, picture: np.ndarray, reading: Reading, *, truth: Reading | None = None) -> None:
    """Write `draw`'s picture as a PNG, atomically. The file holds no text chunks: nothing but pixels."""
    drawn = draw(picture, reading, truth=truth)
    with replacing(path) as temporary:
        temporary.write_bytes(encode(drawn))


def _checked(picture: np.ndarray, reading: Reading) -> np.ndarray:
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] != 3):
        fault = f"is {picture.dtype} {picture.shape}, not 8-bit grey or RGB"
        raise InputError(reading.file, fault, "window the picture to 8 bit first")
    if picture.shape[:2] != (reading.height, reading.width):
        fault = f"is {picture.shape[1]} x {picture.shape[0]} px, its reading {reading.width} x {reading.height} px"
        raise InputError(reading.file, fault, "give the picture that was read")
    return picture


def _anchor(vertebra: Vertebra, place: Placement, width_px: int, height_px: int) -> tuple[float, float]:
    """Right-hand edge of the body at the height of its centre, inside the picture; px of the drawing."""
    points = place.of(vertebra.points[vertebra.visible] if vertebra.visible.any() else vertebra.points)
    low, high = place.of(np.zeros(2)), place.of(np.array([width_px, height_px], np.float64))
    x, y = np.clip((points[:, 0].max(), points[:, 1].mean()), low, high)
    return float(x), float(y)


def _draw_leaders(canvas: np.ndarray, column: Column, picture_right: int, text_px: int) -> None:
    """Faint lines with a dark edge: level across the picture, slanted only in the gutter, so that no two cross."""
    paths = []
    for label in column.labels:
        x, y = label.anchor
        middle = (label.box[1] + label.box[3]) / 2
        path = [(x + text_px * 0.5, y), (picture_right + text_px * 0.3, y)]
        path += [(label.box[0] - text_px * 1.0, middle), (label.box[0] - text_px * 0.4, middle)]
        paths += [(np.array(ends), label.colour) for ends in pairwise(path) if ends[1][0] > ends[0][0]]
    part, corner = part_around(canvas, [ends for ends, _ in paths])
    layer = part.copy()
    for ends, colour in paths:
        start, end = ends - corner
        line(layer, start, end, DARK, 3)
        line(layer, start, end, colour, 1)
    blend(part, layer, 0.5)


def _scale_bar(reading: Reading, place: Placement, picture_width: int) -> tuple[float, str]:
    """Length of the bar in drawn px, at most 40 % of the picture, and its text."""
    spacing = reading.frame.spacing_mm
    per_unit = place.scale_x if spacing is None else place.scale_x / spacing[1]
    length = nice_length(picture_width * 0.4 / per_unit)
    return length * per_unit, f"{length:g} {'px' if spacing is None else 'mm'} {words.spacing_text(reading.frame)}"


def _draw_bar(pen: Pen, left: float, right: float, y: float) -> None:
    tick = pen.size_px * 0.35
    pen.rectangle(left, y - 1, right, y + 1, PALE)
    pen.rectangle(left, y - tick, left + 2, y + tick, PALE)
    pen.rectangle(right - 2, y - tick, right, y + tick, PALE)


def _legend(reading: Reading, truth: Reading | None) -> list[tuple[str, Colour]]:
    grades = {words.grade_of(vertebra) for vertebra in reading.vertebrae}
    shown: list[int | None] = [0, 1, 2, 3] if grades - {None} else []
    if None in grades and (shown or truth is not None):
        shown.append(None)
    entries = [(words.GRADE_NAMES[grade], words.GRADE_COLOURS[grade]) for grade in shown]
    kinds = {"line" if landmark.radius_px is None else "circle" for landmark in reading.landmarks}
    named = [name for kind, name in (("line", "S1 endplate"), ("circle", "femoral heads")) if kind in kinds]
    entries += [(", ".join(named), words.LANDMARK_COLOUR)] if named else []
    return entries + ([("truth (dashed)", words.TRUTH_COLOUR)] if truth is not None else [])


def _flow(entries: list[tuple[str, Colour]], left: float, right: float, text_px: int) -> list[tuple]:
    """(text, colour, x, row) of the legend's entries, filled into rows."""
    placed, x, row = [], left, 0
    for text, colour in entries:
        width = text_width(text, text_px) + text_px * 1.3
        if x > left and x + width > right:
            x, row = left, row + 1
        placed.append((text, colour, x, row))
        x += width + text_px * 1.2
    return placed


def _notes(reading: Reading) -> list[str]:
    found = [] if reading.vertebrae else ["no vertebra found"]
    intervals = [*words.heights_spread(reading), words.intervals_note(reading)]
    notes = [*found, _angles(reading), *intervals, *words.remarks_of(reading)]
    return [note for note in notes if note]


def _angles(reading: Reading) -> str:
    """All angles in one line, each with its interval in brackets and its end vertebrae."""
    angles = []
    for key, _ in angle_words.angles_of(reading):
        span, ends = angle_words.angle_span(reading, key), angle_words.ends_of(reading, key)
        marks = (f" [{span}]" if span else "") + (f" ({ends})" if ends else "")
        name = angle_words.angle_name(reading, key).replace(" ", "\N{NO-BREAK SPACE}")
        angles.append(f"{name}\N{NO-BREAK SPACE}{angle_words.angle_text(reading, key)}{marks}")
    line = " \N{MIDDLE DOT} ".join(angles)
    return f"Angles [95 % interval]: {line}" if "[" in line else line
