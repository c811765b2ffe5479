"""Rulers: lengths and angles that a reader has drawn on a picture. They are kept with it; no other figure uses them.

* ``length``: two ends;
* ``angle``: a point on one arm, the vertex, a point on the other arm;
* ``cobb``: two ends of the upper endplate, two of the lower one. Endplates have no direction, so of the two angles
  between their lines it is the lesser one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spinetk.errors import InputError
from spinetk.geometry import Frame

KINDS = {"length": 2, "angle": 3, "cobb": 4}
"""How many points each has."""
LINES = {"length": ((0, 1),), "angle": ((0, 1), (1, 2)), "cobb": ((0, 1), (2, 3))}
"""Which of them are joined."""


@dataclass
class Ruler:
    """One drawing of a picture.

    Attributes:
        kind: ``length``, ``angle`` or ``cobb``.
        points: (2, 2), (3, 2) or (4, 2), (x, y) px as stored.
    """

    kind: str
    points: np.ndarray

    def moved(self, matrix: np.ndarray) -> Ruler:
        """The drawing carried along when its picture is moved by a (2, 3) matrix, px."""
        return replace(self, points=self.points @ matrix[:, :2].T + matrix[:, 2])

    def figure(self, frame: Frame) -> tuple[float, str]:
        """(value, unit): ``mm``, or ``px`` where no spacing is known; ``degrees``.

        Angles are taken in mm, or with the pixels' shape where only that is known: oblong px would shear them.
        """
        if self.kind == "length":
            vector = self.points[1] - self.points[0]
            if frame.spacing_mm is None:
                return float(np.hypot(*vector)), "px"
            return float(np.hypot(*frame.to_mm(vector))), "mm"
        points = self.points * frame.square
        one = points[0] - points[1] if self.kind == "angle" else points[1] - points[0]
        other = points[-1] - points[-2]
        turn = abs(float(np.degrees(np.arctan2(one[0] * other[1] - one[1] * other[0], one @ other))))
        return (min(turn, 180 - turn) if self.kind == "cobb" else turn), "degrees"

    def text(self, frame: Frame) -> str:
        """The value as it stands on the film, e.g. ``31.4 mm``."""
        value, unit = self.figure(frame)
        return f"{value:.1f}\N{DEGREE SIGN}" if unit == "degrees" else f"{value:.1f} {unit}"

    def to_json(self, frame: Frame | None = None) -> dict[str, Any]:
        """Plain JSON content; with a frame the value and its unit, too."""
        content: dict[str, Any] = {"kind": self.kind, "points": np.round(self.points, 3).tolist()}
        if frame is not None:
            value, unit = self.figure(frame)
            content |= {"value": round(value, 3), "unit": unit}
        return content

    @classmethod
    def from_json(cls, content: Any, source: str = "result") -> Ruler:
        """Inverse of :meth:`to_json`; value and unit are not read back, they follow from the points.

        Raises:
            InputError: The kind is unknown, or its points are not as many finite [x, y] as it has.
        """
        remedy = "mend or remove it"
        if not isinstance(content, Mapping) or content.get("kind") not in KINDS:
            raise InputError(source, f"field 'rulers' holds one that is none of {', '.join(KINDS)}", remedy)
        kind = str(content["kind"])
        try:
            points = np.array(content.get("points"), dtype=np.float64)
        except (TypeError, ValueError):
            points = np.zeros(0)
        if points.shape != (KINDS[kind], 2) or not np.isfinite(points).all():
            fault = f"field 'rulers' holds a {kind} that does not have {KINDS[kind]} points [x, y]"
            raise InputError(source, fault, remedy)
        return cls(kind, points)


def rulers_from(content: Any, source: str = "result") -> list[Ruler]:
    """The rulers of a JSON field; None means that there are none.

    Raises:
        InputError: It is no list of rulers.
    """
    if content is None:
        return []
    if not isinstance(content, Sequence) or isinstance(content, str):
        raise InputError(source, "field 'rulers' is not a list", "mend or remove it")
    return [Ruler.from_json(entry, source) for entry in content]
