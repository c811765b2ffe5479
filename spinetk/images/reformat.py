"""The mid-sagittal picture of a stack of axial or coronal slices, at isotropic mm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images.guard import MAX_PIXELS

MAX_SIDE = 32_000
"""Most pixels along one side: OpenCV resamples no more."""


@dataclass(frozen=True)
class Plane:
    """Where one slice lies in the patient (DICOM coordinates: x to the left, y to the back, z to the head; mm).

    Attributes:
        index: Frame number or place in a list.
        right, down: (3,) unit vectors of +x and +y of the slice.
        position: (3,) centre of its upper left pixel, mm.
        spacing_mm: (row, column) distance between pixel centres.
        size: (H, W) px.
        scaled: Whether the spacing was stated; 1 mm stands for one that was not.
    """

    index: int
    right: np.ndarray
    down: np.ndarray
    position: np.ndarray
    spacing_mm: tuple[float, float] = (1.0, 1.0)
    size: tuple[int, int] = (0, 0)
    scaled: bool = True

    @property
    def normal(self) -> np.ndarray:
        """(3,) unit vector through the slice."""
        return np.cross(self.right, self.down)

    @property
    def is_sagittal(self) -> bool:
        """Whether the slice is nearest to the sagittal plane."""
        return int(np.argmax(np.abs(self.normal))) == 0

    def transposed(self) -> Plane:
        """The same slice with rows and columns exchanged."""
        spacing, size = self.spacing_mm[::-1], self.size[::-1]
        return Plane(self.index, self.down, self.right, self.position, spacing, size, self.scaled)


@dataclass(frozen=True)
class Section:
    """Where the patient plane x = middle of the volume meets a stack of slices; known before a pixel is read.

    Attributes:
        turned: Whether rows and columns are exchanged first.
        across: (N, H) column at which each row of each slice meets the plane.
        depths, even: (N,) places of the slices, and (K,) evenly spaced ones, mm.
        affine: (3, 2), (depth index, row index, 1) @ affine = (y, z) in mm.
        step_mm: Pixel size of the picture.
        corner_mm: (y, z) of the centre of its upper left pixel.
        middle_mm: x of the plane.
        size: (H, W) of the picture.
    """

    turned: bool
    across: np.ndarray
    depths: np.ndarray
    even: np.ndarray
    affine: np.ndarray
    step_mm: float
    corner_mm: tuple[float, float]
    middle_mm: float
    size: tuple[int, int]

    @property
    def frame(self) -> Frame:
        """Scale and orientation of the picture: +x to the back, +y to the feet."""
        return Frame((self.step_mm, self.step_mm), "PixelSpacing", "P", "F")


def section_of(planes: list[Plane]) -> Section:
    """The mid-sagittal section of a stack.

    Args:
        planes: At least two slices of one orientation, none sagittal, sorted by depth.

    Raises:
        InputError: The picture would be larger than ``MAX_PIXELS``.
    """
    turned = abs(planes[0].down[0]) > abs(planes[0].right[0])
    planes = [plane.transposed() for plane in planes] if turned else planes
    first, middle = planes[0], planes[len(planes) // 2]
    rows, columns = first.size
    row_mm, column_mm = first.spacing_mm
    centre = middle.position + middle.right * (columns - 1) / 2 * column_mm + middle.down * (rows - 1) / 2 * row_mm
    place = np.arange(rows)
    across = np.empty((len(planes), rows))
    points = np.empty((len(planes), rows, 2))
    for k, plane in enumerate(planes):
        start = plane.position[0] + place * row_mm * plane.down[0]
        across[k] = (centre[0] - start) / (column_mm * plane.right[0])
        at = plane.position + np.outer(place * row_mm, plane.down) + np.outer(across[k] * column_mm, plane.right)
        points[k] = at[:, 1:]

    depths = np.array([plane.position @ first.normal for plane in planes])
    if depths[-1] < depths[0]:  # exchanging rows and columns turns the normal round
        depths = -depths
    step = float(np.median(np.diff(depths)))
    count = round((depths[-1] - depths[0]) / step) + 1
    # (y, z) in mm is affine in (depth index, row index); fitted on the corners of the stack.
    corners = [(0, 0), (0, rows - 1), (len(planes) - 1, 0), (len(planes) - 1, rows - 1)]
    known = np.array([[k * (count - 1) / (len(planes) - 1), i, 1.0] for k, i in corners])
    affine = np.linalg.lstsq(known, np.array([points[k, i] for k, i in corners]), rcond=None)[0]
    step_mm = min(row_mm, step)
    outline = np.array([[k, i, 1.0] for k in (0, count - 1) for i in (0, rows - 1)]) @ affine
    (back0, head0), (back1, head1) = outline.min(axis=0), outline.max(axis=0)
    size = round((head1 - head0) / step_mm) + 1, round((back1 - back0) / step_mm) + 1
    if max(count * rows, size[0] * size[1]) > MAX_PIXELS or max(*size, count, rows) > MAX_SIDE:
        raise InputError("series", "spans too far for one picture", "give the slices of one region")
    even, corner = np.linspace(depths[0], depths[-1], count), (back0, head1)
    return Section(turned, across, depths, even, affine, step_mm, corner, float(centre[0]), size)


def mid_sagittal(planes: list[Plane], slices: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None, Frame]:
    """Cut the patient plane x = middle of the volume out of a stack, with linear interpolation.

    Each slice gives the profile where it meets that plane, so only one slice is needed at a time; the sheared, perhaps
    unevenly spaced stack of profiles is then resampled to square pixels the size of the slices' own.

    Args:
        planes: As for :func:`section_of`.
        slices: Their pixels, (H, W) each, in the same order.

    Returns:
        (H, W) float32 with +x to the back and +y to the feet, the mask of pixels outside the volume (or None), and
        the frame.

    Raises:
        InputError: The result would be larger than ``MAX_PIXELS``.
    """
    section = section_of(planes)
    profiles = np.empty(section.across.shape, np.float32)
    for k, pixels in enumerate(slices):
        profiles[k] = _sample_rows(pixels.T if section.turned else pixels, section.across[k])
    profiles = _resample_depth(profiles, section.depths, section.even)
    return *_resample_square(profiles, section), section.frame


def _sample_rows(pixels: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Linear interpolation of (H, W) at one column position per row; NaN outside."""
    last = pixels.shape[1] - 1
    left = np.clip(np.floor(across).astype(int), 0, max(last - 1, 0))
    share = across - left
    rows = np.arange(len(across))
    values = (1 - share) * pixels[rows, left] + share * pixels[rows, np.minimum(left + 1, last)]
    return np.where((across < -0.5) | (across > last + 0.5), np.nan, values)


