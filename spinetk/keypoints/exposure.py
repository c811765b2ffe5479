"""Exposure: films as a clinic makes them, from good ones: ends too dark, too bright, hazy, cut, under bowel gas.

A network is judged, and its probabilities fitted, on films like those it was trained on; those it will read are worse
at the ends, where counting begins. What each kind does is drawn at random, the same for the same seed.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from spinetk.images import to_uint8

Grey = np.ndarray
Changed = tuple[Grey, tuple[int, int]]  # picture, and the column and row of the old one where it begins


def spoil(picture: Grey, points: np.ndarray, kind: str, seed: int) -> Changed:
    """A film spoilt in one way.

    Args:
        picture: (H, W) uint8, at about the size networks see: what is done takes time with the number of pixels.
        points: (N, K, 2) px of the true bodies, head to foot, five or more.
        kind: One of ``KINDS``.
        seed: Of what is drawn.

    Returns:
        The film, windowed anew, and the (x, y) px that are to be taken from points of ``picture``.
    """
    film, begins = KINDS[kind](picture.astype(np.float32), points, np.random.default_rng(seed))
    return to_uint8(np.ascontiguousarray(film.clip(0, 255))), begins


def _height(points: np.ndarray) -> float:
    """From body to body at the foot, px."""
    middles = points.mean(1)[:, 1]
    return float(middles[-1] - middles[-5]) / 4


def _ramp(film: Grey, start: float, length: float) -> Grey:
    """0 above a row, 1 below it and a length more, smooth between."""
    share = ((np.arange(len(film), dtype=np.float32)[:, None] - start) / max(length, 1e-6)).clip(0, 1)
    return share * share * (3 - 2 * share)


def _foot(film: Grey, points: np.ndarray, chance: np.random.Generator, least: float = 0.5, most: float = 4.0) -> Grey:
    """A ramp that begins between the third last and the last body."""
    height = _height(points)
    start = points[-1].mean(0)[1] - height * chance.uniform(0.3, 2.0)
    return _ramp(film, start, height * chance.uniform(least, most))


def _clean(film: Grey, points: np.ndarray, chance: np.random.Generator) -> Changed:
    return film, (0, 0)


def _foot_dark(film: Grey, points: np.ndarray, chance: np.random.Generator) -> Changed:
    return film * (1 - _foot(film, points, chance) * (1 - chance.uniform(0.08, 0.5))), (0, 0)


def _foot_bright(film: Grey, points: np.ndarray, chance: np.random.Generator) -> Changed:
    ramp = _foot(film, points, chance)
    return film + ramp * (255 - film) * (1 - chance.uniform(0.08, 0.5)), (0, 0)


def _foot_hazy(film: Grey, points: np.ndarray, chance: np.random.Generator) -> Changed:
    height, ramp = _height(points), _foot(film, points, chance, 0.8, 3.0)
    detail = cv2.GaussianBlur(film, (0, 0), height * chance.uniform(0.08, 0.2))
    level = cv2.GaussianBlur(film, (0, 0), height * 1.5)
    hazy = level + (detail - level) * chance.uniform(0.15, 0.5)
    return film + ramp * (hazy - film) + chance.normal(0, 4, film.shape), (0, 0)


def _foot_collimated(film: Grey, points: np.ndarray, chance: np.random.Generator) -> Changed:
    film[max(1, int(points[-1, :, 1].max() + _height(points) * chance.uniform(-0.15, 0.9))) :] = 0
    return film, (0, 0)


def _ends(film: Grey, points: np.ndarray, chance: np.random.Generator) -> Changed:
    return film[: max(1, int(points[-1, :, 1].max() + _height(points) * chance.uniform(-0.1, 0.8)))], (0, 0)


def _head_dark(film: Grey, points: np.ndarray, chance: np.random.Generator) -> Changed:
    height = _height(points)
    start = points[0].mean(0)[1] + height * chance.uniform(-0.3, 1.5)
    ramp = _ramp(film, len(film) - start, height * chance.uniform(0.5, 3.0))[::-1]
    return film * (1 - ramp * (1 - chance.uniform(0.08, 0.5))), (0, 0)


def _both_dark(film: Grey, points: np.ndarray, chance: np.random.Generator) -> Changed:
    return _foot_dark(_head_dark(film, points, chance)[0], points, chance)


def _gamma(film: Grey, points: np.ndarray, chance: np.random.Generator) -> Changed:
    return 255 * (film / 255) ** chance.choice([0.45, 0.6, 1.7, 2.4]), (0, 0)


def _gas(film: Grey, points: np.ndarray, chance: np.random.Generator) -> Changed:
    height, (x, y) = _height(points), points[-1].mean(0)
    bubbles = np.zeros_like(film)
    for _ in range(int(chance.integers(4, 9))):
        middle = x + chance.normal(0, 1.2 * height), y + chance.uniform(-1, 1.5) * height
        axes = chance.uniform(0.3, 1.0, 2) * height
        bubble = np.zeros_like(film)
        place, size = tuple(int(v) for v in middle), tuple(int(v) for v in axes)
        cv2.ellipse(bubble, place, size, 0, 0, 360, float(chance.uniform(0.3, 1)), -1)
        bubbles = np.maximum(bubbles, bubble)
    return film - cv2.GaussianBlur(bubbles, (0, 0), height * 0.12) * chance.uniform(50, 110), (0, 0)


def _blurred(film: Grey, points: np.ndarray, chance: np.random.Generator) -> Changed:
    blurred = cv2.GaussianBlur(film, (0, 0), chance.uniform(1.0, 2.2))
    return blurred + chance.normal(0, chance.uniform(2, 8), film.shape), (0, 0)


def _cropped(film: Grey, points: np.ndarray, chance: np.random.Generator) -> Changed:
    height, low, high = _height(points), points.min((0, 1)), points.max((0, 1))
    x0, y0 = (
        max(0, int(low[0] - height * chance.uniform(0.8, 2))),
        max(0, int(low[1] - height * chance.uniform(0, 1))),
    )
    x1, y1 = int(high[0] + height * chance.uniform(0.8, 2)), int(high[1] + height * chance.uniform(0.1, 1.2))
    return film[y0:y1, x0:x1], (x0, y0)


KINDS: dict[str, Callable[[Grey, np.ndarray, np.random.Generator], Changed]] = {
    "as it is": _clean,
    "foot dark": _foot_dark,
    "foot bright": _foot_bright,
    "foot hazy": _foot_hazy,
    "foot collimated": _foot_collimated,
    "film ends": _ends,
    "head dark": _head_dark,
    "both ends dark": _both_dark,
    "other gamma": _gamma,
    "gas": _gas,
    "blurred": _blurred,
    "cropped": _cropped,
}
"""What can be done to a film, by name."""
