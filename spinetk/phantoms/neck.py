"""The bodies of a neck: C3 to C7 on the thorax and the axis above, shaped as readers of lateral films mark them.

From 4,459 annotated films of necks (CC BY 4.0) medians, spreads and the three main ways in which necks are bent were
taken over, no annotation: heights, depths and distances in shares of the mean distance between the centres of C3 to
C7, angles in degrees. What those annotations do not hold, the posterior heights, follows ``spine.LEVELS``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from spinetk.phantoms.body import Body
from spinetk.phantoms.spine import LEVELS, Spine, draw_spine, leaning

NECK = ("C3", "C4", "C5", "C6", "C7")
STEP_MM = 16.9
LEAN_DEG = np.array([0.4, -3.9, -5.7, -6.5, -11.0, -15.8])
"""The way from each centre to the next, C2 to T1, against the upright; negative where the lower one lies behind."""
BENDS_DEG = np.array(
    [[4.0, 5.3, 6.6, 6.4, 4.9, 3.8], [6.2, 4.8, 1.7, -2.4, -5.1, -5.9], [-2.9, -0.3, 2.1, 2.3, -0.6, -3.1]]
)
"""One standard deviation of the three main bends: the head forward, lordosis against kyphosis, an S."""
BEND_REST_DEG = 1.6
STEPS = np.array([1.23, 1.01, 0.98, 0.975, 1.035, 1.087])
STEPS_SD = np.array([0.055, 0.027, 0.022, 0.024, 0.03, 0.04])
FRONTS = np.array([0.753, 0.711, 0.661, 0.696, 0.808])  # anterior heights
DEPTHS = np.array([0.80, 0.83, 0.847, 0.874, 0.891])
SLANTS_DEG = np.array([10.4, 8.8, 7.6, 5.8, 5.9])  # of the endplates against the square to the line of centres
LEAST_GAP = 0.07


@dataclass(frozen=True)
class Neck:
    """A neck.

    Attributes:
        spine: With C3 to C7 as drawn here.
        axis: C2 below its dens.
        step_mm: Mean distance between the centres of C3 to C7.
    """

    spine: Spine
    axis: Body
    step_mm: float


def draw_neck(rng: np.random.Generator) -> Neck:
    """Draw a neck; one whose bodies cut into each other is drawn again."""
    spine = draw_spine(rng, on_film=True)
    step = STEP_MM * spine.scale * float(np.clip(rng.normal(1, 0.03), 0.93, 1.07))
    best: Neck | None = None
    most = -np.inf
    for _ in range(20):
        neck = _draw_once(rng, spine, step)
        gap = least_gap(neck) / step
        if gap > most:
            best, most = neck, gap
        if gap > LEAST_GAP:
            break
    assert best is not None  # twenty were drawn
    return best


def least_gap(neck: Neck) -> float:
    """The least height of a disc between C3 and T1 at its front or its back, in mm."""
    bodies = neck.spine.bodies[: len(NECK) + 1]
    gaps = []
    for upper, lower in pairwise(bodies):
        between = lower.points()[[3, 5]] - upper.points()[[2, 0]]
        gaps.append(float((between @ -lower.up).min()))
    return min(gaps)


def _draw_once(rng: np.random.Generator, spine: Spine, step: float) -> Neck:
    bend = np.clip(rng.standard_normal(3), -2.4, 2.4)
    lean = LEAN_DEG + bend @ BENDS_DEG + rng.normal(0, BEND_REST_DEG, 6)
    spine = leaning(spine, float(-lean[-1] + rng.normal(4, 3)) - spine.body("T1").tilt_deg)
    steps = step * (STEPS + rng.normal(0, 1, 6) * STEPS_SD)
    fronts = step * (FRONTS + rng.normal(0, 0.02) + rng.normal(0, 0.04, 5))
    depths = step * DEPTHS * np.clip(rng.normal(1, 0.085), 0.84, 1.2) * rng.normal(1, 0.028, 5)
    slants = SLANTS_DEG + rng.normal(0, 1.5) + rng.normal(0, 2, 5)
    cup = float(np.clip(rng.normal(0.07, 0.025), 0.01, 0.13))
    below = spine.body("T1")
    bodies: list[Body] = []
    for k in reversed(range(5)):
        old = spine.body(NECK[k])
        posterior = float(fronts[k] / (LEVELS[NECK[k]][2] + rng.normal(0, 0.03)))
        tilt = -(lean[k] + lean[k + 1]) / 2 + rng.normal(0, 1.5)
        body = replace(
            old,
            anterior_mm=float(fronts[k]),
            middle_mm=float((fronts[k] + posterior) / 2 * (1 - cup * rng.uniform(0.6, 1.4))),
            posterior_mm=posterior,
            depth_mm=float(depths[k]),
            taper_mm=float(rng.normal(1.1, 0.7)),
            slant_mm=float(depths[k] * np.tan(np.radians(slants[k]))),
            tilt_deg=float(tilt),
            centre=_above(below, steps[k + 1], lean[k + 1]),
            corner_mm=float(np.clip(old.corner_mm * rng.uniform(0.6, 1.3), 0.8, 0.3 * fronts[k])),
            waist_mm=(0.5 * old.waist_mm[0], 0.5 * old.waist_mm[1]),
            obliquity_mm=float(np.clip(0.6 * old.obliquity_mm, -2.5, 2.5)),
        )
        bodies.append(body)
        below = body
    axis = replace(
        below,
        label="C2",
        anterior_mm=1.1 * step,
        middle_mm=1.05 * step,
        posterior_mm=1.05 * step,
        taper_mm=0.0,
        tilt_deg=float(-lean[0] + rng.normal(0, 3)),
        centre=_above(below, steps[0], lean[0]),
    )
    # The thorax begins as deep as the neck ends.
    wider = depths[-1] / spine.body("T1").depth_mm
    thorax = [
        replace(body, depth_mm=body.depth_mm * float(wider + (1 - wider) * share))
        for body, share in zip(spine.bodies[5:8], (0.15, 0.4, 0.7), strict=True)
    ]
    tall = {name: 0.94 * getattr(thorax[0], name) for name in ("anterior_mm", "middle_mm", "posterior_mm")}
    thorax[0] = replace(thorax[0], **tall)
    whole = (*reversed(bodies), *thorax, *spine.bodies[8:])
    return Neck(replace(spine, bodies=whole), axis, step)


def _above(body: Body, far_mm: float, lean_deg: float) -> tuple[float, float]:
    """A centre above a body's."""
    angle = np.radians(lean_deg)
    return float(body.centre[0] - far_mm * np.sin(angle)), float(body.centre[1] - far_mm * np.cos(angle))
