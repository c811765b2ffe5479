"""Pelvis: sacral slope, pelvic tilt, pelvic incidence.

After Legaye, Duval-Beaupere, Hecquet and Marty (Eur Spine J 1998;7:99-103), on an upright lateral picture:

* sacral slope (SS): between the upper endplate of S1 and the horizontal, positive when its front end is lower;
* pelvic tilt (PT): between the vertical and the line from the middle of that endplate to the hip axis, the point
  midway between the centres of the femoral heads; positive when the axis lies in front of the endplate's middle;
* pelvic incidence (PI): between the perpendicular of the endplate at its middle and that line.

By geometry PI = PT + SS; each is computed from the points by itself. Angles are degrees; points are (..., 2) with
(x, y) to the right and down, in one unit for both axes (mm, or square px). The horizontal is that of the picture: a
film that hangs aslant shifts SS and PT against each other, not PI.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spinetk.geometry import Side
from spinetk.landmark import Landmark

# Below this slope the endplate lies too level to tell the front by; ten degrees is below nearly every standing spine.
LEAST_SLOPE_DEG = 10.0


@dataclass(frozen=True)
class Pelvis:
    """The points that the pelvic angles are taken from.

    Attributes:
        anterior, posterior: (..., 2) ends of the S1 endplate.
        axis: (..., 2) hip axis; None when no femoral head is seen, or more than two are marked.
        heads: How many femoral heads are marked; the axis comes from one or two.
    """

    anterior: np.ndarray
    posterior: np.ndarray
    axis: np.ndarray | None
    heads: int

    @property
    def middle(self) -> np.ndarray:
        """(..., 2) middle of the endplate."""
        return (self.anterior + self.posterior) / 2

    def sacral_slope_deg(self) -> np.ndarray:
        """(...) SS."""
        forward = _forward(self.anterior - self.posterior)
        return np.degrees(np.arctan2(forward[..., 1], forward[..., 0]))

    def pelvic_tilt_deg(self) -> np.ndarray | None:
        """(...) PT; None without a hip axis."""
        if self.axis is None:
            return None
        line = self._facing_right(self.axis - self.middle)
        return np.degrees(np.arctan2(line[..., 0], line[..., 1]))

    def pelvic_incidence_deg(self) -> np.ndarray | None:
        """(...) PI; None without a hip axis."""
        if self.axis is None:
            return None
        plate = self._facing_right(self.anterior - self.posterior)
        line = self._facing_right(self.axis - self.middle)
        # Perpendicular of the endplate, into the sacrum: the endplate turned clockwise by a right angle on the screen.
        normal = np.stack([-plate[..., 1], plate[..., 0]], axis=-1)
        cross = line[..., 0] * normal[..., 1] - line[..., 1] * normal[..., 0]
        return np.degrees(np.arctan2(cross, (line * normal).sum(axis=-1)))

    def _facing_right(self, vector: np.ndarray) -> np.ndarray:
        sign = np.where((self.anterior - self.posterior)[..., :1] < 0, -1.0, 1.0)
        return vector * np.concatenate([sign, np.ones_like(sign)], axis=-1)


def ends_named(landmarks: list[Landmark], head: np.ndarray, scale: np.ndarray) -> list[Landmark]:
    """Landmarks in whose S1 endplate the left end lies on the left, as seen with the head up.

    Who clicks the right end first, or drags one end over the other, means the same endplate.

    Args:
        landmarks: What was seen.
        head: (2,) direction (x, y) to the head (:func:`spinetk.measure.levels.toward_head`).
        scale: (2,) mm per px along x and y, or of square px.
    """
    rightward = np.array([-head[1], head[0]])
    return [
        replace(own, points=own.points[::-1])
        if own.kind == "s1" and ((own.points[1] - own.points[0]) * scale) @ rightward < 0
        else own
        for own in landmarks
    ]


def _forward(plate: np.ndarray) -> np.ndarray:
    """A vector with its x counted toward the front."""
    return np.stack([np.abs(plate[..., 0]), plate[..., 1]], axis=-1)


def pelvis_of(
    landmarks: list[Landmark], side: Side, scale: np.ndarray, draws: np.ndarray | None = None
) -> Pelvis | None:
    """The pelvis of a picture.

    Args:
        landmarks: What was seen.
        side: The front of the picture.
        scale: (2,) mm per px along x and y, or ones.
        draws: (DRAWS, M, 2, 2) offsets in px, one row per landmark and point, to see how far the angles move.

    Returns:
        None when the S1 endplate was not seen.
    """
    places = [
        own.points if draws is None else own.points + draws[:, k, : len(own.points)] for k, own in enumerate(landmarks)
    ]
    plates = [own for own, mark in zip(places, landmarks, strict=True) if mark.kind == "s1"]
    heads = [own[..., 0, :] for own, mark in zip(places, landmarks, strict=True) if mark.kind == "femoral_head"]
    if not plates:
        return None
    left, right = plates[0][..., 0, :] * scale, plates[0][..., 1, :] * scale
    front, back = (left, right) if side == "left" else (right, left)
    axis = np.mean(heads, axis=0) * scale if 1 <= len(heads) <= 2 else None
    return Pelvis(front, back, axis, len(heads))


def front_of(landmarks: list[Landmark], scale: np.ndarray) -> Side | None:
    """The side of the front by the S1 endplate, whose front end hangs lower; None when it is seen too level to tell."""
    for own in landmarks:
        if own.kind == "s1":
            across, down = (own.points[1] - own.points[0]) * scale
            slope = np.degrees(np.arctan2(down, across))
            if LEAST_SLOPE_DEG <= abs(slope) <= 90:
                return "right" if slope > 0 else "left"
    return None
