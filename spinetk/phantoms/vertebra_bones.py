"""A vertebra in a radiograph: its body with endplates and rims, what wear adds, and the posterior elements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinetk.phantoms.attenuation import COMPACT, SPONGY, Attenuation
from spinetk.phantoms.body import Body
from spinetk.phantoms.shape import coverage, distance, ellipse, ribbon, smooth, texture


def draw_vertebra(film: Attenuation, body: Body, arch: bool = True, ends: tuple[float, float] = (1.0, 1.0)) -> None:
    """A body and, above the sacrum, its posterior elements (those of the trunk; without ``arch`` none).

    ``ends`` are the brightness of its upper and lower endplate against that of a free body.

    The landmarks of a radiograph lie where readers put them: in the middle of the bright line of an endplate, midway
    between its two rims where the beam meets it obliquely. So the bone reaches beyond them.
    """
    beyond = film.line_mm / 2 + abs(body.obliquity_mm) / 2
    grown = {name: getattr(body, name) + 2 * beyond for name in ("anterior_mm", "middle_mm", "posterior_mm")}
    _draw_body(film, replace(body, **grown), ends)
    if arch and body.label[0] != "S":
        _draw_posterior(film, body)


def _draw_body(film: Attenuation, body: Body, ends: tuple[float, float]) -> None:
    found = distance(film.shown.px(body.contour()), film.shown.size, 4.0)
    if not found:
        return
    window, signed = found
    mm = np.float32(film.shown.mean_spacing_mm)
    x, y = film.shown.grid_mm()
    down = (x[:, window[1]] - body.centre[0]) * -body.up[0] + (y[window[0]] - body.centre[1]) * -body.up[1]
    front = (x[:, window[1]] - body.centre[0]) * body.front[0] + (y[window[0]] - body.centre[1]) * body.front[1]
    half = body.depth_mm / 2
    down = down - np.float32(body.slant_mm / body.depth_mm) * front
    front = front + np.float32(body.lean_mm / body.middle_mm) * down
    # Width across the beam: a kidney shape, full behind the middle, narrow at the front.
    width = 1.35 * body.depth_mm * np.sqrt(np.clip(1 - (np.abs(front + 0.15 * half) / (1.2 * half)) ** 2.2, 0, 1))
    deep = np.maximum(signed, 0) * mm
    inside = coverage(signed)
    bone = SPONGY * body.density * (0.5 + 0.5 * body.density) * width * inside
    # Walls are curved across the beam (thin bright line); endplates lie along it (broader and brighter).
    flat = np.clip(np.abs(down) / (body.middle_mm / 2) - 0.35, 0, 1)
    patchy = 1 + 0.3 * texture(film.rng, signed.shape, 7 / float(mm))
    shell = np.exp(-deep / np.float32(film.rng.uniform(0.6, 1.0))) * inside * np.clip(patchy, 0.3, 1.7)
    near_end = np.exp(-np.maximum(body.middle_mm / 2 - np.abs(down), 0) / 3.5)
    bright = np.where(down < 0, np.float32(ends[0]), np.float32(ends[1]))
    bone = bone * (1 + 0.22 * near_end * bright)
    bone = bone + COMPACT * (0.5 + 0.5 * body.density) * shell * ((5.0 + 10.0 * flat) * (1 - flat + flat * bright))
    film.bone[window] += bone.astype(np.float32)
    _draw_rims(film, body)
    if body.label[0] != "S":
        _draw_wear(film, body)


def _draw_wear(film: Attenuation, body: Body) -> None:
    """What age adds: spurs beyond the corners, dense endplates; and the second back wall of a turned body."""
    rng, age = film.rng, film.spine.age
    points = body.points()
    if rng.random() < 0.5:
        wall = np.array([points[5], (points[5] + points[0]) / 2 + body.waist_mm[1] * body.front, points[0]])
        line = smooth(wall + rng.uniform(-3.5, -0.8) * -body.front, closed=False)
        film.add(film.bone, ribbon(line, 0.9), COMPACT * rng.uniform(2, 5) * body.density, 1.5)
    for corner, end in ((2, 1.0), (3, -1.0), (0, 1.0), (5, -1.0)):
        side = body.front if corner in (2, 3) else -body.front
        long = (rng.gamma(1.5, 2.0) * age - 1.2) * (1.0 if corner in (2, 3) else 0.4)
        if long > 0.5:
            tip = points[corner] + long * side - end * long * rng.uniform(-0.3, 0.7) * body.up
            root = points[corner] - 3.0 * side + 5.0 * end * body.up
            spur = smooth(np.array([points[corner] - 4.0 * side, tip, root]))
            film.add_shell(spur, 0.16 * body.density, 0.14 * body.density, 0.8)
    if rng.random() < 0.25 * age:
        centre = (points[1] + points[2]) / 2 if rng.random() < 0.5 else (points[4] + points[3]) / 2
        film.add(film.bone, ellipse(tuple(centre), (9, 3.5), body.tilt_deg, 20), 0.12, 5.0 / film.shown.mean_spacing_mm)


def _draw_rims(film: Attenuation, body: Body) -> None:
    """The far rim of each endplate: a fainter second line where the beam is oblique to the disc space."""
    if abs(body.obliquity_mm) < 0.4:
        return
    bottom_back, bottom, bottom_front, top_front, top, top_back = body.points()
    for points, sign in (((top_back, top, top_front), 1), ((bottom_back, bottom, bottom_front), -1)):
        arc = smooth(np.array(points) - sign * body.up * abs(body.obliquity_mm), closed=False, steps=8)
        taper = np.sqrt(np.clip(1 - np.linspace(-1, 1, len(arc)) ** 2, 0.02, 1))
        film.add(film.bone, ribbon(arc, 1.1 * taper + 0.2), COMPACT * 5.5, 1.4)


def _draw_posterior(film: Attenuation, body: Body) -> None:
    rng = film.rng
    h, d, s = body.posterior_mm, body.depth_mm, body.density
    back = -d / 2
    thoracic = body.label[0] == "T" and body.label not in ("T11", "T12")
    canal = 15.0 * film.spine.scale
    pedicle = [(back + 1.5, -0.42 * h), (back - 8, -0.37 * h), (back - 10, -0.03 * h), (back + 1.5, 0.04 * h)]
    facet = [
        (back - 6, -0.62 * h),
        (back - 10, -0.78 * h),
        (back - 14, -0.5 * h),
        (back - 15, 0.1 * h),
        (back - 17, 0.62 * h),
        (back - 13, 0.72 * h),
        (back - 9, 0.3 * h),
        (back - 6, -0.1 * h),
    ]
    long = (30 if not thoracic else 34) * film.spine.scale
    drop = 0.18 * h if not thoracic else 0.75 * h
    tall = 0.42 * h if not thoracic else 0.2 * h
    tip = back - canal - long
    spinous = [
        (back - canal + 3, -0.05 * h),
        (back - canal - 0.5 * long, 0.02 * h + 0.5 * drop),
        (tip, drop),
        (tip - 2, drop + tall),
        (back - canal - 0.5 * long, tall + 0.25 * h + 0.4 * drop),
        (back - canal + 3, 0.42 * h),
    ]
    wobble = 0.04 * h
    for shift in (rng.uniform(-1.5, 1.5, 2), rng.uniform(-1.5, 1.5, 2)):
        bent = np.array(pedicle) + rng.normal(0, wobble, (4, 2)) * [0.3, 0.5]
        film.add_shell(body.place(smooth(bent) + shift), 0.13 * s, 0.12 * s, 1.0, 2.5)
        bent = np.array(facet) + rng.normal(0, wobble, (8, 2))
        film.add_shell(body.place(smooth(bent) + shift), 0.17 * s, 0.12 * s, 1.0, 4)
    bent = np.array(spinous) + rng.normal(0, 1.5 * wobble, (6, 2))
    film.add_shell(body.place(smooth(bent)), 0.20 * s, 0.11 * s, 1.0, 3.5)
    if not thoracic:
        # Transverse processes point along the beam: a dense spot over the pedicle's root.
        root = ellipse((back - rng.uniform(3, 7), -0.15 * h), (4.5, 5.5), rng.uniform(-30, 30), 14)
        film.add_shell(body.place(root), 0.10 * s, 0.12 * s, 1.2, 4)
