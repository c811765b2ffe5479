"""DICOM volumes: the slices of a series folder, or the frames of one file."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images.decode import check_pixels, decode_frame
from spinetk.images.elements import integer, raw
from spinetk.images.frames import BURNED_IN, grey, picture_of_frame
from spinetk.images.guard import display_name, quiet
from spinetk.images.headers import Header, open_header
from spinetk.images.kind import sniff
from spinetk.images.orientation import read_axes, read_position
from spinetk.images.picture import Picture, SliceChoice, chosen_slice
from spinetk.images.reformat import Plane, mid_sagittal
from spinetk.images.spacing import read_spacing
from spinetk.images.stack import FEWEST_FOR_REFORMATION, central, in_order, spine_score
from spinetk.images.walk import list_files

MAX_SLICES = 5_000
FEWEST_SAGITTAL = 5
"""Sagittal slices that are more than a localiser."""


@dataclass(frozen=True)
class Slice:
    """A file of a series and where it lies."""

    path: Path
    plane: Plane


def read_series(folder: Path, slice_choice: SliceChoice, user_frame: Frame | None) -> Picture:
    """Read the main DICOM series of a folder as one picture.

    Raises:
        InputError: The folder holds no series, or its slices cannot be read.
    """
    slices, remarks = main_series(folder)
    by_index = {entry.plane.index: entry.path for entry in slices}

    def load(plane: Plane, values_only: bool) -> Any:
        header = open_header(by_index[plane.index])
        with header.stream:
            if values_only:
                return _values(header, check_pixels(header), 0)
            return picture_of_frame(header, check_pixels(header), 0, user_frame)

    picture = _from_planes([entry.plane for entry in slices], load, slice_choice, user_frame is not None, remarks)
    return replace(picture, kind="series")


def main_series(folder: Path) -> tuple[list[Slice], list[str]]:
    """Slices of the series that a folder stands for, and a remark on what is left out.

    Raises:
        InputError: The folder cannot be listed, or holds no series.
    """
    first, *others = group_series(folder).values() or [[]]
    if not first:
        raise InputError(display_name(folder), "holds no DICOM series", "give its files one by one")
    remarks = []
    if others:
        count = sum(map(len, others))
        what = "another series, size or orientation" if len(others) == 1 else f"{len(others)} other series"
        remarks.append(f"{count} slices of {what} in the folder were left out: give each series a folder of its own")
    return first, remarks


def read_frames(
    header: Header, options: dict[str, Any], slice_choice: SliceChoice, user_frame: Frame | None
) -> Picture:
    """Read a multi-frame file as one picture: a volume when its frames have places, else the central frame."""
    frames = header.frames
    planes, remarks = frame_planes(header)
    if not planes:
        chosen, _ = chosen_slice(slice_choice, frames, frames // 2)
        picture = picture_of_frame(header, options, chosen, user_frame)
        remarks = [*picture.remarks, f"frame {chosen + 1} of {frames} was read"]
        return replace(picture, remarks=tuple(remarks), slices=frames, slice=chosen)

    def load(plane: Plane, values_only: bool) -> Any:
        if values_only:
            return _values(header, options, plane.index)
        return picture_of_frame(header, options, plane.index, user_frame)

    return _from_planes(planes, load, slice_choice, user_frame is not None, remarks)


def frame_planes(header: Header) -> tuple[list[Plane], list[str]]:
    """Places of the frames of one orientation; none when the header does not place every frame of a volume."""
    frames = header.frames
    planes = [plane for plane in (_plane(header, index) for index in range(min(frames, MAX_SLICES))) if plane]
    places = {tuple(np.round(plane.position, 2)) for plane in planes}
    if len(planes) < frames or len(places) < 2:
        return [], []
    counts: dict[tuple, list[Plane]] = defaultdict(list)
    for plane in planes:
        counts[_direction_key(plane)].append(plane)
    largest = max(counts.values(), key=len)
    left_out = frames - len(largest)
    return largest, [f"{left_out} frames of other orientations were left out"] if left_out else []


def group_series(folder: Path) -> dict[str, list[Slice]]:
    """DICOM slices of a folder by series, size and orientation; only groups of two or more.

    The first group is the one to read: the largest sagittal one, else the largest. A stack of axial slices gives a
    worse sagittal picture than slices taken that way, even when there are more of them; but three sagittal slices are
    a localiser.

    Raises:
        InputError: The folder cannot be listed or holds more than ``MAX_SLICES`` DICOM files.
    """
    groups: dict[str, list[Slice]] = defaultdict(list)
    count = 0
    with quiet():
        for path in list_files(folder):
            try:
                if sniff(path) != "dicom":
                    continue
                header = open_header(path)
            except (InputError, OSError):
                continue
            count += 1
            if count > MAX_SLICES:
                header.stream.close()
                fault = f"holds more than {MAX_SLICES} DICOM files"
                raise InputError(display_name(folder), fault, "give one series at a time")
            with header.stream:
                plane = _plane(header, 0) if header.pixel_keyword and header.frames == 1 else None
                if plane is None:
                    continue
                label = f"{raw(header.dataset, 'SeriesInstanceUID')}|{plane.size}|{_direction_key(plane)}"
                key = hashlib.sha256(label.encode()).hexdigest()[:12]
                groups[key].append(Slice(path, replace(plane, index=count)))
    several = [(key, slices) for key, slices in groups.items() if len(slices) > 1]
    return dict(sorted(several, key=lambda group: _rank(group[1])))


def _rank(slices: list[Slice]) -> tuple[bool, int]:
    sagittal = slices[0].plane.is_sagittal and len(slices) >= FEWEST_SAGITTAL
    return not sagittal, -len(slices)


def _plane(header: Header, index: int) -> Plane | None:
    """Where a frame lies, or None when the headers do not say."""
    dataset = header.dataset
    axes, position = read_axes(dataset, index), read_position(dataset, index)
    size = integer(dataset, "Rows"), integer(dataset, "Columns")
    if axes is None or position is None or not all(size):
        return None
    spacing = read_spacing(dataset, index, [])[0]
    return Plane(index, *axes, position, spacing or (1.0, 1.0), size)


def _direction_key(plane: Plane) -> tuple[float, ...]:
    return tuple(float(v) + 0.0 for v in np.round(np.concatenate([plane.right, plane.down]), 1))


def _values(header: Header, options: dict[str, Any], index: int) -> np.ndarray:
    """(H, W) modality values: windows differ from slice to slice and have no place in a reformation."""
    return grey(decode_frame(header, options, index), header, index, [], window=False)[0]


def plan(planes: list[Plane], remarks: list[str]) -> tuple[list[Plane], int | None]:
    """Planes in order, and the place of the central one to show; None when a reformation is shown instead."""
    planes = in_order(planes, remarks)
    if planes[0].is_sagittal or len(planes) < FEWEST_FOR_REFORMATION:
        return planes, central(planes)
    return planes, None


def _from_planes(
    planes: list[Plane], load: Callable[..., Any], slice_choice: SliceChoice, user_spacing: bool, remarks: list[str]
) -> Picture:
    planes, chosen = plan(planes, remarks)
    if chosen is not None:
        if slice_choice == "most-spine" and planes[0].is_sagittal and len(planes) > 2:
            chosen = int(np.argmax([spine_score(load(plane, True)) for plane in planes]))
        chosen, how = chosen_slice(slice_choice, len(planes), chosen)
        picture: Picture = load(planes[chosen], False)
        remarks.append(f"slice {chosen + 1} of {len(planes)} was read ({how})")
        return replace(picture, remarks=(*picture.remarks, *remarks), slices=len(planes), slice=chosen)
    chosen_slice(slice_choice, 1, 0)  # a reformation is one picture
    middle: Picture = load(planes[len(planes) // 2], False)
    pixels, padding, frame = mid_sagittal(planes, (load(plane, True) for plane in planes))
    remarks.append(f"mid-sagittal reformation of {len(planes)} slices at {frame.spacing_mm[0]:.3g} mm")
    if middle.burned_in:
        remarks.append(BURNED_IN)
    if user_spacing:
        remarks.append("the spacing given was not used: a reformation has that of the volume")
    return replace(
        middle, pixels=pixels, padding=padding, frame=frame, view="sagittal", remarks=tuple(remarks), inverted=False
    )
