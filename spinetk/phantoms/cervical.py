"""Lateral radiographs of the neck: C1 to T2 between skull, jaw, airway and shoulders.

C3 to C7 are shaped as annotated films of necks are (:mod:`spinetk.phantoms.neck`), the thorax comes from the same
spine as in every phantom; the axis with its dens, the atlas, skull and jaw are drawn above it. Truth are the bodies C3
to C7 and those of the thorax in the picture, under the shoulders or not.
"""

from __future__ import annotations

import numpy as np

from spinetk.geometry import Side
from spinetk.phantoms.attenuation import SOFT, Attenuation
from spinetk.phantoms.choose import choose_field, choose_side, draw, stream
from spinetk.phantoms.neck import draw_neck
from spinetk.phantoms.neck_bones import draw_neck_bones, draw_neck_implants
from spinetk.phantoms.phantom import Phantom, read_truth
from spinetk.phantoms.radiograph import detect
from spinetk.phantoms.shape import ribbon, smooth, texture
from spinetk.phantoms.spine import Spine


def cervical_radiograph(
    seed: int,
    *,
    size: tuple[int, int] | None = None,
    spacing_mm: float | tuple[float, float] | None = None,
    facing: Side | None = None,
    hardware: bool | None = None,
) -> Phantom:
    """A synthetic lateral radiograph of the cervical spine with exact truth; None means drawn from the seed.

    Args:
        seed: Everything not given is a function of it; equal arguments give equal bits.
        size: (height, width) in px.
        spacing_mm: (row, column) spacing, or one number for both.
        facing: Side of the picture that is anterior.
        hardware: Whether a plate, prostheses of discs or rods are in the picture.

    Returns:
        The phantom: ``CR``, view ``cervical``, 12-bit values, bright where dense.

    Raises:
        InputError: An argument is out of range.
    """
    rng = stream(seed, 30)
    side = choose_side(facing, draw(rng, ("left", "right"), [0.65, 0.35]))
    neck = draw_neck(stream(seed, 31))
    spine = neck.spine
    metal = bool(stream(seed, 36).random() < 0.1) if hardware is None else hardware
    shown = choose_field(_extent(rng, spine), size, spacing_mm, float(rng.uniform(0.3, 0.5)))
    film = Attenuation(shown, spine, stream(seed, 32))
    film.line_mm = float(stream(seed, 34).uniform(0.4, 1.0))
    _draw_neck(film)
    draw_neck_bones(film, neck)
    if metal:
        draw_neck_implants(film, stream(seed, 35))
    mm = shown.mean_spacing_mm
    film.bone *= 1 + np.float32(0.05) * texture(film.rng, shown.size, 1.5 / mm)
    pixels, exposed = detect(film.total(), shown, stream(seed, 33), side)
    if side == "left":
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    reading, deformities = read_truth(spine, shown, side, "cervical", exposed)
    return Phantom(pixels, reading, "CR", metal, deformities)


def _extent(rng: np.random.Generator, spine: Spine) -> tuple[float, float, float, float]:
    top, low = spine.body("C3").centre, spine.body(str(rng.choice(["C7", "T1", "T2"]))).centre
    # As a rule the skull's base is in the picture; now and then it ends within the axis.
    y0 = top[1] - (rng.uniform(16, 45) if rng.random() < 0.08 else rng.uniform(50, 125))
    y1 = low[1] + rng.uniform(12, 35)
    middle = (top[0] + low[0]) / 2 + rng.normal(8, 13)
    width = (y1 - y0) * rng.uniform(0.65, 1.0)
    return (middle - width / 2, y0, middle + width / 2, y1)


def _draw_neck(film: Attenuation) -> None:
    """Neck, airway, skull and shoulders as thickness of soft tissue."""
    rng, shown, spine = film.rng, film.shown, film.spine
    x, y = shown.grid_mm()
    nodes = np.array([body.centre for body in spine.bodies[:8]])
    line = np.interp(y[:, 0], nodes[:, 1], nodes[:, 0]).astype(np.float32)[:, None]
    top = nodes[0, 1]
    shoulder = 1 / (1 + np.exp(-(y - nodes[4, 1] - rng.uniform(0, 18)) / 7))
    jaw = 1 / (1 + np.exp((y - top - 5) / 8))
    back = line - np.float32(rng.uniform(48, 70) * spine.scale) - 45 * shoulder - 35 * jaw
    front = line + np.float32(rng.uniform(42, 56) * spine.scale) + 60 * shoulder + 60 * jaw
    u = np.clip((2 * x - front - back) / (front - back), -1, 1)
    thick = (115 + 25 * jaw + rng.uniform(70, 250) * shoulder) * np.sqrt(np.maximum(1 - np.abs(u) ** 2.6, 0))
    film.soft += (np.float32(SOFT) * thick * spine.scale).astype(np.float32)
    for grain, sd in ((40, 0.03), (12, 0.02)):
        film.soft *= 1 + np.float32(sd) * texture(rng, shown.size, grain / shown.mean_spacing_mm)
    # Pharynx and trachea: a dark band in front of the bodies.
    gap = rng.uniform(4, 7) + np.linspace(0, rng.uniform(6, 12), 8)
    path = nodes + np.stack([20 * spine.scale + gap + rng.uniform(3, 7), np.zeros(8)], 1)
    airway = smooth(np.vstack([path[0] + (2, -45), path]), closed=False)
    wide = rng.uniform(11, 17) * np.interp(
        np.linspace(0, 1, len(airway)), (0, 0.25, 0.35, 1), (0.5, 1, rng.uniform(0.6, 1), 1)
    )
    film.add(film.soft, ribbon(airway, wide), -SOFT * float(wide.mean()) * rng.uniform(0.4, 1.0), 3.0)
