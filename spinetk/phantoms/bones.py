"""Bones in a radiograph: vertebrae with their posterior elements, sacrum, iliac bones, ribs; and implants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinetk.phantoms.attenuation import COMPACT, METAL, SPONGY, Attenuation
from spinetk.phantoms.body import Body
from spinetk.phantoms.shape import coverage, distance, ellipse, ribbon, smooth, texture

# Outline of an iliac bone seen from the side, mm from the centre of the vertebra that its crest reaches.
ILIAC = [(-84, 66), (-78, 26), (-50, 0), (-4, -10), (42, -2), (74, 22), (84, 56), (68, 96), (76, 140), (40, 190)]
ILIAC += [(-10, 184), (-30, 134), (-66, 104)]
AORTA = ("L1", "L2", "L3", "L4")


def draw_bones(film: Attenuation) -> None:
    """Vertebrae with their posterior elements, sacrum, iliac bones and ribs."""
    for body in (*film.spine.bodies, *film.spine.sacrum):
        draw_vertebra(film, body)
    _draw_pelvis(film)
    _draw_calcified_aorta(film)
    _draw_ribs(film)
    mm = film.shown.mean_spacing_mm
    # Trabeculae: the upright ones remain longest, so old bone looks striped.
    grain = texture(film.rng, film.shown.size, 1.2 / mm) + 0.8 * texture(film.rng, film.shown.size, 3.5 / mm)
    upright = texture(film.rng, film.shown.size, (7 / mm, 1.3 / mm))
    film.bone *= 1 + np.float32(0.06) * grain + np.float32(0.03 + 0.06 * film.spine.age) * upright


def draw_vertebra(film: Attenuation, body: Body, arch: bool = True) -> None:
    """A body and, above the sacrum, its posterior elements (those of the trunk; without ``arch`` none).

    The landmarks of a radiograph lie where readers put them: in the middle of the bright line of an endplate, midway
    between its two rims where the beam meets it obliquely. So the bone reaches beyond them.
    """
    beyond = film.line_mm / 2 + abs(body.obliquity_mm) / 2
    grown = {name: getattr(body, name) + 2 * beyond for name in ("anterior_mm", "middle_mm", "posterior_mm")}
    _draw_body(film, replace(body, **grown))
    if arch and body.label[0] != "S":
        _draw_posterior(film, body)


def _draw_body(film: Attenuation, body: Body) -> None:
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
    bone = bone * (1 + 0.22 * near_end)
    bone = bone + COMPACT * (0.5 + 0.5 * body.density) * shell * (5.0 + 10.0 * flat)
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


def _draw_pelvis(film: Attenuation) -> None:
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
