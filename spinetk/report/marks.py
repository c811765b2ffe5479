"""Marks: outlines, landmarks and rulers drawn on a picture, as thin lines that show on bright bone and on black air."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import ArrayLike

from spinetk.measure import words
from spinetk.reading import Reading
from spinetk.report.lettering import Colour
from spinetk.report.placement import Placement, text_px_of
from spinetk.ruler import LINES
from spinetk.vertebra import Vertebra

SHADOW = 0.55
BLEND_PX = 16  # more than half of the widest line and dot
SHIFT = 6  # cv2 takes positions in 1/64 px
DARK = (0, 0, 0)


def line(canvas: np.ndarray, start: np.ndarray, end: np.ndarray, colour: Colour, width: int) -> None:
    """A smooth line between two points (x, y), px."""
    cv2.line(canvas, _fixed(start), _fixed(end), colour, width, cv2.LINE_AA, SHIFT)


def circle(canvas: np.ndarray, point: np.ndarray, radius_px: float, colour: Colour, width: int = cv2.FILLED) -> None:
    """A smooth circle, filled without a width."""
    cv2.circle(canvas, _fixed(point), round(radius_px * 2**SHIFT), colour, width, cv2.LINE_AA, SHIFT)


def _fixed(point: np.ndarray) -> tuple[int, int]:
    # cv2 counts from pixel centres: its 0 is our 0.5.
    x, y = np.clip(np.round((point - 0.5) * 2**SHIFT), -(2**30), 2**30)
    return int(x), int(y)


def _edges(reading: Reading, points: np.ndarray, vertebra: Vertebra) -> list[tuple[np.ndarray, np.ndarray]]:
    seen = vertebra.visible
    return [(points[a], points[b]) for a, b in reading.schema.edges if seen[a] and seen[b]]


def draw_bodies(body: np.ndarray, reading: Reading, place: Placement, thick: int) -> None:
    """Thin lines and dots on a faint shadow, so that they show on bright bone and on black air.

    Bodies below the threshold are dashed.
    """
    outlines = [(place.of(v.points), v.visible, words.GRADE_COLOURS[words.grade_of(v)], v) for v in reading.vertebrae]
    radius = 1.6 * thick + 1
    part, corner = part_around(body, [points for points, *_ in outlines])
    shadow = part.copy()
    for points, visible, _, vertebra in outlines:
        for edge in _edges(reading, points - corner, vertebra):
            line(shadow, *edge, DARK, thick + 2)
        for point in points[visible] - corner:
            circle(shadow, point, radius + 1, DARK)
    blend(part, shadow, SHADOW)
    dash_px = text_px_of(*body.shape[1::-1]) * 0.3
    for points, visible, colour, vertebra in outlines:
        for edge in _edges(reading, points, vertebra):
            for dash in _dashes(*edge, dash_px) if words.is_weak(vertebra) else [edge]:
                line(body, *dash, colour, thick)
        for point in points[visible]:
            circle(body, point, radius, colour)


def draw_lines(body: np.ndarray, reading: Reading, place: Placement) -> None:
    """Lines only: dots would hide the bodies of a thumbnail."""
    for vertebra in reading.vertebrae:
        for edge in _edges(reading, place.of(vertebra.points), vertebra):
            line(body, *edge, words.GRADE_COLOURS[words.grade_of(vertebra)], 1)


def draw_landmarks(body: np.ndarray, reading: Reading, place: Placement, thick: int) -> None:
    """The S1 endplate as a line, femoral heads as circles with their centres, on a faint dark edge.

    The lines are wider than those of bodies, as their green is darker.
    """
    shadow = body.copy() if reading.landmarks else body
    for canvas, colour, width in ((shadow, DARK, thick + 3), (body, words.LANDMARK_COLOUR, thick + 1)):
        for landmark in reading.landmarks:
            points = place.of(landmark.points)
            if landmark.radius_px is None:
                line(canvas, points[0], points[1], colour, width)
                continue
            axes = np.round(landmark.radius_px * np.array([place.scale_x, place.scale_y]) * 2**SHIFT).astype(int)
            size = int(axes[0]), int(axes[1])
            cv2.ellipse(canvas, _fixed(points[0]), size, 0, 0, 360, colour, width, cv2.LINE_AA, SHIFT)
            circle(canvas, points[0], width, colour)
        if canvas is shadow and reading.landmarks:
            blend(body, shadow, SHADOW)


def draw_rulers(body: np.ndarray, reading: Reading, place: Placement, thick: int) -> None:
    """Lines of rulers with dots at their points, on a dark edge."""
    for colour, width in ((DARK, thick + 2), (words.RULER_COLOUR, thick)):
        for ruler in reading.rulers:
            points = place.of(ruler.points)
            for a, b in LINES[ruler.kind]:
                line(body, points[a], points[b], colour, width)
            for point in points:
                circle(body, point, width + 1, colour)


def draw_dashed(body: np.ndarray, truth: Reading, place: Placement, thick: int, text_px: int) -> None:
    """Bodies of the truth, dashed, with a ring about each point."""
    for vertebra in truth.vertebrae:
        points = place.of(vertebra.points)
        for edge in _edges(truth, points, vertebra):
            for dash in _dashes(*edge, text_px * 0.45):
                line(body, *dash, words.TRUTH_COLOUR, thick)
        for point in points[vertebra.visible]:
            circle(body, point, 3.2 * thick + 2, words.TRUTH_COLOUR, thick)


def _dashes(start: np.ndarray, end: np.ndarray, length_px: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """A line in dashes, each with its gap about ``length_px`` long; it begins and ends with one."""
    count = max(1, round(float(np.hypot(*(end - start))) / length_px))
    stops = [start + (end - start) * step / (2 * count - 1) for step in range(2 * count)]
    return list(pairwise(stops))[::2]


def part_around(canvas: np.ndarray, drawn: Sequence[ArrayLike]) -> tuple[np.ndarray, np.ndarray]:
    """The part of a canvas, a view of it, that lies around points (..., 2) px, and its corner (2,) px."""
    if not len(drawn):
        return canvas[:0, :0], np.zeros(2, int)
    points = np.concatenate([np.reshape(own, (-1, 2)) for own in drawn]).clip(0, canvas.shape[1::-1])
    corner, end = (points.min(0) - BLEND_PX).clip(0).astype(int), (points.max(0) + BLEND_PX).astype(int)
    return canvas[corner[1] : end[1], corner[0] : end[0]], corner


def blend(part: np.ndarray, layer: np.ndarray, share: float) -> None:
    """Mix a layer into what it is a layer of, in place."""
    if part.size:
        part[:] = cv2.addWeighted(layer, share, part, 1 - share, 0)
