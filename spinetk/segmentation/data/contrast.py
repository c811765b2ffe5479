"""Which contrast of MR an image shows, as far as its name says it: ``sub-01_FLAIR``, ``T1``, ``scan_t1w_stx``."""

from __future__ import annotations

import re
from pathlib import Path

from spinetk.segmentation.data.case import stem

CONTRASTS = ("T1", "T1ce", "T2", "T2star", "FLAIR", "PD", "DIR", "STIR", "DWI", "ADC", "SWI")
"""As BIDS writes them without the ``w`` of weighted, and words in use for what it has no suffix for."""
WRITTEN = {name.lower(): name for name in CONTRASTS} | {"t1c": "T1ce", "t1gd": "T1ce", "t2s": "T2star"}


def contrast_of(image: Path) -> str | None:
    """The contrast that a file's name says; None where it says none, or several (``T1_to_FLAIR``)."""
    words = re.split(r"[_.\- ]", stem(image).lower())
    found = {WRITTEN[word] for own in words if (word := own.removesuffix("w")) in WRITTEN}
    return found.pop() if len(found) == 1 else None
