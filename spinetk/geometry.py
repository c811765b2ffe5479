"""Frame: what one pixel means in the patient, and how the picture is turned to stand upright.

Coordinates everywhere in spinetk: (x, y) in px of the picture as stored, x to the right, y down, the centre of pixel
(row i, column j) at (j + 0.5, i + 0.5), so a picture W wide spans 0..W. Resizing by s multiplies coordinates by s and
mirroring maps x to W - x, exactly.

The eight ways to store one picture are numbered as EXIF numbers them (tag 274, TIFF 6.0 Orientation): the number says
how the stored picture is turned to be looked at. ``TURNS`` holds them as matrices.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from spinetk.errors import InputError

Side = Literal["left", "right"]

# Patient directions a picture axis can point to (DICOM PS3.3 C.7.6.1.1.1): left/right, anterior/posterior, head/feet.
OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}
PLAUSIBLE_SPACING_MM = (0.005, 20.0)
PLAUSIBLE_ASPECT = (0.1, 10.0)
SQUARE = 0.01
"""Pixels whose sides differ by less than this share count as square."""

MAX_SIDE = 32_000
"""Most pixels along one side: OpenCV resamples no more."""

# The two rows of a matrix: which way of the stored picture the turned one's +x and +y point.
TURNS: dict[int, tuple[tuple[int, int], tuple[int, int]]] = {
    1: ((1, 0), (0, 1)),  # as stored
    2: ((-1, 0), (0, 1)),  # mirrored left-right
    3: ((-1, 0), (0, -1)),  # by 180 degrees
    4: ((1, 0), (0, -1)),  # mirrored top-bottom
    5: ((0, 1), (1, 0)),  # rows and columns exchanged
    6: ((0, -1), (1, 0)),  # by 90 degrees clockwise
    7: ((0, -1), (-1, 0)),  # rows and columns exchanged, by 180 degrees
    8: ((0, 1), (-1, 0)),  # by 90 degrees anticlockwise
}
NUMBERS = {rows: number for number, rows in TURNS.items()}
FRONT: dict[str, Side] = {"A": "right", "P": "left"}
"""The side that faces the front, by where +x points."""


@dataclass(frozen=True)
class Frame:
    """Scale and orientation of a picture.

    Attributes:
        spacing_mm: (row, column) distance between pixel centres in mm, i.e. (vertical, horizontal); None when unknown.
        spacing_source: Where the spacing came from (``PixelSpacing``, ``ImagerPixelSpacing``, ``user``, ...).
        toward_right: Patient direction of +x as one letter of ``LRAPHF``, or None.
        toward_bottom: Patient direction of +y, or None.
        pixel_aspect: Height of a pixel divided by its width, where that is known and the spacing is not
            (PixelAspectRatio); None means that pixels are taken for square.
        exif_orientation: How the stored picture is to be turned to be looked at, 1..8 (1: not at all). The letters are
            about the picture as stored all the same, and where they say which way the head lies, they are believed.
    """

    spacing_mm: tuple[float, float] | None = None
    spacing_source: str | None = None
    toward_right: str | None = None
    toward_bottom: str | None = None
    pixel_aspect: float | None = None
    exif_orientation: int = 1

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
                raise InputError(
                    "orientation", f"{letter!r} is not one of {''.join(OPPOSITE)}", "leave it out if unknown"
                )
        low, high = PLAUSIBLE_ASPECT
        if self.pixel_aspect is not None and not low <= self.pixel_aspect <= high:
            fault = f"{self.pixel_aspect} is not between {low} and {high}"
            raise InputError("pixel aspect", fault, "it is the height of a pixel by its width; leave it out if unknown")
        if self.exif_orientation not in TURNS:
            raise InputError(
                "EXIF orientation", f"{self.exif_orientation!r} is not one of 1 to 8", "1 leaves the picture as it is"
            )

    @property
    def plane(self) -> str | None:
        """``sagittal``, ``coronal`` or ``axial``, by the letters (of projections: lateral, frontal); or None."""
        axes = {min(v, OPPOSITE[v]) for v in (self.toward_right, self.toward_bottom) if v}
        return {"AF": "sagittal", "FL": "coronal", "AL": "axial"}.get("".join(sorted(axes)))

    @property
    def anterior(self) -> Side | None:
        """The side that faces the patient's front, seen with the head up; None when the headers do not say."""
        if self.plane != "sagittal" and self.toward_right and self.toward_bottom:
            return None
        return FRONT.get(self.turned(self.upright_orientation(mirror=False)).toward_right or "")

    @property
    def shown_mirrored(self) -> bool:
        """Whether the picture is looked at as its mirror image: EXIF says so, and no letters say otherwise."""
        return _is_mirror(self.upright_orientation(mirror=False))

    @property
    def says_head(self) -> bool:
        """Whether letters or an EXIF turn tell where the head is."""
        return bool({"H", "F"} & {self.toward_right, self.toward_bottom}) or self.exif_orientation != 1

    @property
    def square(self) -> np.ndarray:
        """(2,) factors of (x, y) after which lengths along both are comparable; the finer side keeps its px."""
        row, column = self.spacing_mm or (self.pixel_aspect or 1.0, 1.0)
        return np.array([column, row]) / min(row, column)

    def upright_orientation(self, *, mirror: bool = True) -> int:
        """How to turn the stored picture so that it stands upright, as an EXIF number.

        A sagittal or lateral picture that stands upright is left as it is, whichever way the patient faces: networks
        read its mirror image as well, all points within 0.5 px (median 0.03), but a body near the threshold comes or
        goes (with one more or one less in 4 of 40 lateral phantoms, 11 of 40 MR phantoms, 1 of 40 MR slices). Only
        what has to be turned anyway is also brought to the usual side, so that all other ways to store a picture are
        read as one. A mirrored frontal picture is always turned over: its network was never shown any.

        Args:
            mirror: Whether the turn also brings the patient's left (frontal pictures) or back (sagittal ones) to the
                right, by a mirror where that is needed. Without it the picture is only rotated, so that letters burned
                into it stay readable and its left stays left; or mirrored where EXIF says so, as by any viewer.

        Returns:
            The turn that brings the feet down where the letters say where they are; else what EXIF says; else 1.
        """
        letters = (self.toward_right, self.toward_bottom)
        for axis in (1, 0):
            along, across = letters[axis], letters[1 - axis]
            if along not in ("F", "H") or across in ("F", "H"):
                continue
            feet = _unit(axis, along == "F")
            right = feet[1], -feet[0]
            upright_sagittal = feet == (0, 1) and across in ("A", "P")
            if mirror and across is not None and not upright_sagittal:
                right = _unit(1 - axis, across in ("L", "P"))
            return NUMBERS[right, feet]
        return self.exif_orientation

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
        if self.spacing_mm is not None:
            return replace(self, spacing_mm=(self.spacing_mm[0] / factor_y, self.spacing_mm[1] / factor_x))
        aspect = (self.pixel_aspect or 1.0) * factor_x / factor_y
        return replace(self, pixel_aspect=aspect if abs(aspect - 1) > SQUARE else None)

    def mirrored(self) -> Frame:
        """The frame after a left-right mirror."""
        return self.turned(2)

    def turned(self, orientation: int) -> Frame:
        """The frame after the picture was turned as an EXIF ``orientation`` says; no EXIF number comes in by it."""
        turn = np.array(TURNS[orientation])
        letters = []
        for row in turn:
            axis = int(np.argmax(np.abs(row)))
            letter = (self.toward_right, self.toward_bottom)[axis]
            letters.append(OPPOSITE[letter] if letter and row[axis] < 0 else letter)
        left = np.array(TURNS[self.exif_orientation if self.exif_orientation != 1 else orientation]) @ turn.T
        swap = bool(turn[0, 0] == 0)
        return replace(
            self,
            spacing_mm=self.spacing_mm[::-1] if self.spacing_mm and swap else self.spacing_mm,
            toward_right=letters[0],
            toward_bottom=letters[1],
            pixel_aspect=1 / self.pixel_aspect if self.pixel_aspect and swap else self.pixel_aspect,
            exif_orientation=NUMBERS[(int(left[0, 0]), int(left[0, 1])), (int(left[1, 0]), int(left[1, 1]))],
        )

    def with_anterior(self, side: Side) -> Frame:
        """The frame with the patient's front on a side, seen with the head up; up is up where nothing tells."""
        orientation = self.upright_orientation(mirror=False)
        seen = self.turned(orientation)
        # A letter for the feet would be believed before EXIF, and the picture be looked at unmirrored.
        feet = seen.toward_bottom if self.shown_mirrored else seen.toward_bottom or "F"
        seen = replace(seen, toward_right="A" if side == "right" else "P", toward_bottom=feet)
        back = seen.turned({6: 8, 8: 6}.get(orientation, orientation))
        return replace(back, exif_orientation=self.exif_orientation) if self.shown_mirrored else back

    def to_json(self) -> dict[str, Any]:
        """JSON fields shared by case files and results; what is unknown is left out, the spacing apart."""
        content: dict[str, Any] = {
            "spacing_mm": list(self.spacing_mm) if self.spacing_mm else None,
            "spacing_source": self.spacing_source,
        }
        if self.toward_right or self.toward_bottom:
            content["orientation"] = [self.toward_right, self.toward_bottom]
        if self.pixel_aspect is not None:
            content["pixel_aspect"] = self.pixel_aspect
        if self.exif_orientation != 1:
            content["exif_orientation"] = self.exif_orientation
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any], source: str = "frame") -> Frame:
        """Read the fields written by :meth:`to_json`; absent fields mean unknown."""
        spacing = content.get("spacing_mm")
        orientation = content.get("orientation") or (None, None)
        aspect = content.get("pixel_aspect")
        try:
            return cls(
                spacing_mm=None if spacing is None else (float(spacing[0]), float(spacing[1])),
                spacing_source=content.get("spacing_source"),
                toward_right=orientation[0],
                toward_bottom=orientation[1],
                pixel_aspect=None if aspect is None else float(aspect),
                exif_orientation=content.get("exif_orientation", 1),
            )
        except InputError as error:
            raise InputError(source, f"field 'spacing_mm': {error.fault}", error.remedy) from error
        except (TypeError, ValueError, IndexError, KeyError) as error:
            raise InputError(
                source, "field 'spacing_mm' is not [row, column] in mm", "use null when unknown"
            ) from error


def median(values: ArrayLike) -> float:
    """The median of some numbers, NaN among NaN: :func:`numpy.median`, whose first call takes as long as a film's
    decoding, because it imports ``numpy.ma``.
    """
    ordered = np.sort(np.asarray(values, np.float64), axis=None)
    if not len(ordered) or np.isnan(ordered[-1]):
        return math.nan
    return float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def turn(picture: np.ndarray, orientation: int) -> np.ndarray:
    """(H, W[, C]) turned as an EXIF ``orientation`` says; its own memory, or the same array for 1."""
    if orientation == 1:
        return picture
    (a, b), (c, d) = TURNS[orientation]
    turned = picture if a else picture.swapaxes(0, 1)
    return np.ascontiguousarray(turned[:: c + d, :: a + b])


def _is_mirror(orientation: int) -> bool:
    (a, b), (c, d) = TURNS[orientation]
    return a * d - b * c < 0


def _unit(axis: int, forward: bool) -> tuple[int, int]:
    way = 1 if forward else -1
    return (way, 0) if axis == 0 else (0, way)
