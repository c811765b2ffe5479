"""Random changes of a training volume, each with noise and numbers of its own.

The recipe of the atrium network: flips along the rows, noise, small rotations in the axial plane, shifts. What comes in
from outside is background, the smallest value of the volume, and not the mean. Off as in the published training, for
small training parts: elastic deformation, sizes along every axis, contrast, blur. Arrays are (D, H, W).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from spinetk.validation import STRICT, Share, between


@dataclass(frozen=True)
class Augmentation:
    """How often and how much.

    Attributes:
        flip: Probability of a flip along the rows (front to back in axial slices).
        noise: Probability of Gaussian noise; its SD is drawn between 0 and ``noise_sd`` for every volume.
        noise_sd: Largest SD beside standardised grey values.
        rotate: Probability of a rotation in the axial plane.
        rotate_degrees: Largest angle either way.
        shift: Probability of a shift within the axial plane.
        shift_px: Its length along rows, columns or both.
        elastic: Probability of an elastic deformation; off as in the published training.
        elastic_px: SD of its displacements in the axial plane.
        scale: Probability of another size, drawn along every axis for itself; what follows is off as published.
        scale_by: Largest factor, and inverse of the smallest.
        contrast: Probability of a grey scale bent by a power.
        contrast_by: Largest exponent, and inverse of the smallest.
        blur: Probability of a Gaussian blur.
        blur_px: Its largest SD.
    """

    __pydantic_config__ = STRICT

    flip: Share = 0.5
    noise: Share = 0.2
    noise_sd: Annotated[float, between(0, 100)] = 1.0
    rotate: Share = 0.2
    rotate_degrees: Annotated[float, between(0, 180)] = 3.0
    shift: Share = 0.4
    shift_px: Annotated[int, between(0, 1000)] = 5
    elastic: Share = 0.0
    elastic_px: Annotated[float, between(0, 100)] = 2.0
    scale: Share = 0.0
    scale_by: Annotated[float, between(1, 4)] = 1.2
    contrast: Share = 0.0
    contrast_by: Annotated[float, between(1, 10)] = 1.5
    blur: Share = 0.0
    blur_px: Annotated[float, between(0, 100)] = 1.0


def augment(
    values: np.ndarray,
    mask: np.ndarray,
    distance: np.ndarray | None,
    settings: Augmentation,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """A changed copy of a standardised volume.

    Args:
        values: (D, H, W) float32.
        mask: (D, H, W) bool.
        distance: (D, H, W) float32 signed distance map, moved like the mask, or None.
        settings: How often and how much.
        rng: Source of all that is drawn.

    Returns:
        Values, mask and distance of the same shapes and types.
    """
    if rng.random() < settings.flip:
        values, mask = values[:, ::-1], mask[:, ::-1]
        distance = None if distance is None else distance[:, ::-1]
    degrees = rng.uniform(-1, 1) * settings.rotate_degrees if rng.random() < settings.rotate else 0.0
    shift: np.ndarray = np.zeros(2)
    if rng.random() < settings.shift:
        while not shift.any():
            shift = settings.shift_px * rng.integers(-1, 2, 2)
    bend = None
    if rng.random() < settings.elastic:
        bend = _bend(values.shape[1:], settings.elastic_px, rng)
    scale = np.ones(3)
    if settings.scale and rng.random() < settings.scale:
        scale = settings.scale_by ** rng.uniform(-1, 1, 3)
    if degrees or shift.any() or bend is not None or (scale != 1).any():
        places = _places(values.shape[1:], degrees, shift, bend, scale[1:])
        background = float(values.min())
        values = _stretch(_move(values, places, 1, background), scale[0])
        mask = _stretch(_move(mask.astype(np.float32), places, 0, 0), scale[0]) >= 0.5
        distance = None if distance is None else _stretch(_move(distance, places, 1, None), scale[0])
    if settings.contrast and rng.random() < settings.contrast:
        values = _bend_greys(values, settings.contrast_by ** rng.uniform(-1, 1))
    if settings.blur and rng.random() < settings.blur:
        from scipy.ndimage import gaussian_filter

        values = gaussian_filter(values, rng.uniform(0, settings.blur_px))
    if rng.random() < settings.noise:
        sd = rng.uniform(0, settings.noise_sd)
        values = values + np.float32(sd) * rng.standard_normal(values.shape, dtype=np.float32)
    return (
        np.ascontiguousarray(values, np.float32),
        np.ascontiguousarray(mask),
        None if distance is None else np.ascontiguousarray(distance, np.float32),
    )


def _stretch(values: np.ndarray, factor: float) -> np.ndarray:
    """The slices ``factor`` times as far apart about the middle one, linear between them; the ends continue."""
    if factor == 1:
        return values
    last = len(values) - 1
    places = ((np.arange(last + 1) - last / 2) / factor + last / 2).clip(0, last)
    low = np.floor(places).astype(int).clip(0, max(0, last - 1))
    share = (places - low).astype(np.float32)[:, None, None]
    return values[low] * (1 - share) + values[np.minimum(low + 1, last)] * share


def _bend_greys(values: np.ndarray, power: float) -> np.ndarray:
    """Grey values between the smallest and the greatest raised to a power; mean and SD stay."""
    low, span = values.min(), np.ptp(values)
    if span == 0:
        return values
    bent = ((values - low) / span) ** np.float32(power)
    return (bent - bent.mean()) / max(bent.std(), 1e-6) * values.std() + values.mean()


def _places(
    size: tuple[int, int], degrees: float, shift: np.ndarray, bend: np.ndarray | None, scale: np.ndarray
) -> np.ndarray:
    """(2, H, W): row and column that every pixel of the new slice is read from."""
    rows, columns = np.meshgrid(np.arange(size[0]), np.arange(size[1]), indexing="ij")
    middle = (np.array(size) - 1) / 2
    y, x = (rows - middle[0] - shift[0]) / scale[0], (columns - middle[1] - shift[1]) / scale[1]
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    places = np.stack([c * y - s * x + middle[0], s * y + c * x + middle[1]])
    return places if bend is None else places + bend


def _bend(size: tuple[int, int], sd_px: float, rng: np.random.Generator) -> np.ndarray:
    """(2, H, W) smooth displacements."""
    from scipy.ndimage import gaussian_filter

    field = np.stack([gaussian_filter(rng.standard_normal(size), min(size) / 8, mode="wrap") for _ in range(2)])
    return field * sd_px / field.std()


def _move(values: np.ndarray, places: np.ndarray, order: int, fill: float | None) -> np.ndarray:
    """Every slice read at ``places``; beyond the edge ``fill``, or the edge itself where that is None."""
    from scipy.ndimage import map_coordinates

    mode = "nearest" if fill is None else "constant"
    moved = [map_coordinates(layer, places, order=order, mode=mode, cval=fill or 0.0) for layer in values]
    return np.stack(moved)
