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


@dataclass(frozen=True)
class Upright:
    """A stored picture standing upright with square pixels: the exact way there and back.

    Attributes:
        stored: (H, W) of the picture as stored.
        stored_frame: Its scale and orientation.
        orientation: How it is turned, as an EXIF number.
        size: (H, W) of the upright picture.
        frame: Scale and orientation of the upright picture.
    """

    stored: tuple[int, int]
    stored_frame: Frame
    orientation: int
    size: tuple[int, int]
    frame: Frame

    @classmethod
    def of(cls, frame: Frame, stored: tuple[int, int], *, mirror: bool = True, square: bool = True) -> Upright:
        """The way of a picture of ``stored`` size (H, W); ``mirror`` as of :meth:`Frame.upright_orientation`.

        The finer side of the pixels keeps its px, the other is enlarged; only without ``square``, or where that would
        make more than 16 times the pixels, or a side of more than ``MAX_SIDE``, do pixels stay as they are.
        """
        orientation = frame.upright_orientation(mirror=mirror)
        turned = frame.turned(orientation)
        height, width = stored if TURNS[orientation][0][0] else stored[::-1]
        across, down = turned.square
        size = (height, width)
        if square and abs(across / down - 1) > SQUARE:
            size = max(1, round(height * down)), max(1, round(width * across))
        if size[0] * size[1] > 16 * height * width or max(size) > MAX_SIDE:
            size = (height, width)
        scaled = turned if size == (height, width) else turned.resized(size[1] / width, size[0] / height)
        return cls(stored, frame, orientation, size, scaled)

    @property
    def matrix(self) -> np.ndarray:
        """(2, 3): an upright point is matrix[:, :2] @ stored point + matrix[:, 2], in px."""
        turn = np.array(TURNS[self.orientation], dtype=np.float64)
        extent = np.abs(turn) @ self.stored[::-1]
        start = np.where(turn.sum(axis=1) < 0, extent, 0.0)
        factors = np.array(self.size[::-1]) / extent
        return np.column_stack([turn, start]) * factors[:, None]

    @property
    def changes(self) -> bool:
        """Whether the upright picture differs from the stored one."""
        return self.orientation != 1 or self.size != self.stored

    def to_upright(self, points_px: np.ndarray) -> np.ndarray:
        """(..., 2) points (x, y) of the stored picture to px of the upright one."""
        matrix = self.matrix
        return np.asarray(points_px, dtype=np.float64) @ matrix[:, :2].T + matrix[:, 2]

    def to_stored(self, points_px: np.ndarray) -> np.ndarray:
        """Inverse of :meth:`to_upright`."""
        matrix = self.matrix
        return (np.asarray(points_px, dtype=np.float64) - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T

    def pixels(self, picture: np.ndarray) -> np.ndarray:
        """The stored picture (H, W[, C]) as it stands upright; bool masks stay bool."""
        turned = turn(picture, self.orientation)
        if turned.shape[:2] == self.size:
            return turned
        import cv2

        # INTER_NEAREST counts from the corners of pixels and shifts a mask by up to half of one.
        way = cv2.INTER_NEAREST_EXACT if turned.dtype == bool else cv2.INTER_LINEAR
        plain = turned.astype(np.uint8) if turned.dtype == bool else turned
        return cv2.resize(plain, self.size[::-1], interpolation=way).astype(turned.dtype)


def upright(pixels: np.ndarray, frame: Frame, *, mirror: bool = True) -> tuple[np.ndarray, Upright]:
    """A picture head up with square pixels, as networks read it, and the way back to the picture as stored.

    The ways to store one picture become the same picture where the frame's letters say how it stands, because the turn
    also brings the patient's left (frontal) or back (sagittal) to the right; see :meth:`Frame.upright_orientation` for
    the exception. For pictures to be looked at, ``mirror=False`` only rotates. A picture whose frame says nothing is
    left as it is.

    Args:
        pixels: (H, W) or (H, W, C).
        frame: Of the picture as stored.
        mirror: See :meth:`Frame.upright_orientation`.

    Returns:
        The pixels (the same array when nothing changes), and the mapping, which has ``to_stored``, ``to_upright`` and
        the ``frame`` of the upright picture.
    """
    way = Upright.of(frame, pixels.shape[:2], mirror=mirror)
    return (way.pixels(pixels) if way.changes else pixels), way


def warp(picture: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture moved as its points are, by linear interpolation.

    Args:
        picture: (H, W[, C]).
        matrix: (2, 3), new point = matrix[:, :2] @ point + matrix[:, 2], px.
        size: (H, W) of the result; what comes from outside the picture is 0.
    """
    import cv2

    # cv2 puts pixel centres on integers, we put them on integers + 0.5.
    shifted = np.array(matrix, dtype=np.float64)
    shifted[:, 2] += shifted[:, :2] @ (0.5, 0.5) - 0.5
    return cv2.warpAffine(picture, shifted, size[::-1], flags=cv2.INTER_LINEAR)


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
