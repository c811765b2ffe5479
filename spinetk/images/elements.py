"""Values of DICOM elements, or None: a damaged element is as good as an absent one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom import Dataset


MAX_ITEMS = 20_000
"""Most items of a sequence that are looked at: parsing one costs tens of microseconds."""

MOST_CHARACTERS = 64  # of a UID; a code string has 16 by the standard, more from some devices

ITEMS_DEEP = 5
"""Items within an item of functional groups, which are parsed only when asked for."""


def raw(dataset: Dataset, keyword: str) -> Any:
    """The element's value, or None."""
    try:
        if keyword.endswith("Sequence") and not _is_modest(dataset, keyword):
            return None
        return dataset.get(keyword)
    except Exception:
        # pydicom converts values when they are asked for; damaged ones raise almost anything.
        return None


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """The finite numbers of an element; empty when one of them is none."""
    value = raw(dataset, keyword)
    if value is None or value == "":
        return ()
    try:
        values = tuple(float(v) for v in (value if isinstance(value, (list, tuple)) or _is_multi(value) else (value,)))
    except (TypeError, ValueError, OverflowError):
        return ()
    return values if all(math.isfinite(v) for v in values) else ()


def is_stated(dataset: Dataset, keyword: str) -> bool:
    """Whether an element has a value that is not empty, be it one that can be understood or not."""
    if keyword not in dataset:
        return False
    element: Any = dataset.get_item(keyword)  # perhaps still raw: what cannot be converted would raise
    value = element.value
    text = value.decode("latin-1") if isinstance(value, bytes) else "" if value is None else str(value)
    return bool(text.strip(" \0"))


def number(dataset: Dataset, keyword: str) -> float | None:
    """The first number of an element."""
    return next(iter(numbers(dataset, keyword)), None)


def integer(dataset: Dataset, keyword: str) -> int | None:
    """The first number of an element when it is whole."""
    value = number(dataset, keyword)
    return int(value) if value is not None and value == int(value) else None


def words(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The values of a code string element, upper case. Never call it for patient text that goes anywhere.

    Where a damaged length has an element swallow those after it, names among them, its value is not printable: it is
    empty then.
    """
    value = raw(dataset, keyword)
    if value is None:
        return ()
    values = value if isinstance(value, (list, tuple)) or _is_multi(value) else (value,)
    stripped = (str(v).strip() for v in values)
    return tuple(text.upper() if text.isprintable() and len(text) <= MOST_CHARACTERS else "" for text in stripped)


def word(dataset: Dataset, keyword: str) -> str:
    """The first value of a code string element, upper case, empty when absent."""
    return next(iter(words(dataset, keyword)), "")


def items(dataset: Dataset, keyword: str) -> Iterator[Dataset]:
    """The items of a sequence; none when it is absent or damaged."""
    value = raw(dataset, keyword)
    try:
        yield from (item for item in value or () if hasattr(item, "get"))
    except TypeError:
        return


def functional_group(dataset: Dataset, frame: int, macro: str) -> Dataset | None:
    """One functional group macro of a frame of an enhanced object (per frame, else shared), or None."""
    for sequence, index in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
        value = raw(dataset, sequence)
        try:
            group = value[index] if value is not None else None
            found = group.get(macro) if group is not None else None
            if found:
                return found[0]
        except Exception:
            continue
    return None


def _is_modest(dataset: Dataset, keyword: str) -> bool:
    """Whether a sequence that is still raw bytes has a bearable number of items."""
    if keyword not in dataset:
        return False
    element: Any = dataset.get_item(keyword)  # still raw: it has a byte order
    value = element.value
    if not isinstance(value, bytes):
        return True
    item = b"\xfe\xff\x00\xe0" if element.is_little_endian else b"\xff\xfe\xe0\x00"
    return value.count(item) <= MAX_ITEMS * ITEMS_DEEP


def _is_multi(value: Any) -> bool:
    return type(value).__name__ == "MultiValue"
