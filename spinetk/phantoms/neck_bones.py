"""Bones of a neck in a lateral film: pillars, arches, uncinate processes, axis, atlas, skull, jaw, hyoid; and implants.

Lengths in shares of the step between the centres of two bodies are judgement, after what lateral films of necks show;
only the bodies follow measured shapes (:mod:`spinetk.phantoms.neck`).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from spinetk.phantoms.attenuation import COMPACT, METAL, Attenuation
from spinetk.phantoms.body import Body
from spinetk.phantoms.neck import NECK, Neck
from spinetk.phantoms.shape import ellipse, ribbon, smooth
from spinetk.phantoms.vertebra_bones import draw_vertebra

SPINOUS = {"C2": 1.35, "C3": 0.75, "C4": 0.7, "C5": 0.8, "C6": 1.15, "C7": 1.7, "T1": 1.8, "T2": 1.8, "T3": 1.8}
"""Length of the spinous process behind the canal, in steps."""


def draw_neck_bones(film: Attenuation, neck: Neck) -> None:
    """Everything of bone in the film."""
    rng = film.rng
    turned = float(rng.normal(0, 2.0) if rng.random() < 0.8 else rng.normal(0, 5))
    for body in film.spine.bodies:
        if body.label in SPINOUS:
            draw_vertebra(film, body, arch=False)
            _draw_arch(film, body, neck.step_mm, turned)
            if body.label in NECK:
                _draw_uncinate(film, body, turned)
    _draw_axis(film, neck, turned)
    _draw_skull(film, neck)
    _draw_throat(film, neck)


def _draw_arch(film: Attenuation, body: Body, step: float, turned: float) -> None:
    """Two pillars behind the body, one over its back where the neck is turned; lamina and spinous process."""
    rng, s = film.rng, body.density
    back = -body.depth_mm / 2
    pillar = np.array(
        [(0.06, -0.5), (-0.3, -0.36), (-0.62, -0.1), (-0.66, 0.35), (-0.6, 0.82), (-0.3, 0.62), (0.02, 0.44)]
    )
    if body.label == "C2":
        pillar = pillar * (1, 0.7) + (0.12, 0.32)
    for side in (-1, 1):
        at = (back + side * turned + rng.normal(-0.5, 0.7), rng.normal(0, 0.6))
        bent = pillar * (step * rng.uniform(0.9, 1.1), step) + rng.normal(0, 0.035 * step, pillar.shape) + at
        film.add_shell(body.place(smooth(bent)), rng.uniform(0.1, 0.28) * s, rng.uniform(0.08, 0.26) * s, 1.0, 4)
    root = np.array(
        [
            (back + 1.5, -0.3 * step),
            (back - 0.25 * step, -0.28 * step),
            (back - 0.25 * step, 0),
            (back + 1.5, 0.02 * step),
        ]
    )
    film.add_shell(body.place(smooth(root)), 0.12 * s, 0.12 * s, 1.0, 2.5)
    line = back - step * rng.uniform(0.95, 1.15)  # behind the canal
    long = SPINOUS[body.label] * step * rng.uniform(0.8, 1.2)
    thick = step * (0.42 if body.label == "C2" else 0.26) * rng.uniform(0.85, 1.15)
    drop = step * rng.uniform(0.05, 0.3) + 0.25 * long
    spinous = np.array(
        [
            (line + 2, 0.05 * step),
            (line - 0.5 * long, 0.5 * drop),
            (line - long, drop - 0.2 * thick),
            (line - long - 1.5, drop + thick),
            (line - 0.5 * long, 0.5 * drop + 1.2 * thick),
            (line + 1, 0.5 * step),
        ]
    )
    spinous = spinous + rng.normal(0, 0.03 * step, spinous.shape)
    film.add_shell(body.place(smooth(spinous)), 0.2 * s, 0.12 * s, 1.0, 3)
    wall = np.array([(line + 1.5, -0.02 * step), (line + 0.5, 0.25 * step), (line + 0.5, 0.5 * step)])
    film.add(film.bone, body.place(ribbon(smooth(wall, closed=False), 1.3)), 0.2 * s, 1.2)
    lamina = np.array(
        [(back - 0.6 * step, 0.05 * step), (line, 0.2 * step), (line, 0.45 * step), (back - 0.6 * step, 0.5 * step)]
    )
    film.add_shell(body.place(smooth(lamina)), 0.07 * s, 0.05 * s, 1.0, 3)


def _draw_uncinate(film: Attenuation, body: Body, turned: float) -> None:
    """The two lips of the upper endplate, beyond it in the rear half."""
    rng = film.rng
    top_front, top, top_back = body.points()[3:]
    for side in (-1, 1):
        high = rng.uniform(0.8, 3.4) * film.spine.scale
        shift = (0.4 * side * turned + rng.normal(0, 0.4)) * body.front
        lip = np.array(
            [
                top_back + 0.3 * body.front,
                0.7 * top_back + 0.3 * top + high * body.up,
                0.1 * top_back + 0.9 * top + 0.6 * high * body.up,
                0.6 * top + 0.4 * top_front,
            ]
        )
        line = ribbon(smooth(lip + shift, closed=False), rng.uniform(0.7, 1.3))
        film.add(film.bone, line, COMPACT * rng.uniform(1.0, 5.0) * body.density, 1.4)


def _draw_axis(film: Attenuation, neck: Neck, turned: float) -> None:
    """C2 with its dens, as bright as the bodies below and with the same lower endplate; C1 before and behind it."""
    rng, axis, step = film.rng, neck.axis, neck.step_mm
    d, s = axis.depth_mm / 2, axis.density
    half = 0.55 * step
    slant = axis.slant_mm / 2
    thin, tip, tilt = rng.uniform(0.42, 0.6) * d, -step * rng.uniform(1.35, 1.7), rng.normal(0, 1.5)
    outline = np.array(
        [
            (-d, half - slant),
            (0, half - 1.0),
            (d + 1.2, half + slant + 0.5),
            (0.9 * d, 0.1 * step),
            (0.95 * d, -0.35 * step),
            (thin + 1, -0.62 * step),
            (thin + tilt, -1.0 * step),
            (0.5 * thin + 1.3 * tilt, tip),
            (-0.6 * thin + 1.3 * tilt, tip),
            (-thin + tilt, -1.0 * step),
            (-thin, -0.62 * step),
            (-0.9 * d, -0.4 * step),
            (-0.9 * d, 0.1 * step),
        ]
    )
    outline = outline + rng.normal(0, 0.02 * step, outline.shape)
    film.add_shell(axis.place(smooth(outline)), rng.uniform(0.16, 0.34) * s, rng.uniform(0.15, 0.3) * s, 0.9, 5)
    end = smooth(np.array([outline[0] + (0.6, -0.6), outline[1] - (0, 0.6), outline[2] - (0.6, 0.8)]), closed=False)
    film.add(film.bone, axis.place(ribbon(end, 1.2)), COMPACT * rng.uniform(3, 9) * s, 1.3)
    for side in (-1, 1):  # the ring of the lateral masses
        ring = ellipse((-0.1 * d + side * turned, -0.3 * step), (0.75 * d, 0.42 * step), rng.normal(10, 8), 30)
        arc = ring[: int(rng.integers(18, 31))]
        film.add(film.bone, axis.place(ribbon(arc, rng.uniform(0.7, 1.5))), COMPACT * rng.uniform(1, 5) * s, 1.5)
    _draw_arch(film, axis, step, turned)
    front = ellipse((thin + 2 + 0.28 * step, -1.05 * step), (0.22 * step, 0.36 * step), rng.normal(8, 8), 20)
    film.add_shell(axis.place(front), 0.18 * s, 0.22 * s, 1.0, 3)
    rear = np.array([(-0.6, -1.05), (-1.2, -1.15), (-2.0, -1.05), (-2.15, -0.8), (-1.6, -0.72), (-0.7, -0.75)]) * step
    film.add_shell(
        axis.place(smooth(rear - (d - 0.35 * step, 0) + rng.normal(0, 0.05 * step, rear.shape))),
        0.16 * s,
        0.16 * s,
        1.0,
        3,
    )


def _draw_skull(film: Attenuation, neck: Neck) -> None:
    """Occiput, clivus, jaw with teeth; the jaw now and then lies over C2 and C3."""
    rng, axis, step = film.rng, neck.axis, neck.step_mm
    s, scale = axis.density, film.spine.scale
    base = axis.place([(rng.uniform(-3, 5), -step * rng.uniform(1.7, 2.1))])[0]
    occiput = ellipse((base[0] - 12, base[1] - 60 * scale), (95 * scale, 62 * scale), rng.uniform(-8, 10), 40)
    film.add_shell(occiput, 0.3 * s, 0.5 * s, 4.0, 20)
    slope = np.array([(0, 0), (14, -16), (26, -34), (44, -40)]) * scale + base
    film.add(film.bone, ribbon(smooth(slope, closed=False), 6.0), 0.25 * s, 3.0)
    for _ in range(2):  # mastoids
        spot = base + (rng.normal(-14, 5), rng.normal(-4, 5))
        film.add_shell(ellipse(tuple(spot), (8, 12), rng.normal(-15, 10), 20), 0.2 * s, 0.15 * s, 1.5, 6)
    near = rng.uniform(8, 20) if rng.random() < 0.3 else rng.uniform(18, 36)
    corner = axis.place([(axis.depth_mm / 2 + near, step * rng.uniform(-0.6, 1.2))])[0]
    for shift in (rng.normal(0, 2, 2), rng.normal(0, 4, 2)):
        jaw = np.array([(4, -62), (0, -20), (10, -2), (45, 12), (85, 18), (88, 6), (50, -8), (24, -22), (24, -60)])
        film.add_shell(smooth(jaw * scale + corner + shift), 0.2 * s, 0.22 * s, 1.5, 6)
    for k in range(int(rng.integers(0, 8))):
        tooth = ellipse((corner[0] + 34 + 7 * k, corner[1] - 14 + 2 * k), (3, 8), 10, 12)
        film.add(film.bone, tooth, COMPACT * rng.uniform(6, 25), 1.5)
        if rng.random() < 0.25:
            film.add(film.bone, ellipse((corner[0] + 34 + 7 * k, corner[1] - 20), (3, 3), 0, 12), METAL * 3, 1.0)


def _draw_throat(film: Attenuation, neck: Neck) -> None:
    """Hyoid bone and calcified cartilage before the bodies."""
    rng, step = film.rng, neck.step_mm
    s = neck.axis.density
    near = film.spine.body(str(rng.choice(["C3", "C4"])))
    spot = np.array(near.centre) + (step * rng.uniform(1.7, 2.7), step * rng.uniform(-0.5, 0.5))
    film.add_shell(ellipse(tuple(spot), (3.5, 5.5), rng.normal(20, 15), 16), 0.12 * s, 0.12 * s, 1.0, 2)
    for _ in range(2):
        horn = np.array([(0, 0), (-10, -3), (-22, -rng.uniform(4, 10))]) + spot + rng.normal(0, 1, 2)
        film.add(film.bone, ribbon(smooth(horn, closed=False), 2.4), 0.09 * s, 1.5)
    for _ in range(int(rng.integers(0, 7) * film.spine.age * 1.5)):
        low = film.spine.body(str(rng.choice(["C4", "C5", "C6"])))
        fleck = np.array(low.centre) + step * rng.uniform((1.2, -0.6), (2.3, 0.8))
        film.add(film.bone, ellipse(tuple(fleck), tuple(rng.uniform(0.8, 3.5, 2)), rng.uniform(0, 90), 10), 0.12, 2.0)


def draw_neck_implants(film: Attenuation, rng: np.random.Generator) -> None:
    """A plate with screws and cages, prostheses of discs, or screws in the pillars with a rod."""
    kind = str(rng.choice(["plate", "plate", "prosthesis", "rods"]))
    first = int(rng.integers(0, 4))
    span = film.spine.bodies[first : first + int(rng.integers(2, 4))]
    if kind == "plate":
        walls = []
        for body in span:
            walls += [
                body.place([(body.depth_mm / 2 + 1.5, k * body.anterior_mm * 0.3 + body.slant_mm / 2)])[0]
                for k in (-1, 1)
            ]
            for k in (-1, 1) if body in (span[0], span[-1]) else (rng.choice([-1, 1]),):
                start = np.array([body.depth_mm / 2 + 2, k * body.anterior_mm * 0.22 + body.slant_mm / 2])
                screw = np.linspace(
                    start, start + (-body.depth_mm * rng.uniform(0.6, 0.95), -k * rng.uniform(-1, 3)), 24
                )
                film.add(film.bone, body.place(ribbon(screw, 2.6 + 0.9 * (np.arange(24) % 3 == 0))), METAL * 4, 1.0)
        plate = smooth(np.array(walls), closed=False)
        film.add(film.bone, ribbon(plate, rng.uniform(2.0, 3.2)), METAL * 9, 1.0)
    for upper, lower in pairwise(span):
        a, b = upper.points(), lower.points()
        box = np.array([a[0], a[2], b[3], b[5]])
        box = box.mean(axis=0) + (box - box.mean(axis=0)) * (0.75, 0.85)
        if kind == "prosthesis":
            for pair in (box[:2], box[2:]):
                film.add(film.bone, ribbon(np.linspace(pair[0], pair[1], 8), 1.6), METAL * 9, 1.0)
            film.add(
                film.bone,
                ellipse(tuple(box.mean(axis=0)), (4, 2.5), lower.tilt_deg, 16),
                METAL * rng.uniform(0, 8),
                1.0,
            )
        elif kind == "plate":
            film.add(film.bone, box, 0.25 if rng.random() < 0.5 else METAL * 2, 1.5)
    if kind == "rods":
        for side in (-1, 1):
            heads = []
            for body in span:
                back = -body.depth_mm / 2 - 5 + side * rng.normal(0, 1.5)
                screw = np.linspace((back, -1.0), (back - 11, 2.0), 20)
                film.add(film.bone, body.place(ribbon(screw, 3.2)), METAL * 4, 1.0)
                heads.append(body.place(screw[-1]))
            film.add(film.bone, ribbon(smooth(np.array(heads), closed=False), 3.5), METAL * 7, 1.0)
