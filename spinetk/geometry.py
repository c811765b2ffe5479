"""Frame: what one pixel means in the patient.

Coordinates everywhere in spinetk: (x, y) in px of the picture as stored, x to the right, y down, the centre of pixel
(row i, column j) at (j + 0.5, i + 0.5), so a picture W wide spans 0..W. Resizing by s multiplies coordinates by s and
mirroring maps x to W - x, exactly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from spinetk.errors import InputError

Side = Literal["left", "right"]

# Patient directions a picture axis can point to (DICOM PS3.3 C.7.6.1.1.1): left/right, anterior/posterior, head/feet.
OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}
PLAUSIBLE_SPACING_MM = (0.005, 20.0)


@dataclass(frozen=True)
class Frame:
    """Scale and orientation of a picture.

    Attributes:
        spacing_mm: (row, column) distance between pixel centres in mm, i.e. (vertical, horizontal); None when unknown.
        spacing_source: Where the spacing came from (``PixelSpacing``, ``ImagerPixelSpacing``, ``user``, ...).
        toward_right: Patient direction of +x as one letter of ``LRAPHF``, or None.
        toward_bottom: Patient direction of +y, or None.
    """

    spacing_mm: tuple[float, float] | None = None
    spacing_source: str | None = None
    toward_right: str | None = None
    toward_bottom: str | None = None

    def __post_init__(self) -> None:
        if self.spacing_mm is not None:
            row, column = (float(v) for v in self.spacing_mm)
            low, high = PLAUSIBLE_SPACING_MM
            if not all(math.isfinite(v) and low <= v <= high for v in (row, column)):
                raise InputError(
                    "pixel spacing",
                    f"({row}, {column}) mm is not plausible",
                    f"give row and column spacing between {low} and {high} mm",
                )
            object.__setattr__(self, "spacing_mm", (row, column))
        for letter in (self.toward_right, self.toward_bottom):
            if letter is not None and letter not in OPPOSITE:
                raise InputError("orientation", f"{letter!r} is not one of {''.join(OPPOSITE)}")

    @property
    def anterior(self) -> Side | None:
        """The side of the picture that faces the patient's front, or None when the headers do not say."""
        return {"A": "right", "P": "left"}.get(self.toward_right or "")

    def to_mm(self, points_px: np.ndarray) -> np.ndarray:
        """Convert (..., 2) points (x, y) from px to mm from the upper left picture corner.

        Raises:
            InputError: The spacing is unknown.
        """
        if self.spacing_mm is None:
            raise InputError("picture", "pixel spacing is unknown", "give it with --spacing ROW[,COLUMN]")
        return np.asarray(points_px, dtype=np.float64) * (self.spacing_mm[1], self.spacing_mm[0])

    def to_px(self, points_mm: np.ndarray) -> np.ndarray:
        """Inverse of :meth:`to_mm`."""
        if self.spacing_mm is None:
            raise InputError("picture", "pixel spacing is unknown", "give it with --spacing ROW[,COLUMN]")
        return np.asarray(points_mm, dtype=np.float64) / (self.spacing_mm[1], self.spacing_mm[0])

    def resized(self, factor_x: float, factor_y: float) -> Frame:
        """The frame after the picture was resized by these factors (new size / old size)."""
        if self.spacing_mm is None:
            return self
        return replace(self, spacing_mm=(self.spacing_mm[0] / factor_y, self.spacing_mm[1] / factor_x))

    def mirrored(self) -> Frame:
        """The frame after a left-right mirror."""
        return replace(self, toward_right=OPPOSITE[self.toward_right] if self.toward_right else None)

    def to_json(self) -> dict[str, Any]:
        """JSON fields shared by case files and results; unknown orientation is left out."""
        content: dict[str, Any] = {
            "spacing_mm": list(self.spacing_mm) if self.spacing_mm else None,
            "spacing_source": self.spacing_source,
        }
        if self.toward_right or self.toward_bottom:
            content["orientation"] = [self.toward_right, self.toward_bottom]
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any], source: str = "frame") -> Frame:
        """Read the fields written by :meth:`to_json`; absent fields mean unknown."""
        spacing = content.get("spacing_mm")
        orientation = content.get("orientation") or (None, None)
        try:
            return cls(
                spacing_mm=None if spacing is None else (float(spacing[0]), float(spacing[1])),
                spacing_source=content.get("spacing_source"),
                toward_right=orientation[0],
                toward_bottom=orientation[1],
            )
        except InputError as error:
            raise InputError(source, f"field 'spacing_mm': {error.fault}", error.remedy) from error
        except (TypeError, ValueError, IndexError, KeyError) as error:
            raise InputError(
                source, "field 'spacing_mm' is not [row, column] in mm", "use null when unknown"
            ) from error
