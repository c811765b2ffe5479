"""Stems: names of the files that are made of readings, so that none is written over another's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


class Stems:
    """Each reading's own stem, and a hash of where it came from where another's file has that name.

    The first of a name keeps it, so that what is named apart depends on the order of the inputs alone.

    Args:
        reserved: Stems that are never given.
    """

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._owners = {stem.casefold(): "" for stem in reserved}

    def of(self, path: Path, about: str = "") -> str:
        """The stem of a reading.

        Args:
            path: The file it was read from, whose name the stem begins with.
            about: Tells readings of one file apart.
        """
        key = f"{path.absolute()}\n{about}"
        mark = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        names = (path.stem, f"{path.stem}-{mark[:8]}", f"{path.stem}-{mark}")
        return next(name for name in names if self._owners.setdefault(name.casefold(), key) == key)
