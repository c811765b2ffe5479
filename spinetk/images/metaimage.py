"""MetaImage files (``.mha``; ``.mhd`` with its voxels in a file beside it), voxels raw or deflated.

The header is a list of ``Key = Value`` lines (MetaIO). Each three numbers of ``TransformMatrix`` are where an axis of
the file points, in the patient axes of ITK and DICOM (LPS); ``ElementSpacing`` are steps, in mm unless
``DistanceUnits`` says otherwise, which ITK does not look at. Without a matrix nobody knows where axes point, and they
are guessed to point to the left, the back and the head, as ITK does. ``AnatomicalOrientation`` repeats the matrix in
letters of where an axis comes from.

SimpleITK is not underneath: it does not tell a given matrix from a missing one nor raise where deflated voxels are
damaged, and the path, the size and the units of a header would have to be checked before it all the same. It would
also make the installation that only reads half as large again.
"""

from __future__ import annotations

import io
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.errors import InputError
from spinetk.images.grid import LETTERS, LPS, Grid
from spinetk.images.guard import REMEDY_COPY, display_name
from spinetk.images.nrrd import UNITS_MM
from spinetk.images.voxels import VolumeHeader, check_voxels, read_voxels

HEAD_BYTES = 64 << 10
TYPES = {
    "met_char": "i1", "met_uchar": "u1", "met_short": "i2", "met_ushort": "u2", "met_int": "i4", "met_uint": "u4",
    "met_long": "i4", "met_ulong": "u4", "met_long_long": "i8", "met_ulong_long": "u8",
    "met_float": "f4", "met_double": "f8",
}  # fmt: skip
WRITTEN = {code: name.upper() for name, code in TYPES.items() if name not in ("met_long", "met_ulong")}
MATRIX = ("TransformMatrix", "Rotation", "Orientation")
PLACE = ("Offset", "Position", "Origin")
STEPS = ("ElementSpacing", "ElementSize")
COPIED = (*MATRIX, *PLACE, *STEPS, "DistanceUnits", "AnatomicalOrientation")
GUESS = "LPS"
REMEDY = "write the volume again, as one .mha"
UNIT_LENGTH = 1e-3
"""Directions whose length is nearer to 1 hold no steps."""


def read_header(path: Path) -> VolumeHeader:
    """Geometry and form of a MetaImage file, checked against the bytes that are there.

    Raises:
        InputError: It is damaged, lacks a field, claims more voxels than it can hold, keeps them in several files or in
            another folder, or is of a kind that is not read.
    """
    name = display_name(path)
    with open(path, "rb") as stream:
        fields, end = _fields(name, stream.read(HEAD_BYTES))
    lacking = next((key for key in ("NDims", "DimSize", "ElementType") if key.lower() not in fields), None)
    if lacking is not None:
        raise InputError(name, f"has a MetaImage header without {lacking}", REMEDY)
    if _true(fields.get("binarydata", "True")) is False:
        raise InputError(name, "holds its voxels as text", "store it binary")
    if fields.get("elementnumberofchannels", "1") != "1":
        raise InputError(name, "has several values a voxel", "give one grey volume")
    if fields["elementtype"].lower() not in TYPES:
        raise InputError(name, f"has voxels of type {fields['elementtype'][:40]!r}", "store them as numbers")
    try:
        count, sizes = int(fields["ndims"]), [int(v) for v in fields["dimsize"].split()]
        skip = int(fields.get("headersize", 0))
    except ValueError as error:
        raise InputError(name, "has a damaged MetaImage header", REMEDY_COPY) from error
    if not 2 <= count <= 3:
        raise InputError(name, f"has {count} dimensions", "give a volume of 2 or 3")
    packed = _true(fields.get("compresseddata", "False"))
    big = fields.get("binarydatabyteordermsb", fields.get("elementbyteordermsb", "False"))
    dtype = np.dtype((">" if _true(big) else "<") + TYPES[fields["elementtype"].lower()])
    data, own = _data_file(path, fields["elementdatafile"])
    start = end if own else 0
    width = math.prod(sizes) * dtype.itemsize
    if skip == -1 and not packed:
        start = max(start, data.stat().st_size - width)
    elif skip:
        if skip < start:
            raise InputError(name, "has a damaged MetaImage header", REMEDY_COPY)
        start = skip
    if len(sizes) != count:
        raise InputError(name, f"has {len(sizes)} sizes for {count} dimensions", REMEDY)
    check_voxels(data, tuple(sizes), dtype.itemsize, packed, start)
    remarks: list[str] = []
    grid, spacing_known = _grid(fields, sizes, remarks)
    stored = {**fields, "data": data, "start": start, "packed": packed}
    return VolumeHeader("metaimage", grid, dtype, 1, count == 2, spacing_known, tuple(remarks), stored)


