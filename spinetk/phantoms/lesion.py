"""MR of the brain with small lesions, every one exact."""

from __future__ import annotations

from typing import Literal

import numpy as np

from spinetk.errors import InputError
from spinetk.phantoms.choose import stream
from spinetk.phantoms.solid import Grid, VolumePhantom, acquire, lay

BrainContrast = Literal["T1", "FLAIR"]
SIGNALS = {
    # scalp, skull, water, cortex, white matter, lesion
    "T1": (0.95, 0.06, 0.12, 0.52, 0.78, (0.28, 0.5)),
    "FLAIR": (0.75, 0.05, 0.08, 0.56, 0.46, (0.72, 0.95)),
}


def lesion_volume(
    seed: int,
    *,
    shape: tuple[int, int, int] = (40, 144, 176),
    spacing_mm: tuple[float, float, float] = (3.0, 1.25, 1.25),
    contrast: BrainContrast = "T1",
    count: int | None = None,
    radius_mm: tuple[float, float] = (1.2, 6.0),
) -> VolumePhantom:
    """A synthetic axial brain volume, its lesions the truth.

    Lesions are bent ellipsoids, dark in T1 and bright in FLAIR, more of them small than large, each with a contrast of
    its own. Sulci, ventricles and widened spaces about vessels (dark in T1) and streaks of vessels and cortex (bright
    in FLAIR) look like them and are not in the mask.

    Args:
        seed: Everything not given is a function of it; equal arguments give equal bits.
        shape: (D, H, W).
        spacing_mm: Along those axes.
        contrast: ``T1`` (as in stroke) or ``FLAIR`` (as in multiple sclerosis).
        count: Lesions; None draws 1 to 8. 0 gives a healthy brain.
        radius_mm: Smallest and largest mean radius.

    Returns:
        The phantom: float32 values of about 0..100. Every lesion has at least one voxel; ``parts`` is their number.

    Raises:
        InputError: A size, spacing, contrast, number or radius that cannot be drawn.
    """
    if contrast not in SIGNALS:
        raise InputError(f"contrast {contrast!r}", "is unknown", f"use {' or '.join(SIGNALS)}")
    low, high = radius_mm
    if not 0 < low <= high <= 30 or (count is not None and not 0 <= count <= 100):
        raise InputError("lesions", "cannot be drawn", "use radii up to 30 mm and at most 100 lesions")
    grid = Grid(shape, spacing_mm)
    rng = stream(seed, 41)
    scalp, bone, water, cortex, white, lesion = SIGNALS[contrast]
    radii = np.array([62.0, 82.0, 66.0]) * rng.uniform(0.92, 1.05, 3)
    head = grid.ellipsoid((0, 0, 0), tuple(radii))
    folds = grid.waves(rng, 13.0)
    brain = head + 12 + 2.5 * np.maximum(folds, 0)
    image = np.full(grid.shape, 0.01, np.float32)
    image = lay(image, grid.cover(head), scalp)
    image = lay(image, grid.cover(head + 4), bone)
    image = lay(image, grid.cover(head + 9), water)
    image = lay(image, grid.cover(brain), cortex)
    core = brain + 4 + 3.0 * folds
    image = lay(image, grid.cover(core), white * (1 + 0.04 * grid.waves(rng, 30)))
    horns = np.full(grid.shape, np.float32(1e3))
    for side in (-1, 1):
        wide = rng.uniform(3, 7)
        horns = np.minimum(horns, grid.tube((8, -26, 6 * side), (2, 22, 14 * side), wide, wide * 0.8))
    image = lay(image, grid.cover(horns), water)
    image = _distract(image, grid, rng, radii, water if contrast == "T1" else cortex + 0.2)
    mask, parts = np.zeros(grid.shape, bool), 0
    wanted = int(rng.integers(1, 9)) if count is None else count
    room = np.maximum(core, 3.0 - horns)
    for _ in range(wanted):
        # Cubing favours small lesions.
        radius = low + (high - low) * float(rng.random()) ** 3
        centre = _place(grid, rng, room)
        if centre is None:
            continue
        size = np.clip(radius * rng.uniform(0.7, 1.4, 3), 0.5, None)
        solid = grid.ellipsoid(centre, tuple(size)) + 0.3 * radius * (grid.waves(rng, 2.5 * radius + 2) - 0.3)
        spot = tuple(
            int(np.abs(axis.ravel() - c).argmin()) for axis, c in zip((grid.z, grid.y, grid.x), centre, strict=True)
        )
        solid[spot] = min(solid[spot], -0.5 * float(np.mean(grid.spacing_mm)))
        solid = np.maximum(solid, brain)
        image = lay(image, grid.cover(solid), rng.uniform(*lesion))
        mask |= solid < 0
        parts += 1
    values = 100 * acquire(image, grid, rng, rng.uniform(0.015, 0.04), rng.uniform(0.03, 0.12))
    return VolumePhantom(values.astype(np.float32), mask, grid.spacing_mm, parts)


def _place(grid: Grid, rng: np.random.Generator, room: np.ndarray) -> tuple[float, float, float] | None:
    """A voxel centre at least 2 mm inside the white matter; None where there is none."""
    free = np.flatnonzero(room < -2)
    if len(free) == 0:
        return None
    z, y, x = np.unravel_index(int(rng.choice(free)), grid.shape)
    return float(grid.z[z, 0, 0]), float(grid.y[0, y, 0]), float(grid.x[0, 0, x])


def _distract(image: np.ndarray, grid: Grid, rng: np.random.Generator, radii: np.ndarray, signal: float) -> np.ndarray:
    """Thin spaces about vessels, pointing to the middle."""
    for _ in range(int(rng.integers(4, 12))):
        aim = rng.normal(size=3)
        aim /= np.linalg.norm(aim)
        start = aim * radii * rng.uniform(0.35, 0.6)
        vessel = grid.tube(tuple(start), tuple(start * rng.uniform(1.1, 1.3)), 0.6, 0.9)
        image = lay(image, 0.7 * grid.cover(vessel), signal)
    return image
