"""Digests of what a file stores of a picture: no decoder, window or header changes them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

START_OF_SCAN = 0xDA
SAYS_NO_PIXELS = frozenset([*range(0xE0, 0xF0), 0xFE])
"""Markers of application segments (EXIF, ICC ...) and comments."""


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
