"""Late gadolinium enhanced MR of the heart with an exact left atrium."""

from __future__ import annotations

import numpy as np

from spinetk.phantoms.choose import stream
from spinetk.phantoms.solid import Grid, VolumePhantom, acquire, join, lay


def atrium_volume(
    seed: int,
    *,
    shape: tuple[int, int, int] = (48, 144, 144),
    spacing_mm: tuple[float, float, float] = (2.0, 1.5, 1.5),
) -> VolumePhantom:
    """A synthetic axial LGE volume of the chest, the left atrium its truth.

    The atrium is a flattened body with four pulmonary veins and an appendage. Blood is grey, healthy wall dark, scar
    bright. Right atrium, ventricles and aorta have the same blood, so that brightness alone does not find it. The place
    in the field, the size (body 40 to 62 mm wide) and every angle are drawn from the seed.

    Args:
        seed: Everything not given is a function of it; equal arguments give equal bits.
        shape: (D, H, W): slices from the feet up, rows from front to back, columns.
        spacing_mm: Along those axes.

    Returns:
        The phantom: uint8 values, one part. Veins end 8 to 16 mm outside the body of the atrium.

    Raises:
        InputError: A size or spacing that cannot be drawn.
    """
    grid = Grid(shape, spacing_mm)
    rng = stream(seed, 40)
    middle = np.array([rng.uniform(-8, 8), rng.uniform(0, 18), rng.uniform(-14, 14)])
    radii = np.array([rng.uniform(18, 27), rng.uniform(14, 21), rng.uniform(20, 31)])
    atrium = _atrium(grid, middle, radii, rng)
    blood = _other_blood(grid, middle, radii, rng)
    # Walls keep the chambers apart: what lies within 3 mm of the atrium is no other blood.
    blood = np.maximum(blood, 3.0 - atrium)
    bright, dark, lung, muscle = rng.uniform(0.5, 0.65), rng.uniform(0.1, 0.2), rng.uniform(0.03, 0.08), 0.32
    image = np.full(grid.shape, 0.02, np.float32)
    image = lay(image, grid.cover(grid.ellipsoid((0, 0, 0), (1e4, 95, 135))), muscle + 0.06 * grid.waves(rng, 18))
    for side in (-1, 1):
        lobe = grid.ellipsoid((0, 5, 78 * side), (1e4, rng.uniform(58, 70), rng.uniform(36, 44)))
        image = lay(image, grid.cover(lobe), lung)
    spine = grid.tube((-1e3, 72, 0), (1e3, 72, 0), 15, 15)
    image = lay(image, grid.cover(spine), 0.38 + 0.05 * grid.waves(rng, 12))
    image = lay(image, grid.cover(np.minimum(blood, atrium) - 3.0), dark)
    scar = grid.cover(np.abs(atrium - 1.2) - 1.2) * np.clip(3 * grid.waves(rng, 40) - 0.9, 0, 1)
    image = lay(image, scar, rng.uniform(0.85, 1.0))
    image = lay(image, grid.cover(blood), bright * (1 + 0.06 * grid.waves(rng, 45)))
    image = lay(image, grid.cover(atrium), bright * (1 + 0.06 * grid.waves(rng, 30)))
    seen = acquire(image, grid, rng, rng.uniform(0.02, 0.06), rng.uniform(0.05, 0.2))
    values = np.clip(np.rint(seen * rng.uniform(170, 240)), 0, 255).astype(np.uint8)
    return VolumePhantom(values, atrium < 0, grid.spacing_mm, 1)


def _atrium(grid: Grid, middle: np.ndarray, radii: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    solid = grid.ellipsoid(tuple(middle), tuple(radii))
    bulge = middle + radii * rng.uniform(-0.4, 0.4, 3)
    solid = join(solid, grid.ellipsoid(tuple(bulge), tuple(radii * rng.uniform(0.6, 0.8))), 8.0)
    for up in (-1, 1):
        for side in (-1, 1):
            aim = np.array([up * rng.uniform(0.2, 0.5), rng.uniform(0.3, 0.6), side])
            aim /= np.linalg.norm(aim)
            # Where the ray from the middle leaves the ellipsoid.
            out = 1 / np.linalg.norm(aim / radii)
            root, tip = middle + 0.7 * out * aim, middle + (out + rng.uniform(8, 16)) * aim
            solid = join(solid, grid.tube(tuple(root), tuple(tip), rng.uniform(5.5, 8), rng.uniform(4, 5.5)), 4.0)
    aim = np.array([0.35, -0.65, 0.68])
    out = 1 / np.linalg.norm(aim / radii)
    root, tip = middle + 0.7 * out * aim, middle + (out + rng.uniform(8, 18)) * aim
    return join(solid, grid.tube(tuple(root), tuple(tip), rng.uniform(6, 8), rng.uniform(4, 7)), 4.0)


def _other_blood(grid: Grid, middle: np.ndarray, radii: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    depth, height, width = radii
    places = (
        ((-0.2 * depth, -height - 10, -width - 12), (24, 18, 20)),
        ((-depth - 14, -height - 24, width - 4), (30, 24, 20)),
        ((-depth - 6, -height - 34, -width + 4), (26, 18, 26)),
    )
    solid = np.full(grid.shape, np.float32(1e3))
    for offset, size in places:
        centre = middle + np.array(offset) + rng.normal(0, 2.5, 3)
        solid = np.minimum(solid, grid.ellipsoid(tuple(centre), tuple(np.array(size) * rng.uniform(0.85, 1.1, 3))))
    descending = middle + np.array([0, height + 15, rng.uniform(6, 14)])
    ascending = middle + np.array([0, -height - 16, -6.0])
    low, high = np.array([1e3, 0, 0]), np.array([10.0, 0, 0])
    solid = np.minimum(solid, grid.tube(tuple(descending - low), tuple(descending + low), 11, 11))
    return np.minimum(solid, grid.tube(tuple(ascending + high), tuple(ascending + low), 14, 14))
