"""Metal: screws, rods and buckles over the bodies of a radiograph, beneath which a network can only guess.

From the front metal is brighter than all bone beside it, by a step that no bone makes, and narrower than a body. What
stands out of a morphological opening by so much is metal. The numbers were chosen on the 481 films of AASCE 2019, by
the labelled bodies: nine of the ten instrumented spines have it over five bodies or more (the rods of the tenth are
faint), and no other film has it over more than four (a brace's buckles; one film all but white).

From the side laminae, ribs and facets behind the bodies stand out as much as rods do. A pedicle screw tells: a straight
bar, brighter than what is above and below it, that enters a body between its endplates, where bone is even. How bright
a bar must be is counted in the film's own detail, so that exposure and sharpness do not matter; the limits were chosen
on phantoms (``benchmarks/lateral_metal.py``). Cement is noticed as well where it is no higher than a bar.
"""

from __future__ import annotations

import cv2
import numpy as np

from spinetk.geometry import median
from spinetk.keypoints.chain import body_axes
from spinetk.schema import KeypointSchema

HEIGHT_PX = 24  # of a body, in the picture that is looked at
OPENING = 0.8  # of a body's height: what is narrower can be metal
STEP = 80  # grey values of 255 by which metal is brighter than what is beside it
AROUND = 1.25  # screws' heads and rods lie beside the body
COVERED = 0.1  # share of a body and what is around it
FEWEST, MANY = 2, 0.28  # bodies, and share of them, from the front

WIDTH_PX = 32  # of a body seen from the side, beside HEIGHT_PX
PATCH = (1.0, 0.75)  # what is looked at to each side of a body's middle, in widths and heights
INSIDE, ABOUT = (0.5, 0.36), (0.8, 0.62)  # the same: between the endplates, and where a body misplaced has its screw
LENGTH_PX, THIN_PX, TALL_PX = 12, 4, 11  # of a screw's shaft: what is shorter, thinner or taller is something else
TILT_DEG = 30.0  # of a screw against its body, at most
INSIDE_SHARE, ABOUT_SHARE = 0.1, 0.03  # of the places, on a screw
BRIGHT = 1.25  # brightness of a screw above what is over and under it, in standard deviations of the film's detail
LEAST_DETAIL = 8.0  # grey values: a flat film has fainter noise than screws


