"""Anchor: the names of a column of vertebrae, from one or more that are known."""

from __future__ import annotations

import re
from collections.abc import Collection

from spinetk.errors import InputError

SEQUENCE = (*(f"C{k}" for k in range(1, 8)), *(f"T{k}" for k in range(1, 14)), *(f"L{k}" for k in range(1, 7)), "S1")
TRANSITIONAL = ("T13", "L6")


def spine_with(named: Collection[str]) -> list[str]:
    """The levels C1..C7, T1..T12, L1..L5, S1, head to foot; T13 and L6 only where they are among those named."""
    return [level for level in SEQUENCE if level not in TRANSITIONAL or level in named]


def named(count: int, anchor: str) -> list[str]:
    """Names of a gapless chain of ``count`` vertebrae, head to foot, from one or more fixed points.

    T13 and L6 come in only when an anchor names them.

    Args:
        count: Number of vertebrae.
        anchor: ``LEVEL=PLACE``, several separated by commas. PLACE is ``first``, ``last`` or the position counted
            from the head, starting at 1: ``L5=last``, ``T1=first``, ``L1=3``, ``T13=2,L5=last``.

    Raises:
        InputError: The anchor cannot be read, does not fit the number of vertebrae, or contradicts itself.
    """
    fixed = [(level, _position(count, level, place)) for level, place in _parsed(anchor)]
    spine = spine_with({level for level, _ in fixed})
    starts = {spine.index(level) - place for level, place in fixed}
    if len(starts) > 1:
        raise InputError(
            f"anchor {anchor!r}", f"does not fit {count} vertebrae", "name a transitional T13 or L6, or use one anchor"
        )
    start = starts.pop()
    if start < 0 or start + count > len(spine):
        end = "above C1" if start < 0 else "below S1"
        raise InputError(f"anchor {anchor!r}", f"puts vertebrae {end}", f"the picture has {count} vertebrae")
    return spine[start : start + count]


def check_anchor(anchor: str) -> None:
    """Refuse an anchor that fits no picture, before any is read.

    Raises:
        InputError: It cannot be read, or no column of vertebrae, however long, can be named by it.
    """
    _parsed(anchor)
    for count in range(1, len(SEQUENCE) + 1):
        try:
            named(count, anchor)
        except InputError:
            continue
        return
    remedy = "count from the head, from 1, and name a transitional T13 or L6"
    raise InputError(f"anchor {anchor!r}", "fits no spine, however many vertebrae are seen", remedy)


def _parsed(anchor: str) -> list[tuple[str, str]]:
    """Level and place of each part."""
    fixed = []
    for part in anchor.split(","):
        match = re.fullmatch(r"\s*([CTLS]\d{1,2})\s*=\s*(first|last|\d{1,3})\s*", part, re.IGNORECASE | re.ASCII)
        level = match.group(1).upper() if match else ""
        if match is None or level not in SEQUENCE:
            raise InputError(f"anchor {part.strip()!r}", "is not LEVEL=PLACE", "give e.g. L5=last, T1=first or L1=3")
        fixed.append((level, match.group(2).lower()))
    return fixed


def _position(count: int, level: str, place: str) -> int:
    """Where an anchor stands among ``count`` vertebrae, from 0."""
    position = {"first": 0, "last": count - 1}.get(place)
    position = int(place) - 1 if position is None else position
    if not 0 <= position < count:
        remedy = "count from the head, from 1"
        raise InputError(f"anchor '{level}={place}'", f"the picture has {count} vertebrae", remedy)
    return position
