"""What a file is, from its header alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images.guard import check_size, display_name, quiet, regular_file
from spinetk.images.kind import VOLUMES, sniff
from spinetk.images.orientation import facts_of, standing
from spinetk.images.plain import frame_of as plain_frame
from spinetk.images.plain import open_header as open_plain
from spinetk.images.plain import stored_size
from spinetk.images.read import read_picture

Describe = Callable[[Path, dict[str, Any]], None]


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
            _describer(content["kind"])(path, content)
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
        raise InputError(display_name(path), f"is damaged ({type(error).__name__})", "export it again") from error


BITS = {
    **{"1": "1", "L": "8", "I;16": "16", "I;16B": "16", "I": "32", "F": "32 (floating point)", "P": "8 (palette)"},
    **{"LA": "8 x 2 (grey, alpha)", "RGB": "8 x 3 (RGB)", "RGBA": "8 x 4 (RGB, alpha)", "CMYK": "8 x 4 (CMYK)"},
}
"""Of Pillow's modes: bits of a pixel."""


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


def _describer(kind: str) -> Describe:
    """What describes such files. pydicom and nibabel take their time, so each is imported for its own kinds only."""
    if kind in VOLUMES:
        return _volume
    if kind not in ("dicom", "series"):
        return _plain
    from spinetk.images.dicom_info import describe_file, describe_series

    return describe_series if kind == "series" else describe_file


def _plain(path: Path, content: dict[str, Any]) -> None:
    kind = content["kind"]
    with open_plain(path, kind) as header:
        content |= {"size": list(header.size[::-1]), "bits": BITS.get(header.mode, header.mode)}
        try:
            check_size(path, *header.size, 8, path.stat().st_size)
            frame = plain_frame(path, header, kind, None, content["remarks"])
            content |= facts_of(frame)
            content["size"] = list(stored_size(header, kind, frame.exif_orientation))
        except InputError as error:
            content["readable"] = False
            content["warnings"].append(error.fault)


def _volume(path: Path, content: dict[str, Any]) -> None:
    from spinetk.images.cut import describe_volume

    cut, header, remarks = describe_volume(path)
    content |= facts_of(cut.frame)
    content |= {"size": list(cut.size), "frames": cut.count, "view": cut.view, "bits": str(8 * header.dtype.itemsize)}
    content["remarks"] += remarks
