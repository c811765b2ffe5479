"""Draw the figures of docs/explanation as SVG: ``python docs/pictures/draw_networks.py [--png FOLDER] [NAME ...]``.

Boxes are layers, towers are maps: as high as they are large, as wide as they have channels (log scale).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle

HERE = Path(__file__).parent
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


def keypoint_rcnn() -> Sheet:
    """Keypoint R-CNN: proposals, boxes, points."""
    s = Sheet(112, 46)
    s.box(7, 26, 10, 14, "picture\nshort side\n320 (fast)\n800 (r50)", "data")
    s.box(24, 26, 13, 14, "ResNet\n18 or 50", "map")
    s.arrow((12, 26), (17.5, 26))
    for k, (size, name) in enumerate(((16, "1/4"), (11, "1/8"), (7, "1/16"), (4, "1/32 ..."))):
        s.tower(37 + 3.6 * k, 26, size, 64, "map", name)
    s.text(42.4, 13.5, "feature pyramid\n64 or 256 channels", size=8)
    s.arrow((30.5, 26), (34.9, 26))
    s.box(61, 38, 15, 8, "region proposals\n(RPN)", "head")
    s.arrow((50, 28), (57, 34))
    s.box(61, 18, 15, 8, "ROI align\n7 x 7 | 14 x 14", "map")
    s.arrow((50, 24), (56, 22))
    s.arrow((61, 34), (61, 22))
    s.text(66.6, 28, "boxes", size=8, color=PALE)
    s.box(82, 30, 15, 8, "2 dense layers\nbox and score", "head")
    s.arrow((68.5, 20), (74.5, 28))
    s.box(82, 10, 15, 9, "3 x 3 convolutions\ndeconvolution\nx 2: 56 x 56", "map")
    s.arrow((68.5, 16), (74.5, 11))
    s.box(102, 10, 14, 9, "softmax over\n3136 cells\na point", "gate")
    s.arrow((89.5, 10), (95, 10))
    s.box(102, 30, 14, 8, "vertebra:\nbox, score,\n6 points, sigma", "data")
    s.arrow((89.5, 30), (95, 30))
    s.arrow((102, 14.5), (102, 26))
    return s


def centre_net() -> Sheet:
    """CentreNet: centres and offsets in one pass, then points in upright crops."""
    s = Sheet(112, 38)
    s.box(7, 20, 10, 10, "picture", "data")
    s.box(24, 20, 14, 10, "ResNet-18 and\npyramid at half\nresolution", "map")
    s.arrow((12, 20), (17, 20))
    for y, text in ((31, "centre map"), (20, "offsets of all points"), (9, "level at every cell")):
        s.box(46, y, 18, 7, text, "head")
        s.arrow((31, 20), (33, 20), (33, y), (37, y))
    s.box(68, 20, 14, 12, "peaks = bodies\nrough points\nvotes for levels", "gate")
    for y in (31, 20, 9):
        s.arrow((55, y), (58, y), (58, 20), (61, 20))
    s.box(86, 20, 13, 12, "upright crop\nper body\nfrom the full\npicture", "map")
    s.arrow((75, 20), (79.5, 20))
    s.box(104, 29, 13, 9, "RefineNet\nsmall U-Net", "map")
    s.arrow((92.5, 22), (95, 22), (95, 29), (97.5, 29))
    s.box(104, 9, 13, 9, "points, sub-pixel,\nwith sigma", "data")
    s.arrow((104, 24.5), (104, 13.5))
    return s


def decoding() -> Sheet:
    """Arg-max against the mean of the posterior about it."""
    s = Sheet(96, 40)
    s.axes.remove()
    rows, columns = np.mgrid[0:56, 0:56] + 0.5
    true = np.array([30.8, 24.3])
    logits = -((columns - true[0]) ** 2 + (rows - true[1]) ** 2) / (2 * 1.6**2)
    logits += 0.12 * np.random.default_rng(0).normal(size=logits.shape)
    share = np.exp(logits - logits.max())
    share /= share.sum()
    peak = np.unravel_index(share.argmax(), share.shape)
    window = (abs(rows - 0.5 - peak[0]) <= 4) & (abs(columns - 0.5 - peak[1]) <= 4)
    inside = share * window / (share * window).sum()
    mean = (inside * columns).sum(), (inside * rows).sum()
    for place, (whole, title) in enumerate(
        ((True, "posterior over 56 x 56 cells"), (False, "window about the arg-max"))
    ):
        axes = s.figure.add_axes((0.04 + 0.5 * place, 0.08, 0.42, 0.8))
        axes.imshow(share, cmap="Blues", extent=(0, 56, 56, 0))
        axes.add_patch(Rectangle((peak[1] - 4, peak[0] - 4), 9, 9, fc="none", ec=COLOURS["gate"][1], lw=1.5))
        axes.plot(peak[1] + 0.5, peak[0] + 0.5, "s", color=COLOURS["gate"][1], ms=5, label="arg-max cell")
        axes.plot(*mean, "o", color=COLOURS["head"][1], ms=6, label="mean in the window")
        axes.plot(*true, "x", color=INK, ms=7, mew=1.8, label="true point")
        axes.set_title(title, size=9)
        axes.tick_params(labelsize=7, colors=PALE)
        if not whole:
            axes.set(xlim=(peak[1] - 5, peak[1] + 6), ylim=(peak[0] + 6, peak[0] - 5))
            axes.legend(fontsize=8, loc="lower right")
    return s


def hourglass() -> Sheet:
    """Two stacks, remixed, with one attention map from both."""
    s = Sheet(118, 52)
    s.box(6, 28, 9, 12, "picture\n3 x H x W", "data")
    s.box(18, 28, 10, 12, "stem\n7 x 7, pool\n256 x H/4", "map")
    s.arrow((10.5, 28), (13, 28))

    def stack(x: float) -> None:
        sizes = (13, 8, 5, 3, 2)
        for k, size in enumerate((*sizes, *sizes[-2::-1])):
            kind = "map" if k < 5 else "up"
            fill, edge = COLOURS[kind]
            s.axes.add_patch(Rectangle((x + 2.1 * k, 28 - size / 2), 1.5, size, fc=fill, ec=edge, lw=1))

    for x, name in ((27, "hourglass 1"), (70, "hourglass 2")):
        stack(x)
        s.text(x + 9, 37.5, name)
    s.arrow((23, 28), (26.6, 28))
    s.arrow((45.6, 28), (49, 28))
    s.box(53, 28, 8, 12, "residual\n1 x 1\n256", "map")
    s.sign(63.5, 28, "+")
    s.arrow((57, 28), (62.2, 28))
    s.arrow((64.8, 28), (69.6, 28))
    s.arrow((24.6, 28), (24.6, 44), (63.5, 44), (63.5, 29.3), dashed=True)
    s.box(53, 10, 10, 7, "scores 1", "head")
    s.arrow((53, 22), (53, 13.5))
    s.arrow((58, 10), (63.5, 10), (63.5, 26.7))
    s.arrow((88.6, 28), (91, 28))
    s.box(95, 28, 8, 12, "residual\n1 x 1\n256", "map")
    s.sign(104, 28, "x", "gate")
    s.arrow((99, 28), (102.7, 28))
    s.box(95, 47, 22, 6, "attention 1 x 1: 512, 128, 16, 8, 1", "gate", size=7.5)
    s.arrow((53, 34), (53, 47), (84, 47), kind="gate")
    s.arrow((95, 34), (95, 44), kind="gate")
    s.arrow((106, 47), (109, 47), (109, 33), (105, 29), kind="gate")
    s.box(104, 10, 16, 8, "scores 2\nbilinear x 4\na channel per level", "head", size=7.5)
    s.arrow((104, 26.7), (104, 14))
    s.text(30, 8, "both scores are trained, the second is used", size=8, color=PALE)
    return s


def look_once() -> Sheet:
    """Shape-aware U-Net for candidates; a point network that judges them."""
    s = Sheet(116, 52)
    s.box(7, 42, 10, 7, "picture", "data")
    s.box(7, 30, 10, 7, "gradient", "data")
    s.arrow((7, 38.5), (7, 33.5))
    for k, (size, width) in enumerate(((14, 64), (10, 128), (7, 256), (5, 512), (3, 1024))):
        s.tower(19 + 7 * k, 40, size, width)
        if k:
            s.arrow((19 + 7 * (k - 1) + 2.4, 40), (19 + 7 * k - 2.9, 40))
    s.arrow((12, 41), (17.2, 41))
    s.box(33, 26, 38, 7, "every level weighed by channel and by place, summed", "gate", size=8)
    s.arrow((12, 29), (14, 28), kind="gate")
    s.arrow((33, 36), (33, 29.5), kind="gate")
    for k, (size, width) in enumerate(((5, 512), (7, 256), (10, 128), (14, 64))):
        s.tower(56 + 7 * k, 40, size, width, "up")
        s.arrow((56 + 7 * k - 4.3, 40), (56 + 7 * k - 2.6, 40))
    s.arrow((52, 26), (56, 26), (56, 37), kind="gate")
    s.box(90, 40, 12, 9, "heatmaps\nper disc", "head")
    s.arrow((79, 40), (84, 40))
    s.box(108, 40, 12, 9, "peaks =\ncandidates", "data")
    s.arrow((96, 40), (102, 40))
    s.text(58, 50.3, "stage A: ShapeUNet", size=9.5, weight="bold")
    s.text(30, 17.5, "stage B: PointSet", size=9.5, weight="bold")
    chain(
        s,
        9,
        [
            (10, 15, "candidates\nN x (x, y, level,\nheight)", "data"),
            (34, 18, "dense layers a point\n(any number,\nany order)", "map"),
            (59, 18, "attention among\nthe points", "gate"),
            (83, 16, "true or false\na point", "head"),
            (105, 14, "highest of\neach level", "data"),
        ],
        9,
    )
    s.arrow((108, 35.5), (108, 20), (10, 20), (10, 13.5))
    return s


def search() -> Sheet:
    """Candidates and the best column through them."""
    s = Sheet(100, 50)
    levels = ["T12/L1", "L1/L2", "L2/L3", "L3/L4", "L4/L5", "L5/S1"]
    true = [(30 + 2.4 * np.sin(k / 1.4), 44 - 7.2 * k) for k in range(6)]
    false = [(44, 40, "L1/L2"), (37, 27.5, "T12/L1"), (41, 12, "L3/L4"), (22, 18, "L2/L3"), (18, 33, "L4/L5")]
    for (x, y), name in zip(true, levels, strict=True):
        s.axes.add_patch(Circle((x, y), 1.4, fc=COLOURS["up"][0], ec=COLOURS["up"][1], lw=1.6, zorder=3))
        s.text(x - 2.6, y, name, ha="right", size=8)
    for a, b in pairwise(true):
        s.axes.plot(*zip(a, b, strict=True), color=COLOURS["up"][1], lw=1.6)
    for x, y, name in false:
        s.axes.add_patch(Circle((x, y), 1.2, fc="white", ec=PALE, lw=1.2))
        s.text(x + 2.2, y, name, ha="left", size=8, color=PALE)
    lines = [
        ("gain", "the height of every peak on the chain"),
        ("cost", "each step that is unlike those seen in training,\nin standard deviations, for five sizes of body"),
        ("cost", "each level leaped over"),
        ("free", "where the chain begins and ends:\nno count of discs, no first or fifth disc needed"),
    ]
    for k, (word, text) in enumerate(lines):
        kind = {"gain": "up", "cost": "gate", "free": "data"}[word]
        s.box(58, 42 - 11 * k, 7, 5, word, kind)
        s.text(63.5, 42 - 11 * k, text, ha="left")
    return s


def vnet() -> Sheet:
    """V-Net on a crop that a locator found, with the attention block."""
    s = Sheet(118, 62)
    chain(
        s,
        56,
        [
            (9, 15, "whole volume", "data"),
            (31, 18, "locator\ncoarse V-Net", "map"),
            (54, 17, "largest piece,\nmargin in mm", "gate"),
            (76, 17, "crop", "data"),
            (100, 20, "segmenter V-Net", "up"),
        ],
        7,
    )
    xs = [8 + 8 * k for k in range(5)]
    right = u_shape(s, xs, 27, (20, 14, 9, 6, 3.5), (8, 16, 32, 64, 128), (128, 64, 32, 16))
    s.arrow((right[-1] + 1.2, 27), (right[-1] + 5, 27))
    s.box(right[-1] + 9, 27, 8, 8, "1 x 1 x 1\nlogit", "head")
    s.text(
        38, 10, "every level: down 2 x 2 x 2, convolutions 5 x 5 x 5 with PReLU, their input added", size=8, color=PALE
    )
    s.text(102, 45, "attention (BAM), optional", size=9, weight="bold")
    s.box(102, 38.5, 22, 6, "channels: mean, c, c/4, c, sigmoid", "gate", size=7.5)
    s.box(102, 29, 22, 7, "voxels: 1, 3, 3, 1 convolutions,\ndilation 4, sigmoid", "gate", size=7.5)
    s.arrow((102, 35.5), (102, 32.5), kind="gate")
    s.text(102, 21, "y = x + x a(x)\nz = y + y s(y)\noutput x + z", size=8)
    s.text(102, 13, "after the convolutions\nof every blue level", size=8, color=PALE)
    return s


def spin() -> Sheet:
    """SPiN: embedding at twice the size, guidance, and the learnt downsampler."""
    s = Sheet(118, 58)
    s.box(7, 34, 10, 10, "5 slices\nH x W", "data")
    chain(
        s,
        51,
        [
            (26, 16, "5 x 5, residual\nblocks, 16", "map"),
            (47, 16, "1 x 1, 64; depth\nto space 2", "up"),
            (69, 18, "embedding E\n8 x 2H x 2W", "gate"),
        ],
        8,
    )
    s.arrow((7, 39), (7, 51), (18, 51))
    sizes, widths = (13, 9, 6.5, 4.5, 3), (32, 64, 128, 196, 196)
    xs = [19 + 6.5 * k for k in range(5)]
    for k, x in enumerate(xs):
        half = s.tower(x, 27, sizes[k], widths[k], below=f"1/{2 ** (k + 1)}")
        s.arrow((12 if k == 0 else xs[k - 1] + 2, 27 if k else 30), (x - half, 27))
    ups, upw, name = (4.5, 6.5, 9, 13, 17, 21), (196, 128, 64, 32, 16, 16), ("1/16", "1/8", "1/4", "1/2", "1", "2")
    for k in range(6):
        x = 52 + 6.5 * k
        half = s.tower(x, 27, ups[k], upw[k], "up", below=name[k])
        s.arrow((x - 4.6, 27), (x - half, 27))
    s.arrow((78, 51), (84.5, 51), (84.5, 40.6), kind="gate")
    s.arrow((78, 51), (78, 38.6), kind="gate")
    s.text(92, 47.5, "guides the last\ntwo sizes", size=8, color=PALE)
    s.box(99, 33, 14, 6, "Z: logits, 2H x 2W", "head", size=8)
    s.arrow((86.2, 30), (92, 32))
    s.box(99, 19, 14, 8, "softmax over\neach 2 x 2", "gate")
    s.arrow((86.2, 24), (92, 20), kind="gate")
    s.sign(111, 26, "x", "gate")
    s.arrow((106, 33), (110, 27.2))
    s.arrow((106, 19), (110, 24.8), kind="gate")
    s.box(111, 9, 12, 7, "out\nH x W", "data")
    s.arrow((111, 24.7), (111, 12.5))
    s.text(
        50,
        9,
        "weights are made from the decoder's last map; equal weights would be plain averaging",
        size=8,
        color=PALE,
    )
    return s


def unet_family() -> Sheet:
    """What each baseline changes about the U-Net."""
    s = Sheet(118, 62)
    notes = {
        "U-Net": "fair baseline: full resolution,\nthe slices its rival sees",
        "half U-Net (published)": "strides from the first block:\nends at half size, one slice",
        "D-UNet": "a 3D encoder on the same slices\nadvises two levels",
        "CLCI-Net": "each level sees all shallower;\ndilated bottom; LSTM joins skips",
        "KiU-Net": "a second branch enlarges;\nboth exchange after each level",
        "X-Net": "depthwise blocks; every place\nrelated to every other below",
    }
    for place, (name, note) in enumerate(notes.items()):
        x, y = 3 + 39.5 * (place % 3), 46 - 31 * (place // 3)
        sizes = [12, 8, 5, 3, 5, 8, 12]
        if name.startswith("half"):
            sizes = [9, 6, 4, 2.5, 4, 6, 9]
        for k, size in enumerate(sizes):
            fill, edge = COLOURS["up" if k > 3 else "map"]
            if name == "X-Net" and k == 3:
                fill, edge = COLOURS["gate"]
            s.axes.add_patch(Rectangle((x + 5 * k, y - size / 2), 1.8, size, fc=fill, ec=edge, lw=1))
            if k:
                s.arrow((x + 5 * (k - 1) + 1.8, y), (x + 5 * k, y))
        if name == "D-UNet":
            for k, size in enumerate((7, 4.5, 3)):
                tip, base = x + 5 * k, x + 5 * k + 2.5
                cone = [(tip, y - 11), (base, y - 11 + size / 2), (base, y - 11 - size / 2)]
                fill, edge = COLOURS["gate"]
                s.axes.add_patch(Polygon(cone, fc=fill, ec=edge))
                if k:
                    s.arrow((x + 5 * k + 1.2, y - 11 + size / 2), (x + 5 * k + 1, y - sizes[k] / 2), kind="gate")
        if name == "CLCI-Net":
            for k in range(2):
                for to in range(k + 2, 4):
                    s.arrow((x + 5 * k + 1, y - sizes[k] / 2), (x + 5 * to + 0.9, y - sizes[to] / 2 - 0.2), kind="gate")
        if name == "KiU-Net":
            for k, size in enumerate((3, 4.4, 5.8, 7.2, 5.8, 4.4, 3)):
                fill, edge = COLOURS["gate"]
                s.axes.add_patch(Rectangle((x + 5 * k + 2.3, y - 10 - size / 2), 1.8, size, fc=fill, ec=edge, lw=1))
                if k not in (0, 6):
                    s.arrow((x + 5 * k + 1.6, y - sizes[k] / 2), (x + 5 * k + 2.6, y - 10 + size / 2), kind="gate")
        if name.startswith("half"):
            s.text(x + 34.2, y - 8, "x 2", size=8, color=PALE)
            s.axes.plot([x, x], [y - 6, y + 6], color=PALE, lw=0.8, ls=":")
            s.axes.plot([x + 33, x + 33], [y - 6, y + 6], color=PALE, lw=0.8, ls=":")
        s.text(x + 16, y + 12.6, name, weight="bold", size=9.5)
        s.text(x + 16, y + 9, note, size=7.5, color=PALE)
    return s


def tmunet() -> Sheet:
    """TMUnet: U-Net, boundary, transformer, and how they are joined."""
    s = Sheet(118, 58)
    s.box(7, 32, 10, 10, "picture\n3 x 256 x 256", "data", size=8)
    xs = (16, 22.5, 29, 36, 43.5)
    for k, (x, size, width) in enumerate(zip(xs, (12, 9, 6.5, 4.5, 3), (64, 256, 512, 1024, 2048), strict=True)):
        s.tower(x, 44, size, width)
        s.arrow((12 if k == 0 else xs[k - 1] + 2.9, 34 if k == 0 else 44), (x - 2.2 - 0.2 * k, 44))
    for k, (size, width) in enumerate(((4.5, 1024), (6.5, 512), (9, 256), (12, 128), (15, 64))):
        s.tower(51.5 + 6.5 * k, 44, size, width, "up")
        s.arrow((51.5 + 6.5 * k - 4, 44), (51.5 + 6.5 * k - 2.6, 44))
    s.text(30, 53.5, "ResNet-50 encoder, skips to the decoder (not drawn)", size=8, color=PALE)
    s.box(88, 51, 12, 6, "SE block", "gate")
    s.box(88, 38, 12, 6, "boundary B", "head")
    s.arrow((79.5, 46), (82, 50))
    s.arrow((79.5, 42), (82, 39))
    s.sign(99, 46, "+")
    s.arrow((94, 51), (98, 47))
    s.arrow((94, 38), (98, 45))
    chain(
        s,
        18,
        [
            (20, 15, "256 patches\n16 x 16: small CNN", "map"),
            (41, 15, "class token,\npositions", "data"),
            (62, 16, "transformer\n4 layers, 8 heads", "gate"),
        ],
        8,
    )
    s.arrow((7, 27), (7, 18), (12.5, 18))
    s.box(86, 24, 16, 6, "region: 1 a patch", "gate", size=8)
    s.box(86, 11, 16, 6, "context: 64 a patch", "gate", size=8)
    s.arrow((70, 19), (78, 23), kind="gate")
    s.arrow((70, 17), (78, 12), kind="gate")
    s.sign(106, 38, "x", "gate")
    s.arrow((100.2, 45.4), (105, 39.2))
    s.arrow((94, 24), (106, 24), (106, 36.7), kind="gate")
    s.box(112, 17, 10, 9, "concat,\n1 x 1,\nlogit", "head")
    s.arrow((107.2, 37.4), (112, 33), (112, 21.5))
    s.arrow((94, 11), (102, 11), (107, 14), kind="gate")
    return s


BODY = np.array([[0.0, 0], [10, -0.6], [20, 0.4], [20, 11.5], [10, 12.4], [0, 15]])


def heights() -> Sheet:
    """Six points, three heights, and what the grades are taken from."""
    s = Sheet(104, 42)

    def body(x: float, y: float, points: np.ndarray, name: str) -> np.ndarray:
        own = points + (x, y)
        fill, edge = COLOURS["map"]
        s.axes.add_patch(Polygon(own, fc=fill, ec=edge, lw=1.4, joinstyle="round"))
        s.axes.plot(*own.T, "o", color=edge, ms=4)
        s.text(x + 10, y - 6, name, weight="bold")
        return own

    own = body(6, 14, BODY, "wedge")
    for low, high, word in ((0, 5, "post."), (1, 4, "middle"), (2, 3, "ant.")):
        s.axes.plot(*own[[low, high]].T, color=COLOURS["gate"][1], lw=1.4, ls="--")
        x, y = own[[low, high]].mean(axis=0)
        s.text(x + 0.8, y, word, ha="left", size=8)
    s.text(16, 36, "heights: distances in mm,\nrows and columns scaled apart", size=8)
    s.text(16, 2.5, "loss = 1 - anterior / posterior", size=8)
    biconcave = np.array([[0.0, 0], [10, 3.2], [20, 0], [20, 14.5], [10, 11], [0, 15]])
    body(40, 14, biconcave, "biconcave")
    s.text(50, 2.5, "loss = 1 - middle / posterior", size=8)
    sound = np.array([[0.0, 0], [10, 0], [20, 0], [20, 14], [10, 14], [0, 14.3]])
    flat = np.array([[0.0, 0], [10, 0.2], [20, 0], [20, 7.5], [10, 7.2], [0, 7.6]])
    body(76, 25, sound, "")
    body(76, 14, flat, "crush")
    s.text(86, 34, "sound neighbour", size=8, color=PALE)
    s.text(86, 2.5, "loss = 1 - posterior / expected\n(nearest sound neighbours)", size=8)
    return s


def cobb() -> Sheet:
    """Three Cobb angles of a frontal spine."""
    s = Sheet(96, 52)
    ys = np.linspace(47, 5, 17)
    angle = np.radians(np.interp(np.arange(17), [0, 2, 8, 13, 16], [4, -9, 26, -17, -5]))
    xs = 30 + np.concatenate([[0], np.cumsum(np.tan(angle[:-1]) * 2.0)])
    ends = {2: "upper", 8: "largest", 13: "lower"}
    for k, (x, y, a) in enumerate(zip(xs, ys, angle, strict=True)):
        turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
        corners = np.array([[-2.6, -1], [2.6, -1], [2.6, 1], [-2.6, 1]]) @ turn.T + (x, y)
        fill, edge = COLOURS["gate" if k in ends else "map"]
        s.axes.add_patch(Polygon(corners, fc=fill, ec=edge, lw=1))
        if k in ends:
            line = np.array([[-14, 0], [14, 0]]) @ turn.T + (x, y)
            s.axes.plot(*line.T, color=COLOURS["gate"][1], lw=1, ls="--")
    text = [
        ("cobb_max", "largest angle between the mid-lines of any two vertebrae"),
        ("cobb_upper", "the curve above it, to the next end vertebra"),
        ("cobb_lower", "the curve below it"),
        ("lordosis_l1_l5", "lateral view: upper endplate of L1 to lower of L5"),
    ]
    for k, (name, note) in enumerate(text):
        s.text(52, 40 - 9 * k, name, ha="left", weight="bold")
        s.text(52, 37 - 9 * k, note, ha="left", size=8)
    return s


def blind_metric() -> Sheet:
    """A column named one level too high: the published trio sees nothing."""
    s = Sheet(96, 46)
    levels = ["T12/L1", "L1/L2", "L2/L3", "L3/L4", "L4/L5", "L5/S1"]
    for k, name in enumerate(levels):
        y = 38 - 6 * k
        s.axes.add_patch(Circle((16, y), 1.5, fc=COLOURS["up"][0], ec=COLOURS["up"][1], lw=1.4))
        s.axes.add_patch(Circle((34, y - 0.5), 1.5, fc=COLOURS["gate"][0], ec=COLOURS["gate"][1], lw=1.4))
        s.text(13, y, name, ha="right", size=8)
        s.text(37, y - 0.5, ["T11/T12", *levels][k], ha="left", size=8)
        s.arrow((32, y - 0.5), (18, y), dashed=True)
    s.text(12, 43.5, "truth", weight="bold")
    s.text(37, 43.5, "found", weight="bold")
    rows = [
        ("DTT, distance to the nearest", "0.9 mm", "up"),
        ("FNR, FPR", "0 %, 0 %", "up"),
        ("level accuracy", "0 %", "gate"),
        ("one-level shift rate", "100 %", "gate"),
        ("L2 between equal names", "34 mm", "gate"),
    ]
    for k, (name, value, kind) in enumerate(rows):
        s.text(55, 38 - 7.5 * k, name, ha="left")
        s.box(88, 38 - 7.5 * k, 11, 5, value, kind)
    return s


def coordinates() -> Sheet:
    """Pixel centres lie at integer + 0.5; a mirror is W - x."""
    s = Sheet(100, 40)
    for k in range(6):
        for row in range(4):
            shade = 0.94 - 0.09 * ((k + row) % 2)
            s.axes.add_patch(Rectangle((6 + 6 * k, 8 + 6 * row), 6, 6, fc=str(shade), ec="white", lw=1))
            s.axes.plot(9 + 6 * k, 11 + 6 * row, ".", color=PALE, ms=3)
    for k in range(7):
        s.text(6 + 6 * k, 34, str(k), size=8)
    for row in range(5):
        s.text(3.6, 32 - 6 * row, str(row), size=8)
    s.text(24, 37.5, "x, to the right of the picture", size=8, color=PALE)
    s.text(1.4, 20, "y, down", size=8, color=PALE, rotation=90)
    s.axes.plot(9, 29, "o", color=COLOURS["head"][1], ms=6)
    s.text(10.2, 30.4, "(0.5, 0.5)", ha="left", size=8)
    s.axes.plot(20.4, 15.5, "o", color=COLOURS["gate"][1], ms=6)
    s.text(21.4, 16.9, "(2.4, 2.75)", ha="left", size=8)
    lines = [
        "The centre of the first pixel is (0.5, 0.5); the picture reaches from 0 to W.",
        "Mirror: x becomes W - x, and names change sides by the schema.",
        "Resize by f: x becomes f x. No half pixel is lost.",
        "mm: x times column spacing, y times row spacing, never one for both.",
        "OpenCV and COCO count from pixel centres: 0.5 less. CVAT: the same as here.",
    ]
    for k, line in enumerate(lines):
        s.text(50, 31 - 5.5 * k, line, ha="left", size=8)
    return s


FIGURES = (
    keypoint_rcnn, centre_net, decoding, hourglass, look_once, search, vnet, spin, unet_family, tmunet, heights, cobb,
    blind_metric, coordinates,
)  # fmt: skip


def main() -> None:
    """Write all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--png", type=Path, help="also write PNGs here, to look at")
    parser.add_argument("names", nargs="*", help="only these")
    given = parser.parse_args()
    for maker in FIGURES:
        if given.names and maker.__name__ not in given.names:
            continue
        figure = maker().figure
        figure.savefig(HERE / f"{maker.__name__}.svg", metadata={"Date": None}, facecolor="white")
        if given.png:
            figure.savefig(given.png / f"{maker.__name__}.png", dpi=100, facecolor="white")


if __name__ == "__main__":
    main()
