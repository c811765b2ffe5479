"""Dermoscopy-like pictures: one pigmented lesion, its border the truth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from spinetk.errors import InputError
from spinetk.phantoms.choose import stream
from spinetk.phantoms.shape import bezier, coverage, texture

SMALLEST_PX, LARGEST_PX = 32, 4096


@dataclass
class PicturePhantom:
    """A synthetic colour picture with exact truth.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        mask: (H, W) bool, True where the centre of the pixel lies inside.
        parts: Separate objects that were put into the mask.
    """

    pixels: np.ndarray
    mask: np.ndarray
    parts: int


def skin_picture(seed: int, *, size: tuple[int, int] = (192, 256), hairs: int | None = None) -> PicturePhantom:
    """A synthetic dermoscopic picture.

    The lesion has an irregular border that is sharp on one side and fades on the other, and two browns, a net or dots.
    Freckles, hairs, a red patch, uneven light and the dark corners of the lens look like it and are not in the mask.

    Args:
        seed: Everything not given is a function of it; equal arguments give equal bits.
        size: (H, W) px.
        hairs: How many; None draws 0 to 12.

    Raises:
        InputError: A size that cannot be drawn.
    """
    check_size(size)
    rng = stream(seed, 42)
    height, width = size
    unit = min(size) / 100
    y, x = np.mgrid[:height, :width].astype(np.float32) + 0.5
    tone = np.array([0.86, 0.66, 0.56]) * rng.uniform(0.8, 1.08) + rng.normal(0, 0.025, 3)
    grain = 0.03 * texture(rng, size, 14 * unit) + 0.012 * texture(rng, size, 1.6)
    image: np.ndarray = np.clip(tone + grain[..., None], 0, 1).astype(np.float32)
    red = coverage(_blob(rng, x, y, size, 0.2, 0.45, 0.3), 25 * unit)[..., None] * rng.uniform(0, 0.5)
    image = image + red * (np.array([0.8, 0.42, 0.4]) - image)
    image = _freckles(image, rng, unit)
    inside = _blob(rng, x, y, size, 0.16, 0.4, 0.12)
    # The border is sharp on one side and fades on the other; half of the pigment is there where the truth ends.
    turn = rng.uniform(0, 2 * np.pi)
    side = ((x - width / 2) * np.cos(turn) + (y - height / 2) * np.sin(turn)) / (0.5 * max(size))
    share = 0.5 + 0.5 * np.tanh(inside / (unit * np.clip(1.2 + 3 * (side + 0.4), 0.8, 4.5)))
    light = np.array([0.55, 0.36, 0.24]) * rng.uniform(0.8, 1.15)
    dark = light * rng.uniform(0.3, 0.6)
    patches = 0.5 + 0.5 * np.tanh(1.2 * texture(rng, size, rng.uniform(14, 40) * unit) + rng.uniform(-1, 1))
    net = 0.05 * np.tanh(2 * texture(rng, size, rng.uniform(1.2, 2.5) * unit))
    pigment = light + patches[..., None] * (dark - light) + net[..., None]
    image = image + (share * rng.uniform(0.75, 0.97))[..., None] * (pigment - image)
    image = _hairs(image, rng, unit, int(rng.integers(0, 13)) if hairs is None else hairs)
    return PicturePhantom(_lens(image, rng, x, y), inside > 0, 1)


def check_size(size: tuple[int, int]) -> None:
    """Raises ``InputError`` for a size that cannot be drawn."""
    if len(size) != 2 or not all(SMALLEST_PX <= side <= LARGEST_PX for side in size):
        raise InputError(f"picture of {size} px", "cannot be drawn", f"use {SMALLEST_PX} to {LARGEST_PX} px a side")


def _blob(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray, size: tuple[int, int], low: float, high: float, rough: float
) -> np.ndarray:
    """Distance in px, about, to the border of an irregular blob near the middle; positive inside."""
    short = min(size)
    centre = np.array([size[1], size[0]]) * rng.uniform(0.4, 0.6, 2)
    radius, squeeze, turn = short * rng.uniform(low, high), rng.uniform(0.7, 1.0), rng.uniform(0, np.pi)
    c, s = np.cos(turn), np.sin(turn)
    u, v = c * (x - centre[0]) + s * (y - centre[1]), (-s * (x - centre[0]) + c * (y - centre[1])) / squeeze
    angle = np.arctan2(v, u)
    border = np.ones_like(angle)
    for k in range(2, 9):
        border += rough * rng.normal(0, 1 / k) * np.cos(k * angle + np.float32(rng.uniform(0, 2 * np.pi)))
    return (radius * border - np.hypot(u, v)).astype(np.float32)


def _freckles(image: np.ndarray, rng: np.random.Generator, unit: float) -> np.ndarray:
    layer: np.ndarray = np.zeros(image.shape[:2], np.float32)
    for _ in range(int(rng.integers(0, 14))):
        place = (int(rng.integers(image.shape[1])), int(rng.integers(image.shape[0])))
        cv2.circle(layer, place, max(1, round(rng.uniform(0.6, 1.8) * unit)), float(rng.uniform(0.15, 0.5)), -1)
    layer = cv2.GaussianBlur(layer, (0, 0), max(0.6, 0.5 * unit))
    return image + layer[..., None] * (np.array([0.5, 0.32, 0.22]) - image)


def _hairs(image: np.ndarray, rng: np.random.Generator, unit: float, count: int) -> np.ndarray:
    layer = np.zeros(image.shape[:2], np.uint8)
    extent = np.array(image.shape[1::-1])
    for _ in range(count):
        start, end = rng.uniform(-0.1, 1.1, 2) * extent, rng.uniform(-0.1, 1.1, 2) * extent
        middle = (start + end) / 2 + rng.normal(0, 0.12, 2) * extent
        points = np.rint(bezier(start, middle, end, 40) * 16).astype(np.int32)
        thickness = max(1, round(rng.uniform(0.4, 1.1) * unit))
        cv2.polylines(layer, [points[:, None]], False, int(rng.integers(140, 240)), thickness, cv2.LINE_AA, 4)
    return image + (layer / 255.0)[..., None] * (np.array([0.16, 0.11, 0.09]) - image)


def _lens(image: np.ndarray, rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Light that falls off to the side, dark corners in some pictures, noise."""
    height, width = x.shape
    u, v = (x - width / 2) / (width / 2), (y - height / 2) / (height / 2)
    turn = rng.uniform(0, 2 * np.pi)
    shade = 1 + 0.08 * (u * np.cos(turn) + v * np.sin(turn)) - rng.uniform(0, 0.15) * (u**2 + v**2)
    if rng.random() < 0.4:
        shade = shade * np.clip((rng.uniform(1.1, 1.3) - np.hypot(u, v)) * 12, 0.03, 1)
    seen = cv2.GaussianBlur((image * shade[..., None]).astype(np.float32), (0, 0), 0.6)
    seen = seen + rng.uniform(0.006, 0.02) * rng.standard_normal(seen.shape, dtype=np.float32)
    return np.clip(np.rint(255 * seen), 0, 255).astype(np.uint8)
