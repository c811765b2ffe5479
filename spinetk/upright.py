"""Upright: a picture as a network is shown it, head up with square pixels, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinetk.geometry import MAX_SIDE, SQUARE, TURNS, Frame, turn


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
