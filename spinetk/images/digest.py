"""Digests of what a file stores of a picture, which no decoder, window or header changes, and of files as they are."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from spinetk.errors import InputError

START_OF_SCAN = 0xDA
SAYS_NO_PIXELS = frozenset([*range(0xE0, 0xF0), 0xFE])
"""Markers of application segments (EXIF, ICC ...) and comments."""


META = (".mha", ".mhd")
"""Suffixes of headers that may have their voxels in a file beside them."""


def files_of(path: Path) -> tuple[Path, ...]:
    """The files a picture is in: of a MetaImage with its voxels beside it those, too; of all others the file itself."""
    if path.suffix.lower() not in META:
        return (path,)
    from spinetk.images.metaimage import read_header

    try:
        return tuple(dict.fromkeys((path, read_header(path).stored["data"])))
    except (InputError, OSError):
        return (path,)


def of_file(path: Path) -> hashlib._Hash:
    """SHA-256 of the bytes of a picture's files, to be gone on with.

    Raises:
        OSError: One cannot be read.
    """
    first, *others = files_of(path)
    with open(first, "rb") as stream:
        found = hashlib.file_digest(stream, "sha256")
    for other in others:
        with open(other, "rb") as stream:
            found.update(hashlib.file_digest(stream, "sha256").digest())
    return found


def of_values(stored: np.ndarray) -> str:
    """SHA-256 of stored values and their shape, whatever byte order they came in."""
    plain = np.ascontiguousarray(stored, stored.dtype.newbyteorder("<"))
    return hashlib.sha256(repr(stored.shape).encode() + plain.tobytes()).hexdigest()


def of_code(code: bytes) -> str:
    """SHA-256 of the compressed bytes of a frame."""
    return hashlib.sha256(code).hexdigest()


def of_jpeg(path: Path) -> str:
    """SHA-256 of a JPEG file without its application segments and comments, which may name the patient."""
    data = path.read_bytes()
    found = hashlib.sha256()
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF and (marker := data[place + 1]) != START_OF_SCAN:
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if marker not in SAYS_NO_PIXELS:
            found.update(data[place:end])
        place = end
    found.update(data[place:])
    return found.hexdigest()
