"""What becomes of a lateral film on its way into a teaching file: a strip, lung and pelvis over it, flat and small.

Each function takes a picture (H, W) uint8, its reading and a generator, and returns both anew; `stored` draws which of
them a film meets. Used by ``lateral_set.py`` and ``view_films.py``: nothing here was fitted to a real film.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from spinetk.keypoints.chain import body_axes
from spinetk.reading import Reading, Vertebra

Film = tuple[np.ndarray, Reading]
SMALL_PX, LARGE_PX = 190, 420
LEAST_SD = 3.0  # of the grey values in a body's box, of 255


def stored(picture: np.ndarray, reading: Reading, random: np.random.Generator) -> Film:
    """A film as a teaching file has it."""
    if not reading.vertebrae:
        return picture, reading
    if random.random() < 0.7:
        picture, reading = strip(picture, reading, random)
    if random.random() < 0.55:
        picture = under_lung(picture, reading, random)
    if random.random() < 0.5:
        picture = over_pelvis(picture, reading, random)
    if random.random() < 0.8:
        picture = flat(picture, reading, random)
    if random.random() < 0.8:
        picture, reading = small(picture, reading, random)
    reading = replace(reading, vertebrae=[own for own in reading.vertebrae if shows(picture, own)])
    if random.random() < 0.5:
        picture, reading = squared(picture, reading, random)
    return picture, reading


def strip(picture: np.ndarray, reading: Reading, random: np.random.Generator) -> Film:
    """The columns around the spine: a film is collimated close before the bodies and behind the skin of the back."""
    height = body_height(reading)
    points = np.concatenate([own.points[own.visible] for own in reading.vertebrae])
    points = np.concatenate([points, *(own.points for own in reading.landmarks if own.kind == "s1")])
    front, back = random.uniform(0.3, 4.0) * height, random.uniform(1.5, 4.5) * height
    left, right = (front, back) if reading.frame.anterior != "right" else (back, front)
    x0 = int(max(0, points[:, 0].min() - left))
    x1 = int(min(reading.width, points[:, 0].max() + right))
    return picture[:, x0:x1].copy(), reading.cropped(x0, 0, x1, reading.height)


def under_lung(picture: np.ndarray, reading: Reading, random: np.random.Generator) -> np.ndarray:
    """Air over the upper bodies, from a dome in front down into the angle behind the spine."""
    size = body_height(reading)
    low = reading.vertebrae[min(len(reading.vertebrae) - 1, int(random.integers(0, 3)))].centre
    x = (np.arange(reading.width, dtype=np.float32)[None] - low[0]) / size
    y = (np.arange(reading.height, dtype=np.float32)[:, None] - low[1]) / size
    if reading.frame.anterior != "right":
        x = -x  # toward the front
    air = np.zeros(picture.shape, np.float32)
    for _ in range(2):  # the two domes
        border = random.uniform(-1.2, 1.0) - x * random.uniform(0.1, 1.1) + 0.12 * (x - random.uniform(0, 3)) ** 2
        air += 0.5 * np.clip((border - y) / random.uniform(0.03, 0.3) + 0.5, 0, 1)
    spine = np.exp(-0.5 * ((x - 0.4 * y) / 1.1) ** 2)  # beside the bodies there is less lung in the beam
    dark = random.uniform(0.1, 0.45) * air * (1 - random.uniform(0.3, 0.9) * spine)
    level = float(np.percentile(picture, 90))
    shaded = picture.astype(np.float32) * (1 - 0.5 * dark) - level * dark
    return np.maximum(shaded, np.minimum(picture, random.uniform(0, 14))).astype(np.uint8)


def over_pelvis(picture: np.ndarray, reading: Reading, random: np.random.Generator) -> np.ndarray:
    """Two iliac wings and the hips' soft tissue over the lowest bodies, which grow bright and flat; gas before them."""
    size = body_height(reading)
    low = reading.vertebrae[-1].centre
    x = (np.arange(reading.width, dtype=np.float32)[None] - low[0]) / size
    y = (np.arange(reading.height, dtype=np.float32)[:, None] - low[1]) / size
    if reading.frame.anterior != "right":
        x = -x  # toward the front
    shown = picture.astype(np.float32)
    level = float(np.percentile(picture, random.uniform(90, 99)))
    for _ in range(2):
        crest = random.uniform(-1.3, 0.7) + random.uniform(0.02, 0.14) * (x - random.uniform(-1.5, 1.5)) ** 2
        veil = random.uniform(0.05, 0.4) / (1 + np.exp(np.clip((crest - y) / random.uniform(0.02, 0.25), -30, 30)))
        shown += veil * (level - shown) + random.uniform(2, 22) * np.exp(-0.5 * ((y - crest) / 0.05) ** 2)
    for _ in range(int(random.integers(0, 4))):
        wide, tall = random.uniform(0.2, 0.9, 2)
        away = np.hypot((x - random.uniform(-1.5, 2.5)) / wide, (y - random.uniform(-1, 3)) / tall)
        shown -= random.uniform(5, 40) / (1 + np.exp(np.clip((away - 1) / random.uniform(0.05, 0.3), -30, 30)))
    return shown.clip(0, 255).astype(np.uint8)


