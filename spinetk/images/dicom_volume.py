"""DICOM series, and frames of one file, as volumes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from spinetk.errors import InputError
from spinetk.images.cut import is_hounsfield
from spinetk.images.decode import check_pixels
from spinetk.images.frames import modality_of, values_of
from spinetk.images.grid import Grid
from spinetk.images.guard import display_name, quiet, regular_file
from spinetk.images.headers import open_header
from spinetk.images.kind import sniff
from spinetk.images.reformat import Plane
from spinetk.images.series import frame_series, pick, said_of_frames, scan
from spinetk.images.stack import in_order, said_of_slices
from spinetk.images.traits import Slice
from spinetk.images.volume import Volume, read_volume

Wanted: TypeAlias = "str | int | None"
"""The number or key of a series, as of :func:`spinetk.images.series.pick`, None for the main one, or ``LARGEST``."""
LARGEST = "largest"

UNEVEN = 0.05
"""Largest deviation of a step between slices from the usual one, as a share of it."""

SHIFTED = 1.0
"""How far a slice may lie aside of the first, in pixels, in a volume that is taken for straight."""
TURNED = 0.01
"""How much the cosines of its axes may differ."""


@dataclass(frozen=True, eq=False)
class DicomVolume(Volume):
    """A volume made of DICOM files.

    Attributes:
        files: Of the slices, in the order of ``values``; of frames the one file.
        frames: Numbers of the frames of the one file, from 0, in the order of ``values``; empty for single slices.
    """

    files: tuple[Path, ...] = ()
    frames: tuple[int, ...] = ()


def volume_of(path: str | Path, series: Wanted = LARGEST) -> Volume:
    """The volume of a file or folder: NIfTI, NRRD, MetaImage, a folder with the slices of a DICOM series, or a DICOM
    file of frames with places.

    Args:
        path: The file or folder.
        series: Which of several series or kinds of frames of DICOM.

    Raises:
        InputError: It holds none, or cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        return volume_of_series(path, series)
    regular_file(path)
    return volume_of_frames(path, series) if sniff(path) == "dicom" else read_volume(path)


def volume_of_series(folder: str | Path, series: Wanted = LARGEST) -> DicomVolume:
    """A series of single-frame slices in a folder, in order of depth; where there is none, the one file of several
    frames.

    Raises:
        InputError: There is none, its slices are not evenly spaced, turned or shifted against one another, or one
            cannot be read.
    """
    folder = Path(folder)
    name = display_name(folder)
    groups, others = scan(folder)
    if not groups:
        if len(others) == 1:
            return volume_of_frames(others[0], series)
        if others:
            fault = "holds DICOM files of several frames, and no series of single ones"
            raise InputError(name, fault, "give such a file by its name")
        raise InputError(name, "holds no DICOM series", "give a folder with the slices of one series")
    _, entries, remarks = _picked(groups, series, name, "give a folder of one series")
    remarks += said_of_frames(len(others))
    files = {entry.plane.index: entry.path for entry in entries}

    def load(plane: Plane) -> tuple[np.ndarray, list[str]]:
        path = files[plane.index]
        assert path is not None  # of one frame each: `scan` keeps others apart
        header = open_header(path)
        with header.stream:
            return values_of(header, check_pixels(header), 0)

    planes, volume = _stacked(name, entries, load, remarks)
    paths = tuple(path for plane in planes if (path := files[plane.index]) is not None)
    return DicomVolume(volume.values, volume.grid, None, volume.remarks, paths)


def volume_of_frames(file: str | Path, series: Wanted = LARGEST) -> DicomVolume:
    """A stack of frames of one DICOM file (enhanced MR, CT), in order of depth.

    Raises:
        InputError: It is no such file, or its frames have no places, are not evenly spaced, turned or shifted against
            one another, or cannot be read.
    """
    file = Path(file)
    name = display_name(file)
    with quiet():
        header = open_header(file)
        with header.stream:
            options = check_pixels(header)
            if header.frames == 1:
                raise InputError(name, "is one slice, not a volume", "give the folder of its series")
            groups = frame_series(header)
            if not groups:
                raise InputError(name, "has frames of which it does not say where they lie", "give a volume")
            _, entries, remarks = _picked(groups, series, name, "convert the other one to NIfTI")
            planes, volume = _stacked(name, entries, lambda plane: values_of(header, options, plane.index), remarks)
    numbers = tuple(plane.index for plane in planes)
    return DicomVolume(volume.values, volume.grid, None, volume.remarks, (file,), frames=numbers)


def modality_of_volume(volume: Volume) -> tuple[str | None, str]:
    """Modality of a volume, and in words how it is known.

    Args:
        volume: As read. Of DICOM one of its own files is asked: those beside them may be of another series. The other
            formats say nothing, and of those CT is known by its Hounsfield units.

    Returns:
        ``MR``, ``CT``, ... or None, and for example ``its file says CT``.
    """
    if not isinstance(volume, DicomVolume):
        return ("CT", "its grey values are those of CT") if is_hounsfield(volume.values) else (None, "")
    header = open_header(volume.files[0])
    with header.stream:
        modality = modality_of(header)
    return modality, "" if modality is None else f"its file says {modality}"


def frames_of(file: Path) -> int:
    """How many frames a DICOM file holds; 0 of another file, and of what cannot be read."""
    try:
        regular_file(file)
        if sniff(file) != "dicom":
            return 0
        with quiet():
            header = open_header(file)
            with header.stream:
                return header.frames
    except InputError:
        return 0


def _picked(
    groups: dict[str, list[Slice]], series: Wanted, name: str, remedy: str
) -> tuple[str, list[Slice], list[str]]:
    if series != LARGEST:
        return pick(groups, series, name)
    return pick(groups, max(groups, key=lambda key: len(groups[key])), name, remedy)


def _stacked(
    name: str, entries: list[Slice], load: Callable[[Plane], tuple[np.ndarray, list[str]]], remarks: list[str]
) -> tuple[list[Plane], Volume]:
    """Slices in order of depth, and the volume that they are.

    Raises:
        InputError: They are none.
    """
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
    layers, said = [], []
    for plane in planes:
        layer, own = load(plane)
        layers.append(layer)
        said.append(own)
    remarks += said_of_slices(said)
    values = np.stack(layers)
    direction = np.stack([first.right, first.down, first.normal], axis=1)
    spacing = (float(steps.mean()), *map(float, first.spacing_mm))
    grid = Grid.of_lps(values.shape, spacing, first.position.tolist(), direction.ravel().tolist())
    return planes, Volume(values, grid, None, tuple(remarks))
