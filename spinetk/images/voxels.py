"""Headers of NIfTI and NRRD files, checked against the bytes that are there before anything is read."""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from spinetk.errors import InputError
from spinetk.images.guard import MAX_VOXELS, REMEDY_COPY, check_size, display_name

MAX_DEFLATE = 1_032
"""The most bytes one byte of a deflate stream can become."""

INFLATE_BYTES = 4 << 20
NRRD_HEADER_BYTES = 64 << 10
NRRD_BYTES = {
    8: "double int64 int64_t uint64 uint64_t longlong ulonglong",
    4: "float int int32 int32_t uint uint32 uint32_t",
    2: "short int16 int16_t ushort uint16 uint16_t",
    1: "char int8 int8_t uchar uint8 uint8_t",
}


@dataclass(frozen=True)
class VoxelHeader:
    """What has to be known before the library may open the file.

    Attributes:
        bits: Of a voxel.
        volumes: 3D volumes in the file.
        oriented: Whether the file says which way its axes point.
        packed: Whether the voxels are compressed.
        stream: Where the compressed voxels of an NRRD begin, and how many bytes they become; None where not known.
    """

    bits: int
    volumes: int
    oriented: bool
    packed: bool
    stream: tuple[int, int] | None = None


def nifti_header(path: Path) -> VoxelHeader:
    """Size and geometry flags of a NIfTI file, checked against the bytes that are there.

    Raises:
        InputError: It claims more voxels than it can hold.
    """
    stored = path.stat().st_size
    with open(path, "rb") as stream:
        head = stream.read(4096)
        packed = head.startswith(b"\x1f\x8b")
        if packed:
            stream.seek(-4, 2)
            inflated = struct.unpack("<L", stream.read(4))[0]
            head = zlib.decompressobj(wbits=31).decompress(head, 1024)
    name = display_name(path)
    if len(head) < 348:
        raise InputError(name, "has a damaged NIfTI header", REMEDY_COPY)
    second = head[4:8] == b"n+2\0"
    order = "<" if struct.unpack_from("<i", head)[0] in (348, 540) else ">"
    if second:
        count, *sizes = struct.unpack_from(f"{order}8q", head, 16)
        bits, offset = struct.unpack_from(f"{order}h", head, 14)[0], struct.unpack_from(f"{order}q", head, 168)[0]
        codes = struct.unpack_from(f"{order}2i", head, 344)
    else:
        count, *sizes = struct.unpack_from(f"{order}8h", head, 40)
        bits, offset = struct.unpack_from(f"{order}h", head, 72)[0], struct.unpack_from(f"{order}f", head, 108)[0]
        codes = struct.unpack_from(f"{order}2h", head, 252)
    sizes = sizes[:count] if 1 <= count <= 7 else []
    if len(sizes) < 2 or min(sizes) < 1 or not 8 <= bits <= 64 or not 0 <= offset < 1 << 31:
        raise InputError(name, "has a damaged NIfTI header", REMEDY_COPY)
    _check_volume(path, sizes[:3], bits // 8)
    needed = offset + math.prod(sizes) * bits // 8
    there = min(stored * MAX_DEFLATE, inflated if stored * MAX_DEFLATE < 1 << 32 else 1 << 62) if packed else stored
    if needed > there:
        raise InputError(name, "claims more voxels than it holds", REMEDY_COPY)
    return VoxelHeader(bits, math.prod(sizes[3:]), max(codes) > 0, packed)


def nrrd_header(path: Path) -> VoxelHeader:
    """Size and geometry flags of an NRRD file, checked against the bytes that are there.

    Raises:
        InputError: It claims more voxels than it can hold, keeps them in another file, or uses a rare encoding.
    """
    name = display_name(path)
    with open(path, "rb") as stream:
        head = stream.read(NRRD_HEADER_BYTES)
    end = min((at for at in (head.find(b"\n\n"), head.find(b"\r\n\r\n")) if at >= 0), default=-1)
    if end < 0:
        raise InputError(name, "has a damaged NRRD header", REMEDY_COPY)
    lines = [line for line in head[:end].decode("latin-1").splitlines()[1:] if not line.startswith("#")]
    fields = dict((part.strip() for part in line.split(":", 1)) for line in lines if ":" in line and ":=" not in line)
    if "data file" in fields or "datafile" in fields:
        raise InputError(name, "keeps its voxels in another file", "store header and data in one .nrrd")
    encoding = fields.get("encoding", "")
    if encoding not in ("raw", "gzip", "gz"):
        raise InputError(name, "uses a rare NRRD encoding", "store it raw or gzip")
    try:
        sizes = [int(v) for v in fields["sizes"].split()]
        kind = fields["type"].replace("unsigned ", "u").replace("signed ", "").replace(" ", "")
        width = next(width for width, names in NRRD_BYTES.items() if kind in names.split())
    except (KeyError, ValueError, StopIteration) as error:
        raise InputError(name, "has a damaged NRRD header", REMEDY_COPY) from error
    if not 2 <= len(sizes) <= 3 or min(sizes) < 1:
        raise InputError(name, f"has {len(sizes)} dimensions", "give a volume of 2 or 3")
    _check_volume(path, sizes, width)
    stored = path.stat().st_size - end
    if math.prod(sizes) * width > (stored if encoding == "raw" else stored * MAX_DEFLATE):
        raise InputError(name, "claims more voxels than it holds", REMEDY_COPY)
    oriented = "space" in fields and "space directions" in fields
    start = end + (2 if head[end : end + 2] == b"\n\n" else 4)
    plain = encoding == "raw" or {"line skip", "lineskip", "byte skip", "byteskip"} & set(fields)
    return VoxelHeader(8 * width, 1, oriented, encoding != "raw", None if plain else (start, math.prod(sizes) * width))


def check_stream(path: Path, header: VoxelHeader) -> None:
    """Inflate the voxels of an NRRD once, keeping none: the library that reads them leaks memory on damaged ones.

    Raises:
        InputError: They are damaged, or fewer than the header says.
    """
    if header.stream is None:
        return
    start, needed = header.stream
    inflater = zlib.decompressobj(wbits=47)  # gzip or zlib
    try:
        with open(path, "rb") as stream:
            stream.seek(start)
            while needed > 0:
                packed = inflater.unconsumed_tail or stream.read(INFLATE_BYTES)
                found = len(inflater.decompress(packed, INFLATE_BYTES))
                needed -= found
                if not found and (inflater.eof or not packed):
                    raise InputError(display_name(path), "claims more voxels than it holds", REMEDY_COPY)
    except zlib.error as error:
        raise InputError(display_name(path), "is a damaged NRRD file", REMEDY_COPY) from error


def _check_volume(path: Path, sizes: list[int], width: int) -> None:
    check_size(path, sizes[0], sizes[1], width)
    if math.prod(sizes) > MAX_VOXELS:
        fault = f"claims {math.prod(sizes) / 1e6:.0f} million voxels, more than {MAX_VOXELS // 1_000_000}"
        raise InputError(display_name(path), fault, "crop or resample it first")