def faint_sacrum(picture: np.ndarray, reading: Reading, random: np.random.Generator) -> Film:
    """Little to see below the lowest body: flat, burnt or black there, and mostly cut off above the hips.

    Now and then the film ends within the lowest bodies, so that no sacrum is in it. For fitting how sure names are that
    follow from an endplate hardly seen, and for judging it; the view network was trained on such films, no other was.
    """
    if not reading.vertebrae:
        return picture, reading
    size, low = body_height(reading), reading.vertebrae[-1].centre
    y = (np.arange(len(picture), dtype=np.float32)[:, None] - low[1]) / size
    below = 1 / (1 + np.exp(np.clip((random.uniform(-0.6, 0.8) - y) / random.uniform(0.1, 0.4), -30, 30)))
    grey = picture.astype(np.float32)
    base = cv2.GaussianBlur(grey, (0, 0), size * random.uniform(0.4, 0.9))
    shown = base + (1 - below * random.uniform(0.2, 0.97)) * (grey - base)
    shown += below * random.uniform(0, 0.9) * (random.choice([0.0, 255.0]) - shown)
    shown += below * cv2.GaussianBlur(random.normal(0, random.uniform(0, 14), grey.shape).astype(np.float32), (0, 0), 1)
    picture = shown.clip(0, 255).astype(np.uint8)
    reach = random.uniform(-1.6, 0.5) if random.random() < 0.2 else random.uniform(0.7, 3.5)
    row = int(low[1] + reach * size)
    if random.random() < 0.8 and reading.height // 2 < row < reading.height:
        picture, reading = picture[:row].copy(), reading.cropped(0, 0, reading.width, row)
    return picture, reading


def flat(picture: np.ndarray, reading: Reading, random: np.random.Generator) -> np.ndarray:
    """Little fine contrast, least toward the upper end, and a grey scale fitted to something other than the spine."""
    size = body_height(reading)
    grey = picture.astype(np.float32)
    base = cv2.GaussianBlur(grey, (0, 0), size * random.uniform(0.4, 0.9))
    top = reading.vertebrae[0].centre[1]
    y = (np.arange(len(picture), dtype=np.float32)[:, None] - top) / size
    dim = 1 - random.uniform(0, 0.6) / (1 + np.exp((y - random.uniform(-0.5, 2.5)) / 0.4))
    grey = base + random.uniform(0.4, 1.1) * dim * (grey - base)
    x = np.linspace(-0.5, 0.5, picture.shape[1], dtype=np.float32)[None]
    grey = grey * np.exp(random.normal(0, 0.5) * x)
    low, high = np.percentile(grey, 1), np.percentile(grey, random.uniform(97, 100)) / random.uniform(0.6, 1.0)
    share = np.clip((grey - low) / max(high - low, 1.0), 0, 1)
    return (255 * share ** np.exp(random.uniform(-0.4, 0.6))).astype(np.uint8)


def small(picture: np.ndarray, reading: Reading, random: np.random.Generator) -> Film:
    """At 190 to 420 px of its long side, now and then as a JPEG."""
    factor = random.uniform(SMALL_PX, LARGE_PX) / max(picture.shape)
    height, width = (max(64, round(side * factor)) for side in picture.shape)
    how = cv2.INTER_AREA if random.random() < 0.8 else cv2.INTER_LINEAR
    picture = cv2.resize(picture, (width, height), interpolation=how)
    if random.random() < 0.5:
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(45, 95))])
        picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    return picture, reading.resized(height, width)


def squared(picture: np.ndarray, reading: Reading, random: np.random.Generator) -> Film:
    """Laid on a black (rarely a grey or white) square, not quite in its middle."""
    height, width = picture.shape
    side = max(height, width)
    x, y = ((side - own) * np.clip(random.normal(0.5, 0.1), 0, 1) for own in (width, height))
    x, y = int(x), int(y)
    laid = np.full((side, side), random.choice([0, 0, 0, 0, 20, 255]), np.uint8)
    laid[y : y + height, x : x + width] = picture
    return laid, reading.moved(np.array([[1.0, 0, x], [0, 1, y]]), (side, side), reading.frame)


def shows(picture: np.ndarray, vertebra: Vertebra) -> bool:
    """Whether there is anything to see of a body: nobody is to learn to find what is black in black."""
    x0, y0, x1, y1 = (int(value) for value in vertebra.bbox)
    return bool(picture[y0 : y1 + 1, x0 : x1 + 1].std() >= LEAST_SD)


def body_height(reading: Reading) -> float:
    """Median height of the bodies of a film in px."""
    axis, _ = body_axes(np.stack([own.points for own in reading.vertebrae]), reading.schema)
    return float(np.median(np.linalg.norm(axis, axis=1)))
