"""Solids in mm on a voxel grid: what atria and brains are built from, and the scanner that sees them.

A solid is a field of signed distances, nearly exact near its surface: negative inside. Coordinates are (z, y, x) in mm
from the middle of the volume, along slices, rows and columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinetk.errors import InputError
from spinetk.geometry import PLAUSIBLE_SPACING_MM

MAX_VOXELS = 512**3
Point = tuple[float, float, float]


@dataclass
class VolumePhantom:
    """A synthetic volume with exact truth.

    Attributes:
        values: (D, H, W) grey values: slices, rows, columns.
        mask: (D, H, W) bool, True where the centre of the voxel lies inside.
        spacing_mm: Distance between voxels along those axes.
        parts: Separate objects that were put into the mask; those that touch are one component of it.
    """

    values: np.ndarray
    mask: np.ndarray
    spacing_mm: tuple[float, float, float]
    parts: int


class Grid:
    """Voxel centres of a volume in mm.

    Args:
        shape: (D, H, W).
        spacing_mm: Along those axes.

    Raises:
        InputError: A size or spacing that cannot be drawn.
    """

    def __init__(self, shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> None:
        low, high = PLAUSIBLE_SPACING_MM
        if len(shape) != 3 or min(shape) < 1 or np.prod(shape, dtype=np.float64) > MAX_VOXELS:
            raise InputError(f"phantom of {shape} voxels", "cannot be drawn", "give three sides, at most 512 each")
        if len(spacing_mm) != 3 or not all(low <= side <= high for side in spacing_mm):
            raise InputError(f"spacing {spacing_mm}", "is not plausible", "give mm along slices, rows and columns")
        across, down, along = spacing_mm
        self.shape, self.spacing_mm = shape, (float(across), float(down), float(along))
        axes = [((np.arange(n) - (n - 1) / 2) * s).astype(np.float32) for n, s in zip(shape, spacing_mm, strict=True)]
        self.z, self.y, self.x = axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :]

    def ellipsoid(self, centre: Point, radii: Point) -> np.ndarray:
        """Signed distance of an ellipsoid along the axes, first order near its surface."""
        parts = [(axis - c) for axis, c in zip((self.z, self.y, self.x), centre, strict=True)]
        k0 = np.sqrt(sum((p / r) ** 2 for p, r in zip(parts, radii, strict=True)))
        k1 = np.sqrt(sum((p / r**2) ** 2 for p, r in zip(parts, radii, strict=True)))
        return (k0 * (k0 - 1) / np.maximum(k1, 1e-6)).astype(np.float32) - (k1 < 1e-6) * np.float32(min(radii))

    def tube(self, start: Point, end: Point, start_mm: float, end_mm: float) -> np.ndarray:
        """Signed distance of a straight tube with round ends whose radius goes evenly from one end to the other."""
        a, b = np.array(start), np.array(end)
        d = b - a
        z, y, x = self.z - a[0], self.y - a[1], self.x - a[2]
        t = np.clip((z * d[0] + y * d[1] + x * d[2]) / max(float(d @ d), 1e-6), 0, 1)
        distance = np.sqrt((z - t * d[0]) ** 2 + (y - t * d[1]) ** 2 + (x - t * d[2]) ** 2)
        return (distance - (start_mm + t * (end_mm - start_mm))).astype(np.float32)

    def cover(self, solid: np.ndarray) -> np.ndarray:
        """Share of each voxel inside a solid, 0..1: one half at its surface."""
        return np.clip(0.5 - solid / float(np.mean(self.spacing_mm)), 0, 1)

    def waves(self, rng: np.random.Generator, length_mm: float) -> np.ndarray:
        """A smooth random field, about -1..1, that changes over about ``length_mm``."""
        field = np.zeros(self.shape, np.float32)
        for _ in range(6):
            direction = rng.normal(size=3)
            k = direction / np.linalg.norm(direction) * 2 * np.pi / (length_mm * rng.uniform(0.8, 2.0))
            field += np.sin(k[0] * self.z + k[1] * self.y + k[2] * self.x + np.float32(rng.uniform(0, 2 * np.pi)))
        return field / np.float32(3.0)


def join(first: np.ndarray, second: np.ndarray, blend_mm: float) -> np.ndarray:
    """Union of two solids with the notch between them filled over ``blend_mm``."""
    h = np.clip(0.5 + 0.5 * (second - first) / blend_mm, 0, 1)
    return second + (first - second) * h - blend_mm * h * (1 - h)


def lay(image: np.ndarray, share: np.ndarray, signal: np.ndarray | float) -> np.ndarray:
    """Paint a tissue over an image where its share says so."""
    return image + share * (signal - image)


def acquire(image: np.ndarray, grid: Grid, rng: np.random.Generator, noise: float, uneven: float) -> np.ndarray:
    """Coil, resolution and Rician noise.

    Args:
        image: Signal, about 0..1.
        grid: Where its voxels lie.
        rng: Source of the noise.
        noise: SD beside a signal of 1.
        uneven: Relative change of the coil's sensitivity.
    """
    from scipy.ndimage import gaussian_filter

    image = gaussian_filter(image * (1 + uneven * grid.waves(rng, 250.0)), rng.uniform(0.3, 0.6))
    real = image + noise * rng.standard_normal(image.shape, dtype=np.float32)
    return np.hypot(real, noise * rng.standard_normal(image.shape, dtype=np.float32))
