"""DICOM series as volumes, whose masks are written as DICOM segmentations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinetk.errors import InputError
from spinetk.formats.seg import LEFT_ATRIUM, Segment, write_seg
from spinetk.images.decode import check_pixels
from spinetk.images.frames import values_of
from spinetk.images.grid import Grid
from spinetk.images.guard import display_name
from spinetk.images.headers import open_header
from spinetk.images.series import group_series, pick
from spinetk.images.stack import in_order, said_of_slices
from spinetk.images.volume import Volume

SEG_SUFFIX = ".seg.dcm"
UNEVEN = 0.05
"""Largest deviation of a step between slices from the usual one, as a share of it."""


@dataclass(frozen=True, eq=False)
class Series(Volume):
    """A volume made of DICOM files.

    Attributes:
        files: Of the slices, in the order of ``values``.
        segment: What a mask on it shows.
    """

    files: tuple[Path, ...] = ()
    segment: Segment = LEFT_ATRIUM

    def write(self, values: np.ndarray, path: str | Path) -> None:
        """A mask as DICOM segmentation where the name ends with ``.dcm``, else as any volume's."""
        if not Path(path).name.endswith(".dcm"):
            super().write(values, path)
            return
        if values.shape != self.values.shape:
            raise ValueError(f"a mask of {values.shape} does not fit a series of {self.values.shape}")
        write_seg(path, values != 0, self.files, self.segment)


def read_series(folder: str | Path) -> Series:
    """The largest series of single-frame slices in a folder, in order of depth.

    Raises:
        InputError: There is none, its slices are not evenly spaced, or one cannot be read.
    """
    folder = Path(folder)
    name = display_name(folder)
    groups = group_series(folder)
    if not groups:
        raise InputError(name, "holds no DICOM series", "give a folder with the slices of one series")
    largest = max(groups, key=lambda key: len(groups[key]))
    _, entries, remarks = pick(groups, largest, name, "give a folder of one series")
    slices = {entry.plane.index: entry for entry in entries}
    planes = in_order([entry.plane for entry in entries], remarks)
    first = planes[0]
    if not first.scaled:
        raise InputError(name, "has no pixel spacing", "give files with their PixelSpacing")
    depths = np.array([plane.position @ first.normal for plane in planes])
    steps = np.diff(depths)
    if len(planes) < 2 or np.abs(steps - np.median(steps)).max() > UNEVEN * np.median(steps):
        raise InputError(name, "has slices that are missing or not evenly spaced", "give a complete series")
    layers, said = [], []
    for plane in planes:
        header = open_header(slices[plane.index].path)
        with header.stream:
            layer, own = values_of(header, check_pixels(header), 0)
        layers.append(layer)
        said.append(own)
    remarks += said_of_slices(said)
    values = np.stack(layers)
    direction = np.stack([first.right, first.down, first.normal], axis=1)
    spacing = (float(steps.mean()), *map(float, first.spacing_mm))
    grid = Grid.of_lps(values.shape, spacing, first.position, direction.ravel())
    return Series(values, grid, None, tuple(remarks), tuple(slices[plane.index].path for plane in planes))
