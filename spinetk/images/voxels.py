"""What is known of a volume before its voxels are read, and what every format's reader shares."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, cast

import numpy as np

from spinetk.errors import InputError
from spinetk.images.grid import Grid
from spinetk.images.guard import MAX_VOXELS, REMEDY_COPY, check_size, display_name

MAX_DEFLATE = 1_032
"""The most bytes one byte of a deflate stream can become."""

CHUNK = 16 << 20
MAX_REST = 64 << 20
"""So much behind the voxels is read for its checksum; no real file has more there."""


@dataclass(frozen=True)
class VolumeHeader:
    """A volume's geometry and form.

    Attributes:
        kind: ``nifti``, ``nrrd`` or ``metaimage``.
        grid: Of one 3D volume; a flat picture has one slice.
        dtype: Of the voxels as stored.
        volumes: 3D volumes in the file.
        flat: Whether the file has two dimensions only.
        spacing_known: Whether the file says how far voxels lie apart.
        remarks: What was decided, one short sentence each.
        stored: The format's own header.
    """

    kind: Literal["nifti", "nrrd", "metaimage"]
    grid: Grid
    dtype: np.dtype
    volumes: int = 1
    flat: bool = False
    spacing_known: bool = True
    remarks: tuple[str, ...] = ()
    stored: Any = field(default=None, repr=False)


def check_voxels(path: Path, sizes: tuple[int, ...], width: int, packed: bool, start: int) -> None:
    """Refuse a header that claims more than can be there, before any memory is asked for.

    Args:
        path: The file.
        sizes: Of all its dimensions, the fastest first.
        width: Bytes a voxel.
        packed: Whether the voxels are deflated.
        start: First byte of the voxels: of the file, or of what it inflates to.

    Raises:
        InputError: It is damaged, or too large.
    """
    name = display_name(path)
    if len(sizes) < 2 or min(sizes) < 1:
        raise InputError(name, f"claims a size of {' x '.join(map(str, sizes)) or 'nothing'}", REMEDY_COPY)
    check_size(path, sizes[0], sizes[1], width)
    if math.prod(sizes[:3]) > MAX_VOXELS:
        fault = f"claims {math.prod(sizes[:3]) / 1e6:.0f} million voxels, more than {MAX_VOXELS // 1_000_000}"
        raise InputError(name, fault, "crop or resample it first")
    there = path.stat().st_size * (MAX_DEFLATE if packed else 1)
    if start + math.prod(sizes) * width > there:
        raise InputError(name, "claims more voxels than it holds", REMEDY_COPY)


@contextmanager
def opened(path: Path, packed: bool, start: int = 0) -> Iterator[IO[bytes]]:
    """The file's bytes from ``start`` on, inflated where they are packed: any number of gzip members (RFC 1952)."""
    with open(path, "rb") as raw:
        raw.seek(start)
        if not packed:
            yield raw
            return
        with gzip.GzipFile(fileobj=raw, mode="rb") as stream:
            yield cast("IO[bytes]", stream)


def is_gzip(path: Path) -> bool:
    """Whether the file begins as a gzip member does."""
    with open(path, "rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def read_voxels(path: Path, stream: IO[bytes], dtype: np.dtype, shape: tuple[int, int, int], whole: bool) -> np.ndarray:
    """(D, H, W) voxels from a stream that stands at the first, in the machine's byte order.

    Memory is taken as the bytes come. A packed stream is read to its end, because only there is its checksum.

    Args:
        path: Named in errors.
        stream: Of :func:`opened`.
        dtype: As stored.
        shape: (D, H, W).
        whole: Whether nothing but a checksum follows.

    Raises:
        InputError: There are fewer, or they are damaged.
    """
    name = display_name(path)
    buffer = np.empty(math.prod(shape) * dtype.itemsize, np.uint8)
    view, at = buffer.data, 0
    try:
        while at < len(view):
            count = stream.readinto(view[at : at + CHUNK])  # type: ignore[attr-defined]
            if not count:
                raise InputError(name, "claims more voxels than it holds", REMEDY_COPY)
            at += count
        if whole and isinstance(stream, gzip.GzipFile):
            _finish(stream)
    except (zlib.error, EOFError, OSError) as error:
        raise InputError(name, "is damaged: it cannot be unpacked whole", REMEDY_COPY) from error
    values = buffer.view(dtype).reshape(shape)
    return values if dtype.isnative else values.byteswap(inplace=True).view(dtype.newbyteorder("="))


def _finish(stream: gzip.GzipFile) -> None:
    """Read to the end of a packed stream; what is there behind a whole member and is none itself is let be."""
    left = MAX_REST
    try:
        while left > 0 and (found := len(stream.read(1 << 16))):
            left -= found
    except gzip.BadGzipFile as error:
        if not str(error).startswith("Not a gzipped file"):
            raise
