"""Surroundings: what lies about and below a body, upright and at one size, by which L5 can be told from the others.

Neighbouring lumbar bodies are alike; what L5 lies on is not. So the network that tells them apart is shown the body and
what is below it, and little else: wider pictures also hold what drawn films show otherwise than real ones.
"""

from __future__ import annotations

import numpy as np

from spinetk.keypoints.centre.crop import FLAT_SD, body_boxes, sample
from spinetk.keypoints.centre.strip import shrunk
from spinetk.schema import KeypointSchema

SIDE_PX = 64
REACH = 1.7  # half a side, in the mean of the body's width and height
BELOW = 0.85  # from the body's centre down to the middle, in the same
LEVELS = ("S1", "L5", "L4", "L3", "L2", "above")
"""What a body may look like. Only L5 enters a reading; told apart all, a network learns what L5 alone lies on."""
L5 = LEVELS.index("L5")
FINE_PX = 2.0  # distance of samples up to which a picture is taken as it is


def places(points: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """Where to look for (N, K, 2) px of bodies: (N, 4) middle x, y, half a side in px, angle in radians."""
    boxes = body_boxes(points, schema)
    size, angle = boxes[:, 2:4].mean(1), boxes[:, 4]
    down = np.stack([-np.sin(angle), np.cos(angle)], -1) * (BELOW * size)[:, None]
    return np.concatenate([boxes[:, :2] + down, (REACH * size)[:, None], angle[:, None]], -1)


def surroundings(picture: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Cut the surroundings of bodies out of a picture.

    Args:
        picture: (H, W) uint8, or float32 in 0..1.
        where: (N, 4) of :func:`places`.

    Returns:
        (N, 2, ``SIDE_PX``, ``SIDE_PX``) float32: grey values 0..1, and 1 inside the picture, 0 outside.
    """
    steps = (np.arange(SIDE_PX) + 0.5) / SIDE_PX * 2 - 1
    cuts = np.zeros((len(where), 2, SIDE_PX, SIDE_PX), np.float32)
    for own, (x, y, reach, angle) in zip(cuts, where, strict=True):
        # A window with all of it, and no more: large pictures are slow to shrink.
        far = 1.5 * reach + 2
        left, top = max(0, int(x - far)), max(0, int(y - far))
        window = picture[top : max(top, int(y + far) + 1), left : max(left, int(x + far) + 1)]
        grey = np.ascontiguousarray(window, np.float32)[None] / (255 if picture.dtype == np.uint8 else 1)
        shares = max(1, int(2 * reach / SIDE_PX / FINE_PX))
        if shares > 1:
            grey = shrunk(grey, shares)
        if 0 in grey.shape:
            continue
        right = np.array([np.cos(angle), np.sin(angle)]) * reach
        down = np.array([-right[1], right[0]])
        middle = np.array([x - left, y - top])
        spots = (middle + steps[None, :, None] * right + steps[:, None, None] * down) / shares
        own[:] = sample(np.concatenate([grey, np.ones_like(grey)]), spots)
    cuts[:, 1] = cuts[:, 1] > 0.5
    return cuts


def standardized(cuts: np.ndarray) -> np.ndarray:
    """Cuts (N, 2, S, S) whose grey values have mean 0 and SD 1 inside the picture; 0 outside."""
    grey, inside = cuts[:, :1], cuts[:, 1:]
    count = inside.sum((2, 3), keepdims=True).clip(1)
    away = (grey - (grey * inside).sum((2, 3), keepdims=True) / count) * inside
    spread = np.sqrt((away**2).sum((2, 3), keepdims=True) / count)
    return np.concatenate([away / (spread + np.float32(FLAT_SD)), inside], 1)
