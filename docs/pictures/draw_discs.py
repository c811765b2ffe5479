"""Figures of disc networks, their search and their metrics."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from matplotlib.patches import Circle, Rectangle
from sheet import COLOURS, PALE, Sheet, chain


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