def covered(picture: np.ndarray, points: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """Which bodies lie beneath metal, seen from the front.

    Args:
        picture: (H, W) uint8, upright, higher = brighter.
        points: (N, K, 2) px of the bodies.
        schema: Its columns give the bodies' heights.

    Returns:
        (N,) bool.
    """
    found = np.zeros(len(points), bool)
    small, bodies = _near(picture, points, schema)
    if not small.size:
        return found
    kernel = np.ones((round(OPENING * HEIGHT_PX),) * 2, np.uint8)
    metal = cv2.morphologyEx(small, cv2.MORPH_TOPHAT, kernel) > STEP
    for index, body in enumerate(bodies):
        middle = body.mean(0)
        outline = cv2.convexHull(np.round(middle + AROUND * (body - middle)).astype(np.int32))
        own = cv2.fillConvexPoly(np.zeros_like(small), outline, 1) > 0
        found[index] = own.any() and metal[own].mean() >= COVERED
    return found


def crossed(picture: np.ndarray, points: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """Which bodies are crossed by metal, seen from the side.

    Where one is, so are those whose outline lies so near to such a bar that it may be the bar that was outlined.

    Args:
        picture, points, schema: As of :func:`covered`.

    Returns:
        (N,) bool.
    """
    small, bodies = _near(picture, points, schema)
    if not small.size:
        return np.zeros(len(points), bool)
    patches = [_patch(small, *own) for own in zip(bodies.mean(axis=1), *body_axes(bodies, schema), strict=True)]
    # What a blur over half a body's height takes away; its median, as metal is brighter than all else.
    blurred = [cv2.GaussianBlur(patch, (0, 0), HEIGHT_PX * 0.6) for patch in patches]
    detail = 1.4826 * float(np.median(np.abs(np.array(patches) - np.array(blurred))))  # sd of what is normal
    bars = [_bars(patch) / max(detail, LEAST_DETAIL) for patch in patches]
    inside = np.array([np.quantile(_middle(bar, INSIDE), 1 - INSIDE_SHARE) for bar in bars]) >= BRIGHT
    about = np.array([np.quantile(_middle(bar, ABOUT), 1 - ABOUT_SHARE) for bar in bars]) >= BRIGHT
    return inside | about if inside.any() else inside


def remark(beneath: np.ndarray, least: float = FEWEST, share: float = MANY) -> str | None:
    """What the user should know where many bodies lie beneath metal.

    Args:
        beneath: (N,) bool, from the top.
        least, share: Bodies, and share of all, that are worth a word.

    Returns:
        A sentence; None where there are fewer.
    """
    places = np.flatnonzero(beneath) + 1
    if not len(places) or len(places) < max(least, share * len(beneath)):
        return None
    said = f"metal over at least {len(places)} of {len(beneath)} bodies, counted from the top"
    return f"{said}: {', '.join(f'#{place}' for place in places)}; what lies beneath is guessed"


def _near(picture: np.ndarray, points: np.ndarray, schema: KeypointSchema) -> tuple[np.ndarray, np.ndarray]:
    """A picture around its bodies, these ``HEIGHT_PX`` high, and their points in it; empty where there are none."""
    if not len(points) or not schema.columns:
        return picture[:0], points
    height = median(np.linalg.norm(body_axes(points, schema)[0], axis=1))
    low = np.maximum(0, np.floor(points.min((0, 1)) - 2 * height)).astype(int)
    high = np.minimum(picture.shape[::-1], np.ceil(points.max((0, 1)) + 2 * height)).astype(int)
    shown = picture[low[1] : high[1], low[0] : high[0]]
    if not shown.size:
        return shown, points
    scale = HEIGHT_PX / max(height, 1.0)
    size = [max(1, round(side * scale)) for side in shown.shape[::-1]]
    small = cv2.resize(shown, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return small, (points - low) * (np.array(size) / np.array(shown.shape[::-1]))


def _patch(small: np.ndarray, middle: np.ndarray, axis: np.ndarray, width: float) -> np.ndarray:
    """A body and what is around it, (36, 64) float32: upright, ``HEIGHT_PX`` high and ``WIDTH_PX`` wide."""
    across = np.array([axis[1], -axis[0]]) * (width / max(float(np.linalg.norm(axis)), 1e-6))
    size = np.array([WIDTH_PX, HEIGHT_PX]) * PATCH * 2
    turn = np.stack([across / WIDTH_PX, axis / HEIGHT_PX], axis=1)
    way = np.column_stack([turn, middle - turn @ ((size - 1) / 2)])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    drawn = cv2.warpAffine(small, way, size.astype(int).tolist(), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return drawn.astype(np.float32)


def _bars(patch: np.ndarray) -> np.ndarray:
    """How much straight bars that lie across are brighter than what is above and below them, in grey values."""
    smooth = cv2.GaussianBlur(patch, (0, 0), 0.6)
    thick = cv2.morphologyEx(smooth, cv2.MORPH_OPEN, np.ones((THIN_PX, 1), np.uint8))
    tilts = np.linspace(-TILT_DEG, TILT_DEG, 9)
    straight = np.max([cv2.morphologyEx(thick, cv2.MORPH_OPEN, _line(tilt)) for tilt in tilts], axis=0)
    return straight - cv2.morphologyEx(smooth, cv2.MORPH_OPEN, np.ones((TALL_PX, 1), np.uint8))


def _line(tilt_deg: float) -> np.ndarray:
    """A line of ``LENGTH_PX`` as a kernel."""
    middle = LENGTH_PX // 2 + 1
    half = LENGTH_PX / 2 * np.array([np.cos(np.radians(tilt_deg)), np.sin(np.radians(tilt_deg))])
    kernel = np.zeros((2 * middle + 1, 2 * middle + 1), np.uint8)
    ends = [np.round(middle + sign * half).astype(int).tolist() for sign in (-1, 1)]
    return cv2.line(kernel, ends[0], ends[1], 1)


def _middle(patch: np.ndarray, reach: tuple[float, float]) -> np.ndarray:
    """What lies to each side of a patch's middle, in widths and heights of the body."""
    columns, rows = (round(share * side) for share, side in zip(reach, (WIDTH_PX, HEIGHT_PX), strict=True))
    height, width = patch.shape
    return patch[height // 2 - rows : height // 2 + rows, width // 2 - columns : width // 2 + columns]
