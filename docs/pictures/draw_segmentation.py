"""Figures of segmentation networks."""

from __future__ import annotations

from matplotlib.patches import Polygon, Rectangle
from sheet import COLOURS, PALE, Sheet, chain, u_shape


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
