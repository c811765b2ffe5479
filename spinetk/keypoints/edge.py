"""Edge: a closer look at the place where the picture's upper edge cuts a column of vertebrae.

A lateral film of the lumbar spine mostly ends within T12 or T11, and the network, which met few such bodies, is hardly
sure of what is left of one. Where nothing better is seen above the highest sure body although there is room, that part
of the picture is shown to it once more: enlarged or reduced so that bodies have the height it knows best, with the grey
scale stretched for this place alone, and with the picture's first row repeated above the edge, where the body goes on.
What it sees there counts only where the next body must lie (:func:`spinetk.keypoints.ends.goes_on_above`).
"""

from __future__ import annotations

import cv2
import numpy as np

from spinetk.keypoints.centre.decoding import Found
from spinetk.keypoints.chain import body_axes, find_chain
from spinetk.keypoints.ends import FEWEST, LEAST_SEEN, goes_on_above, near_edge
from spinetk.schema import KeypointSchema

BODY_PX = 60.0
"""Height of a body in the enlarged part."""
SIDE = 5.2
"""Side of that part, in heights of the highest sure body: it and two below it, and the next."""
ABOVE = 1.7
"""From its upper side down to where the next body's centre is expected."""
BEYOND = 0.8
"""How much of it may lie above the picture: a body's height at most."""
STRETCHED = (1.0, 99.0)
"""Percentiles of its grey values that become black and white, at least ``LEAST_RANGE`` apart."""
LEAST_RANGE = 8.0
NEAR = 1.0
"""How far a body may lie from where it is expected, before its points are known well."""
REMARK = "the highest vertebra was seen in a closer look at the upper edge of the picture"


class Window:
    """A square part of a picture above a column, and the picture of it that a network is shown.

    Args:
        picture: (H, W) uint8.
        first, second: (K, 2) px of the column's two highest bodies.
        schema: Must have columns.

    Attributes:
        shown: (h, w) uint8, what the network is shown.
        factors: (2,) by which px of the picture are multiplied to become px of ``shown``.
    """

    def __init__(self, picture: np.ndarray, first: np.ndarray, second: np.ndarray, schema: KeypointSchema) -> None:
        height = float(np.linalg.norm(body_axes(first[None], schema)[0]))
        here = first.mean(axis=0)
        self.expected = 2 * here - second.mean(axis=0)
        side = round(SIDE * height)
        left = round(float(here[0] + self.expected[0]) / 2 - side / 2)
        top = max(round(float(self.expected[1]) - ABOVE * height), -round(BEYOND * height))
        part = picture[max(top, 0) : top + side, max(left, 0) : max(left + side, 1)]
        low, high = np.percentile(part, STRETCHED)
        grey = np.clip((part.astype(np.float32) - low) * (255 / max(high - low, LEAST_RANGE)), 0, 255).astype(np.uint8)
        grey = cv2.copyMakeBorder(grey, max(-top, 0), 0, 0, 0, cv2.BORDER_REPLICATE)
        factor = BODY_PX / max(height, 1.0)
        size = tuple(max(1, round(own * factor)) for own in grey.shape[::-1])
        self.shown = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
        self.factors = np.array(size) / grey.shape[::-1]
        self._corner = np.array([max(left, 0), top])
        self._near = NEAR * height

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 2) in px of ``shown`` to px of the picture."""
        return points.astype(np.float64) / self.factors + self._corner

    def is_near(self, points: np.ndarray) -> np.ndarray:
        """Which bodies (N, K, 2), in px of ``shown``, lie about where the next is expected, (N,) bool."""
        return np.linalg.norm(self.to_picture(points).mean(axis=1) - self.expected, axis=1) <= self._near


def window(
    picture: np.ndarray, points: np.ndarray, scores: np.ndarray, schema: KeypointSchema, sure: float, least: float
) -> tuple[Window, np.ndarray] | None:
    """Where to look more closely above a column.

    Args:
        picture: (H, W) uint8.
        points: (N, K, 2) px of all bodies detected in it.
        scores: (N,) their confidence.
        schema: Must have columns.
        sure: Confidence from which a body is one of the column.
        least: Confidence from which a body seen above the column leaves nothing to look for.

    Returns:
        The part of the picture and the column's two highest bodies (2, K, 2), or None where the column is short, ends
        well below the picture's edge (a neck) or at it, or goes on with a body that is seen well enough.
    """
    strong = np.flatnonzero(scores >= sure)
    chain = strong[find_chain(points[strong], scores[strong], schema)] if schema.columns else strong[:0]
    if len(chain) < FEWEST:
        return None
    first, second = points[chain[0]], points[chain[1]]
    plate = first[[schema.index(top) for top, _ in schema.columns.values()]]
    height = float(np.linalg.norm(body_axes(first[None], schema)[0]))
    if plate[:, 1].mean() < LEAST_SEEN * height or not near_edge(first, second, schema):
        return None
    highest = points[chain[:2]]
    if (goes_on_above(points, scores, highest, schema) & (scores >= least)).any():
        return None
    return Window(picture, first, second, schema), highest


def added(found: Found, closer: Found, schema: KeypointSchema, highest: np.ndarray) -> Found:
    """Detections with those of a closer look that can be the next body above the column, marked in ``closer``.

    Args:
        found, closer: ``points``, ``scores``, ``sigma`` in px of the picture.
        schema: Must have columns.
        highest: (2, K, 2) px, as of :func:`window`.
    """
    fits = goes_on_above(closer["points"], closer["scores"], highest, schema)
    both = {key: np.concatenate([found[key], closer[key][fits]]) for key in ("points", "scores", "sigma")}
    return found | both | {"closer": np.arange(len(both["scores"])) >= len(found["scores"])}
