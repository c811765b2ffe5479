"""Lettering: text on an RGB array."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Align = Literal["left", "centre", "right"]
Colour = tuple[int, int, int]


@lru_cache(maxsize=32)
def font(size_px: int, bold: bool = False) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """DejaVu Sans as Matplotlib brings it (wide cover of Unicode), else Pillow's own font."""
    spec = find_spec("matplotlib")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "mpl-data" / "fonts" / "ttf" / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")
        if path.is_file():
            return ImageFont.truetype(str(path), size_px)
    return ImageFont.load_default(size_px)


@lru_cache(maxsize=4096)
def text_width(text: str, size_px: int, bold: bool = False) -> float:
    """Width of one line of text in px."""
    return float(font(size_px, bold).getlength(text))


def wrap(text: str, size_px: int, width_px: float) -> list[str]:
    """Break text at spaces into lines no wider than ``width_px``; a single longer word is cut with an ellipsis.

    No-break spaces hold.
    """
    lines: list[str] = []
    for word in re.findall(r"[\S\u00a0]+", text):
        word = _cut(word, size_px, width_px)
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(joined, size_px) <= width_px:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


def _cut(word: str, size_px: int, width_px: float) -> str:
    if text_width(word, size_px) <= width_px:
        return word
    while len(word) > 1 and text_width(word + "\N{HORIZONTAL ELLIPSIS}", size_px) > width_px:
        word = word[: max(1, len(word) - 1 - len(word) // 20)]
    return word + "\N{HORIZONTAL ELLIPSIS}"


class Pen:
    """Writes text on an RGB array, in place. Pillow sees only the part that a text lies in: it copies what it draws on.

    Args:
        canvas: (H, W, 3) uint8.
        size_px: Of the text.
    """

    def __init__(self, canvas: np.ndarray, size_px: int) -> None:
        self.canvas, self.size_px = canvas, size_px

    def write(
        self, text: str, x: float, y_middle: float, colour: Colour, align: Align = "left", bold: bool = False
    ) -> None:
        """Write one line whose middle is at height ``y_middle`` and whose ``align`` edge is at ``x``, px."""
        anchor = {"left": "lm", "centre": "mm", "right": "rm"}[align]
        width = text_width(text, self.size_px, bold)
        left = x - width * {"left": 0.0, "centre": 0.5, "right": 1.0}[align]
        x0, y0 = max(0, int(left) - self.size_px), max(0, int(y_middle) - 2 * self.size_px)
        x1, y1 = max(0, int(left + width) + self.size_px), max(0, int(y_middle) + 2 * self.size_px)
        part = self.canvas[y0:y1, x0:x1]
        if not part.size:
            return
        image = Image.fromarray(np.ascontiguousarray(part))
        place = (x - x0, y_middle - y0)
        ImageDraw.Draw(image).text(place, text, fill=colour, font=font(self.size_px, bold), anchor=anchor)
        part[:] = np.asarray(image)

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """Fill a rectangle, px."""
        self.canvas[max(0, round(y0)) : max(0, round(y1)), max(0, round(x0)) : max(0, round(x1))] = colour

    def finish(self) -> np.ndarray:
        """The canvas, with all that was written."""
        return self.canvas
