"""Landmarks of the pelvis: the first sacral endplate and the femoral heads, which are no vertebral bodies.

* ``s1``: the two ends of the upper endplate of S1, left and right of the picture as points are named everywhere
  (anterior and posterior once the front is known);
* ``femoral_head``: centre and radius of the circle through the outline of one head; a lateral picture shows two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spinetk.errors import InputError

POINTS: dict[str, tuple[str, ...]] = {"s1": ("left", "right"), "femoral_head": ("centre",)}


@dataclass
class Landmark:
    """One landmark of a picture.

    Attributes:
        kind: ``s1`` or ``femoral_head``.
        points: (2, 2) left and right end of the endplate, or (1, 2) centre of the head; (x, y) px as stored.
        radius_px: Of a femoral head; None for an endplate.
        score: Confidence in 0..1; None for truth.
        sigma_px: Standard deviation of each coordinate in px, or None.
    """

    kind: str
    points: np.ndarray
    radius_px: float | None = None
    score: float | None = None
    sigma_px: float | None = None

    def moved(self, matrix: np.ndarray) -> Landmark:
        """The landmark carried along when its picture is moved by a (2, 3) matrix, px.

        Where the matrix mirrors, the ends of an endplate change names, so that ``left`` stays the left as seen with
        the head up; lengths are scaled as the root of areas is.
        """
        determinant = float(np.linalg.det(matrix[:, :2]))
        points = self.points @ matrix[:, :2].T + matrix[:, 2]
        factor = abs(determinant) ** 0.5
        return replace(
            self,
            points=points[::-1] if determinant < 0 else points,
            radius_px=None if self.radius_px is None else self.radius_px * factor,
            sigma_px=None if self.sigma_px is None else self.sigma_px * factor,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON content: ``kind``, the points by name, ``radius_px``, ``score``, ``sigma_px``."""
        content: dict[str, Any] = {"kind": self.kind}
        for name, point in zip(POINTS[self.kind], self.points, strict=True):
            content[name] = [round(float(v), 3) for v in point]
        for name in ("radius_px", "score", "sigma_px"):
            value = getattr(self, name)
            if value is not None:
                content[name] = round(float(value), 4)
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any], source: str = "result") -> Landmark:
        """Inverse of :meth:`to_json`.

        Raises:
            InputError: The kind is unknown, or a point is missing or not finite.
        """
        kind = content.get("kind")
        if kind not in POINTS:
            raise InputError(source, f"landmark {kind!r} is unknown", f"known are {', '.join(POINTS)}")
        try:
            points = np.array([content[name] for name in POINTS[kind]], dtype=np.float64)
            numbers = {
                n: None if content.get(n) is None else float(content[n]) for n in ("radius_px", "score", "sigma_px")
            }
        except (KeyError, TypeError, ValueError) as error:
            fault = f"landmark {kind!r} lacks a point or holds text for a number"
            raise InputError(source, fault, "give a JSON of `spinetk predict`") from error
        values = [value for value in numbers.values() if value is not None]
        if points.shape != (len(POINTS[kind]), 2) or not np.isfinite([*points.ravel(), *values]).all():
            raise InputError(source, f"landmark {kind!r} is not finite", "give a JSON of `spinetk predict`")
        return cls(str(kind), points, **numbers)
