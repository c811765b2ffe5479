"""ISIC 2017 and 2018, lesion boundaries: ``ISIC_NNNNNNN.jpg`` and ``ISIC_NNNNNNN_segmentation.png``.

Pictures lie in ``ISIC-2017_{Training,Validation,Test_v2}_Data`` or
``ISIC2018_Task1-2_{Training,Validation,Test}_Input``, masks in ``..._Part1_GroundTruth`` or
``ISIC2018_Task1_..._GroundTruth`` beside them.
"""

from __future__ import annotations

import re
from pathlib import Path

from spinetk.segmentation.data.case import Found, files, part_of, stem

INPUTS = (
    (re.compile(r"ISIC-2017_(?P<part>Training|Validation|Test_v2)_Data"), "ISIC-2017_{}_Part1_GroundTruth"),
    (re.compile(r"ISIC2018_Task1-2_(?P<part>Training|Validation|Test)_Input"), "ISIC2018_Task1_{}_GroundTruth"),
)
PICTURE = re.compile(r"ISIC_\d+")


def find(folder: Path) -> Found | None:
    """Cases of all parts that are there, or None where there are none. Superpixel files are skipped."""
    found = Found()
    for place in [folder, *sorted(path for path in folder.rglob("ISIC*") if path.is_dir())]:
        for pattern, beside in INPUTS:
            kind = pattern.fullmatch(place.name)
            if kind is None:
                continue
            truth = place.parent / beside.format(kind["part"])
            for path in files(place):
                if PICTURE.fullmatch(stem(path)):
                    mask = truth / f"{stem(path)}_segmentation.png"
                    part = part_of(kind["part"].removesuffix("_v2"))
                    found.add(stem(path), path, [mask] if mask.is_file() else [], part)
    return found if found.cases else None
