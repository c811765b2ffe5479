"""Bones in a radiograph: vertebrae with their posterior elements, pelvis, ribs; calcium of the aorta; and implants."""

from __future__ import annotations

import numpy as np

from spinetk.phantoms.attenuation import METAL, Attenuation
from spinetk.phantoms.pelvic_bones import draw_pelvis
from spinetk.phantoms.shape import ellipse, ribbon, smooth, texture
from spinetk.phantoms.vertebra_bones import draw_vertebra

AORTA = ("L1", "L2", "L3", "L4")


def draw_bones(film: Attenuation) -> None:
    """Vertebrae with their posterior elements, pelvis and ribs."""
    for body in film.spine.bodies:
        draw_vertebra(film, body)
    draw_pelvis(film)
    _draw_calcified_aorta(film)
    _draw_ribs(film)
    mm = film.shown.mean_spacing_mm
    # Trabeculae: the upright ones remain longest, so old bone looks striped.
    grain = texture(film.rng, film.shown.size, 1.2 / mm) + 0.8 * texture(film.rng, film.shown.size, 3.5 / mm)
    upright = texture(film.rng, film.shown.size, (7 / mm, 1.3 / mm))
    film.bone *= 1 + np.float32(0.06) * grain + np.float32(0.03 + 0.06 * film.spine.age) * upright


def _draw_calcified_aorta(film: Attenuation) -> None:
    """Flecks of calcium in the walls of the abdominal aorta, in front of L1 to L4."""
    rng, spine = film.rng, film.spine
    if rng.random() > 0.5 * spine.age:
        return
    near = rng.uniform(6, 16)
    for wall in (near, near + rng.uniform(15, 24)):
        nodes = [body.place([(body.depth_mm / 2 + wall, 0.0)])[0] for body in spine.bodies if body.label in AORTA]
        path = smooth(np.array(nodes), closed=False, steps=10)
        for _ in range(int(rng.integers(2, 9))):
            start = int(rng.integers(0, len(path) - 4))
            piece = path[start : start + int(rng.integers(3, 9))] + rng.normal(0, 0.7, 2)
            film.add(film.bone, ribbon(piece, rng.uniform(0.7, 2.0)), rng.uniform(0.08, 0.35), 1.5)


def _draw_ribs(film: Attenuation) -> None:
    rng, spine = film.rng, film.spine
    lie = (rng.uniform(0.85, 1.1), rng.uniform(0.75, 1.2))
    for body in spine.bodies:
        if body.label[0] != "T":
            continue
        number = int(body.label[1:])
        length = {11: 0.45, 12: 0.25}.get(number, 1.0) * rng.uniform(0.9, 1.1)
        for side in range(2):
            start = body.place([(-body.depth_mm * 0.55, -body.posterior_mm * 0.35)])[0]
            turn = rng.normal(0, 4, 2) + np.array([0, rng.uniform(-5, 5) * side])
            path = np.array([(0, 0), (-24, 8), (-30, 22), (-12, 46), (28, 76), (74, 98), (104, 96)], dtype=float)
            path = path[: max(3, round(len(path) * length))] * spine.scale * lie + start + turn
            line = smooth(path, closed=False, steps=8)
            width = rng.uniform(7.5, 10.5) * spine.scale * np.clip(np.linspace(7, 0.25, len(line)), 0, 1)
            film.add_shell(ribbon(line, width), 0.11 * body.density, 0.14 * body.density, 0.9, 3)


def draw_implants(film: Attenuation, rng: np.random.Generator) -> None:
    """Pedicle screws with rods, bone cement, or surgical clips."""
    kind = str(rng.choice(["screws", "screws", "cement", "clips"]))
    labels = [body.label for body in film.spine.bodies]
    first = int(rng.integers(labels.index("T11"), labels.index("L4")))
    span = film.spine.bodies[first : first + int(rng.integers(2, 5))]
    if kind == "screws":
        for offset in (rng.normal(0, 1.0, 2), rng.normal(0, 2.0, 2)):
            heads = []
            for body in span:
                h, d = body.posterior_mm, body.depth_mm
                shaft = np.array([(d * rng.uniform(0.1, 0.32), -0.14 * h), (-d / 2 - 16, -0.28 * h)]) + offset
                shaft = np.linspace(shaft[0], shaft[1], 40)
                thread = 4.6 + 1.2 * (np.arange(40) % 3 == 0) - 2.5 * (np.arange(40) < 3)
                film.add(film.bone, body.place(ribbon(shaft, thread)), METAL * 5, 1.0)
                head = ellipse(tuple(shaft[-1]), (5.5, 6.5), 0.0)
                film.add(film.bone, body.place(head), METAL * 8, 1.0)
                heads.append(body.place(shaft[-1] - np.array([2.0, 0.0])))
            rod = smooth(np.array([heads[0] - (0, 9), *heads, heads[-1] + (0, 9)]), closed=False)
            film.add(film.bone, ribbon(rod, 5.5), METAL * 6, 1.0)
    elif kind == "cement":
        for body in span[:2]:
            blob = ellipse((0, 0), (body.depth_mm * 0.28, body.middle_mm * 0.28), 0, 12)
            blob = smooth(blob + rng.normal(0, 1.8, blob.shape))
            film.add(film.bone, body.place(blob), rng.uniform(0.9, 1.8), 2.0)
    else:
        for _ in range(int(rng.integers(3, 8))):
            body = span[int(rng.integers(len(span)))]
            spot = np.array(body.centre) + rng.uniform((25, -25), (90, 25))
            turn = rng.uniform(0, np.pi)
            end = spot + 6 * np.array([np.cos(turn), np.sin(turn)])
            film.add(film.bone, ribbon(np.array([spot, end]), 1.4), METAL * 3, 1.0)
