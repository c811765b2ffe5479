"""The spine of a phantom: a curved chain of vertebral bodies on a sacrum, in mm.

Frame of the anatomy: x toward the patient's front, y toward the feet. Sizes follow the common morphometric tables of
adult spines (anterior-posterior depth, posterior height, anterior/posterior ratio per level), rounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from spinetk.phantoms.body import Body, Deformity, deform

# label: depth mm, posterior height mm, anterior/posterior height, height mm and angle (degrees) of the disc below.
LEVELS: dict[str, tuple[float, float, float, float, float]] = {
    "C3": (15.0, 13.5, 0.97, 4.5, 3.0),
    "C4": (15.2, 13.3, 0.96, 4.5, 3.0),
    "C5": (15.5, 13.0, 0.95, 4.5, 3.0),
    "C6": (16.0, 13.0, 0.96, 4.8, 2.5),
    "C7": (16.5, 14.2, 0.97, 4.6, 1.0),
    "T1": (17.0, 15.8, 0.97, 4.0, -0.5),
    "T2": (18.0, 16.8, 0.97, 3.6, -0.8),
    "T3": (19.2, 17.3, 0.96, 3.4, -1.0),
    "T4": (20.8, 17.8, 0.95, 3.4, -1.2),
    "T5": (22.3, 18.3, 0.945, 3.6, -1.3),
    "T6": (23.8, 18.8, 0.94, 3.8, -1.3),
    "T7": (25.2, 19.3, 0.935, 4.0, -1.2),
    "T8": (26.5, 19.9, 0.935, 4.3, -1.0),
    "T9": (27.7, 20.7, 0.945, 4.8, -0.8),
    "T10": (28.8, 21.8, 0.955, 5.3, -0.3),
    "T11": (29.6, 23.2, 0.945, 5.9, 0.5),
    "T12": (30.3, 25.0, 0.945, 6.8, 1.5),
    "L1": (31.3, 26.6, 0.955, 8.2, 4.5),
    "L2": (32.4, 27.4, 0.98, 9.6, 6.5),
    "L3": (33.4, 27.5, 1.0, 10.6, 8.5),
    "L4": (34.3, 26.8, 1.04, 11.2, 11.0),
    "L5": (34.4, 24.8, 1.12, 10.4, 14.0),
}


# Where readers of films put the corners: height of a body, its depth, and height of the disc, as shares of LEVELS. From
# the medians of 1,755 annotated lumbar films (L1 to L5: anterior height 0.69 to 0.75, depth 0.98 to 1.03 of the mean
# step between centres) and 4,459 cervical ones; the thorax lies between. Only these medians were taken over.
ON_FILM: dict[str, tuple[float, float, float]] = {
    "L": (0.945, 1.075, 1.2),
    "T": (0.96, 1.03, 1.12),
    "C": (0.96, 0.91, 1.1),
}
SPREAD, SPREAD_ON_FILM = 0.025, 0.04

# The sacral table angle, between the endplate of S1 and its back wall: 97 degrees in adults, less where the slope is
# steep (142 adults, Journal of Orthopaedic Surgery and Research 2023, doi 10.1186/s13018-023-03782-w, whose lines of
# regression give 97 at an incidence of 48). The spread, and how much less on a steep one, are judgement.
TABLE_DEG, TABLE_BY_SLOPE, TABLE_SD = 97.0, 0.36, 6.0


@dataclass(frozen=True)
class Spine:
    """A whole spine.

    Attributes:
        bodies: C3 to L5, head to foot.
        sacrum: S1 to S5 as bodies (fused: their contours nearly touch), head to foot.
        age: 0 (young) .. 1 (old): degeneration and mineral loss.
        degeneration: Per disc below each body, 0 (healthy) .. 1 (collapsed).
        scale: Size relative to a mean adult.
        hips: Centres of the two femoral heads, (x, y) mm.
        hip_mm: Radius of a femoral head.
    """

    bodies: tuple[Body, ...]
    sacrum: tuple[Body, ...]
    age: float
    degeneration: tuple[float, ...]
    scale: float
    hips: tuple[tuple[float, float], tuple[float, float]] = ((25.0, 100.0), (30.0, 103.0))
    hip_mm: float = 24.0

    def body(self, label: str) -> Body:
        """A body by its level name."""
        return next(body for body in self.bodies if body.label == label)

    def below(self, index: int) -> Body:
        """The body under the disc below ``bodies[index]`` (S1 under L5)."""
        return self.bodies[index + 1] if index + 1 < len(self.bodies) else self.sacrum[0]


def draw_spine(
    rng: np.random.Generator,
    deformities: Mapping[str, tuple[Deformity, float]] | None = None,
    *,
    on_film: bool = False,
) -> Spine:
    """Draw a spine: size, age, posture, degeneration, and the deformities asked for, by level name.

    Args:
        rng: Source of everything.
        deformities: Level to (kind, loss in percent).
        on_film: Whether bodies are as readers of radiographs outline them (``ON_FILM``) rather than as anatomists do.

    The S1 endplate's middle is the origin of the frame. Postures that nobody stands or lies in (head far off the
    pelvis) are drawn again.
    """
    best: Spine | None = None
    least = np.inf
    for _ in range(12):
        spine = _draw_once(rng, deformities or {}, on_film)
        top = spine.body("T1")
        # How far beyond what is usual the head is forward or backward (mm) and stooped (degrees).
        excess = max(0.0, top.centre[0] - 60, -75 - top.centre[0]) + max(0.0, top.tilt_deg - 42)
        if excess < least:
            best, least = spine, excess
        if least == 0:
            break
    assert best is not None  # twelve were drawn
    return leaning(best, float(np.clip(rng.normal(0, 4), -10, 10)))


def leaning(spine: Spine, angle_deg: float) -> Spine:
    """The spine turned about its origin, as a patient leans or lies; positive brings the head forward."""
    angle = np.radians(angle_deg)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])

    def turned(body: Body) -> Body:
        x, y = np.array(body.centre) @ turn
        return replace(body, centre=(float(x), float(y)), tilt_deg=body.tilt_deg + angle_deg)

    (x0, y0), (x1, y1) = (np.array(spine.hips) @ turn).tolist()
    bodies, sacrum = tuple(map(turned, spine.bodies)), tuple(map(turned, spine.sacrum))
    return replace(spine, bodies=bodies, sacrum=sacrum, hips=((x0, y0), (x1, y1)))


def _draw_once(rng: np.random.Generator, deformities: Mapping[str, tuple[Deformity, float]], on_film: bool) -> Spine:
    spread = SPREAD_ON_FILM if on_film else SPREAD
    scale = float(np.clip(rng.normal(1.0, 0.07), 0.82, 1.18))
    age = float(rng.beta(1.6, 1.4))
    slope = float(np.clip(rng.normal(37, 11), 12, 68) if on_film else np.clip(rng.normal(37, 7), 18, 56))
    lordosis = float(np.clip(0.55 + (slope - 18) / 45 + rng.normal(0, 0.12), 0.35, 1.5))
    kyphosis = float(np.clip(rng.normal(1.0, 0.25) + 0.25 * age, 0.4, 1.8))
    density = float(np.clip(1.25 - 0.75 * age + rng.normal(0, 0.12), 0.35, 1.45))
    cup = float(np.clip(rng.normal(0.07, 0.02), 0.03, 0.11))
    concave = float(rng.uniform(0.4, 1.5))
    twist = float(rng.normal(0, 1.6))
    severity = float(np.clip(rng.beta(1.5, 2.5) * (0.5 + age), 0, 1))
    worn = {}
    for label in LEVELS:
        lower = {"L5": 1.5, "L4": 1.5, "L3": 1.15}.get(label, 0.7)
        worn[label] = float(np.clip(severity * lower * rng.uniform(0.2, 1.3), 0, 0.95))
    hips_rng, table_rng = rng.spawn(2)
    table = float(np.clip(TABLE_DEG - TABLE_BY_SLOPE * (slope - 37) + table_rng.normal(0, TABLE_SD), 80, 114))
    sacrum = _sacrum(rng, scale, slope, density, on_film, table)

    bodies: list[Body] = []
    seat, tilt = sacrum[0].points()[4], slope
    obliquity = 0.0
    for label, (depth, posterior, ratio, disc_mm, disc_deg) in reversed(LEVELS.items()):
        tall, deep, apart = ON_FILM[label[0]] if on_film else (1.0, 1.0, 1.0)
        posterior = posterior * scale * tall * rng.normal(1, spread)
        if label[0] == "T":
            ratio = 1 - (1 - ratio) * (0.5 + 0.5 * kyphosis)
        anterior = posterior * (ratio + rng.normal(0, 0.015))
        middle = (anterior + posterior) / 2 * (1 - cup * rng.uniform(0.7, 1.3))
        obliquity = 0.6 * obliquity + rng.normal(0, 0.8)
        lumbar = label[0] == "L" or label in ("T11", "T12")
        body = Body(
            label=label,
            anterior_mm=float(anterior),
            middle_mm=float(middle),
            posterior_mm=float(posterior),
            depth_mm=float(depth * scale * deep * rng.normal(1.0, spread)),
            taper_mm=float(rng.normal(0.8, 0.6)),
            upper_share=float(np.clip(rng.normal(0.45, 0.1), 0.2, 0.75)),
            corner_mm=float(scale * (3.2 - 1.2 * age) * rng.uniform(0.7, 1.2) * min(1.0, posterior / 22)),
            waist_mm=(float(concave * rng.uniform(1.2, 2.2)), float(concave * rng.uniform(0.6, 1.5))),
            obliquity_mm=float(np.clip(twist + obliquity, -4.5, 4.5)),
            density=density * float(rng.normal(1, 0.05)),
        )
        if label in deformities:
            body = deform(body, *deformities[label])
        height = disc_mm * scale * apart * rng.normal(1, 0.07) * (1 - 0.65 * worn[label])
        angle = disc_deg * (lordosis if lumbar else kyphosis if label[0] == "T" else 1.0) + rng.normal(0, 0.9)
        # A disc wedged to a point would let the bodies cut into each other.
        limit = np.degrees(np.arctan(1.5 * height / body.depth_mm))
        angle = float(np.clip(angle, -limit, limit))
        middle_tilt = np.radians(tilt - angle / 2)
        seat = seat + height * np.array([np.sin(middle_tilt), -np.cos(middle_tilt)])
        body = replace(body, tilt_deg=float(tilt - angle - body.wedge_deg / 2))
        seat_local = body.points()[[0, 2]].mean(axis=0)
        body = replace(body, centre=(float(seat[0] - seat_local[0]), float(seat[1] - seat_local[1])))
        seat = body.points()[[3, 5]].mean(axis=0)
        tilt = body.tilt_deg - body.wedge_deg / 2
        bodies.append(body)
    degeneration = tuple(worn[label] for label in LEVELS)
    hips, radius = _hips(hips_rng, scale, slope)
    return Spine(tuple(reversed(bodies)), sacrum, age, degeneration, scale, hips, radius)


def _hips(
    rng: np.random.Generator, scale: float, slope: float
) -> tuple[tuple[tuple[float, float], tuple[float, float]], float]:
    """The femoral heads: pelvic tilt from the usual incidence (about 52 degrees), the axis 11 cm from the S1 endplate.

    The two heads lie apart as far as a film that is not quite lateral shows them.
    """
    tilt = np.radians(np.clip(rng.normal(14 + 0.25 * (slope - 37), 7), -8, 38))
    reach = scale * np.clip(rng.normal(108, 8), 88, 130)
    axis = reach * np.array([np.sin(tilt), np.cos(tilt)])
    apart = rng.normal(0, 5, 2) * (rng.random() < 0.8)
    first, second = axis + apart, axis - apart
    hips = (float(first[0]), float(first[1])), (float(second[0]), float(second[1]))
    return hips, float(scale * np.clip(rng.normal(24, 1.6), 20, 28.5))


def _sacrum(
    rng: np.random.Generator, scale: float, slope: float, density: float, on_film: bool, table_deg: float
) -> tuple[Body, ...]:
    segments: list[Body] = []
    seat, tilt = np.zeros(2), slope
    curve = rng.uniform(6, 18) if on_film else rng.uniform(4, 13)
    depths = (35.5, 25.0, 18.5, 14.0, 10.5, 7.0) if on_film else (31.5, 22.5, 16.5, 12.5, 9.5, 6.0)
    heights = (29.0, 24.0, 20.0, 17.0, 15.0)
    for k in range(5):
        depth, height = depths[k] * scale * rng.normal(1, 0.03), heights[k] * scale * rng.normal(1, 0.03)
        below = depths[k + 1] * scale
        anterior = height * (1.04 if k == 0 else 0.97)
        body = Body(
            label=f"S{k + 1}",
            anterior_mm=float(anterior),
            middle_mm=float((anterior + height) / 2 * 0.97),
            posterior_mm=float(height * 0.93),
            depth_mm=float((depth + below) / 2),
            taper_mm=float(below - depth),
            lean_mm=float((depth - below) / 2),  # a segment tapers in front, its back wall stands upright
            corner_mm=2.0,
            waist_mm=(1.0, 0.6),
            density=density,
        )
        if k == 0:
            behind = np.tan(np.radians(table_deg - 90 - body.wedge_deg / 2))
            body = replace(body, lean_mm=float(body.lean_mm + body.posterior_mm * behind))
        body = replace(body, tilt_deg=float(tilt + body.wedge_deg / 2))
        offset = body.points()[[3, 5]].mean(axis=0)
        body = replace(body, centre=(float(seat[0] - offset[0]), float(seat[1] - offset[1])))
        segments.append(body)
        # Hollow to the front: below S1 it follows that one's back wall, and bends forward from there.
        tilt = body.tilt_deg + body.wedge_deg / 2 - curve * (0.8, 0.9, 1.2, 1.4, 0)[k]
        if k == 0:
            tilt += table_deg - 90
        seat = body.points()[[0, 2]].mean(axis=0) - 2.2 * scale * body.up
    return tuple(segments)
