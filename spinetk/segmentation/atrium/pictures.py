"""Pictures of an atrium: slices with the outlines of prediction and truth, and the curves of a training."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from spinetk.atomic import replacing
from spinetk.report.lettering import Pen, text_width
from spinetk.segmentation.metrics import count, surface_distances

PREDICTED, TRUE = (255, 158, 61), (82, 214, 138)
INK, FAINT, GROUND = (235, 238, 241), (150, 158, 167), (17, 19, 22)
TILE_PX, GAP_PX, TEXT_PX = 300, 6, 15
AXIAL, COLUMNS = 6, 4
AROUND_MM = 18.0


def write_contours(
    path: str | Path,
    values: np.ndarray,
    spacing_mm: Sequence[float],
    predicted: np.ndarray,
    truth: np.ndarray | None = None,
) -> None:
    """Six slices through the atrium and the two reformations through its middle, with outlines; a PNG, atomically.

    Args:
        path: The file to write.
        values: (D, H, W) grey.
        spacing_mm: Along those axes.
        predicted: (D, H, W) mask, drawn orange.
        truth: (D, H, W) mask, drawn green under it.
    """
    with replacing(path) as temporary:
        cv2.imwrite(str(temporary), draw_contours(values, spacing_mm, predicted, truth)[..., ::-1])


def draw_contours(
    values: np.ndarray,
    spacing_mm: Sequence[float],
    predicted: np.ndarray,
    truth: np.ndarray | None = None,
    *,
    name: str = "prediction",
) -> np.ndarray:
    """The picture of :func:`write_contours`, (H, W, 3) RGB uint8; ``name`` is what ``predicted`` is called on it."""
    masks = [(predicted != 0, PREDICTED)] + ([] if truth is None else [(truth != 0, TRUE)])
    either = np.any([mask for mask, _ in masks], axis=0)
    inside = np.argwhere(either if either.any() else np.ones_like(either))
    low, high = inside.min(0), inside.max(0)
    middle = [round(m) for m in inside.mean(0)]
    room = [int(np.ceil(AROUND_MM / s)) for s in spacing_mm]
    shown = [slice(max(0, a - r), b + r + 1) for a, b, r in zip(low, high, room, strict=True)]
    window = np.percentile(values[tuple(shown)], (1, 99.5))
    levels = np.unique(np.linspace(low[0] + 1, max(low[0] + 1, high[0] - 1), AXIAL).round().astype(int))
    views = [(0, int(n), f"slice {n + 1}") for n in levels.clip(0, len(values) - 1)]
    views += [(1, middle[1], f"row {middle[1] + 1}"), (2, middle[2], f"column {middle[2] + 1}")]
    tiles = []
    for axis, number, caption in views:
        rest = [a for a in range(3) if a != axis]
        cut = tuple(shown[a] for a in rest)
        flip = slice(None, None, -1) if axis else slice(None)  # reformations stand with the last slice on top
        grey = np.take(values, number, axis)[cut][flip]
        layers = [(np.take(mask, number, axis)[cut][flip], colour) for mask, colour in masks]
        tiles.append(_tile(grey, layers, [spacing_mm[a] for a in rest], window, caption))
    return _sheet(tiles, _legend(predicted, truth, spacing_mm, name))


def write_curves(run: str | Path, path: str | Path) -> None:
    """Training loss, validation Dice and learning rate of a run over its iterations, every start of it; a PNG.

    Args:
        run: Folder of a stage, with ``logs/*/metrics.csv``.
        path: The file to write.
    """
    from matplotlib.figure import Figure

    points = read_curves(run)
    figure = Figure(figsize=(7.2, 5.2), layout="constrained", dpi=120)
    panels = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 1))
    kinds = (("loss", "training loss"), ("val_dice", "validation Dice"), ("lr-", "rate"))
    for panel, (name, title) in zip(panels, kinds, strict=True):
        for key, series in points.items():
            if (key.startswith(name) if name.endswith("-") else key == name) and series:
                steps, numbers = zip(*series, strict=True)
                dense = len(steps) > 40 and name == "loss"
                panel.plot(steps, numbers, color="#b9c2cc" if dense else "#1f6fb4", linewidth=1)
                if dense:
                    width = max(5, len(steps) // 25)
                    smooth = np.convolve(numbers, np.ones(width) / width, "valid")
                    panel.plot(steps[width // 2 :][: len(smooth)], smooth, color="#1f6fb4", linewidth=1.6)
                if name == "val_dice":
                    best = int(np.argmax(numbers))
                    panel.plot(steps[best], numbers[best], "o", color="#1f6fb4", markersize=5)
                    panel.annotate(
                        f"{numbers[best]:.3f}", (steps[best], numbers[best]), (0, -14), textcoords="offset points",
                        ha="center", fontsize=9,
                    )  # fmt: skip
        panel.set_ylabel(title, fontsize=9)
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    panels[1].set_ylim(top=1)
    panels[2].set_yscale("log")
    panels[-1].set_xlabel("iteration", fontsize=9)
    with replacing(path) as temporary:
        figure.savefig(temporary)


def read_curves(run: str | Path) -> dict[str, list[tuple[int, float]]]:
    """(iteration, value) of everything a run logged, by name; a later start wins over what an earlier one redid."""
    found: dict[str, dict[int, float]] = {}
    for log in sorted(Path(run).glob("logs/*/metrics.csv")):
        with open(log, newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                step = int(float(row.pop("step")))
                for key, text in row.items():
                    if text and key != "epoch":
                        found.setdefault(key, {})[step + 1] = float(text)
    return {key: sorted(points.items()) for key, points in found.items()}


def _tile(
    grey: np.ndarray,
    layers: Sequence[tuple[np.ndarray, tuple[int, int, int]]],
    spacing_mm: Sequence[float],
    window: np.ndarray,
    caption: str,
) -> np.ndarray:
    """A slice with square pixels in the middle of a tile, its outlines and caption."""
    extent = [n * s for n, s in zip(grey.shape, spacing_mm, strict=True)]
    zoom = TILE_PX / max(extent)
    size = max(1, round(extent[1] * zoom)), max(1, round(extent[0] * zoom))
    low, high = window
    bright = ((grey.astype(np.float32) - low) / max(high - low, 1e-6)).clip(0, 1) * 255
    large = cv2.resize(bright, size, interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
    picture = cv2.cvtColor(large, cv2.COLOR_GRAY2RGB)
    for mask, colour in reversed(layers):
        # Half-way between voxel centres, where the linear enlargement of the mask is one half.
        share = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        lines, _ = cv2.findContours((share >= 0.5).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, lines, -1, colour, 2 if len(layers) == 1 or colour == TRUE else 1, cv2.LINE_AA)
    tile = np.full((TILE_PX, TILE_PX, 3), 0, np.uint8)
    top, left = (TILE_PX - picture.shape[0]) // 2, (TILE_PX - picture.shape[1]) // 2
    tile[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    pen = Pen(tile, TEXT_PX)
    pen.rectangle(0, TILE_PX - TEXT_PX - 8, text_width(caption, TEXT_PX) + 12, TILE_PX, (0, 0, 0))
    pen.write(caption, 6, TILE_PX - TEXT_PX / 2 - 4, INK)
    return pen.finish()


def _legend(
    predicted: np.ndarray, truth: np.ndarray | None, spacing_mm: Sequence[float], name: str
) -> list[tuple[str, tuple]]:
    def volume(mask: np.ndarray) -> tuple[str, tuple]:
        return f"{np.count_nonzero(mask) * float(np.prod(spacing_mm)) / 1000:.0f} ml", INK

    words: list[tuple[str, tuple]] = [(name, PREDICTED), volume(predicted)]
    if truth is not None:
        surface = surface_distances(predicted, truth, spacing_mm)
        words += [
            ("truth", TRUE),
            volume(truth),
            (f"Dice {count(predicted, truth).scores()['dice']:.3f}", INK),
            (f"HD95 {surface['hd95_mm']:.1f} mm", INK),
            (f"HD {surface['hd_mm']:.1f} mm", INK),
        ]
    return words


def _sheet(tiles: Sequence[np.ndarray], legend: Sequence[tuple[str, tuple]]) -> np.ndarray:
    columns = min(COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    step, head = TILE_PX + GAP_PX, TEXT_PX + 22
    sheet = np.full((head + rows * step, columns * step + GAP_PX, 3), GROUND, np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        top, left = head + row * step, GAP_PX + column * step
        sheet[top : top + TILE_PX, left : left + TILE_PX] = tile
    pen, x = Pen(sheet, TEXT_PX), GAP_PX + 6.0
    for text, colour in legend:
        pen.write(text, x, head / 2, colour, bold=colour != INK)
        x += text_width(text, TEXT_PX, colour != INK) + 26
    return pen.finish()


def drawing(out: Path, pictures: bool, surface: bool) -> Any:
    """What draws a case into ``out/<name>.png`` and ``.gif``; None for nothing."""
    if not (pictures or surface):
        return None
    from spinetk.segmentation.atrium.surface import write_turning

    def draw(name: str, values: Any, spacing_mm: Any, predicted: Any, truth: Any = None) -> None:
        if pictures:
            write_contours(out / f"{name}.png", values, spacing_mm, predicted, truth)
        if surface:
            write_turning(out / f"{name}.gif", predicted, spacing_mm, truth)

    return draw
