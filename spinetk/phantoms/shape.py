"""Curves and their exact rasterisation: the drawing tools of every phantom."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

SUPERSAMPLING = 4


def bezier(start: np.ndarray, control: np.ndarray, end: np.ndarray, steps: int) -> np.ndarray:
    """(steps + 1, 2) points of a quadratic Bezier curve."""
    t = np.linspace(0, 1, steps + 1)[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end


def hermite(start: np.ndarray, end: np.ndarray, leaving: np.ndarray, arriving: np.ndarray, steps: int) -> np.ndarray:
    """(steps + 1, 2) points of a cubic Hermite curve; the unit directions are scaled by the chord."""
    t = np.linspace(0, 1, steps + 1)[:, None]
    length = np.hypot(*(end - start))
    return (
        (2 * t**3 - 3 * t**2 + 1) * start
        + (t**3 - 2 * t**2 + t) * length * leaving
        + (3 * t**2 - 2 * t**3) * end
        + (t**3 - t**2) * length * arriving
    )


def smooth(points: npt.ArrayLike, closed: bool = True, steps: int = 6) -> np.ndarray:
    """(N, 2) Catmull-Rom curve through ``points``."""
    nodes = np.asarray(points, dtype=np.float64)
    if closed:
        a, b, c, d = (np.roll(nodes, shift, axis=0) for shift in (1, 0, -1, -2))
    else:
        padded = np.concatenate([2 * nodes[:1] - nodes[1:2], nodes, 2 * nodes[-1:] - nodes[-2:-1]])
        a, b, c, d = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    a, b, c, d = (p[:, None] for p in (a, b, c, d))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    curve = curve.reshape(-1, 2)
    return curve if closed else np.concatenate([curve, nodes[-1:]])


def ribbon(centre: np.ndarray, width: np.ndarray | np.floating | float) -> np.ndarray:
    """Closed outline of a band of the given full width about an (N, 2) line."""
    centre = np.asarray(centre, dtype=np.float64)
    along = np.gradient(centre, axis=0)
    along /= np.maximum(np.hypot(along[:, :1], along[:, 1:]), 1e-9)
    side = np.stack([-along[:, 1], along[:, 0]], axis=1) * (np.broadcast_to(width, len(centre))[:, None] / 2)
    return np.concatenate([centre + side, (centre - side)[::-1]])


def ellipse(centre: tuple[float, float], radii: tuple[float, float], angle_deg: float = 0.0, n: int = 40) -> np.ndarray:
    """(n, 2) outline of an ellipse."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    x, y = radii[0] * np.cos(t), radii[1] * np.sin(t)
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.stack([centre[0] + c * x - s * y, centre[1] + s * x + c * y], axis=1)


Window = tuple[slice, slice]


def _fill(
    outline_px: np.ndarray, size: tuple[int, int], margin_px: float, supersampling: int
) -> tuple[Window, np.ndarray] | None:
    x0, y0 = np.floor(outline_px.min(axis=0) - margin_px).astype(int)
    x1, y1 = np.ceil(outline_px.max(axis=0) + margin_px).astype(int)
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, size[1]), min(y1, size[0])
    if x1 <= x0 or y1 <= y0:
        return None
    mask = np.zeros(((y1 - y0) * supersampling, (x1 - x0) * supersampling), np.uint8)
    fixed = np.rint(((outline_px - (x0, y0)) * supersampling - 0.5) * 256).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 1, shift=8)
    return ((slice(y0, y1), slice(x0, x1)), mask) if mask.any() else None


def cover(outline_px: np.ndarray, size: tuple[int, int], soft_px: float = 1.0) -> tuple[Window, np.ndarray] | None:
    """Share of each pixel inside a closed outline, with an edge about ``soft_px`` wide.

    Returns:
        The (rows, columns) window that the shape touches and its float32 shares, or None when it touches none.
        Outlines come out an eighth of a px too wide: what must be exact is drawn by :func:`distance`.
    """
    found = _fill(outline_px, size, 1.0 + soft_px, SUPERSAMPLING)
    if found is None:
        return None
    window, mask = found
    shape = (window[1].stop - window[1].start, window[0].stop - window[0].start)
    share: np.ndarray = cv2.resize(mask * np.uint8(255), shape, interpolation=cv2.INTER_AREA)
    share = share.astype(np.float32) / np.float32(255)
    if soft_px > 1.2:
        share = cv2.GaussianBlur(share, (0, 0), 0.4 * soft_px, borderType=cv2.BORDER_REPLICATE)
    return window, share


def distance(
    outline_px: np.ndarray, size: tuple[int, int], margin_px: float = 3.0, supersampling: int = SUPERSAMPLING
) -> tuple[Window, np.ndarray] | None:
    """Signed distance of pixel centres to a closed outline, in the outline's neighbourhood only.

    Args:
        outline_px: (N, 2) closed polygon, px, pixel centres at integer + 0.5.
        size: (height, width) of the picture.
        margin_px: How far outside the outline distances are wanted.
        supersampling: Sub-pixels per pixel and axis.

    Returns:
        The (rows, columns) window and its float32 distances in px (positive inside, right to a fraction of a
        sub-pixel at the outline), or None when the shape does not touch the picture.
    """
    found = _fill(outline_px, size, margin_px, supersampling)
    if found is None:
        return None
    window, mask = found
    inside: np.ndarray
    if mask.all():
        inside = np.full(mask.shape, 1e3, np.float32)
    else:
        kind = cv2.DIST_MASK_PRECISE if supersampling >= SUPERSAMPLING else cv2.DIST_MASK_5
        inside = cv2.distanceTransform(mask, cv2.DIST_L2, kind)
        outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, kind)
        # fillPoly also fills the sub-pixels that the outline crosses: half of one too many.
        inside = np.where(mask > 0, inside - 0.5, 0.5 - outside) - np.float32(0.5)
    shape = (window[1].stop - window[1].start, window[0].stop - window[0].start)
    return window, cv2.resize(inside, shape, interpolation=cv2.INTER_AREA) / np.float32(supersampling)


def coverage(signed: np.ndarray, softness_px: float = 1.0) -> np.ndarray:
    """Share of each pixel inside the outline, from signed distances."""
    return np.clip(signed / np.float32(softness_px) + 0.5, 0, 1)


def texture(rng: np.random.Generator, size: tuple[int, int], grain_px: float | tuple[float, float]) -> np.ndarray:
    """(H, W) float32 smooth random field of unit variance with blobs of about ``grain_px`` (rows, columns)."""
    height, width = size
    tall, wide = grain_px if isinstance(grain_px, tuple) else (grain_px, grain_px)
    coarse = (max(4, round(height / max(tall, 1)) + 2), max(4, round(width / max(wide, 1)) + 2))
    small = rng.standard_normal(coarse, dtype=np.float32)
    field = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return field / max(float(field.std()), 1e-6)
