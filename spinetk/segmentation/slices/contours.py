"""Pictures of a case: thin outlines of truth and prediction, so that what they enclose stays visible."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from spinetk.report.lettering import Colour, Pen
from spinetk.segmentation.metrics import components, small_lesion_slices

TRUTH: Colour = (80, 225, 120)
PREDICTION: Colour = (60, 150, 255)
GROUND, INK = (17, 19, 22), (222, 226, 230)
PANELS = 6
PANEL_PX, MOST_PX = 420, 1100
GAP, TEXT_PX, CAPTION_PX = 10, 17, 26
INSET_PX, LARGEST_INSET = 150, 40
SHIFT = 4  # cv2 takes positions in 1/16 px


def outline(canvas: np.ndarray, mask: np.ndarray, scale: float, colour: Colour, thickness: int = 2) -> None:
    """Draw the edges of a (H, W) mask on an RGB canvas ``scale`` times as large."""
    # Traced on a doubled mask, the line runs a quarter of a pixel inside the border; a lesion of one pixel has an area.
    large = np.pad(mask.astype(np.uint8), 1).repeat(2, 0).repeat(2, 1)
    found, _ = cv2.findContours(large, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    for points in found:
        places = ((points.astype(np.float64) + 0.5) / 2 - 1) * scale - 0.5
        fixed = np.rint(places * (1 << SHIFT)).astype(np.int32)
        cv2.polylines(canvas, [fixed], True, colour, thickness, cv2.LINE_AA, SHIFT)


def picture_case(picture: np.ndarray, predicted: np.ndarray, truth: np.ndarray | None, title: str) -> np.ndarray:
    """A colour picture with its outlines.

    Args:
        picture: (H, W, 3) uint8.
        predicted, truth: (H, W) bool; the second may be missing.
        title: One line.
    """
    scale = _scale(picture.shape, 640, MOST_PX)
    panel = _panel(picture, predicted, truth, scale, 2)
    return _frame([panel], 1, title, truth is not None)


def volume_case(
    values: np.ndarray,
    predicted: np.ndarray,
    truth: np.ndarray | None,
    title: str,
    spacing_mm: Sequence[float] = (1.0, 1.0, 1.0),
) -> np.ndarray:
    """Slices of a volume with their outlines: those with most errors and others spread over the lesions.

    Args:
        values: (D, H, W) grey values, axial: rows from front to back, columns from the patient's right to left.
        predicted, truth: (D, H, W) bool; the second may be missing.
        title: One line.
        spacing_mm: Along those axes; slices are drawn with square mm.
    """
    chosen = choose_slices(predicted, truth, PANELS)
    small = set() if truth is None else set(small_lesion_slices(truth))
    low, high = np.percentile(values, (0.5, 99.7))
    grey = ((values - low) * (255 / max(float(high - low), 1e-9))).clip(0, 255).astype(np.uint8)
    rows, columns = _window(grey)
    tall = spacing_mm[1] / spacing_mm[2]
    drawn = []
    for number in chosen:
        place = (number, rows, columns)
        layer = cv2.cvtColor(grey[place], cv2.COLOR_GRAY2RGB)
        own, true = predicted[place], None if truth is None else truth[place]
        if not 0.99 < tall < 1.01:
            size = (layer.shape[1], max(1, round(layer.shape[0] * tall)))
            layer = cv2.resize(layer, size, interpolation=cv2.INTER_LINEAR)
            own, true = _resized(own, size), None if true is None else _resized(true, size)
        panel = _panel(layer, own, true, _scale(layer.shape, PANEL_PX, PANEL_PX))
        panel = _magnify(panel, layer, own, true)
        caption = f"slice {number + 1} of {len(values)}" + (", small lesions only" if number in small else "")
        pen = Pen(cv2.copyMakeBorder(panel, CAPTION_PX, 0, 0, 0, cv2.BORDER_CONSTANT, value=GROUND), TEXT_PX)
        pen.write(caption, 0, CAPTION_PX / 2, INK)
        drawn.append(pen.finish())
    return _frame(drawn, 3, title, truth is not None, "the patient's right is on the left")


def choose_slices(predicted: np.ndarray, truth: np.ndarray | None, count: int) -> list[int]:
    """Half of them with most wrong pixels, half spread over those with a lesion; the middle one where nothing is."""
    marked = predicted if truth is None else predicted | truth
    busy = np.flatnonzero(marked.any((1, 2)))
    if len(busy) == 0:
        return [len(predicted) // 2]
    wrong = (marked if truth is None else predicted ^ truth).sum((1, 2))
    chosen = {int(n) for n in np.argsort(-wrong, kind="stable")[: count // 2] if wrong[n]}
    for number in np.linspace(0, len(busy) - 1, count).round().astype(int):
        if len(chosen) < count:
            chosen.add(int(busy[number]))
    return sorted(chosen)


def _window(grey: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns that hold anything brighter than background, with a small margin."""
    bright = grey.max(0) > 25
    found = []
    for axis in (1, 0):
        on = np.flatnonzero(bright.any(axis))
        whole = bright.shape[1 - axis]
        found.append(slice(max(0, on[0] - 4), min(whole, on[-1] + 5)) if len(on) else slice(0, whole))
    return found[0], found[1]


