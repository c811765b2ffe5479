"""PH2: ``IMDnnn/IMDnnn_Dermoscopic_Image/IMDnnn.bmp`` and ``IMDnnn/IMDnnn_lesion/IMDnnn_lesion.bmp``."""

from __future__ import annotations

import re
from pathlib import Path

from spinetk.segmentation.data.case import Found, stem

PICTURE = re.compile(r"IMD\d+")


def find(folder: Path) -> Found | None:
    """Cases, or None where the folder holds none."""
    found = Found()
    for path in sorted(folder.rglob("IMD*_Dermoscopic_Image/IMD*.bmp")):
        name = stem(path)
        if PICTURE.fullmatch(name):
            mask = path.parent.parent / f"{name}_lesion" / f"{name}_lesion.bmp"
            found.add(name, path, [mask] if mask.is_file() else [])
    return found if found.cases else None
