"""The spinal column of an MR slice: vertebrae, discs, canal or foramina, ligaments, metal."""

from __future__ import annotations

import numpy as np

from spinetk.phantoms.body import Body
from spinetk.phantoms.shape import cover, coverage, distance, ellipse, ribbon, smooth
from spinetk.phantoms.tissue import Tissue


def draw_column(slice_: Tissue) -> None:
    """Paint the column over the soft tissue, from what lies behind to what lies in front."""
    if slice_.midline:
        _draw_canal(slice_)
    else:
        _draw_foramina(slice_)
    for index, body in enumerate(slice_.spine.bodies):
        _draw_disc(slice_, index, body)
    for body in slice_.column():
        _draw_vertebra(slice_, body)
    if slice_.midline:
        _draw_ligaments(slice_)
    else:
        for body in slice_.spine.bodies:
            _draw_arch(slice_, body)


def _draw_canal(slice_: Tissue) -> None:
    """Dural sac with cord, conus and roots."""
    rng, signals, scale = slice_.rng, slice_.signals, slice_.spine.scale
    column = slice_.column()[:-2]
    wide = rng.uniform(12.5, 16.5) * scale
    nodes = []
    for body in column:
        h, back = body.posterior_mm, -body.depth_mm / 2
        gap = 2.0 + 0.5 * wide
        nodes += body.place([(back - gap, -0.35 * h), (back - gap, 0.35 * h)]).tolist()
    path = smooth(np.array(nodes), closed=False, steps=3)
    taper = np.full(len(path), wide)
    tail = np.linspace(0, 1, len(path) // 6)
    taper[-len(tail) :] *= np.sqrt(1 - 0.93 * tail)
    slice_.paint(ribbon(path, taper + 2.6), signals["rim"] * 0.8)
    slice_.paint(ribbon(path, taper), signals["fluid"], 1.2, 0.04)
    end = [body.label for body in column].index(str(rng.choice(["T12", "L1", "L2"])))
    stop = round((2 * end + 1) / len(nodes) * len(path))
    cord = path[:stop] + np.array([rng.uniform(-1.5, 1.5), 0])
    width = np.full(len(cord), rng.uniform(6.0, 7.5) * scale)
    width[-14:] *= np.sqrt(np.linspace(1, 0.03, min(14, len(width))))
    slice_.paint(ribbon(cord, width), signals["cord"], 1.5, 0.06)
    roots = path[max(stop - 10, 0) : -len(tail)]
    if len(roots) > 3:
        dark = signals["fluid"] + 0.75 * (signals["cord"] - signals["fluid"])
        for shift in rng.uniform(-0.46, -0.05, size=5):
            wave = shift * wide + np.cumsum(rng.normal(0, 0.12, len(roots)))
            strand = roots + np.stack([np.clip(wave, -0.47 * wide, 0.2 * wide), np.zeros(len(roots))], 1)
            slice_.paint(ribbon(strand, rng.uniform(0.5, 1.3)), dark, 1.5)


def _draw_foramina(slice_: Tissue) -> None:
    """Beside the midline: fat behind the bodies, a nerve root under each pedicle."""
    rng, signals, scale = slice_.rng, slice_.signals, slice_.spine.scale
    nodes, gap = [], rng.uniform(5.0, 8.0) * scale
    for body in slice_.column()[:-3]:
        nodes.append(body.place([(-body.depth_mm / 2 - gap, 0.0)])[0])
    fat = signals["fat"] * rng.uniform(0.55, 0.95)
    slice_.paint(ribbon(smooth(np.array(nodes), closed=False), 2.1 * gap), fat, 2.5, 0.12)
    for body in slice_.spine.bodies:
        low = (-body.depth_mm / 2 - gap * rng.uniform(0.8, 1.2), 0.42 * body.posterior_mm)
        root = body.place(ellipse(low, (rng.uniform(2.2, 3.4) * scale, rng.uniform(2.6, 4.0) * scale), 0, 16))
        slice_.paint(root, signals["cord"], 1.8, 0.05)
        vessel = body.place(ellipse((low[0] + 3, low[1] - 5), (1.2, 1.2), 0, 10))
        slice_.paint(vessel, signals["vessel"], 1.5)


def _draw_arch(slice_: Tissue, body: Body) -> None:
    """Pedicle, isthmus and joint processes of a slice beside the midline, continuous with the body."""
    rng, signals = slice_.rng, slice_.signals
    h, back, scale = body.posterior_mm, -body.depth_mm / 2, slice_.spine.scale
    far = back - rng.uniform(13, 17) * scale
    outline = [
        (back + 4.5, -0.34 * h),
        (back - 5, -0.36 * h),
        (far + 3, -0.62 * h),
        (far - 2, -0.66 * h),
        (far - 5, -0.1 * h),
        (far - 7, 0.45 * h),
        (far - 3, 0.62 * h),
        (far + 1, 0.3 * h),
        (back - 5, 0.04 * h),
        (back + 4.5, 0.05 * h),
    ]
    placed = body.place(smooth(np.array(outline) + rng.normal(0, 0.4, (10, 2))))
    behind = np.array([(back - 0.9, -h), (far - 30, -h), (far - 30, h), (back - 0.9, h)])
    only = np.zeros(slice_.shown.size, np.float32)
    found = cover(slice_.shown.px(body.place(behind)), slice_.shown.size)
    if not found:
        return
    only[found[0]] = found[1]
    slice_.paint(placed, signals["bone"], 1.3, 0, only)
    inner = placed.mean(axis=0) + (placed - placed.mean(axis=0)) * [0.9, 0.84]
    slice_.paint(inner, signals["marrow"] * rng.uniform(0.85, 1.1), 1.8, slice_.grain)


def _draw_disc(slice_: Tissue, index: int, body: Body) -> None:
    rng, signals = slice_.rng, slice_.signals
    below = slice_.spine.below(index)
    upper, lower = body.points(), below.points()
    worn = slice_.spine.degeneration[index]
    bulge = 0.8 + 3.0 * worn * rng.uniform(0.4, 1.0)
    low_front, high_front = lower[3], upper[2]
    front = (high_front + low_front) / 2 + (bulge + 0.8) * body.front
    back = (upper[0] + lower[5]) / 2 - bulge * rng.uniform(0.6, 1.2) * body.front
    ring = np.array([upper[0], back, lower[5], lower[4], low_front, front, high_front, upper[1]])
    slice_.paint(smooth(ring), signals["rim"] * (1.0 + 0.5 * (1 - signals["t2"])), 1.3)
    centre = (upper[1] + lower[4]) / 2
    axis = body.front
    along = (ring - centre) @ axis
    inner = centre + (ring - centre - np.outer(along * rng.uniform(0.18, 0.34), axis)) * 0.97
    bright = signals["disc"] * (1 - 0.95 * min(1.0, 1.25 * worn + slice_.dry)) if signals["t2"] else signals["disc"]
    soft = rng.uniform(3.0, 6.5) / slice_.shown.mean_spacing_mm**0.5
    slice_.paint(smooth(inner), max(bright, signals["rim"] * 1.2), soft, 0.08)
    if signals["t2"] and bright > 0.3 and rng.random() < 0.7:
        cleft = np.array([centre - 8 * axis, centre, centre + 8 * axis])
        slice_.paint(ribbon(cleft, 1.4), bright * 0.75, 3.0)


def _draw_vertebra(slice_: Tissue, body: Body) -> None:
    rng, signals = slice_.rng, slice_.signals
    found = distance(slice_.shown.px(body.contour()), slice_.shown.size, 4.0)
    if not found:
        return
    window, signed = found
    mm = np.float32(slice_.shown.mean_spacing_mm)
    inside = coverage(signed)
    level = signals["marrow"] * rng.normal(1, 0.05) * (1 + 0.25 * (slice_.spine.age - 0.5))
    marrow = level * (
        1 + np.float32(slice_.grain) * slice_.fine[window] + (0.03 + 0.06 * slice_.spine.age) * slice_.medium[window]
    )
    # Cortex and endplate are thin and black; chemical shift thickens one of the endplates.
    thin = np.float32(rng.uniform(0.5, 0.95))
    cortex = np.clip(1.15 - np.maximum(signed * mm - thin, 0) / np.float32(0.7), 0, 1)
    value = marrow + cortex * (signals["bone"] - marrow)
    slice_.signal[window] += inside * (value - slice_.signal[window])
    rim = np.clip(1 - np.abs(signed * mm + 0.3) / 0.7, 0, 1) * 0.6
    slice_.signal[window] += rim.astype(np.float32) * (np.float32(signals["bone"]) - slice_.signal[window])
    if slice_.midline and body.label[0] != "S" and rng.random() < 0.6:
        # Basivertebral vein: enters the middle of the back wall.
        long = rng.uniform(0.1, 0.34) * body.depth_mm
        back = -body.depth_mm / 2 + body.waist_mm[1]
        high, lift = rng.uniform(0.7, 2.0), rng.normal(0, 0.6)
        vein = [(back, lift - high), (back + long, lift - 0.5), (back + long, lift + 0.5), (back, lift + high)]
        tone = level * (rng.uniform(1.1, 1.7) if signals["t2"] else rng.uniform(0.6, 0.9))
        slice_.paint(body.place(smooth(vein)), tone, 2.5)
    if body.label[0] != "S":
        _draw_spots(slice_, body, level)


def _draw_spots(slice_: Tissue, body: Body, level: float) -> None:
    """Fatty islands, haemangiomas, endplate (Modic) changes and spurs: what ages a marrow."""
    rng, signals, age = slice_.rng, slice_.signals, slice_.spine.age
    half, high = body.depth_mm / 2, body.middle_mm / 2
    for _ in range(int(rng.poisson(0.5 * age))):
        spot = (rng.uniform(-0.6, 0.6) * half, rng.uniform(-0.6, 0.6) * high)
        radius = rng.uniform(1.2, 4.0)
        slice_.paint(body.place(ellipse(spot, (radius, radius * rng.uniform(0.6, 1)), 0, 12)), level * 1.5, 3.0, 0.1)
    if rng.random() < 0.3 * age:
        side, end = rng.choice([-1, 1]), rng.choice([-1, 1])
        edge = ellipse((side * half * 0.55, end * high * 0.92), (half * 0.5, high * rng.uniform(0.15, 0.35)), 0, 16)
        slice_.paint(body.place(edge) * 0.94 + 0.06 * np.array(body.centre), level * rng.choice([0.6, 1.5]), 4.0, 0.1)
    points = body.points()
    for corner, end in ((2, 1.0), (3, -1.0)):
        long = rng.gamma(1.5, 1.6) * age - 1.2
        if long > 0.5:
            tip = points[corner] + long * body.front - end * long * rng.uniform(0.1, 0.6) * -body.up
            root = points[corner] - 2.5 * body.front + 4.0 * end * body.up
            spur = smooth(np.array([points[corner] - 3.0 * body.front, tip, root]))
            slice_.paint(spur, signals["bone"], 1.5)
            slice_.paint(spur.mean(axis=0) + (spur - spur.mean(axis=0)) * 0.6, level, 1.5)


def _draw_ligaments(slice_: Tissue) -> None:
    rng, signals = slice_.rng, slice_.signals
    for corners, extra in (((3, 2), 0.6), ((5, 0), -0.5)):
        nodes = []
        for body in slice_.spine.bodies:
            points = body.points()
            nodes += [points[corners[0]] + extra * body.front, points[corners[1]] + extra * body.front]
        path = smooth(np.array(nodes), closed=False, steps=3)
        slice_.paint(ribbon(path, rng.uniform(0.8, 1.6)), signals["bone"] + 0.02, 1.3)


def draw_voids(slice_: Tissue, rng: np.random.Generator) -> None:
    """Signal voids with bright rims where metal disturbs the field."""
    first = int(rng.integers(16, 20))
    for body in slice_.spine.bodies[first : first + int(rng.integers(2, 4))]:
        for depth in rng.uniform(0.0, 1.0, size=3):
            spot = body.place([(-18 - body.depth_mm / 2 - 14 * depth, -0.2 * body.posterior_mm)])[0]
            radius = rng.uniform(5, 10)
            blob = smooth(ellipse(tuple(spot), (radius, radius * 0.8), 0, 9) + rng.normal(0, 0.8, (9, 2)))
            pile = smooth(ellipse((spot[0], spot[1] + radius * 0.85), (radius * 0.9, 2.2), 0, 9))
            slice_.paint(blob, 0.01, 3.5)
            slice_.paint(pile, slice_.signals["fat"] * rng.uniform(0.6, 1.4), 3.0)