def _scale(shape: Sequence[int], least: int, most: int) -> float:
    """Small pictures are enlarged to ``least`` px of the long side, large ones reduced to ``most``."""
    longest = max(shape[:2])
    return min(max(1.0, least / longest), most / longest)


def _resized(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0)


def _panel(
    picture: np.ndarray, predicted: np.ndarray, truth: np.ndarray | None, scale: float, thickness: int = 1
) -> np.ndarray:
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    canvas = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    canvas = np.ascontiguousarray(canvas)
    if truth is not None:
        outline(canvas, truth, scale, TRUTH, thickness)
    outline(canvas, predicted, scale, PREDICTION, 1 if truth is not None else thickness)
    return canvas


def _magnify(panel: np.ndarray, picture: np.ndarray, predicted: np.ndarray, truth: np.ndarray | None) -> np.ndarray:
    """The panel with its worst small lesion enlarged in the corner farthest from it; large ones need no enlargement."""
    marked = predicted if truth is None else predicted | truth
    labels, number = components(marked)
    if number == 0:
        return panel
    wrong = marked if truth is None else predicted ^ truth
    sizes = np.bincount(labels[wrong], minlength=number + 1)[1:]
    worst = labels == 1 + int(np.argmax(sizes if sizes.any() else np.bincount(labels.ravel())[1:]))
    places = np.argwhere(worst)
    side = int(max(16, 1.8 * (np.ptp(places, axis=0).max() + 1)))
    if side > min(LARGEST_INSET, *marked.shape):
        return panel
    y, x = (int(np.clip(m - side // 2, 0, n - side)) for m, n in zip(places.mean(0), marked.shape, strict=True))
    window = (slice(y, y + side), slice(x, x + side))
    inset = _panel(picture[window], predicted[window], None if truth is None else truth[window], INSET_PX / side, 2)
    inset = cv2.copyMakeBorder(inset, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=INK)
    zoom = panel.shape[0] / marked.shape[0]
    corner = [round(v * zoom) for v in (x, y, x + side, y + side)]
    cv2.rectangle(panel, corner[:2], corner[2:], INK, 1)
    below, right = y + side / 2 < marked.shape[0] * 0.6, x + side / 2 < marked.shape[1] / 2
    top = panel.shape[0] - inset.shape[0] if below else 0
    left = panel.shape[1] - inset.shape[1] if right else 0
    panel[top : top + inset.shape[0], left : left + inset.shape[1]] = inset
    return panel


def _frame(panels: Sequence[np.ndarray], columns: int, title: str, with_truth: bool, remark: str = "") -> np.ndarray:
    """Panels in rows on a dark ground, title above, legend below."""
    columns = min(columns, len(panels))
    height, width = (max(panel.shape[axis] for panel in panels) for axis in (0, 1))
    rows = -(-len(panels) // columns)
    head = 2 * GAP + TEXT_PX
    legend = [("prediction", PREDICTION)] + ([("truth", TRUTH)] if with_truth else [])
    wide = max(columns * (width + GAP) + GAP, 360)
    canvas = np.full((head + rows * (height + GAP) + head, wide, 3), GROUND, np.uint8)
    for k, panel in enumerate(panels):
        y, x = head + (k // columns) * (height + GAP), GAP + (k % columns) * (width + GAP)
        canvas[y : y + panel.shape[0], x : x + panel.shape[1]] = panel
    pen = Pen(canvas, TEXT_PX)
    pen.write(_short(title, wide - 2 * GAP), GAP, head / 2, INK)
    x, y = GAP, canvas.shape[0] - head / 2
    for name, colour in legend:
        pen.rectangle(x, y - 2, x + 26, y + 1, colour)
        pen.write(name, x + 34, y, INK)
        x += 150
    if wide - x > 300:
        pen.write(remark, wide - GAP, y, INK, "right")
    return pen.finish()


@lru_cache(maxsize=64)
def _short(text: str, width_px: float) -> str:
    from spinetk.report.lettering import text_width

    while text_width(text, TEXT_PX) > width_px and len(text) > 8:
        text = text[:-2].rstrip("\N{HORIZONTAL ELLIPSIS}") + "\N{HORIZONTAL ELLIPSIS}"
    return text
