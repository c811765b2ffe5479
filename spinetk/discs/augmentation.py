"""Augmentation of standing mid-sagittal pictures; channels keep their level because nothing turns head to foot."""

from __future__ import annotations

import cv2
import numpy as np

from spinetk.upright import warp

TURN_DEGREES = 10.0
ZOOM = 1.15
CUT_SHARE = 0.15
BACKGROUND = 0.03


def move(
    picture: np.ndarray, points: np.ndarray, size: tuple[int, int], random: np.random.Generator | None
) -> tuple[np.ndarray, np.ndarray]:
    """Put a picture on a canvas.

    Args:
        picture: (H, W) uint8.
        points: (N, 2) px.
        size: (H', W') of the canvas; what is beyond the picture is background (0).
        random: Source of turn (10 degrees), zoom (1.15) and place; None puts the picture in the middle as it is.

    Returns:
        The canvas and the points on it. A picture larger than the canvas is cut about the points.
    """
    height, width = picture.shape
    centre = np.array([width / 2, height / 2])
    about = points.mean(axis=0) if len(points) else centre
    matrix = np.array([[1.0, 0, 0], [0, 1, 0]])
    target = np.array([size[1] / 2, size[0] / 2])
    if random is not None:
        angle = random.uniform(-TURN_DEGREES, TURN_DEGREES)
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, ZOOM ** random.uniform(-1, 1))
    anchor = centre.copy()
    for axis, (own, room) in enumerate(((width, size[1]), (height, size[0]))):
        if own > room:
            anchor[axis] = np.clip(about[axis], room / 2, own - room / 2)
        if random is not None:
            target[axis] += random.uniform(-0.5, 0.5) * max(abs(room - own), 0.1 * room)
    matrix[:, 2] += target - (matrix[:, :2] @ anchor + matrix[:, 2])
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    return warp(picture, matrix, size), moved


def cut(picture: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, tuple[float, float]]:
    """Blacken up to 15 % at the top or the bottom: a shorter field of view.

    Returns:
        The picture, and the first and last row (px) that is left.
    """
    height = len(picture)
    rows = int(random.uniform(0, CUT_SHARE) * height)
    picture = picture.copy()
    if random.random() < 0.5:
        picture[:rows] = 0
        return picture, (rows, height)
    picture[height - rows :] = 0
    return picture, (0, height - rows)


def tint(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Change grey values: gamma, contrast, a slow shading from the coil, then sometimes blur and noise; uint8."""
    values: np.ndarray = (picture.astype(np.float32) / 255) ** np.float32(np.exp(random.uniform(-0.4, 0.4)))
    height, width = picture.shape
    slope = random.uniform(-0.3, 0.3, 2).astype(np.float32)
    across, down = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
    values *= random.uniform(0.7, 1.3) * (1 + slope[0] * across[None] + slope[1] * down[:, None])
    if random.random() < 0.3:
        values = cv2.GaussianBlur(values, (0, 0), random.uniform(0.3, 1.2))
    if random.random() < 0.3:
        values += random.normal(0, random.uniform(0.01, 0.05), values.shape).astype(np.float32)
    return (values.clip(0, 1) * 255).round().astype(np.uint8)


def restyle(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw a picture in the contrast of another sequence: its grey values through a random curve; uint8.

    What is brightest in T2-weighted MR is fluid, dark in T1-weighted, where marrow and fat are bright: the curve rises
    from the background to middle greys and falls beyond them. Fat, as bright as fluid in T2, falls with it, unlike in
    T1. Half the curves are plain inversions with a gamma.
    """
    values = picture.astype(np.float32) / 255
    if random.random() < 0.5:
        peak = random.uniform(0.2, 0.5)
        curve = np.interp(
            values,
            [0, peak / 2, peak, (1 + peak) / 2, 1],
            [0, random.uniform(0.25, 0.6), random.uniform(0.7, 1), random.uniform(0.2, 0.6), random.uniform(0, 0.25)],
        )
    else:
        curve = (1 - values) ** np.exp(random.uniform(-0.4, 0.6))
    # Air stays black in every sequence.
    curve *= (cv2.GaussianBlur(values, (0, 0), 1.0) / BACKGROUND).clip(0, 1)
    return (curve.clip(0, 1) * 255).round().astype(np.uint8)
