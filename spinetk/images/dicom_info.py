"""What a DICOM file or series is, from its headers alone."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from spinetk.errors import InputError
from spinetk.images.decode import check_pixels, syntax_name
from spinetk.images.display import is_inverted
from spinetk.images.elements import integer, word
from spinetk.images.frames import BURNED_IN, frame_of, modality_of
from spinetk.images.headers import open_header
from spinetk.images.orientation import OBLIQUE_PICTURE, facts_of
from spinetk.images.reformat import Plane, section_of
from spinetk.images.series import frame_series, group_series, pick, plan
from spinetk.images.stack import central, in_order
from spinetk.images.traits import Slice, describe_stacks


def describe_file(path: Path, content: dict[str, Any]) -> None:
    """Add what the header of a DICOM file says to ``content`` (:func:`spinetk.images.info.describe`).

    Raises:
        InputError: It is no picture at all.
    """
    header = open_header(path)
    with header.stream:
        dataset = header.dataset
        try:
            check_pixels(header)
        except InputError as error:
            content["readable"] = False
            content["warnings"].append(error.fault)
        remarks = list(header.remarks)
        frame, view = frame_of(header, header.frames // 2, None, remarks)
        content |= facts_of(frame)
        rows, columns = integer(dataset, "Rows"), integer(dataset, "Columns")
        stored, allocated = integer(dataset, "BitsStored"), integer(dataset, "BitsAllocated")
        sign = ", signed" if integer(dataset, "PixelRepresentation") == 1 else ""
        syntax = header.syntax
        content |= {
            "size": [rows, columns] if rows and columns else None,
            "frames": header.frames,
            "modality": modality_of(header),
            "view": view,
            "polarity": "inverse" if is_inverted(dataset) else "normal",
            "transfer_syntax": syntax_name(syntax),
            "bits": f"{stored or allocated} of {allocated}{sign}" if allocated else None,
            "remarks": remarks,
        }
        if word(dataset, "BurnedInAnnotation") == "YES":
            content["warnings"].append(BURNED_IN)
        if header.frames > 1 and content["readable"]:
            groups = frame_series(header)
            if groups:
                _, slices, notes = pick(groups, None, content["file"])
                _put_series(content, groups)
                _put_planes(content, [entry.plane for entry in slices], notes)
            else:
                remarks.append(f"frame {header.frames // 2 + 1} of {header.frames} is the picture read")


def describe_series(folder: Path, content: dict[str, Any]) -> None:
    """The same of a folder: of the series that is read first, with what others there are.

    Raises:
        InputError: As of :func:`describe_file`, or it holds no series.
    """
    groups = group_series(folder)
    _, slices, notes = pick(groups, None, content["file"])
    planes = [entry.plane for entry in slices]
    ordered = in_order(planes, [])
    shown = ordered[central(ordered)].index
    shown_file = next(entry.path for entry in slices if entry.path is not None and entry.plane.index == shown)
    describe_file(shown_file, content)
    content["frames"] = len(slices)
    _put_series(content, groups)
    _put_planes(content, planes, notes)


def _put_series(content: dict[str, Any], groups: dict[str, list[Slice]]) -> None:
    lines = describe_stacks(list(groups.values()))
    content["series"] = [{"key": key, "what": line} for key, line in zip(groups, lines, strict=True)]


def _put_planes(content: dict[str, Any], planes: list[Plane], notes: list[str]) -> None:
    """What the slices of a volume are read as; ``content`` describes the central one."""
    try:
        planes, chosen = plan(planes, notes)
    except InputError as error:
        content["readable"] = False
        content["warnings"].append(error.fault)
        content["remarks"] += notes
        return
    if len(planes) > 1:
        normal = planes[0].normal
        steps = [float((b.position - a.position) @ normal) for a, b in pairwise(planes)]
        notes.insert(0, f"{len(planes)} slices, {sorted(steps)[len(steps) // 2]:.3g} mm from centre to centre")
    if chosen is not None:
        notes.append(f"slice {chosen + 1} of {len(planes)} is the picture read (central)")
    else:
        section = section_of(planes)
        content |= {"size": list(section.size), "view": "sagittal"}
        content |= facts_of(section.frame)
        # The section is straight, however its slices lie.
        content["remarks"] = [remark for remark in content["remarks"] if OBLIQUE_PICTURE not in remark]
        notes.append(f"a mid-sagittal reformation at {section.step_mm:.3g} mm is the picture read")
    content["remarks"] += notes
