"""Metal: screws, rods and buckles over the bodies of a radiograph, beneath which a network can only guess.

Metal is brighter than all bone beside it, by a step that no bone makes, and narrower than a body. What stands out of a
morphological opening by so much is metal. The numbers were chosen on the 481 films of AASCE 2019, by the labelled
bodies: nine of the ten instrumented spines have it over five bodies or more (the rods of the tenth are faint), and no
other film has it over more than four (a brace's buckles; one film all but white).
"""

from __future__ import annotations

import cv2
import numpy as np

from spinetk.geometry import median
from spinetk.keypoints.chain import body_axes
from spinetk.schema import KeypointSchema

HEIGHT_PX = 24.0  # of a body, in the picture that is looked at
OPENING = 0.8  # of a body's height: what is narrower can be metal
STEP = 80  # grey values of 255 by which metal is brighter than what is beside it
AROUND = 1.25  # screws' heads and rods lie beside the body
COVERED = 0.1  # share of a body and what is around it
MANY = 0.28  # share of the bodies


def covered(picture: np.ndarray, points: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """Which bodies lie beneath metal.

    Args:
        picture: (H, W) uint8, upright, higher = brighter.
        points: (N, K, 2) px of the bodies.
        schema: Its columns give the bodies' heights.

    Returns:
        (N,) bool.
    """
    found = np.zeros(len(points), bool)
    if not len(points) or not schema.columns:
        return found
    height = median(np.linalg.norm(body_axes(points, schema)[0], axis=1))
    low = np.maximum(0, np.floor(points.min((0, 1)) - 2 * height)).astype(int)
    high = np.minimum(picture.shape[::-1], np.ceil(points.max((0, 1)) + 2 * height)).astype(int)
    shown = picture[low[1] : high[1], low[0] : high[0]]
    scale = HEIGHT_PX / max(height, 1.0)
    size = [max(1, round(side * scale)) for side in shown.shape[::-1]]
    if not shown.size:
        return found
    small = cv2.resize(shown, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    kernel = np.ones((round(OPENING * HEIGHT_PX),) * 2, np.uint8)
    metal = cv2.morphologyEx(small, cv2.MORPH_TOPHAT, kernel) > STEP
    for index, body in enumerate((points - low) * (np.array(size) / np.array(shown.shape[::-1]))):
        middle = body.mean(0)
        outline = cv2.convexHull(np.round(middle + AROUND * (body - middle)).astype(np.int32))
        own = cv2.fillConvexPoly(np.zeros_like(small), outline, 1) > 0
        found[index] = own.any() and metal[own].mean() >= COVERED
    return found


def remark(beneath: np.ndarray) -> str | None:
    """What the user should know where many bodies lie beneath metal; None where few do."""
    places = np.flatnonzero(beneath) + 1
    if not len(places) or len(places) < max(2.0, MANY * len(beneath)):
        return None
    said = f"metal over at least {len(places)} of {len(beneath)} bodies, counted from the top"
    return f"{said}: {', '.join(f'#{place}' for place in places)}; what lies beneath is guessed"
