"""Images that are there twice under different names: one of them in the training part would be known to the test."""

from __future__ import annotations

import hashlib
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar


class HasImage(Protocol):
    """A case with an image file."""

    @property
    def name(self) -> str: ...

    @property
    def image(self) -> Path: ...


C = TypeVar("C", bound=HasImage)


def find_twins(cases: Iterable[C]) -> list[list[C]]:
    """Cases whose image files are equal byte by byte, in groups of two and more, in the order they come."""
    by_size: dict[int, list[C]] = defaultdict(list)
    for case in cases:
        if case.image.is_file():
            by_size[case.image.stat().st_size].append(case)
    found: dict[bytes, list[C]] = defaultdict(list)
    for size, alike in by_size.items():
        if len(alike) > 1 and size:
            for case in alike:
                with open(case.image, "rb") as stream:
                    found[hashlib.file_digest(stream, "sha256").digest()].append(case)
    return [twins for twins in found.values() if len({case.image for case in twins}) > 1]


def once(cases: Sequence[C]) -> list[C]:
    """The cases with every image once, the first of its files; what is left out is a warning.

    Cases of one file all stay: their masks differ.
    """
    out = set()
    for first, *others in find_twins(cases):
        for case in others:
            if case.image == first.image:
                continue
            warnings.warn(f"{case.name}: the same image as {first.name}, and left out", stacklevel=3)
            out.add(case.name)
    return [case for case in cases if case.name not in out]


def say_shared(parts: Mapping[Any, Sequence[C]]) -> None:
    """Warn about images that parts which were given share."""
    part_of = {id(case): part for part, cases in parts.items() for case in cases}
    for first, *others in find_twins(case for cases in parts.values() for case in cases):
        for case in others:
            if part_of[id(case)] != part_of[id(first)]:
                one, other = f"{first.name} ({part_of[id(first)]})", f"{case.name} ({part_of[id(case)]})"
                warnings.warn(f"{other}: the same image as {one}: figures of it will be too good", stacklevel=3)
