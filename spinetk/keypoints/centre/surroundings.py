"""Surroundings: a body with what lies around and below it, upright and at one size, for naming the lowest bodies.

Coordinates are in sizes of the body (:func:`size_of`) from its centre: x along its left-right axis, y down. The part
that is shown reaches two bodies up and the whole sacrum down.
"""

from __future__ import annotations

import cv2
import numpy as np

LEFT, TOP = -3.25, -2.75  # sizes
ROWS, COLUMNS = 120, 104
PX = 16.0  # per size
USUAL = 1.4  # width of a lumbar body, in its heights
LEAST_SD = 3.0  # grey values, added to the SD: what has no contrast stays without
FINE = 1.5  # px of the picture per px of what is shown, above which the picture is averaged first


def surroundings(picture: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Bodies with what lies around them.

    Args:
        picture: (H, W) uint8.
        boxes: (N, 5) oriented boxes in px, as :func:`spinetk.keypoints.centre.crop.body_boxes` gives them.

    Returns:
        (N, 2, ROWS, COLUMNS) float32: grey values, and 1 inside the picture (:func:`balanced`).
    """
    shown = [balanced(*around(picture, box)) for box in boxes]
    return np.stack(shown) if shown else np.empty((0, 2, ROWS, COLUMNS), np.float32)


def size_of(box: np.ndarray) -> float:
    """The width in px of a usual body with the area of an oriented box (5,): a width alone says less of how far the
    next one is, and is seen less well."""
    return float(np.sqrt(box[2] * box[3] * USUAL))


def around(picture: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What lies around a body with an oriented box (5,): grey values (ROWS, COLUMNS) float32, and where it is inside
    the picture, bool."""
    box = box.astype(np.float64)
    step, factors = size_of(box) / PX, np.ones(2)
    if step > FINE:  # what lies between two samples is not lost
        height, width = (max(1, round(side / step)) for side in picture.shape)
        factors = np.array([width / picture.shape[1], height / picture.shape[0]])
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    right = np.array([np.cos(box[4]), np.sin(box[4])]) * step
    axes = np.stack([right, [-right[1], right[0]]], axis=1) * factors[:, None]
    # OpenCV counts pixels from their centres, points here from the corner of the first.
    first = box[:2] * factors + axes @ (np.array([LEFT, TOP]) * PX + 0.5) - 0.5
    matrix = np.column_stack([axes, first])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    grey = cv2.warpAffine(picture, matrix, (COLUMNS, ROWS), flags=how).astype(np.float32)
    return grey, cv2.warpAffine(np.full(picture.shape, 255, np.uint8), matrix, (COLUMNS, ROWS), flags=how) > 127


def balanced(grey: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(2, ROWS, COLUMNS) of what :func:`around` gives: grey values less their mean in the neighbourhood, in its SD, so
    that the slow shading of a film is gone; and where they are."""
    weight = inside.astype(np.float32)
    share = cv2.GaussianBlur(weight, (0, 0), PX) + 1e-3
    mean = cv2.GaussianBlur(grey * weight, (0, 0), PX) / share
    fine = (grey - mean) * weight
    spread = np.sqrt(cv2.GaussianBlur(fine * fine, (0, 0), PX) / share)
    return np.stack([fine / (spread + LEAST_SD), weight]).astype(np.float32)
