"""GLaS (Warwick-QU): ``train_N.bmp``, ``testA_N.bmp``, ``testB_N.bmp``, each with its ``_anno.bmp``; ``Grade.csv``."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from spinetk.segmentation.data.case import Found, Part, stem

PICTURE = re.compile(r"(train|testA|testB|test)_\d+")


def find(folder: Path) -> Found | None:
    """Cases, or None where the folder holds none. Patients come from ``Grade.csv`` where it is there."""
    found = Found()
    for path in sorted(folder.rglob("*.bmp")):
        kind = PICTURE.fullmatch(stem(path))
        mask = path.with_name(f"{stem(path)}_anno.bmp")
        if kind and mask.is_file():
            part: Part = "train" if kind[1] == "train" else "test"
            found.add(stem(path), path, [mask], part, _patients(path.parent / "Grade.csv").get(stem(path), ""))
    return found if found.cases else None


def _patients(table: Path) -> dict[str, str]:
    if not table.is_file():
        return {}
    with open(table, newline="", encoding="utf-8-sig") as stream:
        rows = [
            {key.strip().lower(): value.strip() for key, value in row.items() if key and value}
            for row in csv.DictReader(stream)
        ]
    return {row["name"]: row["patient id"] for row in rows if {"name", "patient id"} <= row.keys()}
