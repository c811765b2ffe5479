"""A turning surface of a mask, drawn without a graphics library: rays, depth, and light from the slope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from spinetk.report.animation import write_gif
from spinetk.report.lettering import Pen, text_width

COLOUR, EXTRA, MISSED = (214, 92, 84), (255, 158, 61), (82, 160, 230)
GROUND, INK = (17, 19, 22), (235, 238, 241)
SIDE_PX, MARGIN_MM, STEP_MM = 360, 8.0, 0.8
LIGHT = np.array([-0.45, -0.55, 0.7]) / np.linalg.norm([-0.45, -0.55, 0.7])
FRAMES, FPS = 48, 16.0
TOLERANCE_MM = 3.0


def write_turning(
    path: str | Path,
    predicted: np.ndarray,
    spacing_mm: Sequence[float],
    truth: np.ndarray | None = None,
    frames: int = FRAMES,
) -> None:
    """A GIF of the surface turning once about the axis of the slices, the last slice on top.

    Args:
        path: The file to write, atomically.
        predicted: (D, H, W) mask.
        spacing_mm: Along its axes.
        truth: (D, H, W) mask; then parts of the surface more than 3 mm outside the truth are orange, and truth more
            than 3 mm outside the prediction is added in blue.
        frames: Of the turn.
    """
    write_gif(path, turning(predicted, spacing_mm, truth, frames), FPS)


def turning(
    predicted: np.ndarray, spacing_mm: Sequence[float], truth: np.ndarray | None = None, frames: int = FRAMES
) -> Iterator[np.ndarray]:
    """Frames (H, W, 3) RGB uint8 of :func:`write_turning`; black ground alone for an empty mask."""
    predicted = np.asarray(predicted) != 0
    shown = predicted if truth is None else predicted | (np.asarray(truth) != 0)
    legend = [("prediction", COLOUR)]
    if truth is not None:
        legend += [(f"> {TOLERANCE_MM:g} mm too far", EXTRA), (f"> {TOLERANCE_MM:g} mm missed", MISSED)]
    if not shown.any():
        for _ in range(frames):
            yield _lettered(np.full((SIDE_PX, SIDE_PX, 3), GROUND, np.uint8), [("nothing found", INK)])
        return
    solid, colours = _coloured(predicted, truth, spacing_mm)
    solid, colours = _isotropic(solid, colours, spacing_mm)
    for number in range(frames):
        yield _lettered(_render(solid, colours, 2 * np.pi * number / frames), legend)


def _coloured(
    predicted: np.ndarray, truth: np.ndarray | None, spacing_mm: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """What is drawn, and 0 (agrees), 1 (too far), 2 (missed) for every voxel."""
    kinds = np.zeros(predicted.shape, np.uint8)
    if truth is None:
        return predicted, kinds
    from scipy.ndimage import distance_transform_edt

    truth = np.asarray(truth) != 0
    far = predicted & (distance_transform_edt(~truth, spacing_mm) > TOLERANCE_MM if truth.any() else True)
    missed = truth & (distance_transform_edt(~predicted, spacing_mm) > TOLERANCE_MM if predicted.any() else True)
    kinds[far], kinds[missed] = 1, 2
    return predicted | missed, kinds


def _isotropic(solid: np.ndarray, kinds: np.ndarray, spacing_mm: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """The mask in its box at equal spacing, smoothed to one half at the surface; and the kinds, nearest."""
    from scipy.ndimage import gaussian_filter, zoom

    places = np.argwhere(solid)
    low, high = places.min(0), places.max(0) + 1
    room = [int(np.ceil(MARGIN_MM / s)) for s in spacing_mm]
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    extent = float(np.linalg.norm((high - low) * np.asarray(spacing_mm)))
    step = max(STEP_MM, extent / 150)
    factors = [s / step for s in spacing_mm]
    padding = [(r, r) for r in room]
    large = zoom(np.pad(solid[box], padding).astype(np.float32), factors, order=1)
    return gaussian_filter(large, 1.2), zoom(np.pad(kinds[box], padding), factors, order=0)


def _render(solid: np.ndarray, kinds: np.ndarray, angle: float) -> np.ndarray:
    """One view: parallel rays from the front after a turn about the slice axis."""
    import cv2
    from scipy.ndimage import map_coordinates

    depth, height, width = solid.shape
    side = int(np.ceil(np.hypot(height, width)))
    along, across = np.meshgrid(np.arange(side) - side / 2, np.arange(side) - side / 2, indexing="ij")
    c, s = np.cos(angle), np.sin(angle)
    rows = c * along - s * across + (height - 1) / 2
    columns = s * along + c * across + (width - 1) / 2
    turned = np.stack([map_coordinates(layer, [rows, columns], order=1) for layer in solid])  # (slice, ray, across)
    of_turned = np.stack([map_coordinates(layer, [rows, columns], order=0) for layer in kinds])
    hit = turned >= 0.5
    first = hit.argmax(1)
    seen = np.take_along_axis(hit, first[:, None], 1)[:, 0]
    slope = np.gradient(turned)
    normal = -np.stack([np.take_along_axis(g, first[:, None], 1)[:, 0] for g in (slope[2], slope[0], slope[1])], -1)
    normal[..., 1] *= -1  # the last slice is on top, so up on the screen is against the rows of the picture
    normal[..., 2] *= -1  # toward the eye
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-6
    light = (normal @ LIGHT).clip(0, 1)
    shine = np.clip((normal @ _halfway()), 0, 1) ** 40
    near = 1 - 0.35 * first / max(1, side)
    kind = np.take_along_axis(of_turned, first[:, None], 1)[:, 0]
    colour = np.array([COLOUR, EXTRA, MISSED], np.float32)[kind]
    picture = colour * ((0.25 + 0.8 * light) * near)[..., None] + 70 * shine[..., None]
    picture = np.where(seen[..., None], picture, np.float32(GROUND)).clip(0, 255)[::-1]
    zoom = SIDE_PX / max(depth, side)
    size = max(1, round(side * zoom)), max(1, round(depth * zoom))
    small = cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR)
    frame = np.full((SIDE_PX, SIDE_PX, 3), GROUND, np.uint8)
    top, left = (SIDE_PX - size[1]) // 2, (SIDE_PX - size[0]) // 2
    frame[top : top + size[1], left : left + size[0]] = small.round().astype(np.uint8)
    return frame


def _halfway() -> np.ndarray:
    half = LIGHT + np.array([0, 0, 1.0])
    return half / np.linalg.norm(half)


def _lettered(frame: np.ndarray, legend: Sequence[tuple[str, tuple]]) -> np.ndarray:
    pen, x = Pen(frame, 12), 10.0
    for text, colour in legend:
        pen.write(text, x, SIDE_PX - 14, colour)
        x += text_width(text, 12) + 16
    return pen.finish()
