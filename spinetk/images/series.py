"""DICOM volumes: the slices of a series folder, or the frames of one file."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images.decode import check_pixels, decode_frame
from spinetk.images.dicom import grey, picture_of_frame
from spinetk.images.elements import integer, raw
from spinetk.images.find import list_files
from spinetk.images.guard import display_name, quiet
from spinetk.images.headers import Header, open_header
from spinetk.images.orientation import read_axes, read_position
from spinetk.images.picture import Picture
from spinetk.images.reformat import Plane, mid_sagittal
from spinetk.images.spacing import read_spacing
from spinetk.images.stack import FEWEST_FOR_REFORMATION, choose, in_order

MAX_SLICES = 5_000


@dataclass(frozen=True)
class Slice:
    """A file of a series and where it lies."""

    path: Path
    plane: Plane


def read_series(folder: Path, slice_choice: str, user_frame: Frame | None) -> Picture:
    """Read the largest DICOM series of a folder as one picture.

    Raises:
        InputError: The folder holds no series, or its slices cannot be read.
    """
    groups = group_series(folder)
    if not groups:
        raise InputError(display_name(folder), "holds no DICOM series", "give its files one by one")
    key = max(groups, key=lambda name: len(groups[name]))
    remarks: list[str] = []
    others = sum(len(group) for name, group in groups.items() if name != key)
    if others:
        remarks.append(f"{others} slices of other series, sizes or orientations were left out")
    slices = groups[key]
    by_index = {entry.plane.index: entry.path for entry in slices}

    def load(plane: Plane, values_only: bool) -> Any:
        header = open_header(by_index[plane.index])
        with header.stream:
            if values_only:
                return _values(header, check_pixels(header), 0)
            return picture_of_frame(header, check_pixels(header), 0, user_frame)

    picture = _from_planes([entry.plane for entry in slices], load, slice_choice, user_frame is not None, remarks)
    return replace(picture, kind="series")


def read_frames(header: Header, options: dict[str, Any], slice_choice: str, user_frame: Frame | None) -> Picture:
    """Read a multi-frame file as one picture: a volume when its frames have places, else the central frame."""
    frames = header.frames
    planes = [plane for plane in (_plane(header, index) for index in range(min(frames, MAX_SLICES))) if plane]
    places = {tuple(np.round(plane.position, 2)) for plane in planes}
    if len(planes) < frames or len(places) < 2:
        picture = picture_of_frame(header, options, frames // 2, user_frame)
        return replace(picture, remarks=(*picture.remarks, f"frame {frames // 2 + 1} of {frames} was read"))
    counts: dict[tuple, list[Plane]] = defaultdict(list)
    for plane in planes:
        counts[_direction_key(plane)].append(plane)
    largest = max(counts.values(), key=len)
    remarks: list[str] = []
    if len(largest) < frames:
        remarks.append(f"{frames - len(largest)} frames of other orientations were left out")

    def load(plane: Plane, values_only: bool) -> Any:
        if values_only:
            return _values(header, options, plane.index)
        return picture_of_frame(header, options, plane.index, user_frame)

    return _from_planes(largest, load, slice_choice, user_frame is not None, remarks)


def group_series(folder: Path) -> dict[str, list[Slice]]:
    """DICOM slices of a folder by series, size and orientation; only groups of two or more.

    Raises:
        InputError: The folder cannot be listed or holds more than ``MAX_SLICES`` DICOM files.
    """
    from spinetk.images.read import sniff

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
    return {key: slices for key, slices in groups.items() if len(slices) > 1}


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


def _from_planes(
    planes: list[Plane], load: Callable[..., Any], slice_choice: str, user_spacing: bool, remarks: list[str]
) -> Picture:
    planes = in_order(planes, remarks)
    if planes[0].is_sagittal or len(planes) < FEWEST_FOR_REFORMATION:
        chosen = choose(planes, lambda plane: load(plane, True), slice_choice if planes[0].is_sagittal else "central")
        picture: Picture = load(planes[chosen], False)
        how = "central" if slice_choice == "central" else "most spine"
        remarks.append(f"slice {chosen + 1} of {len(planes)} was read ({how})")
        return replace(picture, remarks=(*picture.remarks, *remarks))
    middle: Picture = load(planes[len(planes) // 2], False)
    pixels, padding, frame = mid_sagittal(planes, _each(planes, load))
    remarks.append(f"mid-sagittal reformation of {len(planes)} slices at {frame.spacing_mm[0]:.3g} mm")
    if user_spacing:
        remarks.append("the spacing given was not used: a reformation has that of the volume")
    return replace(
        middle, pixels=pixels, padding=padding, frame=frame, view="sagittal", remarks=tuple(remarks), inverted=False
    )


def _each(planes: list[Plane], load: Callable[..., Any]) -> Iterator[np.ndarray]:
    return (load(plane, True) for plane in planes)
