"""A turning surface of a mask, drawn without a graphics library: rays, depth, and light from the slope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinetk.report.animation import write_gif
from spinetk.report.lettering import Pen, text_width

COLOUR, EXTRA, MISSED = (214, 92, 84), (255, 158, 61), (82, 160, 230)
GROUND, INK = (17, 19, 22), (235, 238, 241)
SIDE_PX, MARGIN_MM, STEP_MM, MOST_STEPS = 360, 5.0, 0.5, 260
LIGHT = np.array([-0.45, 0.55, 0.7]) / np.linalg.norm([-0.45, 0.55, 0.7])
"""From the upper left, toward the light; axes right, up and toward the eye."""
HALFWAY = (LIGHT + (0, 0, 1)) / np.linalg.norm(LIGHT + (0, 0, 1))
FRAMES, FPS = 36, 12.5
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
    predicted: np.ndarray,
    spacing_mm: Sequence[float],
    truth: np.ndarray | None = None,
    frames: int = FRAMES,
    *,
    name: str = "prediction",
) -> Iterator[np.ndarray]:
    """Frames (H, W, 3) RGB uint8 of :func:`write_turning`; black ground alone for an empty mask.

    ``name`` is what ``predicted`` is called on them.
    """
    predicted = np.asarray(predicted) != 0
    shown = predicted if truth is None else predicted | (np.asarray(truth) != 0)
    legend = [(name, COLOUR)]
    if truth is not None:
        legend += [(f"> {TOLERANCE_MM:g} mm too far", EXTRA), (f"> {TOLERANCE_MM:g} mm missed", MISSED)]
    if not shown.any():
        for _ in range(frames):
            yield _lettered(np.full((SIDE_PX, SIDE_PX, 3), GROUND, np.uint8), [("nothing found", INK)])
        return
    solid, kinds = _coloured(predicted, truth, spacing_mm)
    scene = _Scene.of(solid, kinds, spacing_mm)
    for number in range(frames):
        yield _lettered(scene.view(2 * np.pi * number / frames), legend)


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


@dataclass(frozen=True)
class _Scene:
    """A smoothed mask at equal spacing, its slopes, and the kind of every voxel."""

    solid: np.ndarray
    slopes: np.ndarray
    kinds: np.ndarray

    @classmethod
    def of(cls, solid: np.ndarray, kinds: np.ndarray, spacing_mm: Sequence[float]) -> _Scene:
        from scipy.ndimage import distance_transform_edt, gaussian_filter, zoom

        places = np.argwhere(solid)
        low, high = places.min(0), places.max(0) + 1
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        padding = [(int(np.ceil(MARGIN_MM / s)),) * 2 for s in spacing_mm]
        step = max(STEP_MM, float(np.linalg.norm((high - low) * np.asarray(spacing_mm))) / MOST_STEPS)
        factors = [s / step for s in spacing_mm]
        mask = np.pad(solid[box], padding)
        # The steps between slices are smoothed away, veins are not; light needs more of it than shape.
        smooth = gaussian_filter(zoom(mask.astype(np.float32), factors, order=1), 0.5 * max(factors))
        slopes = np.gradient(gaussian_filter(smooth, max(factors)))
        nearest = distance_transform_edt(~mask, spacing_mm, return_distances=False, return_indices=True)
        spread = np.pad(kinds[box], padding)[tuple(nearest)]
        return cls(smooth, np.stack(slopes, -1), zoom(spread, factors, order=0))

    def view(self, angle: float) -> np.ndarray:
        """Parallel rays from the front after a turn about the slice axis, (SIDE_PX, SIDE_PX, 3) RGB."""
        import cv2

        depth, height, width = self.solid.shape
        side = int(np.ceil(np.hypot(height, width)))
        c, s = np.cos(angle), np.sin(angle)
        middle, centre = (side - 1) / 2, np.array([(width - 1) / 2, (height - 1) / 2])
        turn = np.array([[c, s], [-s, c]])  # (across, along) of the view to (column, row)
        matrix = np.hstack([turn, (centre - turn @ [middle, middle])[:, None]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        turned = np.stack([cv2.warpAffine(layer, matrix, (side, side), flags=flags) for layer in self.solid])
        hit = turned >= 0.5
        first = hit.argmax(1)  # (slice, across): how far a ray goes
        seen = np.asarray(hit.any(1))
        across = np.broadcast_to(np.arange(side), first.shape)
        column, row = np.tensordot(matrix, np.stack([across, first, np.ones_like(first)]), 1)
        level = np.broadcast_to(np.arange(depth)[:, None], first.shape)
        place = level, row.round().astype(int).clip(0, height - 1), column.round().astype(int).clip(0, width - 1)
        outward = -self.slopes[place]
        # Right, up and toward the eye: the last slice is on top, rays run along the rows at an angle of 0.
        normal = np.stack([c * outward[..., 2] - s * outward[..., 1], outward[..., 0],
                           -(s * outward[..., 2] + c * outward[..., 1])], -1)  # fmt: skip
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-6
        light, shine = (normal @ LIGHT).clip(0, 1), (normal @ HALFWAY).clip(0, 1) ** 30
        near = 1.1 - 0.4 * first / side
        colour = np.array([COLOUR, EXTRA, MISSED], np.float32)[self.kinds[place]]
        picture = colour * ((0.28 + 0.8 * light) * near)[..., None] + 45 * shine[..., None]
        picture = np.where(seen[..., None], picture, np.array(GROUND, np.float32)).clip(0, 255)[::-1].astype(np.float32)
        zoom = SIDE_PX / max(depth, side)
        size = max(1, round(side * zoom)), max(1, round(depth * zoom))
        shown = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC)
        frame = np.full((SIDE_PX, SIDE_PX, 3), GROUND, np.uint8)
        top, left = (SIDE_PX - size[1]) // 2, (SIDE_PX - size[0]) // 2
        frame[top : top + size[1], left : left + size[0]] = shown.round().clip(0, 255).astype(np.uint8)
        return frame


def _lettered(frame: np.ndarray, legend: Sequence[tuple[str, tuple]]) -> np.ndarray:
    pen, x = Pen(frame, 12), 10.0
    for text, colour in legend:
        pen.write(text, x, SIDE_PX - 14, colour)
        x += text_width(text, 12) + 16
    return pen.finish()
