"""What a file is, from its header alone."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images.decode import check_pixels, syntax_name
from spinetk.images.display import is_inverted
from spinetk.images.elements import integer, word
from spinetk.images.frames import BURNED_IN, frame_of, modality_of
from spinetk.images.guard import check_size, display_name, quiet, regular_file
from spinetk.images.headers import open_header
from spinetk.images.kind import sniff
from spinetk.images.orientation import standing
from spinetk.images.plain import frame_of as plain_frame
from spinetk.images.plain import open_header as open_plain
from spinetk.images.plain import stored_size
from spinetk.images.read import read_picture
from spinetk.images.reformat import Plane, section_of
from spinetk.images.series import frame_series, group_series, pick, plan
from spinetk.images.stack import central, in_order
from spinetk.images.traits import Slice, describe_stacks


def describe(path: str | Path, *, decode: bool = False) -> dict[str, Any]:
    """Describe a file or series folder, by itself without decoding its pixels.

    Args:
        path: Any file, or a folder with a DICOM series.
        decode: Also read the picture, so that what only its pixels show (a damaged stream) is said: ``readable`` is
            then what the reader finds.

    Returns:
        JSON content about the picture ``read_picture`` would give. Always: ``file``, ``kind``, ``readable``, ``size``
        ([H, W] px or None), ``frames`` (or slices), ``modality``, ``view``, ``spacing_mm`` ([row, column] or None),
        ``spacing_source``, ``orientation`` ([+x, +y] letters or None), ``anterior`` (side seen with the head up, or
        None), ``pixel_aspect`` (height / width, where no spacing says it), ``exif_orientation`` (1..8),
        ``polarity`` (``normal`` or ``inverse``), ``transfer_syntax``, ``bits``, ``series`` (of a folder, or of
        frames with places: ``key`` and ``what``, the one that is read first), ``remarks``, ``warnings``. No patient
        text.

    Raises:
        InputError: It is no picture at all.
    """
    path = Path(path)
    content: dict[str, Any] = {
        "file": display_name(path),
        "kind": "dicom",
        "readable": True,
        "size": None,
        "frames": 1,
        "modality": None,
        "view": "unknown",
        "spacing_mm": None,
        "spacing_source": None,
        "orientation": None,
        "anterior": None,
        "pixel_aspect": None,
        "exif_orientation": 1,
        "polarity": "normal",
        "transfer_syntax": None,
        "bits": None,
        "series": [],
        "remarks": [],
        "warnings": [],
    }
    try:
        with quiet():
            if path.is_dir():
                content["kind"] = "series"
            else:
                regular_file(path)
                content["kind"] = sniff(path)
            fill = {"series": _series, "dicom": _dicom, "nifti": _volume, "nrrd": _volume}.get(content["kind"], _plain)
            fill(path, content)
            content["remarks"] += standing(Frame.from_json(content))
        if decode and content["readable"]:
            try:
                read_picture(path)
            except InputError as error:
                content["readable"] = False
                content["warnings"].append(error.fault)
        return content
    except InputError:
        raise
    except Exception as error:
        raise InputError(display_name(path), f"is damaged ({type(error).__name__})") from error


def render(content: dict[str, Any]) -> str:
    """The content of :func:`describe` as aligned plain text, one fact a line."""
    lines = [str(content["file"])]
    size, spacing, facing = content["size"], content["spacing_mm"], content["orientation"]
    facts = {
        "kind": content["kind"] if content["readable"] else f"{content['kind']}, cannot be read",
        "size": f"{size[1]} x {size[0]} px" if size else None,
        "frames": content["frames"] if content["frames"] > 1 else None,
        "modality": content["modality"],
        "view": content["view"],
        "spacing": f"{spacing[0]:.6g} x {spacing[1]:.6g} mm ({content['spacing_source']})" if spacing else "unknown",
        "orientation": f"right {facing[0] or '?'}, bottom {facing[1] or '?'}" if facing else None,
        "EXIF turn": content["exif_orientation"] if content["exif_orientation"] != 1 else None,
        "anterior": content["anterior"],
        "polarity": content["polarity"],
        "syntax": content["transfer_syntax"],
        "bits": content["bits"],
    }
    lines += [f"  {name:<12} {value}" for name, value in facts.items() if value is not None]
    several = len(content["series"]) > 1
    lines += [f"  {f'series {k}':<12} {one['what']}" for k, one in enumerate(content["series"], 1) if several]
    lines += [f"  {'remark':<12} {text}" for text in content["remarks"]]
    lines += [f"  {'WARNING':<12} {text}" for text in content["warnings"]]
    return "\n".join(lines)


def _put_frame(content: dict[str, Any], frame: Frame) -> None:
    content |= {"orientation": None, "pixel_aspect": None, "exif_orientation": 1} | frame.to_json()
    content["anterior"] = frame.anterior


def _dicom(path: Path, content: dict[str, Any]) -> None:
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
        _put_frame(content, frame)
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


def _series(folder: Path, content: dict[str, Any]) -> None:
    groups = group_series(folder)
    _, slices, notes = pick(groups, None, content["file"])
    planes = [entry.plane for entry in slices]
    ordered = in_order(planes, [])
    shown = ordered[central(ordered)].index
    _dicom(next(entry.path for entry in slices if entry.plane.index == shown), content)
    content["frames"] = len(slices)
    _put_series(content, groups)
    _put_planes(content, planes, notes)


def _put_series(content: dict[str, Any], groups: dict[str, list[Slice]]) -> None:
    lines = describe_stacks(list(groups.values()))
    content["series"] = [{"key": key, "what": line} for key, line in zip(groups, lines, strict=True)]


def _put_planes(content: dict[str, Any], planes: list[Plane], notes: list[str]) -> None:
    """What the slices of a volume are read as; ``content`` describes the central one."""
    planes, chosen = plan(planes, notes)
    if len(planes) > 1:
        normal = planes[0].normal
        steps = [float((b.position - a.position) @ normal) for a, b in pairwise(planes)]
        notes.insert(0, f"{len(planes)} slices, {sorted(steps)[len(steps) // 2]:.3g} mm from centre to centre")
    if chosen is not None:
        notes.append(f"slice {chosen + 1} of {len(planes)} is the picture read (central)")
    else:
        section = section_of(planes)
        content |= {"size": list(section.size), "view": "sagittal"}
        _put_frame(content, section.frame)
        notes.append(f"a mid-sagittal reformation at {section.step_mm:.3g} mm is the picture read")
    content["remarks"] += notes


def _plain(path: Path, content: dict[str, Any]) -> None:
    kind = content["kind"]
    with open_plain(path, kind) as header:
        content |= {"size": list(header.size[::-1]), "bits": header.mode}
        try:
            check_size(path, *header.size, 8, path.stat().st_size)
            frame = plain_frame(path, header, kind, None, content["remarks"])
            _put_frame(content, frame)
            content["size"] = list(stored_size(header, kind, frame.exif_orientation))
        except InputError as error:
            content["readable"] = False
            content["warnings"].append(error.fault)


def _volume(path: Path, content: dict[str, Any]) -> None:
    from spinetk.images.cut import describe_volume  # nibabel takes its time, and the page starts without it

    cut, header, remarks = describe_volume(path)
    _put_frame(content, cut.frame)
    content |= {"size": list(cut.size), "frames": cut.count, "view": cut.view, "bits": str(8 * header.dtype.itemsize)}
    content["remarks"] += remarks
