"""Six landmarks from the mask of one vertebral body, finer than its pixels.

Corners are the ends of the endplates, middles lie on the endplate contours halfway between them. The contour is the
half-level line of the mask. A corner is sought as the contour's extreme along each diagonal of the body's own, possibly
oblique, axes, then moved to where lines through the adjoining edges meet. A rounded edge keeps its corner on the
contour: a mask cannot place one farther outside than about half a pixel.
"""

from __future__ import annotations

import numpy as np

from spinetk.schema import VERTEBRA6

STEP_PX = 0.25  # contour sampling
OVERSHOOT_PX = 0.7  # farthest a corner may leave the contour: what rasterising cuts off a right-angled one
STRAIGHT_PX = 0.36  # RMS distance from its line; the steps of a rasterised straight edge alone give up to 0.29
DIAGONALS = {"top_left": (-1, -1), "top_right": (1, -1), "bottom_left": (-1, 1), "bottom_right": (1, 1)}


def six_points(mask: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Landmarks of one vertebral body.

    Args:
        mask: (H, W) bool, one connected body.
        down: (2,) direction (x, y) from head to foot along the spine at this body. Its tilt may be off by up to
            about 40 degrees.

    Returns:
        (6, 2) points in the order of ``vertebra6``, px with pixel centres at integer + 0.5. Left is the side of
        smaller x.

    Raises:
        ValueError: The mask is too small to have sides.
    """
    contour = _contour(mask)
    down = np.asarray(down, dtype=np.float64) / np.hypot(*down)
    across = np.array([down[1], -down[0]])
    centre = contour.mean(axis=0)
    for _ in range(4):
        local = np.linalg.solve(np.stack([across, down], axis=1), (contour - centre).T).T
        low, high = local.min(axis=0), local.max(axis=0)
        local = (local - (low + high) / 2) / (high - low)
        found = {name: int(np.argmax(local @ signs)) for name, signs in DIAGONALS.items()}
        rough = {name: contour[index] for name, index in found.items()}
        if len(set(found.values())) < 4:
            raise ValueError("the outline has no four corners")
        across = _mean_direction(rough["top_right"] - rough["top_left"], rough["bottom_right"] - rough["bottom_left"])
        down = _mean_direction(rough["bottom_left"] - rough["top_left"], rough["bottom_right"] - rough["top_right"])

    sides = {
        "top": _between(contour, found["top_left"], found["top_right"], found["bottom_left"]),
        "bottom": _between(contour, found["bottom_left"], found["bottom_right"], found["top_left"]),
        "left": _between(contour, found["top_left"], found["bottom_left"], found["top_right"]),
        "right": _between(contour, found["top_right"], found["bottom_right"], found["top_left"]),
    }
    points = {}
    for name in DIAGONALS:
        edge, side = name.split("_")
        endplate = sides[edge] if side == "left" else sides[edge][::-1]
        wall = sides[side] if edge == "top" else sides[side][::-1]
        points[name] = _corner(contour, rough[name], endplate, wall)
    middles = [(points[f"{edge}_left"] + points[f"{edge}_right"]) / 2 for edge in ("top", "bottom")]
    axis = middles[1] - middles[0]
    for edge in ("top", "bottom"):
        points[f"{edge}_middle"] = _middle(sides[edge], points[f"{edge}_left"], points[f"{edge}_right"], axis)
    return np.stack([points[name] for name in VERTEBRA6.keypoints])


def _contour(mask: np.ndarray) -> np.ndarray:
    """(N, 2) closed outline at equal steps of arc length, clockwise or not."""
    import contourpy

    padded = np.pad(np.asarray(mask, dtype=np.float64), 1)
    # Cell (row, column) of the padded mask is centred at (column - 0.5, row - 0.5) of the picture.
    x, y = (np.arange(size) - 0.5 for size in padded.shape[::-1])
    lines: list[np.ndarray] = list(contourpy.contour_generator(x, y, padded).lines(0.5))  # type: ignore[arg-type]
    if not lines:
        raise ValueError("the mask is empty")
    line = max(lines, key=len)
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    if lengths[-1] < 16:
        raise ValueError("the mask is too small")
    stops = np.linspace(0, lengths[-1], int(lengths[-1] / STEP_PX), endpoint=False)
    return np.column_stack([np.interp(stops, lengths, line[:, k]) for k in (0, 1)])


def _mean_direction(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    total = first / max(np.hypot(*first), 1e-9) + second / max(np.hypot(*second), 1e-9)
    return total / max(np.hypot(*total), 1e-9)


def _between(contour: np.ndarray, start: int, end: int, avoid: int) -> np.ndarray:
    """The stretch of contour from index ``start`` to ``end`` that does not pass ``avoid``."""
    count = len(contour)
    forward = (end - start) % count
    if (avoid - start) % count < forward:
        return contour[(start - np.arange(count - forward + 1)) % count]
    return contour[(start + np.arange(forward + 1)) % count]


def _corner(contour: np.ndarray, rough: np.ndarray, endplate: np.ndarray, wall: np.ndarray) -> np.ndarray:
    """Where the lines through both edges meet, brought back to the contour where the edge is rounded."""
    a, b = _line(endplate), _line(wall)
    normals = np.array([a[1], b[1]])
    if abs(np.linalg.det(normals)) < np.sin(np.radians(20)):
        return rough
    meeting = np.linalg.solve(normals, [a[1] @ a[0], b[1] @ b[0]])
    size = np.hypot(*(endplate[-1] - endplate[0]))
    if np.hypot(*(meeting - rough)) > max(2.0, 0.2 * size):
        return rough
    nearest = contour[np.argmin(((contour - meeting) ** 2).sum(axis=1))]
    gap = float(np.hypot(*(meeting - nearest)))
    return meeting if gap <= OVERSHOOT_PX else nearest + (meeting - nearest) * (OVERSHOOT_PX / gap)


def _line(edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean, normal) of the line along an edge at its first point, the very corner left out.

    As long a part as is straight: pixel steps average out over a long line, a curved edge is only followed nearby.
    """
    count = len(edge)
    start = min(max(round(0.1 * count), round(1.5 / STEP_PX)), count // 3)
    for share in (0.9, 0.65, 0.45):
        part = edge[start : max(round(share * count), start + 4)]
        mean = part.mean(axis=0)
        normal = np.linalg.svd(part - mean, full_matrices=False)[2][1]
        if np.sqrt((((part - mean) @ normal) ** 2).mean()) <= STRAIGHT_PX:
            break
    return mean, normal


def _middle(edge: np.ndarray, left: np.ndarray, right: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """The point of an endplate halfway between its ends, measured along the body's axis."""
    along, height = np.linalg.solve(np.stack([right - left, axis], axis=1), (edge - left).T)
    near = np.abs(along - 0.5) < 0.15
    if near.sum() < 5:
        return (left + right) / 2
    # A parabola through the neighbourhood averages the pixel steps without flattening a concave endplate.
    return (left + right) / 2 + axis * np.polyfit(along[near] - 0.5, height[near], 2)[-1]
