"""Histology-like pictures of glands: rings of dark nuclei about pale cells and a lumen, every gland exact."""

from __future__ import annotations

import cv2
import numpy as np

from spinetk.errors import InputError
from spinetk.phantoms.choose import stream
from spinetk.phantoms.shape import coverage, texture
from spinetk.phantoms.skin import PicturePhantom, check_size

HAEMATOXYLIN = np.array([0.36, 0.24, 0.55], np.float32)
EOSIN = np.array([0.90, 0.62, 0.76], np.float32)
CELL = np.array([0.86, 0.74, 0.86], np.float32)
GLASS = np.array([0.95, 0.94, 0.95], np.float32)


def gland_picture(seed: int, *, size: tuple[int, int] = (256, 320), count: int | None = None) -> PicturePhantom:
    """A synthetic picture of stained tissue with glands.

    A gland is a ring of nuclei at its border, pale cells inside it and an empty lumen in the middle; the truth is all
    of it. Stroma with nuclei of its own, cracks as pale as a lumen, and stains that differ from picture to picture.

    Args:
        seed: Everything not given is a function of it; equal arguments give equal bits.
        size: (H, W) px.
        count: Glands that are tried; None draws 2 to 9. One that would touch another is left out.

    Raises:
        InputError: A size or number that cannot be drawn.
    """
    check_size(size)
    if count is not None and not 0 <= count <= 100:
        raise InputError(f"{count} glands", "cannot be drawn", "use 0 to 100")
    rng = stream(seed, 43)
    height, width = size
    unit = min(size) / 100
    y, x = np.mgrid[:height, :width].astype(np.float32) + 0.5
    tint = 1 + rng.normal(0, 0.03, (3, 3)).astype(np.float32)
    nucleus, stroma, cell = HAEMATOXYLIN * tint[0], EOSIN * tint[1], CELL * tint[2]
    fibres = 0.05 * texture(rng, size, (3 * unit, 12 * unit)) + 0.03 * texture(rng, size, 1.5 * unit)
    image = np.clip(stroma + fibres[..., None], 0, 1)
    width_px = rng.uniform(1, 5) * unit * np.tanh(texture(rng, size, 40 * unit))
    crack = coverage(np.abs(texture(rng, size, 60 * unit)) * -40 * unit + width_px, 2.0)
    image = image + crack[..., None] * (GLASS - image)
    taken = np.zeros(size, bool)
    # A moat about the glands keeps them apart.
    moat = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(3 * unit) + 1,) * 2)
    parts, everywhere = 0, np.full(size, np.float32(-1e3))
    for _ in range(int(rng.integers(2, 10)) if count is None else count):
        inside, radius = _gland(rng, x, y, size, unit)
        mask = inside > 0
        if not mask.any() or (taken & (cv2.dilate(mask.astype(np.uint8), moat) > 0)).any():
            continue
        taken |= mask
        parts += 1
        everywhere = np.maximum(everywhere, inside)
        image = image + coverage(inside, 1.5)[..., None] * (cell - image)
        lumen = inside - rng.uniform(0.45, 0.65) * radius + 2.0 * unit * texture(rng, size, 5 * unit)
        image = image + coverage(lumen, 1.5)[..., None] * (GLASS - image)
        image = _ring(image, rng, inside, radius, unit, nucleus)
    image = _stroma_nuclei(image, rng, everywhere, unit, nucleus)
    image = cv2.GaussianBlur(image.astype(np.float32), (0, 0), rng.uniform(0.5, 0.9))
    image = image * rng.uniform(0.9, 1.05) + 0.012 * rng.standard_normal(image.shape, dtype=np.float32)
    return PicturePhantom(np.clip(np.rint(255 * image), 0, 255).astype(np.uint8), taken, parts)


def _gland(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray, size: tuple[int, int], unit: float
) -> tuple[np.ndarray, float]:
    """Distance in px, about, to the border of a gland (positive inside), and its smaller radius."""
    centre = rng.uniform(0, 1, 2) * (size[1], size[0])
    radius, longer, turn = unit * rng.uniform(9, 22), rng.uniform(1.0, 1.9), rng.uniform(0, np.pi)
    c, s = np.cos(turn), np.sin(turn)
    u, v = (c * (x - centre[0]) + s * (y - centre[1])) / longer, -s * (x - centre[0]) + c * (y - centre[1])
    angle = np.arctan2(v, u)
    border = np.ones_like(angle)
    for k in range(2, 7):
        border += rng.normal(0, 0.12 / k) * np.cos(k * angle + np.float32(rng.uniform(0, 2 * np.pi)))
    return (radius * border - np.hypot(u, v)).astype(np.float32), float(radius)


def _ring(
    image: np.ndarray, rng: np.random.Generator, inside: np.ndarray, radius: float, unit: float, colour: np.ndarray
) -> np.ndarray:
    """Nuclei side by side just inside the border."""
    depth = rng.uniform(1.5, 3.0) * unit
    band = (inside > 0.6 * unit) & (inside < 0.6 * unit + depth)
    return _nuclei(image, rng, band, round(radius / unit * 5), 1.2 * unit, colour, rng.uniform(0.7, 0.95))


def _stroma_nuclei(
    image: np.ndarray, rng: np.random.Generator, inside: np.ndarray, unit: float, colour: np.ndarray
) -> np.ndarray:
    count = int(rng.integers(40, 220))
    return _nuclei(image, rng, inside < -1.5 * unit, count, 0.9 * unit, colour, rng.uniform(0.5, 0.85))


def _nuclei(
    image: np.ndarray,
    rng: np.random.Generator,
    where: np.ndarray,
    count: int,
    radius_px: float,
    colour: np.ndarray,
    strength: float,
) -> np.ndarray:
    free = np.flatnonzero(where)
    layer = np.zeros(where.shape, np.uint8)
    for place in rng.choice(free, min(count, len(free)), replace=False) if len(free) else ():
        row, column = divmod(int(place), where.shape[1])
        axes = tuple(np.maximum(1, np.rint(radius_px * rng.uniform(0.7, 1.6, 2))).astype(int).tolist())
        cv2.ellipse(layer, (column, row), axes, float(rng.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA)
    return image + (layer / np.float32(255) * strength)[..., None] * (colour - image)
