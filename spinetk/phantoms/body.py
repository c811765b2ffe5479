"""One vertebral body in mm: six landmarks with exact heights define it, a smooth contour passes through them.

A tilt is the angle of a body's own front-to-back axis, positive when its front end is lower.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from spinetk.errors import InputError
from spinetk.geometry import Side
from spinetk.phantoms.shape import bezier, hermite
from spinetk.schema import VERTEBRA6

Deformity = Literal["none", "wedge", "biconcave", "crush"]
DEFORMITIES: tuple[Deformity, ...] = ("none", "wedge", "biconcave", "crush")


def vertebra_points(
    anterior_mm: float,
    middle_mm: float,
    posterior_mm: float,
    depth_mm: float,
    tilt_deg: float = 0.0,
    centre: tuple[float, float] = (0.0, 0.0),
    *,
    facing: Side = "left",
    taper_mm: float = 0.0,
    upper_share: float = 0.5,
) -> np.ndarray:
    """Six landmarks of a vertebral body with exactly these three heights.

    Args:
        anterior_mm: Distance of the two anterior corners.
        middle_mm: Distance of the two endplate middles.
        posterior_mm: Distance of the two posterior corners.
        depth_mm: Mean of the upper and the lower endplate length, corner to corner along the body's own axis.
        tilt_deg: Rotation about ``centre``, positive when the anterior end is lower.
        centre: (x, y) of the body's own origin, in the picture's sense (x right, y down).
        facing: Side of the picture that is anterior.
        taper_mm: How much longer the lower endplate is than the upper one.
        upper_share: Share of the endplates' concavity that the upper one has.

    Returns:
        (6, 2) float64 points in the order of ``vertebra6``, in the unit of the arguments.

    Raises:
        InputError: A height or the depth is not positive, or the taper leaves no height.
    """
    if min(anterior_mm, middle_mm, posterior_mm, depth_mm) <= 0 or abs(taper_mm) / 4 >= min(anterior_mm, posterior_mm):
        fault = "heights and depth are not all positive, or the taper leaves no height"
        raise InputError("vertebra", fault, "give larger heights or less taper")
    shift = taper_mm / 4
    half_a, half_p = (np.sqrt(h**2 - (2 * shift) ** 2) / 2 for h in (anterior_mm, posterior_mm))
    x = depth_mm / 2
    sag = (half_a + half_p) - middle_mm
    top = -(half_a + half_p) / 2 + upper_share * sag
    local = np.array(
        [
            [-x - shift, half_p],
            [0.0, top + middle_mm],
            [x + shift, half_a],
            [x - shift, -half_a],
            [0.0, top],
            [-x + shift, -half_p],
        ]
    )
    angle = np.radians(tilt_deg)
    cosine, sine = np.cos(angle), np.sin(angle)
    points = local @ np.array([[cosine, sine], [-sine, cosine]])
    if facing == "left":
        points = VERTEBRA6.mirror(points, 0.0)
    return points + centre


@dataclass(frozen=True)
class Body:
    """One vertebral body; the landmarks define it, the remaining numbers only shape the contour between them.

    Attributes:
        label: Level name.
        anterior_mm, middle_mm, posterior_mm: The three heights.
        depth_mm, taper_mm, upper_share: As in :func:`vertebra_points`.
        tilt_deg, centre: Pose in the frame of the anatomy.
        corner_mm: Extent of the rounding at the corners.
        waist_mm: (anterior, posterior) depth of the concavity of the walls.
        slant_mm: How much lower the anterior wall stands than the posterior one, along the walls; the heights and the
            angle between the endplates stay.
        lean_mm: How far the lower endplate lies behind the upper one; the angle between them stays, and walls grow
            longer than the heights say.
        obliquity_mm: Apparent distance of the near and far rim of each endplate in a projection.
        density: Mineral relative to a healthy adult.
        deformity, loss_percent: See :func:`deform`.
    """

    label: str
    anterior_mm: float
    middle_mm: float
    posterior_mm: float
    depth_mm: float
    taper_mm: float = 0.0
    upper_share: float = 0.5
    tilt_deg: float = 0.0
    centre: tuple[float, float] = (0.0, 0.0)
    corner_mm: float = 3.0
    waist_mm: tuple[float, float] = (1.5, 1.0)
    slant_mm: float = 0.0
    lean_mm: float = 0.0
    obliquity_mm: float = 0.0
    density: float = 1.0
    deformity: Deformity = "none"
    loss_percent: float = 0.0

    @property
    def front(self) -> np.ndarray:
        """Unit vector toward the body's own front."""
        angle = np.radians(self.tilt_deg)
        return np.array([np.cos(angle), np.sin(angle)])

    @property
    def up(self) -> np.ndarray:
        """Unit vector toward the body's own upper endplate."""
        return np.array([self.front[1], -self.front[0]])

    @property
    def wedge_deg(self) -> float:
        """Angle between the endplates, positive when they open to the front."""
        return float(np.degrees(2 * np.arctan2((self.anterior_mm - self.posterior_mm) / 2, self.depth_mm)))

    def points(self) -> np.ndarray:
        """(6, 2) landmarks in mm, patient facing right."""
        points = vertebra_points(
            self.anterior_mm,
            self.middle_mm,
            self.posterior_mm,
            self.depth_mm,
            self.tilt_deg,
            self.centre,
            facing="right",
            taper_mm=self.taper_mm,
            upper_share=self.upper_share,
        )
        lower = np.array([-0.5, 0, 0.5, 0.5, 0, -0.5]) * self.slant_mm
        forward = np.array([-0.5, -0.5, -0.5, 0.5, 0.5, 0.5]) * self.lean_mm
        return points - lower[:, None] * self.up + forward[:, None] * self.front

    def place(self, local: npt.ArrayLike) -> np.ndarray:
        """(..., 2) points in the body's own axes (front, down; mm from its centre) to the frame of the anatomy."""
        own = np.asarray(local, dtype=np.float64)
        return self.centre + own[..., :1] * self.front - own[..., 1:] * self.up

    def contour(self, steps: int = 8) -> np.ndarray:
        """(N, 2) closed smooth outline in mm that passes exactly through the six landmarks.

        Corners are Bezier roundings whose apex is the corner landmark; endplates pass their middle landmark with the
        direction of the chord; walls are concave by ``waist_mm``.
        """
        bottom_back, bottom, bottom_front, top_front, top, top_back = self.points()
        centre = (bottom_back + bottom_front + top_front + top_back) / 4
        loop = [
            (bottom_back, bottom, bottom_front),
            (bottom_front, _bulged(bottom_front, top_front, centre, self.waist_mm[0]), top_front),
            (top_front, top, top_back),
            (top_back, _bulged(top_back, bottom_back, centre, self.waist_mm[1]), bottom_back),
        ]
        # Leaving and arriving directions of every side, steeper than its chord where the side is concave.
        leave = [_unit(0.35 * _unit(end - start) + 0.65 * _unit(mid - start)) for start, mid, end in loop]
        arrive = [_unit(0.35 * _unit(start - end) + 0.65 * _unit(mid - end)) for start, mid, end in loop]
        parts = []
        for k, (start, mid, end) in enumerate(loop):
            first = _corner(start, arrive[k - 1], leave[k], self.corner_mm)
            last = _corner(end, arrive[k], leave[(k + 1) % 4], self.corner_mm)
            chord = _unit(end - start)
            parts.append(bezier(*first, steps)[steps // 2 :])
            parts.append(hermite(first[2], mid, leave[k], chord, steps)[1:])
            parts.append(hermite(mid, last[0], chord, -arrive[k], steps)[1:])
            parts.append(bezier(*last, steps)[1 : steps // 2])
        return np.concatenate(parts)


def deform(body: Body, kind: Deformity, loss_percent: float) -> Body:
    """The same body with an exact height loss.

    ``wedge``: anterior height is lost against the posterior one. ``biconcave``: middle height is lost against the
    posterior one. ``crush``: all three heights are lost against what they were.

    Raises:
        InputError: Unknown kind, or a loss outside 0..80 %.
    """
    if kind not in DEFORMITIES:
        raise InputError(f"deformity {kind!r}", "is unknown", f"use one of {', '.join(DEFORMITIES)}")
    if not 0 <= loss_percent <= 80:
        raise InputError(
            f"height loss {loss_percent}", "is not between 0 and 80 %", "give the loss in percent of the height"
        )
    keep = 1 - loss_percent / 100
    if kind == "none":
        return body
    if kind == "wedge":
        anterior = body.posterior_mm * keep
        # The endplates stay as concave as they were, measured from the line that joins their corners.
        sag = (body.anterior_mm + body.posterior_mm) / 2 - body.middle_mm
        middle = (anterior + body.posterior_mm) / 2 - min(sag, 0.3 * anterior)
        # The middle must not lose more than the front, or the shape would read as biconcave.
        heights = (anterior, max(middle, anterior * 1.02), body.posterior_mm)
    elif kind == "biconcave":
        anterior = max(body.anterior_mm, body.posterior_mm * 0.96)
        heights = (anterior, body.posterior_mm * keep, body.posterior_mm)
    else:
        heights = (body.anterior_mm * keep, body.middle_mm * keep, body.posterior_mm * keep)
    return replace(
        body,
        anterior_mm=heights[0],
        middle_mm=heights[1],
        posterior_mm=heights[2],
        corner_mm=min(body.corner_mm, 0.3 * min(heights)),
        deformity=kind,
        loss_percent=float(loss_percent),
    )


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.hypot(*vector)


def _bulged(start: np.ndarray, end: np.ndarray, centre: np.ndarray, depth_mm: float) -> np.ndarray:
    """Middle of a wall, moved ``depth_mm`` toward the centre."""
    middle = (start + end) / 2
    return middle + depth_mm * _unit(centre - middle)


def _corner(
    apex: np.ndarray, arriving: np.ndarray, leaving: np.ndarray, extent_mm: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quadratic Bezier controls of a rounding whose middle is ``apex``; the directions point away from the corner."""
    sharp = apex - 0.25 * extent_mm * (arriving + leaving)
    return sharp + extent_mm * arriving, sharp, sharp + extent_mm * leaving
