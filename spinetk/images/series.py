"""DICOM volumes: the slices of a series folder, or the frames of one file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images.decode import check_pixels
from spinetk.images.elements import integer, raw, word
from spinetk.images.frames import BURNED_IN, picture_of_frame, values_of
from spinetk.images.guard import display_name, quiet
from spinetk.images.headers import Header, open_header
from spinetk.images.kind import sniff
from spinetk.images.orientation import read_axes, read_position
from spinetk.images.picture import Picture, SliceChoice, chosen_slice
from spinetk.images.reformat import Plane, mid_sagittal
from spinetk.images.spacing import SLICES, read_spacing
from spinetk.images.stack import FEWEST_FOR_REFORMATION, central, in_order, said_of_slices, spine_score
from spinetk.images.traits import Slice, describe_stacks, read_traits, split
from spinetk.images.walk import list_files

MAX_SLICES = 5_000
FEWEST_SAGITTAL = 5
"""Sagittal slices that are more than a localiser."""

SAME_SPACING = 0.01
"""Pixel spacings of one stack differ by less than this share."""

SAME_DIRECTION = 0.05
"""Cosines of the axes of one stack differ by no more than this (3 degrees)."""

MOST_NAMED = 4
"""Most series that a remark names beside the one read."""

ABOUT_PICTURES = ("SEG", "RTDOSE")
"""Modalities of several frames that are about a series, and no pictures themselves."""


def read_series(
    folder: Path, slice_choice: SliceChoice, user_frame: Frame | None, series: str | int | None = None
) -> Picture:
    """Read one DICOM series of a folder, the main one where none is named, as one picture.

    Raises:
        InputError: The folder holds no (such) series, or its slices cannot be read.
    """
    key, slices, remarks = main_series(folder, series)
    by_index = {entry.plane.index: entry.path for entry in slices if entry.path is not None}

    def load(plane: Plane, values_only: bool) -> Any:
        header = open_header(by_index[plane.index])
        with header.stream:
            if values_only:
                return values_of(header, check_pixels(header), 0)
            return picture_of_frame(header, check_pixels(header), 0, user_frame)

    picture = _from_planes([entry.plane for entry in slices], load, slice_choice, user_frame is not None, remarks)
    return replace(picture, kind="series", series=key)


def main_series(folder: Path, series: str | int | None = None) -> tuple[str, list[Slice], list[str]]:
    """Key and slices of the series that a folder stands for, or that is named, and a remark on what else there is.

    Raises:
        InputError: The folder cannot be listed, or holds no (such) series.
    """
    groups, others = scan(folder)
    key, slices, remarks = pick(groups, series, display_name(folder))
    return key, slices, [*remarks, *said_of_frames(len(others))]


def said_of_frames(files: int) -> list[str]:
    """A remark on files of several frames in a folder that was read as a series of single slices."""
    if not files:
        return []
    said = "1 DICOM file of several frames was" if files == 1 else f"{files} DICOM files of several frames were"
    return [f"{said} left out of the folder's series: give such a file by its name"]


def pick(
    groups: dict[str, list[Slice]], series: str | int | None, name: str, chooses: str = "--series chooses"
) -> tuple[str, list[Slice], list[str]]:
    """One of several series: its key, its slices, and a remark on the others.

    Args:
        groups: Of :func:`group_series` or :func:`frame_series`; the first is the main one.
        series: Key, or number counted from 1; None means the main one.
        name: Of the file or folder, for the error.
        chooses: How to have another one, for the remark.

    Raises:
        InputError: There is no (such) series.
    """
    if not groups:
        raise InputError(name, "is a folder without a DICOM series", "give its pictures themselves: FOLDER/*")
    keys = list(groups)
    number = keys.index(str(series)) + 1 if str(series) in keys else 1 if series is None else str(series)
    if str(number) not in map(str, range(1, len(keys) + 1)):
        raise InputError(name, f"has no series {number} among its {len(keys)}", "see `spinetk info` for their numbers")
    number = int(number)
    lines = [f"{k}: {line}" for k, line in enumerate(describe_stacks(list(groups.values())), start=1)]
    read = lines.pop(number - 1).removeprefix(f"{number}: ")
    remarks = []
    if lines:
        more = f"; and {len(lines) - MOST_NAMED} more" if len(lines) > MOST_NAMED else ""
        others = "; ".join(lines[:MOST_NAMED]) + more
        remarks.append(f"series {number} of {len(keys)} was read ({read}), not {others} ({chooses})")
    return keys[number - 1], groups[keys[number - 1]], remarks


def read_frames(
    header: Header,
    options: dict[str, Any],
    slice_choice: SliceChoice,
    user_frame: Frame | None,
    series: str | int | None = None,
) -> Picture:
    """Read a multi-frame file as one picture: a volume when its frames have places, else the central frame."""
    frames = header.frames
    groups = frame_series(header)
    if not groups:
        chosen, _ = chosen_slice(slice_choice, frames, frames // 2)
        picture = picture_of_frame(header, options, chosen, user_frame)
        lost = ", counted by number, not by place" if picture.modality in SLICES else ""
        remarks = [*picture.remarks, f"frame {chosen + 1} of {frames} was read{lost}"]
        return replace(picture, remarks=tuple(remarks), slices=frames, slice=chosen)
    key, slices, remarks = pick(groups, series, display_name(header.path))

    def load(plane: Plane, values_only: bool) -> Any:
        if values_only:
            return values_of(header, options, plane.index)
        return picture_of_frame(header, options, plane.index, user_frame)

    picture = _from_planes([entry.plane for entry in slices], load, slice_choice, user_frame is not None, remarks)
    return replace(picture, series=key)


def frame_series(header: Header) -> dict[str, list[Slice]]:
    """Frames by orientation and what they show, the main ones first.

    Empty when the header does not place every frame, or they all lie at one place and show the same.
    """
    slices = []
    for index in range(min(header.frames, MAX_SLICES)):
        plane = _plane(header, index)
        if plane is None:
            return {}
        slices.append(Slice(plane, None, *read_traits(header.dataset, index)))
    uid = str(raw(header.dataset, "SOPInstanceUID"))
    groups = _grouped([(uid, entry) for entry in slices])
    same_place = len({tuple(np.round(entry.plane.position, 2)) for entry in slices}) < 2
    return {} if len(slices) < header.frames or (same_place and len(groups) < 2) else groups


def group_series(folder: Path) -> dict[str, list[Slice]]:
    """DICOM slices of a folder by series, size, orientation and what they show (:mod:`spinetk.images.traits`).

    The first group is the one to read: the largest sagittal one, else the largest. A stack of axial slices gives a
    worse sagittal picture than slices taken that way, even when there are more of them; but three sagittal slices are
    a localiser. A file with no second one of its series, size and orientation belongs to none.

    Raises:
        InputError: The folder cannot be listed or holds more than ``MAX_SLICES`` DICOM files.
    """
    return scan(folder)[0]


def scan(folder: Path) -> tuple[dict[str, list[Slice]], list[Path]]:
    """As :func:`group_series`, and the DICOM files of several frames, which belong to none."""
    found: list[tuple[str, Slice]] = []
    count, others = 0, []
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
                pictures = header.frames > 1 and header.pixel_keyword is not None
                if pictures and word(header.dataset, "Modality") not in ABOUT_PICTURES:
                    others.append(path)
                plane = _plane(header, 0) if header.pixel_keyword and header.frames == 1 else None
                if plane is not None:
                    entry = Slice(replace(plane, index=count), path, *read_traits(header.dataset, 0))
                    found.append((str(raw(header.dataset, "SeriesInstanceUID")), entry))
    return _grouped(found, fewest=2), others


def _grouped(slices: list[tuple[str, Slice]], fewest: int = 1) -> dict[str, list[Slice]]:
    """(UID, slice) pairs by UID, size and orientation (at least ``fewest``), then by traits; the main ones first."""
    alike: dict[str, list[Slice]] = {}
    known: dict[str, tuple[list[str], np.ndarray]] = {}  # keys of groups, and the axes of their first slices
    for uid, entry in slices:
        own, axes = f"{uid}|{entry.plane.size}|", np.concatenate([entry.plane.right, entry.plane.down])
        keys, directions = known.get(own, ([], np.empty((0, 6))))
        near = np.flatnonzero(np.abs(directions - axes).max(axis=1) <= SAME_DIRECTION)
        if len(near):
            alike[keys[near[0]]].append(entry)
            continue
        key = f"{own}{_direction_key(entry.plane)}"
        key += f"|{len(keys)}" if key in alike else ""
        alike[key] = [entry]
        known[own] = [*keys, key], np.vstack([directions, axes])
    stacks = {}
    for label, group in alike.items():
        if len(group) >= fewest:
            _mark_spacings(group)
            for number, stack in enumerate(split(group)):
                text = f"{label}|{sorted(stack[0].traits.items())}|{number}"
                stacks[hashlib.sha256(text.encode()).hexdigest()[:12]] = stack
    return dict(sorted(stacks.items(), key=lambda item: _rank(item[1])))


def _mark_spacings(group: list[Slice]) -> None:
    """Make another pixel spacing a trait where slices of one size differ in it: they are no one stack."""
    spacings = np.array([entry.plane.spacing_mm if entry.plane.scaled else (np.nan, np.nan) for entry in group])
    known = spacings[np.isfinite(spacings[:, 0])]
    if not len(known) or (len(known) == len(group) and np.ptp(np.log(known), axis=0).max() < SAME_SPACING):
        return
    for entry in group:
        row, column = entry.plane.spacing_mm
        entry.traits["pixel spacing"] = f"{row:.3g} x {column:.3g} mm" if entry.plane.scaled else "unknown"


def _rank(slices: list[Slice]) -> tuple[bool, int]:
    sagittal = slices[0].plane.is_sagittal and len(slices) >= FEWEST_SAGITTAL
    return not sagittal, -len(slices)


def _plane(header: Header, index: int) -> Plane | None:
    """Where a frame lies, or None when the headers do not say."""
    dataset = header.dataset
    axes, position = read_axes(dataset, index), read_position(dataset, index)
    rows, columns = integer(dataset, "Rows"), integer(dataset, "Columns")
    if axes is None or position is None or not rows or not columns:
        return None
    spacing = read_spacing(dataset, index, [])[0]
    return Plane(index, *axes, position, spacing or (1.0, 1.0), (rows, columns), spacing is not None)


def _direction_key(plane: Plane) -> tuple[float, ...]:
    return tuple(float(v) + 0.0 for v in np.round(np.concatenate([plane.right, plane.down]), 1))


def plan(planes: list[Plane], remarks: list[str]) -> tuple[list[Plane], int | None]:
    """Planes in order, and the place of the central one to show; None when a reformation is shown instead.

    Raises:
        InputError: A reformation of slices whose pixels lie nobody knows how far apart.
    """
    planes = in_order(planes, remarks)
    if planes[0].is_sagittal or len(planes) < FEWEST_FOR_REFORMATION:
        return planes, central(planes)
    if not planes[0].scaled:
        fault = "is not sagittal and has no pixel spacing, without which no sagittal picture can be made of it"
        raise InputError("series", fault, "give sagittal slices, or files with their PixelSpacing")
    return planes, None


def _from_planes(
    planes: list[Plane], load: Callable[..., Any], slice_choice: SliceChoice, user_spacing: bool, remarks: list[str]
) -> Picture:
    planes, chosen = plan(planes, remarks)
    if chosen is not None:
        if slice_choice == "most-spine" and planes[0].is_sagittal and len(planes) > 2:
            chosen = int(np.argmax([spine_score(load(plane, True)[0]) for plane in planes]))
        chosen, how = chosen_slice(slice_choice, len(planes), chosen)
        picture: Picture = load(planes[chosen], False)
        remarks.append(f"slice {chosen + 1} of {len(planes)} was read ({how})")
        return replace(picture, remarks=(*picture.remarks, *remarks), slices=len(planes), slice=chosen)
    chosen_slice(slice_choice, 1, 0)  # a reformation is one picture
    middle: Picture = load(planes[len(planes) // 2], False)
    said: list[list[str]] = []

    def layers() -> Iterator[np.ndarray]:
        for plane in planes:
            values, own = load(plane, True)
            said.append(own)
            yield values

    pixels, padding, frame = mid_sagittal(planes, layers())
    remarks += said_of_slices(said)
    step_mm = frame.spacing_mm[0] if frame.spacing_mm else 1.0
    remarks.append(f"mid-sagittal reformation of {len(planes)} slices at {step_mm:.3g} mm")
    if middle.burned_in:
        remarks.append(BURNED_IN)
    if user_spacing:
        remarks.append("the spacing given was not used: a reformation has that of the volume")
    return replace(
        middle, pixels=pixels, padding=padding, frame=frame, view="sagittal", remarks=tuple(remarks), inverted=False,
        frame_number=None, stored_sha256=None,
    )  # fmt: skip
