"""SegPC 2021: ``{train,validation,test}/x/N.bmp`` and a mask for every cell, ``y/N_K.bmp`` (cytoplasm 20, nucleus 40).

The masks of all cells are joined, cytoplasm and nucleus together.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from spinetk.segmentation.data.case import Found, files, part_of, stem

CELL = re.compile(r"(?P<name>.+)_\d+")


def find(folder: Path) -> Found | None:
    """Cases, or None where no folder has ``x`` beside ``y``. The test part has no masks."""
    found = Found()
    for pictures in [path for path in sorted(folder.rglob("x")) if path.is_dir()]:
        cells = defaultdict(list)
        truth = pictures.with_name("y")
        for path in files(truth) if truth.is_dir() else []:
            if kind := CELL.fullmatch(stem(path)):
                cells[kind["name"]].append(path)
        for path in files(pictures):
            found.add(stem(path), path, cells[stem(path)], part_of(pictures.parent.name))
    return found if found.cases else None
