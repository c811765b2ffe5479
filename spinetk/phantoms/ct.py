"""Sagittal CT: the tissues of a midsagittal slice as Hounsfield units."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from spinetk.errors import InputError
from spinetk.geometry import Side
from spinetk.phantoms.body import Deformity
from spinetk.phantoms.choose import (
    REGIONS,
    Region,
    choose_deformities,
    choose_field,
    choose_side,
    draw,
    region_extent,
    stream,
)
from spinetk.phantoms.column import draw_column
from spinetk.phantoms.phantom import Phantom, read_truth
from spinetk.phantoms.spine import draw_spine
from spinetk.phantoms.tissue import Tissue

# (HU + 1000) / 1000 of the tissues that are painted; 0 is air.
DENSITIES = {"fat": 0.9, "muscle": 1.055, "disc": 1.08, "rim": 1.10, "fluid": 1.01, "cord": 1.04, "vessel": 1.05}
DENSITIES["organ"] = 1.06
# What is painted as MR varies more within a tissue than CT does: the spread of soft tissue is narrowed.
PAINTED_HU, SEEN_HU = (-1000, -450, -120, 0, 150, 260, 3000), (-1000, -130, -85, 15, 75, 170, 3000)
CORTEX_HU, MARROW_HU = (250, 950), (60, 300)
BONE_WINDOWS = ((400.0, 1800.0), (300.0, 1500.0), (500.0, 2500.0), (50.0, 400.0), (60.0, 600.0))


def sagittal_ct(
    seed: int,
    *,
    size: tuple[int, int] | None = None,
    spacing_mm: float | tuple[float, float] | None = None,
    facing: Side | None = None,
    deformity: Mapping[str, tuple[Deformity, float]] | Deformity | None = None,
    region: Region | None = None,
    window: tuple[float, float] | None = None,
) -> Phantom:
    """A synthetic sagittal CT slice with exact truth; None means drawn from the seed.

    Args:
        seed: Everything not given is a function of it; equal arguments give equal bits.
        size: (height, width) in px.
        spacing_mm: (row, column) spacing, or one number for both.
        facing: Side of the picture that is anterior.
        deformity: Levels with kind and exact loss in percent, or one kind.
        region: ``lumbar``, ``thoracic`` or ``whole``.
        window: (centre, width) in HU that the stored values are cut to.

    Returns:
        The phantom: ``CT``, view ``sagittal``, 12-bit values over the window.

    Raises:
        InputError: An argument is out of range.
    """
    if region not in (None, *REGIONS):
        raise InputError(f"region {region!r}", "is unknown", f"use one of {', '.join(REGIONS)}")
    rng = stream(seed, 40)
    region = region or draw(rng, REGIONS, [0.6, 0.2, 0.2])
    side = choose_side(facing, draw(rng, ("left", "right"), [0.85, 0.15]))
    drawn_spacing = float(rng.choice([0.5, 0.6, 0.75, 0.9, 1.0]))
    spine = draw_spine(stream(seed, 41), choose_deformities(stream(seed, 42), deformity))
    x0, y0, x1, y1 = region_extent(stream(seed, 43), spine, region)
    width = max((y1 - y0) * float(rng.choice([0.4, 0.6, 0.9])), x1 - x0)
    middle = (x0 + x1) / 2 + rng.uniform(0.0, 0.2) * max(width - 90, 0)
    shown = choose_field((middle - width / 2, y0, middle + width / 2, y1), size, spacing_mm, drawn_spacing)
    signals = {name: value + float(rng.normal(0, 0.01)) for name, value in DENSITIES.items()}
    signals["marrow"] = 1 + float(rng.uniform(*MARROW_HU)) * (1.25 - 0.7 * spine.age) / 1000
    signals["bone"] = 1 + float(rng.uniform(*CORTEX_HU)) / 1000
    signals["t2"] = 0.0
    slice_ = Tissue(shown, spine, signals, stream(seed, 44), bool(rng.random() < 0.8))
    slice_.grain *= 0.5
    slice_.draw()
    draw_column(slice_)
    image = cv2.GaussianBlur(slice_.signal, (0, 0), rng.uniform(0.35, 1.1))
    noise = np.asarray(stream(seed, 45).standard_normal(image.shape, dtype=np.float32))
    noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.4, 1.0))
    hounsfield = np.interp((image - 1) * 1000, PAINTED_HU, SEEN_HU) + noise / noise.std() * rng.uniform(8, 90)
    centre, wide = window or BONE_WINDOWS[int(rng.integers(len(BONE_WINDOWS)))]
    pixels = np.clip((hounsfield - centre) / wide + 0.5, 0, 1) * 4000
    pixels = np.rint(pixels).astype(np.uint16)
    if side == "left":
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    reading, deformities = read_truth(spine, shown, side, "sagittal")
    return Phantom(pixels, reading, "CT", False, deformities)
