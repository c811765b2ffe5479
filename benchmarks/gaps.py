"""How often a column bears the remark that a vertebra may be missing: whole, and without some of its bodies.

    python benchmarks/gaps.py ../shared/data

Columns by the labels of frontal films and of lumbar MR slices, without names; the rule of
:func:`spinetk.measure.levels.order_faults`.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from spinetk.formats.registry import read
from spinetk.geometry import Frame
from spinetk.measure.levels import order_faults
from spinetk.reading import Reading


def columns(folder: Path) -> list[Reading]:
    """Of labelled pictures, without names."""
    items = [item for item in read(folder) if not isinstance(item, Exception)]
    return [
        Reading("a", 1000, 1000, item.schema, [replace(v, label=None) for v in item.vertebrae], item.frame or Frame())
        for item in items
    ]


def said(reading: Reading, without: tuple[int, ...] = ()) -> bool:
    """Whether a body is said to be missing, once these are."""
    left = [vertebra for k, vertebra in enumerate(reading.vertebrae) if k not in without]
    return any("may be missing" in line for line in order_faults(replace(reading, vertebrae=left)))


def main(data: Path) -> None:
    for name in ("aasce2019", "mr_sagittal"):
        found = columns(data / name)
        whole = sum(map(said, found))
        print(f"{name}: {whole} of {len(found)} whole columns")
        for what, steps in (
            ("one body", (0,)),
            ("two, one between them left", (0, 2)),
            ("two beside one another", (0, 1)),
        ):
            cut = [
                said(reading, tuple(first + step for step in steps))
                for reading in found
                for first in range(1, len(reading.vertebrae) - 1 - steps[-1])
            ]
            print(f"  without {what}: {sum(cut)} of {len(cut)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
