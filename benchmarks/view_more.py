"""More of what shows no spine that a model reads: soft light, axial slices of a vertebra, photographs from aslant.

Used by ``view_set.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from view_negatives import SIDE

from spinetk.phantoms.shape import cover, ellipse, ribbon, smooth, texture

DRAWN, WINDOWS = 150, 20  # of each drawing, and of each photograph


def more_negatives(photographs: list[Path], random: np.random.Generator) -> Iterator[tuple[np.ndarray, str]]:
    """Pictures, (H, W) uint8, and their groups."""
    for name, draw in (("glow", glow), ("axial", axial)):
        for number in range(DRAWN):
            yield draw(random), f"{name}-{number}"
    for path in photographs:
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is not None and min(picture.shape[:2]) > 40:
            for _ in range(WINDOWS):
                yield aslant(picture, random), path.name


def aslant(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A part of a photograph, (H, W, 3) uint8, seen from aslant and in a mixture of its colours: (h, w) uint8."""
    mixture = random.dirichlet((0.8, 0.8, 0.8)).astype(np.float32)
    grey = np.clip(picture.astype(np.float32) @ mixture, 0, 255).astype(np.uint8)
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    size = random.uniform(0.3, 0.9)
    start = random.uniform(0, 1 - size, 2)
    seen = (start + size * (corners + random.uniform(-0.12, 0.12, (4, 2)))).clip(0, 1) * grey.shape[::-1]
    wide, high = (int(side) for side in random.integers(90, 256, 2))
    matrix = cv2.getPerspectiveTransform(seen.astype(np.float32), corners * np.array([wide, high], np.float32))
    return cv2.warpPerspective(grey, matrix, (wide, high))


def glow(random: np.random.Generator) -> np.ndarray:
    """Soft light without a thing in it: a lamp, a sky, a lens cap, a colour wheel."""
    high, wide = (int(own) for own in random.integers(110, SIDE, 2))
    y, x = np.mgrid[:high, :wide].astype(np.float32)
    image = np.zeros((high, wide), np.float32)
    for _ in range(int(random.integers(1, 5))):
        cx, cy = random.uniform(-0.1, 1.1, 2) * (wide, high)
        away = np.hypot((x - cx) / random.uniform(0.15, 1.2), (y - cy) / random.uniform(0.15, 1.2)) / max(high, wide)
        kind = int(random.integers(4))
        if kind == 0:
            image += random.uniform(-1, 1) * np.exp(-(away**2) * random.uniform(1, 8))
        elif kind == 1:
            image += random.uniform(-1, 1) * np.clip(1 - away * random.uniform(0.6, 2), 0, None)
        elif kind == 2:
            turn = np.arctan2(y - cy, x - cx) + random.uniform(0, 6.3)
            image += random.uniform(-0.7, 0.7) * np.abs(np.mod(turn * random.integers(1, 4) / np.pi, 2) - 1) * away
        else:
            angle = random.uniform(0, 6.3)
            image += random.uniform(-1, 1) * (np.cos(angle) * x / wide + np.sin(angle) * y / high)
    if random.random() < 0.4:  # within a round field
        away = np.hypot(x - wide / 2, y - high / 2) / max(high, wide)
        image = np.where(away < random.uniform(0.35, 0.5), image - image.min(), 0)
    image = cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX)
    image += random.normal(0, random.uniform(0, 4), image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def axial(random: np.random.Generator) -> np.ndarray:
    """A vertebra cut across, as CT shows it: body, canal, arch and processes, ribs or none, streaky noise."""
    high, wide = int(random.integers(150, SIDE)), int(random.integers(110, SIDE))
    image = np.full((high, wide), random.uniform(0.1, 0.4), np.float32)
    image += 0.05 * texture(random, image.shape, random.uniform(6, 30))
    cx, cy, r = wide / 2 + random.normal(0, 8), high * random.uniform(0.35, 0.6), wide * random.uniform(0.12, 0.24)

    def add(outline: np.ndarray, amount: float) -> None:
        found = cover(outline, image.shape, 2)
        if found:
            image[found[0]] += found[1] * amount

    def bar(points: list[tuple[float, float]], thick: float) -> None:
        line = np.array([(cx + r * px, cy + r * py) for px, py in points])
        add(
            ribbon(smooth(line, closed=False) if len(line) > 2 else np.linspace(*line, 8), thick * r),
            random.uniform(0.3, 0.7),
        )

    shell, core = random.uniform(0.3, 0.8), random.uniform(-0.05, 0.25)
    add(ellipse((cx, cy), (r * random.uniform(0.9, 1.2), r)), shell)
    add(ellipse((cx, cy), (r * 0.85, r * 0.82)), core - shell)
    add(ellipse((cx, cy + 1.5 * r), (0.75 * r, 0.62 * r)), shell)
    add(ellipse((cx, cy + 1.5 * r), (0.55 * r, 0.45 * r)), -shell)
    for m in (-1, 1):
        bar([(m * 0.5, 1.6), (m * random.uniform(1.4, 1.9), random.uniform(1.6, 2.2))], 0.35)
        if random.random() < 0.6:  # a rib
            bar([(m * 1.0, 0.9), (m * 1.9, 1.5), (m * random.uniform(2.6, 3.4), random.uniform(0.4, 1.8))], 0.25)
    bar([(0, 2.0), (random.normal(0, 0.1), random.uniform(2.7, 3.4))], 0.3)
    for _ in range(int(random.integers(0, 5))):  # bowel, vessels, fat
        spot = cx + random.uniform(-3, 3) * r, cy - random.uniform(1.2, 3) * r
        add(ellipse(spot, tuple(random.uniform(0.2, 1.0, 2) * r), random.uniform(0, 180)), random.uniform(-0.3, 0.4))
    if random.random() < 0.7:  # the skin of the back
        image[int(min(high, cy + random.uniform(3.5, 5) * r)) :] = 0
    noise = random.normal(0, 1, image.shape).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), random.uniform(0.3, 2.5), sigmaY=random.uniform(0.3, 1.0))
    image += random.uniform(0.02, 0.2) * noise / max(float(noise.std()), 1e-6)
    return (np.clip(image * random.uniform(0.7, 1.3), 0, 1) * 255).astype(np.uint8)
