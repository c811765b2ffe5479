"""The pelvis in a lateral film: a fused sacrum, the lines that cross it, iliac bones, femoral heads.

What is drawn of the lines, and how bright, follows what lateral films show; the numbers are judgement.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from spinetk.phantoms.attenuation import COMPACT, SPONGY, Attenuation
from spinetk.phantoms.body import Body
from spinetk.phantoms.shape import ellipse, ribbon, smooth
from spinetk.phantoms.vertebra_bones import draw_vertebra

# Outline of an iliac bone seen from the side, mm from the centre of the vertebra that its crest reaches.
ILIAC = [(-84, 66), (-78, 26), (-50, 0), (-4, -10), (42, -2), (74, 22), (84, 56), (68, 96), (76, 140), (40, 190)]
ILIAC += [(-10, 184), (-30, 134), (-66, 104)]


def draw_pelvis(film: Attenuation) -> None:
    """Sacrum, iliac bones and hips."""
    own = film.rng.spawn(1)[0]  # a stream of its own: the rest of a film stays as it was drawn before
    _draw_sacrum(film, own)
    rng, spine = film.rng, film.spine
    top = spine.body("L5" if rng.random() < 0.6 else "L4").centre
    s = spine.sacrum[0].density
    for hip, shift in zip(spine.hips, (rng.normal(0, 3, 2), rng.uniform((-10, -9), (10, 9))), strict=True):
        outline = smooth(np.array(ILIAC) * spine.scale + np.array(top) + shift)
        outline = outline + 1.5 * np.sin(np.arange(len(outline)) / 4 + rng.uniform(0, 6))[:, None]
        film.add_shell(outline, rng.uniform(0.12, 0.3) * s, 0.12 * s, 1.3, 16)
        # Only the crest is met edge-on.
        crest = smooth(np.array(ILIAC[1:6]) * spine.scale + np.array(top) + shift, closed=False)
        thick = 3.5 * np.sin(np.linspace(0.15, np.pi - 0.15, len(crest)))
        film.add(film.bone, ribbon(crest, thick), 0.24 * s, 2.0)
        notch = np.array([(-58, 102), (-34, 108), (-20, 130), (-24, 166)]) * spine.scale + np.array(top) + shift
        film.add(film.bone, ribbon(smooth(notch, closed=False), 2.2), 0.25 * s, 2.0)
        _draw_hip(film, np.array(hip), s)
    _draw_sacral_canal(film, s)
    _draw_arcuate_lines(film, own)


def _draw_sacrum(film: Attenuation, rng: np.random.Generator) -> None:
    """One bone: between its segments only remnants of discs, in front a wall that runs through, behind a rough mass."""
    bodies = film.spine.sacrum
    s, remnant = bodies[0].density, float(rng.uniform(0, 0.7) * rng.random())
    for k, body in enumerate(bodies):
        draw_vertebra(film, body, ends=(1.0 if k == 0 else remnant, remnant))
    for upper, lower in pairwise(bodies):
        gap = [*upper.points()[[0, 2]], *lower.points()[[3, 5]]]
        bone = SPONGY * s * 1.35 * upper.depth_mm * (1 - remnant)
        film.add(film.bone, np.array(gap), bone * rng.uniform(0.4, 0.9), 1.0)
    wall = [
        top + share * (bottom - top)
        for body in bodies
        for bottom, top in [body.points()[2:4]]
        for share in (0.08, 0.85)
    ]
    film.add(
        film.bone, ribbon(smooth(np.array(wall), closed=False), rng.uniform(1.0, 2.4)), rng.uniform(0.1, 0.5) * s, 1.2
    )
    first = bodies[0]
    plate = first.points()[[5, 4, 3]] + rng.uniform(0.2, 1.2) * -first.up
    film.add(
        film.bone, ribbon(smooth(plate, closed=False), rng.uniform(0.8, 2.2)), COMPACT * rng.uniform(0, 9) * s, 1.2
    )
    crest = [
        body.place([(-0.5 * body.depth_mm - film.spine.scale * far, at * body.posterior_mm)])[0]
        for body, far in zip(bodies, (24, 21, 17, 12, 6), strict=True)
        for at in (-0.3, 0.3)
    ] + rng.normal(0, 2.0, (10, 2))
    back = [body.place([(-0.45 * body.depth_mm, 0.0)])[0] for body in reversed(bodies)]
    film.add_shell(smooth([*crest, *back]), rng.uniform(0.02, 0.2) * s, rng.uniform(0.05, 0.25) * s, 1.2, 6)
    _draw_facets(film, first, rng)
    _draw_processes(film, first, rng.spawn(1)[0])


def _draw_facets(film: Attenuation, first: Body, rng: np.random.Generator) -> None:
    """The joints L5/S1, met nearly edge-on: dense spots behind and above the back corner of S1."""
    for _ in range(2):
        place = (-0.5 * first.depth_mm - rng.uniform(3, 12), -0.5 * first.posterior_mm - rng.uniform(-5, 7))
        spot = ellipse(place, tuple(rng.uniform((2.5, 4.5), (5.5, 8.5))), rng.uniform(-40, 40), 16)
        film.add_shell(first.place(spot), rng.uniform(0.02, 0.2) * first.density, 0.14 * first.density, 1.1, 4)


def _draw_processes(film: Attenuation, first: Body, rng: np.random.Generator) -> None:
    """The upper articular processes of S1: their front edge goes on upward and back where the endplate ends."""
    if rng.random() < 0.2:
        return
    rise, long = np.radians(rng.uniform(0, 70)), film.spine.scale * rng.uniform(5, 15)
    bright, dense, wide = rng.uniform(0.05, 0.6), rng.uniform(0.02, 0.25), rng.uniform(1.0, 3.0)
    for _ in range(2):  # left and right
        corner = np.array([-0.5 * first.depth_mm, -0.5 * first.posterior_mm]) + rng.normal(0, 1.2, 2)
        tip = corner + long * np.array([-np.cos(rise), -np.sin(rise)]) + rng.normal(0, 1.0, 2)
        bent = (corner + tip) / 2 + rng.uniform(-0.05, 0.2) * long * np.array([-np.sin(rise), np.cos(rise)])
        edge = smooth(first.place(np.array([corner, bent, tip])), closed=False)
        film.add(film.bone, ribbon(edge, wide * np.linspace(1, 0.4, len(edge))), bright * first.density, 1.2)
        behind = np.array([tip + (-4.0, 5.0), corner + (-9.0, 0.5 * first.posterior_mm)]) + rng.normal(0, 1.5, (2, 2))
        outline = first.place(np.array([corner, bent, tip, *behind]))
        film.add_shell(smooth(outline), dense * first.density, 0.12 * first.density, 1.1, 4)


def _draw_arcuate_lines(film: Attenuation, rng: np.random.Generator) -> None:
    """The brim of the pelvis: from the wing of the sacrum over the lower front of S1 toward the roof of each socket.

    It is met edge-on at the sacro-iliac joint, where it is the brightest line of many a pelvis, and fades below.
    """
    first, scale = film.spine.sacrum[0], film.spine.scale
    s, d, h = first.density, first.depth_mm, first.posterior_mm
    behind = np.array([-d * rng.uniform(0.2, 0.6), -h * rng.uniform(0.2, 0.7)])
    before = np.array([d * rng.uniform(0.1, 0.5), h * rng.uniform(0, 0.85)])
    for place in (behind, before):
        place[0] -= first.lean_mm * place[1] / h
    bright, wide = rng.uniform(0.05, 0.75) * s, rng.uniform(1.2, 4.0)
    for hip in film.spine.hips:
        roof = np.array(hip) + film.spine.hip_mm * rng.uniform((-0.7, -1.45), (0.5, -1.1))
        top, through = first.place([behind, before]) + rng.normal(0, 2.0, (2, 2))
        # The sacrum may lie steep or flat: the line minds its front wall and where the socket is.
        middle = 0.65 * through + 0.35 * (top + 30 * scale * _toward(top, roof))
        below = middle + 20 * scale * (_toward(top, middle) + _toward(middle, roof)) / 2 + rng.normal(0, 1.5, 2)
        line = smooth([top, middle, below, roof], closed=False, steps=10)
        shares = np.linspace(0, 1, len(line))
        # Pieces that overlap, each brighter than what goes on below it.
        for end, share in (
            (1.0, rng.uniform(0.05, 0.3)),
            (rng.uniform(0.55, 0.8), 0.35),
            (rng.uniform(0.36, 0.5), 0.4),
        ):
            piece = line[shares <= end]
            taper = np.sqrt(np.clip(1 - np.linspace(-1, 1, len(piece)) ** 4, 0.05, 1))
            film.add(film.bone, ribbon(piece, wide * taper), bright * share, rng.uniform(0.8, 2.2))
        if rng.random() < 0.6:  # the thick of the wing in front of the line or behind it
            wing = line[shares <= 0.45]
            aside = rng.uniform(2.0, 8.0) * rng.choice((-1, 1)) * first.front
            film.add(film.bone, np.concatenate([wing, (wing + aside)[::-1]]), rng.uniform(0.02, 0.2) * s, 2.5)


def _toward(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    return (end - start) / max(float(np.hypot(*(end - start))), 1e-6)


def _draw_hip(film: Attenuation, centre: np.ndarray, density: float) -> None:
    """A femoral head with neck and shaft, the roof of its socket, the ischium below and behind."""
    rng, r = film.rng, film.spine.hip_mm
    head = ellipse(tuple(centre), (r, r), 0.0, 60)
    # From a dense ball to hardly more than a ring: on films of stout patients only the outline is left of it.
    film.add_shell(head, rng.uniform(0.06, 0.6) * density, rng.uniform(0.12, 0.45) * density, 1.4, 0.9 * r)
    flexed = rng.normal(0, 14)

    def at(points):
        angle = np.radians(flexed)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        return np.array(points, float) * r @ turn + centre

    shaft = at([(-0.75, 0.3), (-0.9, 1.3), (-0.62, 2.4), (-0.6, 7), (0.55, 7), (0.62, 2.2), (0.75, 0.5)])
    film.add_shell(smooth(shaft), 0.24 * density, 0.2 * density, 3.0, 9)
    roof = ellipse(tuple(centre), (1.13 * r, 1.13 * r), 0.0, 60)[rng.integers(28, 33) : rng.integers(52, 59)]
    film.add(film.bone, ribbon(roof, rng.uniform(1.6, 3.5)), rng.uniform(0.15, 0.45) * density, 1.8)
    behind = np.array([(-0.6, 0.2), (-1.5, 0.8), (-2.3, 1.9), (-1.9, 2.7), (-1.0, 2.2), (-0.3, 1.2)]) * r
    film.add_shell(smooth(centre + behind + rng.normal(0, 2, 2)), 0.18 * density, 0.15 * density, 1.6, 8)
    front = np.array([(0.5, 0.2), (1.5, 0.6), (2.1, 1.5), (1.6, 2.0), (0.7, 1.2)]) * r
    film.add_shell(smooth(centre + front + rng.normal(0, 2, 2)), 0.14 * density, 0.14 * density, 1.4, 6)


def _draw_sacral_canal(film: Attenuation, density: float) -> None:
    """The bright lines behind and through the sacrum: back wall, median crest, sacro-iliac joints."""
    rng = film.rng
    bodies = film.spine.sacrum
    for back in (-0.5, -0.5 - rng.uniform(0.35, 0.6)):
        nodes = [body.place([(back * body.depth_mm, 0.0)])[0] for body in bodies]
        film.add(film.bone, ribbon(smooth(np.array(nodes), closed=False), rng.uniform(1.2, 2.4)), 0.2 * density, 1.5)
    first = bodies[0]
    ala = [(0.4, -0.55), (0.1, -0.75), (-0.6, -0.4), (-0.9, 0.6), (-0.3, 1.4), (0.3, 0.6)]
    placed = first.place(np.array(ala) * (first.depth_mm, first.posterior_mm) + rng.normal(0, 1.5, (6, 2)))
    film.add_shell(smooth(placed), rng.uniform(0.05, 0.22) * density, 0.06 * density, 1.5, 8)
