"""Lateral radiographs: attenuation along parallel rays, then the detector."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from spinetk.errors import InputError
from spinetk.geometry import Side
from spinetk.phantoms.attenuation import Attenuation
from spinetk.phantoms.body import Deformity
from spinetk.phantoms.bones import draw_bones, draw_implants
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
from spinetk.phantoms.phantom import Field, Phantom, read_truth
from spinetk.phantoms.spine import draw_spine


def lateral_radiograph(
    seed: int,
    *,
    size: tuple[int, int] | None = None,
    spacing_mm: float | tuple[float, float] | None = None,
    facing: Side | None = None,
    hardware: bool | None = None,
    deformity: Mapping[str, tuple[Deformity, float]] | Deformity | None = None,
    region: Region | None = None,
) -> Phantom:
    """A synthetic lateral radiograph with exact truth; None means drawn from the seed.

    Args:
        seed: Everything not given is a function of it; equal arguments give equal bits.
        size: (height, width) in px.
        spacing_mm: (row, column) spacing, or one number for both.
        facing: Side of the picture that is anterior.
        hardware: Whether screws and rods, cement or clips are in the picture.
        deformity: Levels with kind and exact loss in percent (``{"L1": ("wedge", 24.9)}``), or one kind.
        region: ``lumbar``, ``thoracic`` or ``whole``.

    Returns:
        The phantom: ``CR``, view ``lateral``, 12-bit values, bright where dense.

    Raises:
        InputError: An argument is out of range.
    """
    if region not in (None, *REGIONS):
        raise InputError(f"region {region!r}", "is unknown", f"use one of {', '.join(REGIONS)}")
    rng = stream(seed, 0)
    drawn_region = draw(rng, REGIONS, [0.62, 0.2, 0.18])
    side = choose_side(facing, draw(rng, ("left", "right"), [0.65, 0.35]))
    metal = bool(rng.random() < 0.12) if hardware is None else hardware
    drawn_spacing = float(rng.uniform(0.42, 0.62))
    region = region or drawn_region
    if region == "whole":
        drawn_spacing = 0.6 + 0.15 * (drawn_spacing - 0.42)
    spine = draw_spine(stream(seed, 1), choose_deformities(stream(seed, 2), deformity), on_film=True)
    hips = bool(stream(seed, 7).random() < 0.75)
    extent = region_extent(stream(seed, 3), spine, region, hips)
    shown = choose_field(extent, size, spacing_mm, drawn_spacing)

    film = Attenuation(shown, spine, stream(seed, 4))
    film.line_mm = float(stream(seed, 8).uniform(0.6, 1.4))
    film.draw_soft_tissue()
    draw_bones(film)
    if metal:
        draw_implants(film, stream(seed, 5))
    pixels, exposed = detect(film.total(), shown, stream(seed, 6), side)
    if side == "left":
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    reading, deformities = read_truth(spine, shown, side, "lateral", exposed)
    return Phantom(pixels, reading, "CR", metal, deformities)


def detect(
    attenuation: np.ndarray, shown: Field, rng: np.random.Generator, side: Side
) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """Line integrals to stored 12-bit values, and the exposed rectangle (x0, y0, x1, y1) in px."""
    height, width = shown.size
    mm = shown.mean_spacing_mm
    primary = np.exp(-attenuation)
    scatter = _wide_blur(primary, 35.0 / mm) * rng.uniform(0.15, 0.8)
    signal = primary + scatter
    # Heel effect and an exposure that is never quite even.
    x, y = np.linspace(-1, 1, width, dtype=np.float32)[None], np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    signal = signal * np.exp(rng.normal(0, 0.12) * y + rng.normal(0, 0.08) * x + rng.normal(0, 0.05) * x * y)
    blur = rng.uniform(0.25, 0.75) / mm
    signal = cv2.GaussianBlur(signal, (0, 0), max(blur, 0.3))
    reference = float(np.percentile(signal, 30))
    quanta = 10 ** rng.uniform(2.9, 4.3)
    noise = rng.standard_normal((height, width), dtype=np.float32)
    if rng.random() < 0.6:
        noise = cv2.GaussianBlur(noise, (0, 0), 0.6) * 1.9
    signal = signal + noise * np.sqrt(signal * reference / quanta)
    # The plate's logarithm, then the maker's multi-scale processing: large structures are flattened, edges lifted.
    image = -np.log(np.maximum(signal, reference * 1e-3))
    base = _wide_blur(image, rng.uniform(10, 22) / mm)
    image = base * rng.uniform(0.3, 0.85) + (image - base) * rng.uniform(1.0, 2.2)

    exposed, hidden = _collimate(shown, rng)
    # As the reader's software does: the grey scale is fitted to the patient, not to the air around or the collimator.
    patient = image[exposed[1] : exposed[3] : 3, exposed[0] : exposed[2] : 3][
        attenuation[exposed[1] : exposed[3] : 3, exposed[0] : exposed[2] : 3] > 0.8
    ]
    if patient.size < 50:
        patient = image
    low, high = np.percentile(patient, [rng.uniform(0.2, 6), rng.uniform(97.5, 99.9)])
    scaled = (image - low) / max(high - low, 1e-6)
    steep = rng.uniform(2.0, 5.5)
    centre = rng.uniform(0.4, 0.62)
    curve = 1 / (1 + np.exp(-steep * (scaled - centre)))
    ends = 1 / (1 + np.exp(-steep * (np.array([-0.15, 1.15]) - centre)))
    picture = (curve - ends[0]) / (ends[1] - ends[0])
    picture = _uneven(picture, shown, rng.spawn(1)[0])
    if hidden is not None:
        shade = rng.choice([0.0, 0.0, 0.03, 1.0])
        picture = picture * (1 - hidden) + shade * hidden
    _mark_side(picture, shown, rng, side)
    if rng.random() < 0.12:
        _draw_ruler(picture, shown, rng)
    floor, span = rng.integers(0, 120), rng.integers(2600, 3900)
    return np.clip(np.rint(floor + picture * span), 0, 4095).astype(np.uint16), exposed


def _uneven(picture: np.ndarray, shown: Field, rng: np.random.Generator) -> np.ndarray:
    """What makes one film dark above and white below: a slope, a step where a shield or the arm's edge lies."""
    height, width = shown.size
    y = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
    if rng.random() < 0.6:
        picture = picture * np.exp(rng.normal(0.15, 0.45) * y)
    if rng.random() < 0.25:
        edge = rng.uniform(-0.2, 0.3) + rng.normal(0, 0.02) * np.linspace(-1, 1, width, dtype=np.float32)[None]
        picture = picture * (1 + rng.uniform(-0.25, 0.35) * np.clip((y - edge) * height / 2 + 0.5, 0, 1))
    if rng.random() < 0.3:
        picture = np.clip(picture * rng.uniform(0.35, 0.9), 0, None)  # a dim film
    return np.minimum(picture, 1.08)


