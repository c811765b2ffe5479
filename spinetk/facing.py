"""Facing: which side of a picture is the patient's front, and how that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spinetk.errors import InputError
from spinetk.geometry import Side


@dataclass(frozen=True)
class Facing:
    """The side of the picture that is the patient's front, seen with the head up, and where it is known from.

    Attributes:
        side: ``left``, ``right``, or None when unknown.
        source: ``user``, ``header``, ``sacrum``, ``sacrum and curvature``, ``look of the picture``, ``curvature``,
            ``picture``, ``curvature and picture``, ``slant`` (necks) or ``none``.
        confidence: 0..1; 1 for what the user or the header says.
    """

    side: Side | None
    source: str
    confidence: float

    def to_json(self) -> dict[str, Any]:
        """Plain JSON content, read back by :meth:`from_json`."""
        return {"side": self.side, "source": self.source, "confidence": round(float(self.confidence), 4)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], source: str = "result") -> Facing:
        """Read the fields written by :meth:`to_json`."""
        side = content.get("side")
        if side not in ("left", "right"):
            raise InputError(source, "field 'facing' names no side", "use left or right, or leave the field out")
        return cls(side, str(content.get("source", "none")), float(content.get("confidence", 0.0)))
