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
from spinetk.images.series import pick, said_of_frames, scan
from spinetk.images.stack import in_order, said_of_slices
from spinetk.images.volume import Volume

SEG_SUFFIX = ".seg.dcm"
UNEVEN = 0.05
"""Largest deviation of a step between slices from the usual one, as a share of it."""

SHIFTED = 1.0
"""How far a slice may lie aside of the first, in pixels, in a volume that is taken for straight."""
TURNED = 0.01
"""How much the cosines of its axes may differ."""


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
        InputError: There is none, its slices are not evenly spaced, turned or shifted against one another, or one
            cannot be read.
    """
    folder = Path(folder)
    name = display_name(folder)
    groups, others = scan(folder)
    if not groups:
        if others:
            fault = "holds DICOM files of several frames, and no series of single ones"
            raise InputError(name, fault, "convert them to NIfTI, for example with dcm2niix")
        raise InputError(name, "holds no DICOM series", "give a folder with the slices of one series")
    largest = max(groups, key=lambda key: len(groups[key]))
    _, entries, remarks = pick(groups, largest, name, "give a folder of one series")
    remarks += said_of_frames(others)
    slices = {entry.plane.index: entry for entry in entries}
    planes = in_order([entry.plane for entry in entries], remarks)
    first = planes[0]
    if not first.scaled:
        raise InputError(name, "has no pixel spacing", "give files with their PixelSpacing")
    depths = np.array([plane.position @ first.normal for plane in planes])
    steps = np.diff(depths)
    if len(planes) < 2 or np.abs(steps - np.median(steps)).max() > UNEVEN * np.median(steps):
        raise InputError(name, "has slices that are missing or not evenly spaced", "give a complete series")
    straight = first.position + np.outer(depths - depths[0], first.normal)
    aside = np.linalg.norm([plane.position for plane in planes] - straight, axis=1).max()
    turned = max(np.abs(np.array([p.right - first.right, p.down - first.down])).max() for p in planes)
    if aside > SHIFTED * min(first.spacing_mm) or turned > TURNED:
        fault = (
            f"has slices that are turned, or shifted by up to {aside:.1f} mm, against one another (a tilted gantry?)"
        )
        raise InputError(name, fault, "resample them to a straight volume first")
    layers, said, files = [], [], []
    for plane in planes:
        path = slices[plane.index].path
        assert path is not None  # of one frame each: `scan` keeps others apart
        files.append(path)
        header = open_header(path)
        with header.stream:
            layer, own = values_of(header, check_pixels(header), 0)
        layers.append(layer)
        said.append(own)
    remarks += said_of_slices(said)
    values = np.stack(layers)
    direction = np.stack([first.right, first.down, first.normal], axis=1)
    spacing = (float(steps.mean()), *map(float, first.spacing_mm))
    grid = Grid.of_lps(values.shape, spacing, first.position.tolist(), direction.ravel().tolist())
    return Series(values, grid, None, tuple(remarks), tuple(files))
