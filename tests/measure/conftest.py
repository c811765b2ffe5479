"""Six-point bodies of exactly known heights, tilts and places."""

import numpy as np
import pytest

from spinetk.geometry import Frame
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA4, VERTEBRA6


def turn(points, degrees):
    """Rotate about the origin, clockwise on the screen (y down)."""
    a = np.radians(degrees)
    return points @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])


def body_mm(left, middle, right, *, tilt=0.0, width=32.0):
    """(6, 2) points around the origin in mm, in the order of vertebra6."""
    h = width / 2
    points = [[-h, left / 2], [0, middle / 2], [h, right / 2], [h, -right / 2], [0, -middle / 2], [-h, -left / 2]]
    return turn(np.array(points, dtype=float), tilt)


def make_spine(
    heights,
    *,
    tilts=None,
    labels=None,
    spacing=(0.5, 0.5),
    facing="left",
    sigma=None,
    step=34.0,
    turned=0.0,
    corners=False,
    view="lateral",
    shifts=None,
):
    """A reading of bodies stacked head to foot; ``heights`` are (left, middle, right) in mm."""
    schema = VERTEBRA4 if corners else VERTEBRA6
    vertebrae = []
    for k, three in enumerate(heights):
        points = body_mm(*three, tilt=0.0 if tilts is None else tilts[k])
        points = turn(points + np.array([shifts[k] if shifts else 0, k * step]), turned) + 400.0
        if corners:
            points = points[[VERTEBRA6.index(name) for name in VERTEBRA4.keypoints]]
        if spacing is not None:
            points = points / (spacing[1], spacing[0])
        vertebrae.append(
            Vertebra.from_points(
                points,
                label=labels[k] if labels else None,
                point_sigma_px=None if sigma is None else np.full(len(points), float(sigma)),
            )
        )
    toward = {"left": "P", "right": "A", None: None}[facing]
    frame = Frame(spacing, "user" if spacing else None, toward_right=toward)
    return Reading("spine.png", 4000, 4000, schema, vertebrae, frame=frame, view=view)


@pytest.fixture
def spine():
    return make_spine
