"""Placement: where a picture lies in its drawing."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from spinetk.geometry import SQUARE
from spinetk.reading import Reading
from spinetk.upright import Upright

# Small slices are enlarged and large radiographs reduced, so that text and lines look the same on every picture.
LONG_SIDE_PX = (1000, 1600)
LARGEST_ENLARGEMENT = 16.0


class Placement(NamedTuple):
    """Where the picture lies in the drawing: drawing px = upright px * (scale_x, scale_y) + (left, top).

    ``way`` leads from the picture as stored to the upright one; None where it is drawn as stored.
    """

    scale_x: float
    scale_y: float
    left: int
    top: int
    way: Upright | None = None

    def of(self, points_px: np.ndarray) -> np.ndarray:
        """(..., 2) points of the picture as stored to px of the drawing (pixel centres at integer + 0.5 in both)."""
        points = np.asarray(points_px, np.float64) if self.way is None else self.way.to_upright(points_px)
        return points * (self.scale_x, self.scale_y) + (self.left, self.top)


def placement(reading: Reading, scale: float | None = None) -> Placement:
    """The placement `draw` uses: head up, proportions in mm kept, the long side brought into `LONG_SIDE_PX`."""
    way = Upright.of(reading.frame, (reading.height, reading.width), mirror=False, square=False)
    return place_of(standing(reading), scale)._replace(way=way if way.changes else None)


def standing(reading: Reading) -> Reading:
    """The reading in px of its picture turned upright (not mirrored, pixels not made square), measures kept."""
    orientation = reading.frame.upright_orientation(mirror=False)
    if orientation == 1:
        return reading
    turned = reading.turned(orientation)
    pairs = zip(turned.vertebrae, reading.vertebrae, strict=True)
    vertebrae = [replace(vertebra, measures=before.measures) for vertebra, before in pairs]
    return replace(turned, vertebrae=vertebrae, angles=reading.angles)


def place_of(reading: Reading, scale: float | None) -> Placement:
    wide, tall = reading.frame.square if max(reading.frame.square) > 1 + SQUARE else (1.0, 1.0)
    if scale is None:
        long_side = max(reading.height * tall, reading.width * wide)
        scale = min(max(1.0, LONG_SIDE_PX[0] / long_side), LONG_SIDE_PX[1] / long_side, LARGEST_ENLARGEMENT)
    # Whole drawn px, so that the resized pixels and the drawn points agree exactly.
    width, height = max(1, round(reading.width * wide * scale)), max(1, round(reading.height * tall * scale))
    margin = max(10, round(text_px_of(width, height)))
    return Placement(width / reading.width, height / reading.height, margin, margin)


def text_px_of(width: int, height: int) -> int:
    return int(np.clip(round(max(width, height) / 66), 12, 26))
