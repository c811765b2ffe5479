"""Sagittal MR as a narrow column: cut close around the canal, straightened, a piece of it, in other contrasts.

Of drawn slices and of real ones whose bodies are labelled. Used by ``view_set.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from film_looks import body_height
from view_films import LEAST_BODIES, Drawn, box_of, labelled

from spinetk.formats.masks import vertebrae_of
from spinetk.geometry import Frame
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6

COPIES = 2  # of each labelled slice
STRAIGHTENED, PIECE, CHANGED = 0.4, 0.6, 0.7  # shares
LEAST_PX = 24  # of either side


def narrow_mr(data: Path, seed: int) -> Iterator[Drawn]:
    """Labelled sagittal MR slices as narrow columns."""
    for number, (group, slice_, mask) in enumerate(labelled(data)):
        vertebrae, _ = vertebrae_of(mask)
        if len(vertebrae) < LEAST_BODIES:
            continue
        frame = Frame(toward_right="P", toward_bottom="F")
        reading = Reading(group, *slice_.shape, VERTEBRA6, vertebrae, frame=frame, view="sagittal")
        for copy in range(COPIES):
            random = np.random.default_rng((seed, 11, number, copy))
            picture, box = narrow(slice_, reading, random)
            yield Drawn(picture, "sagittal-mr", group, "left", box)


def narrow(picture: np.ndarray, reading: Reading, random: np.random.Generator) -> tuple[np.ndarray, tuple[float, ...]]:
    """A slice, (H, W) uint8, as a narrow column, and what is seen of its bodies (``Drawn.box``).

    Bodies may be cut in front, as they are where the field of view is centred on the cord.
    """
    if len(reading.vertebrae) < LEAST_BODIES:
        return picture, box_of(reading)
    if random.random() < CHANGED:
        picture = with_other_bodies(picture, reading, random)
    behind = -1 if reading.frame.anterior == "right" else 1
    walls = np.array([(own.centre[1], (own.points[:, 0] * behind).max() * behind) for own in reading.vertebrae])
    size, rows = body_height(reading), np.arange(len(picture))
    line = np.polyval(np.polyfit(walls[:, 0], walls[:, 1], min(3, len(walls) - 1)), rows)
    line = line[np.clip(rows, int(walls[0, 0]), int(walls[-1, 0]))]  # no polynomial beyond the bodies
    middle = float(np.median(line))
    shift = np.zeros_like(line)
    if random.random() < STRAIGHTENED:
        shift = line - middle
        x = np.arange(picture.shape[1], dtype=np.float32)[None] + shift[:, None].astype(np.float32)
        y = np.repeat(rows[:, None].astype(np.float32), picture.shape[1], 1)
        picture = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    front, back = random.uniform(0.5, 1.8) * size, random.uniform(0.9, 2.8) * size
    near, far = line - shift - behind * front, line - shift + behind * back
    x0, x1 = sorted((float(np.quantile(near, 0.5)), float(np.quantile(far, 0.5))))
    x0, x1 = max(0, int(x0)), min(picture.shape[1], max(int(x1), int(x0) + LEAST_PX))
    y0, y1 = 0, len(picture)
    if random.random() < PIECE and len(reading.vertebrae) > LEAST_BODIES:
        first = int(random.integers(0, len(reading.vertebrae) - LEAST_BODIES + 1))
        last = int(random.integers(first + LEAST_BODIES - 1, len(reading.vertebrae)))
        boxes = np.array([own.bbox for own in reading.vertebrae[first : last + 1]])
        margin = random.uniform(0, 0.7, 2) * size
        y0, y1 = max(0, int(boxes[:, 1].min() - margin[0])), min(len(picture), int(boxes[:, 3].max() + margin[1]) + 1)
    cut = picture[y0:y1, x0:x1]
    seen = [own for own in reading.vertebrae if y0 <= own.centre[1] < y1]
    if min(cut.shape) < LEAST_PX or not seen:
        return picture, box_of(reading)
    tops, bottoms = (np.array([own.bbox[k] for own in seen]) for k in (1, 3))
    high = y1 - y0
    box = (0.0, (tops.min() - y0) / high, 1.0, (bottoms.max() - y0) / high)
    return cut.copy(), tuple(float(np.clip(own, 0, 1)) for own in box)


def with_other_bodies(picture: np.ndarray, reading: Reading, random: np.random.Generator) -> np.ndarray:
    """The slice with bodies brighter or darker than they were, and another grey scale: as other sequences show it."""
    bodies = np.zeros(picture.shape, np.float32)
    for own in reading.vertebrae:
        cv2.fillConvexPoly(bodies, cv2.convexHull(own.points.round().astype(np.int32)), 1.0)
    bodies = cv2.GaussianBlur(bodies, (0, 0), 0.06 * body_height(reading) + 0.5)
    grey = picture.astype(np.float32) * np.exp(bodies * random.normal(-0.4, 0.5))
    share = np.clip(grey / max(float(np.percentile(grey, 99.5)), 1.0), 0, 1)
    return (255 * share ** np.exp(random.normal(0.15, 0.35))).astype(np.uint8)