def read_values(path: Path, header: VolumeHeader) -> np.ndarray:
    """(D, H, W) as stored.

    Raises:
        InputError: The data are damaged, or fewer than the header says.
    """
    stored, shape = header.stored, header.grid.shape
    with open(stored["data"], "rb") as stream:
        stream.seek(stored["start"])
        if not stored["packed"]:
            return read_voxels(path, stream, header.dtype, shape, whole=True)
        inflate = zlib.decompressobj()
        width = math.prod(shape) * header.dtype.itemsize
        try:
            plain = inflate.decompress(stream.read(), width + 1)  # one more: the checksum is behind the last voxel
        except zlib.error:
            plain = b""
    if not inflate.eof and len(plain) <= width:
        raise InputError(display_name(path), "is damaged: it cannot be unpacked whole", REMEDY_COPY)
    return read_voxels(path, io.BytesIO(plain), header.dtype, shape, whole=True)


def write(path: Path, values: np.ndarray, grid: Grid, like: Any = None) -> None:
    """Write (D, H, W) voxels as one file, packed.

    Args:
        path: ``.mha``.
        values: Of a type that MetaImage has.
        grid: Where they lie, unless ``like`` says it.
        like: Fields of a header whose matrix, place, steps and units are written as they are; nothing else of it.
    """
    fields: dict[str, str] = {}
    if like is not None and like["ndims"] == "3":
        fields = {key: like[key.lower()] for key in COPIED if key.lower() in like}
    else:
        if grid.oriented:
            fields |= {
                "TransformMatrix": _said((LPS[:, None] * grid.directions).T.ravel()),
                "Offset": _said(grid.origin_mm),
            }
        fields["ElementSpacing"] = _said(grid.spacing_mm[::-1])
    plain = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    packed = zlib.compress(plain.data, 6)
    head = {
        "ObjectType": "Image", "NDims": "3", "BinaryData": "True", "BinaryDataByteOrderMSB": "False",
        "CompressedData": "True", "CompressedDataSize": str(len(packed)), **fields,
        "DimSize": " ".join(map(str, values.shape[::-1])), "ElementType": WRITTEN[plain.dtype.str[1:]],
        "ElementDataFile": "LOCAL",
    }  # fmt: skip
    path.write_bytes("".join(f"{key} = {value}\n" for key, value in head.items()).encode() + packed)


def _fields(name: str, head: bytes) -> tuple[dict[str, str], int]:
    """Values by key in small letters, and where the header ends: with the line of ``ElementDataFile``."""
    fields: dict[str, str] = {}
    at = 0
    while (end := head.find(b"\n", at)) >= 0 or at < len(head):
        end = len(head) if end < 0 else end
        key, equals, value = head[at:end].decode("latin-1").partition("=")
        at = end + 1
        if not equals:
            continue
        fields.setdefault(key.strip().lower(), value.strip())
        if key.strip().lower() == "elementdatafile":
            return fields, at
    raise InputError(name, "has a MetaImage header without ElementDataFile", REMEDY)


def _true(text: str) -> bool:
    return text[:1] in ("T", "t", "1")


