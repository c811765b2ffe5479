"""Sagittal spin-echo MR: tissues painted back to front as signal, then coil, resolution and Rician noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

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
from spinetk.phantoms.column import draw_column, draw_voids
from spinetk.phantoms.phantom import Field, Phantom, read_truth
from spinetk.phantoms.spine import draw_spine
from spinetk.phantoms.tissue import Tissue, tissue_signals

Weighting = Literal["T1", "T2"]


def sagittal_mr(
    seed: int,
    *,
    weighting: Weighting | None = None,
    size: tuple[int, int] | None = None,
    spacing_mm: float | tuple[float, float] | None = None,
    facing: Side | None = None,
    hardware: bool | None = None,
    deformity: Mapping[str, tuple[Deformity, float]] | Deformity | None = None,
    region: Region | None = None,
) -> Phantom:
    """A synthetic sagittal MR slice (midline, or close beside it) with exact truth; None means drawn from the seed.

    Args:
        seed: Everything not given is a function of it; equal arguments give equal bits.
        weighting: ``T1`` or ``T2``.
        size: (height, width) in px.
        spacing_mm: (row, column) spacing, or one number for both.
        facing: Side of the picture that is anterior.
        hardware: Whether screws leave their signal voids in the picture.
        deformity: Levels with kind and exact loss in percent (``{"L1": ("wedge", 24.9)}``), or one kind.
        region: ``lumbar``, ``thoracic`` or ``whole``.

    Returns:
        The phantom: ``MR``, view ``sagittal``, 12-bit values, bright where the signal is strong.

    Raises:
        InputError: An argument is out of range.
    """
    if region not in (None, *REGIONS):
        raise InputError(f"region {region!r}", "is unknown", f"use one of {', '.join(REGIONS)}")
    if weighting not in (None, "T1", "T2"):
        raise InputError(f"weighting {weighting!r}", "is unknown", "use T1 or T2")
    rng = stream(seed, 10)
    drawn_region = draw(rng, REGIONS, [0.74, 0.14, 0.12])
    side = choose_side(facing, draw(rng, ("left", "right"), [0.85, 0.15]))
    drawn_weighting = str(rng.choice(["T1", "T2"], p=[0.4, 0.6]))
    metal = bool(rng.random() < 0.06) if hardware is None else hardware
    drawn_spacing = float(rng.choice([0.55, 0.6, 0.68, 0.75, 0.86, 1.0]))
    region = region or drawn_region
    spine = draw_spine(stream(seed, 11), choose_deformities(stream(seed, 12), deformity))
    x0, y0, x1, y1 = region_extent(stream(seed, 13), spine, region)
    # MR fields are square more often than not, and reach in front of the spine.
    aspect = float(rng.choice([1.0, 1.0, 0.8, 0.62]))
    width = max((y1 - y0) * aspect, x1 - x0)
    middle = (x0 + x1) / 2 + rng.uniform(0.0, 0.2) * (width - 90)
    shown = choose_field((middle - width / 2, y0, middle + width / 2, y1), size, spacing_mm, drawn_spacing)

    midline = bool(stream(seed, 18).random() < 0.82)
    slice_ = Tissue(
        shown, spine, tissue_signals(weighting or drawn_weighting, stream(seed, 14)), stream(seed, 15), midline
    )
    slice_.draw()
    draw_column(slice_)
    if metal:
        draw_voids(slice_, stream(seed, 16))
    settings = stream(seed, 17)
    image = receive(slice_.signal, shown, slice_.back_mm, settings)
    pixels = digitise(image, strong_signal(image), settings)
    if side == "left":
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    reading, deformities = read_truth(spine, shown, side, "sagittal")
    return Phantom(pixels, reading, "MR", metal, deformities)


def receive(signal: np.ndarray, shown: Field, back_mm: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Signal to a picture without noise: coil, saturation band, resolution.

    Args:
        signal: (H, W) float32, 0 for air, about 1 for fat.
        back_mm: (H, 1) x of the skin of the back, where the surface coil lies.
        shown: Field of view.
        rng: Source of the scanner's settings.
    """
    height, width = shown.size
    x, _ = shown.grid_mm()
    depth = np.maximum(x - back_mm, 0)
    reach = rng.uniform(60, 190)
    coil = 0.12 + np.exp(-depth / np.float32(reach))
    ends = np.linspace(-1, 1, height, dtype=np.float32)[:, None] - np.float32(rng.normal(0, 0.12))
    coil = coil * np.exp(-np.float32(rng.uniform(0.0, 1.1)) * np.abs(ends) ** 4)
    # Scanners often divide most of the coil's sensitivity out again.
    coil = coil ** np.float32(rng.uniform(0.25, 1.0))
    if rng.random() < 0.55:
        # A saturation band keeps the moving belly from ghosting over the spine.
        edge = rng.uniform(105, 140)
        coil = coil * (1 - rng.uniform(0.6, 0.92) / (1 + np.exp(-(depth - edge) / 4.0)))
    image = signal * coil
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.35, 0.75))
    if rng.random() < 0.4:
        factor = rng.uniform(0.5, 0.85)
        small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return image


def strong_signal(image: np.ndarray) -> float:
    """What counts as strong in a picture: noise and scale go by it."""
    return float(np.percentile(image[::2, ::2], 97))


def digitise(
    image: np.ndarray, strong: float, rng: np.random.Generator, noise: np.random.Generator | None = None
) -> np.ndarray:
    """Rician noise, and stored 12-bit values.

    Args:
        image: (H, W) of :func:`receive`.
        strong: :func:`strong_signal` of the picture, or of the volume it is a slice of.
        rng: Source of the scanner's settings.
        noise: Source of the noise, where slices share the settings and not the noise; None takes ``rng``.
    """
    noise = noise or rng
    sd = strong / rng.uniform(18, 70)
    real = image + sd * noise.standard_normal(image.shape, dtype=np.float32)
    imaginary = sd * noise.standard_normal(image.shape, dtype=np.float32)
    magnitude = np.sqrt(real**2 + imaginary**2)
    scale = rng.uniform(350, 2800) / strong
    return np.clip(np.rint(magnitude * scale), 0, 4095).astype(np.uint16)