def _wide_blur(image: np.ndarray, sigma_px: float) -> np.ndarray:
    """Gaussian blur of large extent at reduced size."""
    step = max(1, int(sigma_px / 4))
    height, width = image.shape
    small = cv2.resize(image, (max(2, width // step), max(2, height // step)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(sigma_px / step, 0.3), borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _collimate(shown: Field, rng: np.random.Generator) -> tuple[tuple[int, int, int, int], np.ndarray | None]:
    height, width = shown.size
    margins = rng.uniform(-0.06, 0.07, size=4) * (width, height, width, height)
    skew = rng.normal(0, 0.004)
    if rng.random() > 0.4:
        return (0, 0, width, height), None
    left, top, right, bottom = np.maximum(np.rint(margins), 0).astype(int)
    exposed = (int(left), int(top), int(width - right), int(height - bottom))
    x = np.arange(width, dtype=np.float32)[None, :] + 0.5
    y = np.arange(height, dtype=np.float32)[:, None] + 0.5
    inside = np.ones((height, width), np.float32)
    for use, gap in (
        (left, x - left - skew * y),
        (top, y - top - skew * x),
        (right, exposed[2] - x - skew * y),
        (bottom, exposed[3] - y - skew * x),
    ):
        if use:
            inside *= np.clip(gap / 1.5 + 0.5, 0, 1)
    return exposed, 1 - inside


def _mark_side(picture: np.ndarray, shown: Field, rng: np.random.Generator, side: Side) -> None:
    """A lead letter near a corner; ``picture`` is mirrored afterwards when the patient faces left."""
    place = rng.uniform(0.04, 0.96, size=2)
    letter, mirrored = str(rng.choice(["L", "R"])), bool(rng.random() < 0.15)
    high = int(max(8, rng.uniform(9, 14) / shown.mean_spacing_mm))
    if rng.random() > 0.45 or min(picture.shape) < 6 * high:
        return
    plate = np.zeros((2 * high, 2 * high), np.uint8)
    font = cv2.FONT_HERSHEY_SIMPLEX
    scale = high / 22.0
    thick = max(1, round(high / 8))
    cv2.putText(plate, letter, (high // 2, high * 3 // 2), font, scale, 255, thick, cv2.LINE_AA)
    if mirrored != (side == "left"):
        plate = plate[:, ::-1]
    height, width = picture.shape
    x = 2 if place[0] < 0.4 else width - 2 * high - 2
    y = int(place[1] * (height - 2 * high))
    weight = plate.astype(np.float32) / 255
    if rng.spawn(1)[0].random() < 0.35:
        weight = 1 - 0.98 * weight  # dark letters on a white plate
    window = picture[y : y + 2 * high, x : x + 2 * high]
    window += (1.0 - window) * np.minimum(weight, 0.95)


def _draw_ruler(picture: np.ndarray, shown: Field, rng: np.random.Generator) -> None:
    """A centimetre scale along the border, burnt in by the workstation or laid on the table."""
    height, width = picture.shape
    step = 10.0 / shown.spacing_mm[0]
    x = int(rng.choice([3, width - 3])) + int(rng.normal(0, 2))
    ticks = np.arange(rng.uniform(0, step), height, step)
    x = int(np.clip(x, 0, width - 1))
    inward = 1 if x < width / 2 else -1
    tone = float(rng.choice([0.95, 0.75, 1.0]))
    for number, y in enumerate(ticks):
        long = (9 if number % 5 == 0 else 5) * max(1.0, width / 500)
        start, end = sorted((x, int(x + inward * long)))
        picture[int(y), max(start, 0) : end + 1] = tone
