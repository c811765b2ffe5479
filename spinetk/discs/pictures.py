"""Pictures: heatmaps and attention over the image, named discs, and the film of a training run."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from spinetk.atomic import replacing
from spinetk.discs.points import DiscReading
from spinetk.report.animation import write_gif
from spinetk.report.layout import spread
from spinetk.report.lettering import Pen, text_width

KNOWN, UNKNOWN = (90, 220, 120), (255, 170, 60)
PLATE, PLATE_PX = (16, 16, 16), 4
LEAST_HEIGHT_PX = 640
FPS = 8.0


def heat_overlay(grey: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Every channel in its own hue, half and half with the picture: (H, W) and (K, H, W) to (H, W, 3) RGB uint8."""
    hues = np.linspace(0, 179, len(maps))
    layer = np.zeros((*grey.shape, 3), np.float32)
    for hue, heat in zip(hues, maps, strict=True):
        colour = cv2.cvtColor(np.array([[[hue, 255, 255]]], np.uint8), cv2.COLOR_HSV2RGB)[0, 0]
        layer = np.maximum(layer, heat.clip(0, 1)[..., None] * colour)
    return (0.5 * grey[..., None] + 0.5 * layer).round().astype(np.uint8)


def attention_overlay(grey: np.ndarray, attention: np.ndarray) -> np.ndarray:
    """An attention map (h, w) in 0..1, coloured and enlarged, half and half with the picture."""
    large = cv2.resize(attention.astype(np.float32), grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    coloured = cv2.applyColorMap((large.clip(0, 1) * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)[..., ::-1]
    return (0.5 * grey[..., None] + 0.5 * coloured).round().astype(np.uint8)


def draw(grey: np.ndarray, reading: DiscReading) -> np.ndarray:
    """Named points on the picture they are about: (H, W) uint8 to RGB of at least 640 rows, square pixels."""
    height, width = grey.shape
    spacing = reading.frame.spacing_mm or (1.0, 1.0)
    tall, wide = (v / min(spacing) for v in spacing)
    zoom = max(1.0, LEAST_HEIGHT_PX / (height * tall))
    size = (max(1, round(width * wide * zoom)), max(1, round(height * tall * zoom)))
    canvas = cv2.cvtColor(cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR), cv2.COLOR_GRAY2RGB)
    factors = np.array(size) / (width, height)
    text_px = max(14, size[1] // 40)
    places = [np.array(disc.point) * factors for disc in reading.discs]
    for disc, (x, y) in zip(reading.discs, places, strict=True):
        colour = UNKNOWN if disc.number is None else KNOWN
        cv2.circle(canvas, (round(x), round(y)), max(3, text_px // 3), colour, 2, cv2.LINE_AA)
    names = [disc.name or (f"? ({disc.guess_name})" if disc.guess else "?") for disc in reading.discs]
    pen = Pen(canvas, text_px)
    # On a plate, since fluid is as bright as any letter; apart from one another and inside the picture.
    rows = spread([y for _, y in places], [1.4 * text_px] * len(places), 0, size[1])
    for disc, name, (x, _), y in zip(reading.discs, names, places, rows, strict=True):
        length = text_width(name, text_px)
        left = min(x + text_px, size[0] - length - PLATE_PX)
        pen.rectangle(left - PLATE_PX, y - 0.65 * text_px, left + length + PLATE_PX, y + 0.65 * text_px, PLATE)
        pen.write(name, left, y, UNKNOWN if disc.number is None else KNOWN)
    return pen.finish()


def write_png(path: Path, picture: np.ndarray) -> None:
    """Write RGB or grey uint8 atomically."""
    with replacing(path) as temporary:
        cv2.imwrite(str(temporary), picture[..., ::-1] if picture.ndim == 3 else picture)


def write_film(folder: Path) -> list[Path]:
    """``convergence.gif`` and, where OpenCV can encode it, ``convergence.mp4`` of the PNGs of a run, in its folder."""
    read = [cv2.imread(str(path)) for path in sorted(folder.glob("[0-9]*.png"))]
    frames = [frame[..., ::-1] for frame in read if frame is not None]
    frames = [frame for frame in frames if frame.shape == frames[0].shape]
    if not frames:
        return []
    gif, mp4 = folder / "convergence.gif", folder / "convergence.mp4"
    write_gif(gif, frames, FPS)
    with replacing(mp4) as temporary:
        size = frames[0].shape[1::-1]
        writer = cv2.VideoWriter(str(temporary), cv2.VideoWriter.fourcc(*"mp4v"), FPS, size)
        encodes = writer.isOpened()
        for frame in frames if encodes else ():
            writer.write(np.ascontiguousarray(frame[..., ::-1]))
        writer.release()
    if not encodes:
        mp4.unlink()
        return [gif]
    return [gif, mp4]