def _data_file(path: Path, said: str) -> tuple[Path, bool]:
    """Where the voxels are, and whether that is the header's own file."""
    name = display_name(path)
    if said.lower() == "local":
        return path, True
    if said.upper().startswith("LIST") or "%" in said:
        raise InputError(name, "keeps its voxels in several files", REMEDY)
    if not said or said != Path(said.replace("\\", "/")).name or said in (".", "..") or "\0" in said:
        raise InputError(name, "keeps its voxels in another folder", f"put both files into one, or {REMEDY}")
    data = path.with_name(said)
    if not data.is_file() or not data.resolve().parent.samefile(path.resolve().parent):
        raise InputError(
            name, f"keeps its voxels in {said[:80]!r}, which is not beside it", f"put it there, or {REMEDY}"
        )
    return data, False


def _grid(fields: dict[str, str], sizes: list[int], remarks: list[str]) -> tuple[Grid, bool]:
    """Where the voxels lie, in mm; and whether the spacing is known."""
    count = len(sizes)
    shape = tuple(reversed([*sizes, 1][:3]))
    unit = fields.get("distanceunits", "").strip('"? ')
    factor = UNITS_MM.get(unit.lower(), 1.0)
    if factor != 1:
        remarks.append(f"the header gives lengths in {unit}: they were changed to mm")
    elif unit.lower() not in UNITS_MM:
        remarks.append(f"the header gives lengths in {unit[:20]}, which is unknown: they were taken for mm")
    slope = fields.get("elementtointensityfunctionslope", "1")
    if _numbers(slope, 1) != [1.0]:
        remarks.append("ElementToIntensityFunctionSlope of the header was not applied")
    steps = _first(fields, STEPS, count)
    known = steps is not None and 0 not in steps
    spacing = np.array([*(steps if steps is not None and known else [1.0] * count), 1.0][:3]) * (factor if known else 1)
    matrix = _first(fields, MATRIX, 9) if count == 3 else None
    affine = np.eye(4)
    if matrix is not None:
        directions = np.reshape(matrix, (3, 3)).T
        if abs(np.linalg.det(directions)) < 1e-9:
            remarks.append("TransformMatrix is no matrix of a volume and was ignored")
            matrix = None
        elif np.abs(np.linalg.norm(directions, axis=0) - 1).max() > UNIT_LENGTH:
            remarks.append(
                "TransformMatrix holds steps beside those of ElementSpacing: voxels lie as far apart as both say"
            )
    if matrix is None:
        affine[:3, :3] = np.diag(LPS * np.abs(spacing))
        return Grid(shape, affine, oriented=False), known  # type: ignore[arg-type]
    place = _first(fields, PLACE, 3) or [0.0, 0.0, 0.0]
    affine[:3, :3] = LPS[:, None] * directions * spacing
    affine[:3, 3] = LPS * np.array(place) * factor
    grid = Grid(shape, affine)  # type: ignore[arg-type]
    _check_letters(fields.get("anatomicalorientation", ""), grid, remarks)
    return grid, known


def _check_letters(letters: str, grid: Grid, remarks: list[str]) -> None:
    """Remark letters that say other directions than the matrix."""
    if "?" in letters and np.allclose(grid.directions, np.diag(LPS)):
        remarks.append("AnatomicalOrientation is unknown: the directions of TransformMatrix were believed")
    opposite = {a: b for pair in LETTERS for a, b in zip(pair, reversed(pair), strict=True)}
    toward = "".join(opposite.get(letter, "") for letter in letters.upper())
    if len(toward) == 3 and toward != grid.axes:
        remarks.append("AnatomicalOrientation says other directions than TransformMatrix, which was believed")


def _first(fields: dict[str, str], keys: tuple[str, ...], count: int) -> list[float] | None:
    """The numbers of the first of some fields that is there; None where there are not as many, or one is none."""
    return next((_numbers(fields[key.lower()], count) for key in keys if key.lower() in fields), None)


def _numbers(text: str, count: int) -> list[float] | None:
    try:
        values = [float(part) for part in text.split()]
    except ValueError:
        return None
    return values if len(values) == count and np.isfinite(values).all() else None


def _said(values: Any) -> str:
    return " ".join(f"{float(value):.17g}" for value in values)