def _resample_depth(profiles: np.ndarray, depths: np.ndarray, even: np.ndarray) -> np.ndarray:
    after = np.clip(np.searchsorted(depths, even), 1, len(depths) - 1)
    share = ((even - depths[after - 1]) / (depths[after] - depths[after - 1]))[:, None]
    return ((1 - share) * profiles[after - 1] + share * profiles[after]).astype(np.float32)


def _resample_square(profiles: np.ndarray, section: Section) -> tuple[np.ndarray, np.ndarray | None]:
    """(K, H) profiles as the picture of the section, and the mask of its pixels outside the stack."""
    import cv2

    depth, rows = profiles.shape
    inverse = np.linalg.inv(section.affine[:2])
    # Source (k, i) of output pixel (column, row): ((y, z) - offset) @ inverse, with y = corner + column * step.
    offset = (np.array(section.corner_mm) - section.affine[2]) @ inverse
    per_column, per_row = section.step_mm * inverse[0], -section.step_mm * inverse[1]
    column, row = np.arange(section.size[1])[None, :], np.arange(section.size[0])[:, None]
    k = (offset[0] + per_column[0] * column + per_row[0] * row).astype(np.float32)
    i = (offset[1] + per_column[1] * column + per_row[1] * row).astype(np.float32)
    known = np.isfinite(profiles)
    fill = float(profiles[known].min()) if known.any() else 0.0
    values = np.where(known, profiles, np.float32(fill))
    pixels = cv2.remap(values, i, k, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    outside = (k < -0.5) | (k > depth - 0.5) | (i < -0.5) | (i > rows - 0.5)
    if not known.all():
        outside |= cv2.remap(known.astype(np.float32), i, k, cv2.INTER_NEAREST, borderValue=0) < 0.5
    pixels[outside] = fill
    return pixels, outside if outside.any() else None
