"""Figures of keypoint networks, coordinates and measurements."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Polygon, Rectangle
from sheet import COLOURS, INK, PALE, Sheet

BODY = np.array([[0.0, 0], [10, -0.6], [20, 0.4], [20, 11.5], [10, 12.4], [0, 15]])


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
    """CentreNet: centres and offsets in one pass, points in upright crops, levels from the straightened column."""
    s = Sheet(112, 46)
    s.box(7, 27, 10, 10, "picture", "data")
    s.box(24, 27, 14, 10, "ResNet-18 and\npyramid at half\nresolution", "map")
    s.arrow((12, 27), (17, 27))
    for y, text in ((34, "centre map"), (20, "offsets of all points")):
        s.box(46, y, 18, 7, text, "head")
        s.arrow((31, 27), (33, 27), (33, y), (37, y))
        s.arrow((55, y), (58, y), (58, 27), (61, 27))
    s.box(68, 27, 14, 10, "peaks = bodies\nrough points", "gate")
    s.box(86, 37, 13, 12, "upright crop\nper body\nfrom the full\npicture", "map")
    s.arrow((75, 27), (77, 27), (77, 37), (79.5, 37))
    s.box(104, 37, 13, 9, "RefineNet\nsmall U-Net", "map")
    s.arrow((92.5, 37), (97.5, 37))
    s.box(104, 23, 13, 9, "points, sub-pixel,\nwith sigma", "data")
    s.arrow((104, 32.5), (104, 27.5))
    s.box(68, 8, 14, 12, "strip along the\ncolumn, the\nspine straight", "map")
    s.arrow((68, 22), (68, 14))
    s.box(86, 8, 13, 12, "ColumnNet\nacross, then\nalong both\nways", "map")
    s.arrow((75, 8), (79.5, 8))
    s.box(104, 8, 13, 9, "votes for the\nlevel of each", "data")
    s.arrow((92.5, 8), (97.5, 8))
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
