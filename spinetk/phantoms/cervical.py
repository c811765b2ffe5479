"""Lateral radiographs of the neck: C1 to T2 between skull, jaw, airway and shoulders.

C3 and below come from the same spine as every phantom; the axis with its dens, the atlas, skull and jaw are drawn above
it. Truth are the bodies C3 to C7 and those of the thorax that the shoulders leave free.
"""

from __future__ import annotations

import numpy as np

from spinetk.geometry import Side
from spinetk.phantoms.attenuation import COMPACT, SOFT, Attenuation
from spinetk.phantoms.bones import draw_vertebra
from spinetk.phantoms.choose import choose_field, choose_side, draw, stream
from spinetk.phantoms.phantom import Phantom, read_truth
from spinetk.phantoms.radiograph import detect
from spinetk.phantoms.shape import ellipse, ribbon, smooth, texture
from spinetk.phantoms.spine import Spine, draw_spine

SHOWN = ("C3", "C4", "C5", "C6", "C7", "T1", "T2", "T3")


def cervical_radiograph(
    seed: int,
    *,
    size: tuple[int, int] | None = None,
    spacing_mm: float | tuple[float, float] | None = None,
    facing: Side | None = None,
) -> Phantom:
    """A synthetic lateral radiograph of the cervical spine with exact truth; None means drawn from the seed.

    Args:
        seed: Everything not given is a function of it; equal arguments give equal bits.
        size: (height, width) in px.
        spacing_mm: (row, column) spacing, or one number for both.
        facing: Side of the picture that is anterior.

    Returns:
        The phantom: ``CR``, view ``lateral``, 12-bit values, bright where dense.

    Raises:
        InputError: An argument is out of range.
    """
    rng = stream(seed, 30)
    side = choose_side(facing, draw(rng, ("left", "right"), [0.65, 0.35]))
    spine = draw_spine(stream(seed, 31), {}, on_film=True)
    shown = choose_field(_extent(rng, spine), size, spacing_mm, float(rng.uniform(0.3, 0.5)))
    film = Attenuation(shown, spine, stream(seed, 32))
    film.line_mm = float(stream(seed, 34).uniform(0.4, 1.0))
    _draw_neck(film)
    for body in spine.bodies:
        if body.label in SHOWN:
            draw_vertebra(film, body)
    _draw_top(film)
    mm = shown.mean_spacing_mm
    film.bone *= 1 + np.float32(0.05) * texture(film.rng, shown.size, 1.5 / mm)
    pixels, exposed = detect(film.total(), shown, stream(seed, 33), side)
    if side == "left":
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    reading, deformities = read_truth(spine, shown, side, "lateral", exposed)
    return Phantom(pixels, reading, "CR", False, deformities)


def _extent(rng: np.random.Generator, spine: Spine) -> tuple[float, float, float, float]:
    top, low = spine.body("C3").centre, spine.body(str(rng.choice(["C7", "T1", "T2"]))).centre
    y0, y1 = top[1] - rng.uniform(55, 120), low[1] + rng.uniform(12, 35)
    middle = (top[0] + low[0]) / 2 + rng.normal(8, 10)
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
    thick = (115 + 25 * jaw + rng.uniform(160, 260) * shoulder) * np.sqrt(np.maximum(1 - np.abs(u) ** 2.6, 0))
    film.soft += (np.float32(SOFT) * thick * spine.scale).astype(np.float32)
    for grain, sd in ((40, 0.03), (12, 0.02)):
        film.soft *= 1 + np.float32(sd) * texture(rng, shown.size, grain / shown.mean_spacing_mm)
    # Pharynx and trachea: a dark band in front of the bodies.
    gap = rng.uniform(4, 7) + np.linspace(0, rng.uniform(6, 12), 8)
    path = nodes + np.stack([20 * spine.scale + gap + rng.uniform(3, 7), np.zeros(8)], 1)
    airway = smooth(np.vstack([path[0] + (2, -45), path]), closed=False)
    wide = np.float32(rng.uniform(11, 17))
    film.add(film.soft, ribbon(airway, wide), -SOFT * wide * 0.9, 3.0)


def _draw_top(film: Attenuation) -> None:
    """Axis, atlas, skull base, jaw."""
    rng, spine = film.rng, film.spine
    c3 = spine.body("C3")
    h, d, s = c3.posterior_mm, c3.depth_mm, c3.density
    scale = spine.scale
    for outline in (
        [(-d / 2, -0.75 * h), (-d / 2, -2.2 * h), (-0.1 * d, -3.6 * h), (0.25 * d, -3.5 * h), (0.4 * d, -2.2 * h),
         (0.55 * d, -0.8 * h), (0, -0.85 * h)],
        [(0.45 * d, -2.9 * h), (0.85 * d, -3.0 * h), (0.9 * d, -2.2 * h), (0.5 * d, -2.2 * h)],
        [(-d / 2 - 17, -2.9 * h), (-d / 2 - 32, -3.2 * h), (-d / 2 - 36, -2.6 * h), (-d / 2 - 20, -2.2 * h)],
        [(-d / 2 - 8, -1.0 * h), (-d / 2 - 22, -1.4 * h), (-d / 2 - 42, -0.9 * h), (-d / 2 - 44, -0.3 * h),
         (-d / 2 - 24, -0.2 * h)],
    ):  # fmt: skip
        jitter = rng.normal(0, 0.5, (len(outline), 2))
        film.add_shell(c3.place(smooth(np.array(outline) + jitter)), 0.2 * s, 0.14 * s, 1.0, 4)
    base = np.array(c3.centre) + (rng.uniform(-4, 6), -3.9 * h - rng.uniform(4, 10))
    occiput = ellipse((base[0] - 5, base[1] - 62 * scale), (95 * scale, 66 * scale), rng.uniform(-8, 8), 40)
    film.add_shell(occiput, 0.35 * s, 0.5 * s, 5.0, 20)
    corner = np.array(c3.centre) + (rng.uniform(26, 36), -h * rng.uniform(0.4, 1.6))
    for shift in (rng.normal(0, 2, 2), rng.normal(0, 4, 2)):
        jaw = np.array([(4, -62), (0, -20), (10, -2), (45, 12), (85, 18), (88, 6), (50, -8), (24, -22), (24, -60)])
        film.add_shell(smooth(jaw * scale + corner + shift), 0.22 * s, 0.2 * s, 1.5, 6)
    for k in range(int(rng.integers(0, 8))):
        tooth = ellipse((corner[0] + 34 + 7 * k, corner[1] - 14 + 2 * k), (3, 8), 10, 12)
        film.add(film.bone, tooth, COMPACT * rng.uniform(6, 25), 1.5)
