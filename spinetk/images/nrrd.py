"""NRRD files: header and writing by pynrrd, voxels raw or gzip, in the file itself.

The spaces with patient axes (LPS, RAS, LAS) are known; in any other, and without one, nobody knows where axes point,
and they are guessed to point to the left, the back and the head, as ITK does.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import nrrd
import numpy as np

from spinetk.errors import InputError
from spinetk.images.grid import LPS, Grid
from spinetk.images.guard import REMEDY_COPY, display_name
from spinetk.images.voxels import VolumeHeader, check_voxels, opened, read_voxels

HEAD_BYTES = 64 << 10
TYPES = {
    "i1": "char int8 int8_t", "u1": "uchar uint8 uint8_t", "i2": "short shortint int16 int16_t",
    "u2": "ushort ushortint uint16 uint16_t", "i4": "int int32 int32_t", "u4": "uint uint32 uint32_t",
    "i8": "longlong longlongint int64 int64_t", "u8": "ulonglong ulonglongint uint64 uint64_t",
    "f4": "float", "f8": "double",
}  # fmt: skip
SPACES = {
    "left-posterior-superior": (-1, -1, 1), "lps": (-1, -1, 1),
    "right-anterior-superior": (1, 1, 1), "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1), "las": (-1, 1, 1),
}  # fmt: skip
"""Signs that bring a space to RAS+."""

UNITS_MM = {
    **dict.fromkeys(("mm", "millimeter", "millimeters", ""), 1.0),
    **dict.fromkeys(("m", "meter", "meters"), 1e3), **dict.fromkeys(("cm", "centimeter", "centimeters"), 10.0),
    **dict.fromkeys(("um", "\N{MICRO SIGN}m", "microns", "micrometer", "micrometers"), 1e-3),
}  # fmt: skip
"""Of ``space units`` beside directions, and of ``units`` beside spacings."""
GUESS = "LPS"
COPIED = ("space", "space dimension", "space directions", "space origin", "space units", "spacings")


def read_header(path: Path) -> VolumeHeader:
    """Geometry and form of an NRRD file, checked against the bytes that are there.

    Raises:
        InputError: It is damaged, claims more voxels than it can hold, keeps them in another file, or is of a kind that
            is not read.
    """
    name = display_name(path)
    with open(path, "rb") as stream:
        head = stream.read(HEAD_BYTES)
    end = min((at for at in (head.find(b"\n\n"), head.find(b"\r\n\r\n")) if at >= 0), default=-1)
    if end < 0 and any(line.lower().startswith((b"data file:", b"datafile:")) for line in head.splitlines()):
        # As ITK ends it: without an empty line.
        raise InputError(name, "keeps its voxels in another file", "store header and data in one .nrrd")
    if end < 0:
        raise InputError(name, "has a damaged NRRD header", REMEDY_COPY)
    start = end + (2 if head[end : end + 2] == b"\n\n" else 4)
    try:
        fields: dict[str, Any] = dict(nrrd.read_header(io.BytesIO(head[:start])))
    except Exception as error:  # whatever a damaged header does to the library
        raise InputError(name, "has a damaged NRRD header", REMEDY_COPY) from error
    if "data file" in fields or "datafile" in fields:
        raise InputError(name, "keeps its voxels in another file", "store header and data in one .nrrd")
    if fields.get("encoding") not in ("raw", "gzip", "gz"):
        raise InputError(name, "uses a rare NRRD encoding", "store it raw or gzip")
    try:
        sizes = [int(v) for v in fields["sizes"]]
        kind = str(fields["type"]).replace("unsigned ", "u").replace("signed ", "").replace(" ", "")
        code = next(code for code, names in TYPES.items() if kind in names.split())
        order = ">" if fields.get("endian", "little") == "big" else "<"
        lines = int(fields.get("line skip", fields.get("lineskip", 0)))
        skip = int(fields.get("byte skip", fields.get("byteskip", 0)))
    except (KeyError, ValueError, TypeError, StopIteration) as error:
        raise InputError(name, "has a damaged NRRD header", REMEDY_COPY) from error
    if lines:
        raise InputError(name, "skips lines before its voxels", "store it again without them")
    dtype, packed = np.dtype(order + code), fields["encoding"] != "raw"
    spatial = _spatial(name, fields, sizes)
    stored = path.stat().st_size
    width = int(np.prod(sizes, dtype=object)) * dtype.itemsize
    begin = max(start, stored - width) if skip < 0 and not packed else start + (0 if packed else max(0, skip))
    check_voxels(path, tuple(sizes[axis] for axis in spatial), dtype.itemsize, packed, begin)
    remarks: list[str] = []
    grid, spacing_known = _grid(fields, sizes, spatial, remarks)
    fields["start"] = start if packed else begin
    fields["skip"] = max(0, skip) if packed else 0
    return VolumeHeader("nrrd", grid, dtype, 1, len(spatial) == 2, spacing_known, tuple(remarks), fields)


def read_values(path: Path, header: VolumeHeader) -> np.ndarray:
    """(D, H, W) as stored.

    Raises:
        InputError: The data are damaged, or fewer than the header says.
    """
    fields = header.stored
    with opened(path, fields["encoding"] != "raw", fields["start"]) as stream:
        if fields["skip"]:
            stream.read(fields["skip"])
        return read_voxels(path, stream, header.dtype, header.grid.shape, whole=True)


def write(path: Path, values: np.ndarray, grid: Grid, like: Any = None) -> None:
    """Write (D, H, W) voxels, packed.

    Args:
        path: ``.nrrd``.
        values: Of a type that NRRD has.
        grid: Where they lie, unless ``like`` says it.
        like: Fields of a header whose space and matrix are written as they are; nothing else of it.
    """
    fields: dict[str, Any] = {"encoding": "gzip", "kinds": ["domain"] * 3}
    own = like if like is not None and len(like["sizes"]) == 3 else None
    if own is not None:
        fields |= {key: own[key] for key in COPIED if key in own}
    elif grid.oriented:
        fields |= {
            "space": "left-posterior-superior",
            "space directions": (LPS[:, None] * grid.affine[:3, :3]).T,
            "space origin": LPS * grid.affine[:3, 3],
        }
    else:
        fields["spacings"] = grid.spacing_mm[::-1]
    nrrd.write(str(path), values.T, fields, compression_level=6)


def _spatial(name: str, fields: dict[str, Any], sizes: list[int]) -> list[int]:
    """The two or three axes of the picture or volume; a further one may have one value only."""
    directions = fields.get("space directions")
    axes = list(range(len(sizes)))
    if directions is not None and len(directions) == len(sizes):
        axes = [axis for axis in axes if directions[axis] is not None and np.isfinite(directions[axis]).all()]
    elif len(sizes) > 3:
        axes = [axis for axis in axes if sizes[axis] > 1] or axes
    others = [axis for axis in range(len(sizes)) if axis not in axes]
    if not 2 <= len(axes) <= 3:
        raise InputError(name, f"has {len(sizes)} dimensions", "give a volume of 2 or 3")
    if any(sizes[axis] != 1 for axis in others):
        raise InputError(name, "has several values a voxel", "give one grey volume")
    return axes


def _grid(fields: dict[str, Any], sizes: list[int], spatial: list[int], remarks: list[str]) -> tuple[Grid, bool]:
    """Where the voxels lie, in mm; and whether the spacing is known."""
    shape = tuple(reversed([*(sizes[axis] for axis in spatial), 1][:3]))
    factor = float(_in_mm(fields.get("space units"), [0], remarks)[0])
    signs = SPACES.get(str(fields.get("space", "")).lower())
    directions = fields.get("space directions")
    matrix = None
    if directions is not None and len(directions) == len(sizes):
        matrix = np.array([directions[axis] for axis in spatial], np.float64).T * factor
        if matrix.shape != (3, 3) or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-9:
            if matrix.shape == (3, 3):
                remarks.append("the space directions are no matrix of a volume and were ignored")
            matrix = None
    affine = np.eye(4)
    if matrix is not None:
        origin = np.asarray(fields.get("space origin", np.zeros(3)), np.float64) * factor
        turn = np.array(LPS if signs is None else signs, np.float64)
        affine[:3, :3] = turn[:, None] * matrix
        affine[:3, 3] = turn * (origin if origin.shape == (3,) and np.isfinite(origin).all() else 0)
        return Grid(shape, affine, oriented=signs is not None), True  # type: ignore[arg-type]
    spacing = np.asarray([fields["spacings"][axis] for axis in spatial] if "spacings" in fields else [], np.float64)
    if directions is not None and len(spatial) == 2:
        spacing = np.linalg.norm([directions[axis] for axis in spatial], axis=1) * factor
    elif len(spacing) == len(spatial):
        spacing = spacing * _in_mm(fields.get("units"), spatial, remarks)
    known = len(spacing) == len(spatial) and bool((np.isfinite(spacing) & (spacing > 0)).all())
    steps = np.array([*spacing, 1.0][:3]) if known else np.ones(3)
    affine[:3, :3] = np.diag(LPS * steps)
    return Grid(shape, affine, oriented=False), known  # type: ignore[arg-type]


def _in_mm(units: Any, axes: list[int], remarks: list[str]) -> np.ndarray:
    """What lengths along some axes are multiplied by, by the units of all axes; mm where a header names none."""
    names = [str(units[axis]).strip(' "') if units is not None and axis < len(units) else "" for axis in axes]
    factors = np.array([UNITS_MM.get(name.lower(), 1.0) for name in names])
    said = ", ".join(dict.fromkeys(name for name in names if UNITS_MM.get(name.lower()) != 1))
    if (factors != 1).any():
        remarks.append(f"the header gives lengths in {said}: they were changed to mm")
    elif said:
        remarks.append(f"the header gives lengths in {said}, which is unknown: they were taken for mm")
    return factors
