"""Sheet: boxes, towers and arrows of the figures.

Boxes are layers, towers are maps: as high as they are large, as wide as they have channels (log scale).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle

COLOURS = {
    "data": ("#eceff1", "#607d8b"),
    "map": ("#d6e6f5", "#2f6fab"),
    "up": ("#dcefe0", "#3b8a4f"),
    "gate": ("#fde6cc", "#d07a1f"),
    "head": ("#ead9f0", "#8449a0"),
}
INK, PALE = "#263238", "#78909c"
mpl.rcParams.update({"font.size": 9, "svg.hashsalt": "spinetk", "text.color": INK})


class Sheet:
    """A figure in units of a tenth of an inch, y up."""

    def __init__(self, width: float, height: float) -> None:
        self.figure = Figure(figsize=(width / 10, height / 10))
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width), ylim=(0, height))
        self.axes.axis("off")

    def box(self, x: float, y: float, width: float, height: float, text: str, kind: str = "map", **style) -> None:
        """A rounded box about (x, y)."""
        fill, edge = COLOURS[kind]
        corner = (x - width / 2, y - height / 2)
        self.axes.add_patch(
            FancyBboxPatch(corner, width, height, "round,pad=0,rounding_size=0.8", fc=fill, ec=edge, lw=1.1)
        )
        self.text(x, y, text, **style)

    def tower(
        self, x: float, y: float, size: float, channels: int, kind: str = "map", above: str = "", below=""
    ) -> float:
        """A map about (x, y); gives its half width."""
        fill, edge = COLOURS[kind]
        half = 0.28 * np.log2(channels + 1)
        self.axes.add_patch(Rectangle((x - half, y - size / 2), 2 * half, size, fc=fill, ec=edge, lw=1.1))
        self.text(x, y + size / 2 + 1.3, above or str(channels), size=8)
        if below:
            self.text(x, y - size / 2 - 1.3, below, size=7, color=PALE)
        return half

    def text(self, x: float, y: float, text: str, **style) -> None:
        """Centred text."""
        style = {"ha": "center", "va": "center", "size": 8.5, "linespacing": 1.25} | style
        self.axes.text(x, y, text, **style)

    def arrow(self, *points: tuple[float, float], kind: str = "data", dashed: bool = False) -> None:
        """A line through points with a head at its end."""
        colour = COLOURS[kind][1]
        style = {"color": colour, "lw": 1.2, "ls": (0, (4, 2)) if dashed else "-"}
        for a, b in pairwise(points[:-1]):
            self.axes.plot(*zip(a, b, strict=True), **style, solid_capstyle="round")
        self.axes.add_patch(
            FancyArrowPatch(*points[-2:], arrowstyle="-|>", mutation_scale=9, shrinkA=0, shrinkB=0, **style)
        )

    def sign(self, x: float, y: float, text: str, kind: str = "data") -> None:
        """An operation in a circle."""
        self.axes.add_patch(Circle((x, y), 1.3, fc="white", ec=COLOURS[kind][1], lw=1.1, zorder=3))
        self.text(x, y, text, size=10, zorder=4)


def chain(sheet: Sheet, y: float, stops: Sequence[tuple[float, float, str, str]], height: float = 7) -> None:
    """Boxes (x, width, text, kind) in a row, with arrows between."""
    for (x, width, text, kind), after in zip(stops, [*stops[1:], None], strict=True):
        sheet.box(x, y, width, height, text, kind)
        if after is not None:
            sheet.arrow((x + width / 2, y), (after[0] - after[1] / 2, y))


def u_shape(
    sheet: Sheet, xs: Sequence[float], y: float, sizes: Sequence[float], widths: Sequence[int], up: Sequence[int]
) -> list[float]:
    """Encoder towers, decoder towers mirrored, skips over them; gives the xs of the decoder, deepest first."""
    depth = len(sizes)
    half = [sheet.tower(x, y, size, width) for x, size, width in zip(xs, sizes, widths, strict=True)]
    for k in range(depth - 1):
        sheet.arrow((xs[k] + half[k], y), (xs[k + 1] - half[k + 1], y))
    step = xs[1] - xs[0]
    right, left = [xs[-1] + step * (k + 1) for k in range(len(up))], xs[-1] + half[-1]
    for k, (x, width) in enumerate(zip(right, up, strict=True)):
        size = sizes[depth - 2 - k]
        wide = sheet.tower(x, y, size, width, "up")
        sheet.arrow((left, y), (x - wide, y))
        left = x + wide
        over = y + sizes[0] / 2 + 3 + 1.8 * k
        source = xs[depth - 2 - k]
        sheet.arrow((source, y + size / 2 + 2.6), (source, over), (x, over), (x, y + size / 2 + 2.6), dashed=True)
    return right
