"""ATLAS: T1 of strokes in standard space, release 1.2 (and 1.1), and release 2.0.

Release 1: a folder per scan with ``NAME_t1w_stx.nii.gz`` (1.1: ``NAME_t1w_deface_stx.nii.gz``) and one or more
``NAME_LesionSmooth[_N]_stx.nii.gz``, such as ``c0001/c0001s0004t01/``; ``tNN`` is the visit. Release 2: BIDS with
``..._label-L_desc-T1lesion_mask.nii.gz``. All lesion masks of a scan are joined.
"""

from __future__ import annotations

import re
from pathlib import Path

from spinetk.errors import InputError
from spinetk.segmentation.data import bids
from spinetk.segmentation.data.case import Found, is_volume, stem

SCAN = re.compile(r"(?P<name>.+)_t1w(_deface)?_stx")
LESION = re.compile(r"(?P<name>.+?)_LesionSmooth(_\d+)?_stx")
VISIT = re.compile(r"t\d\d$")


def find_release_1(folder: Path) -> Found | None:
    """Cases of release 1, or None where the folder holds none.

    Raises:
        InputError: Two scans in one folder.
    """
    found = Found()
    for place in sorted({path.parent for path in folder.rglob("*_LesionSmooth*") if is_volume(path)}):
        here = [path for path in sorted(place.iterdir()) if is_volume(path)]
        scans = {path: own["name"] for path in here if (own := SCAN.fullmatch(stem(path)))}
        masks = {path: own["name"] for path in here if (own := LESION.fullmatch(stem(path)))}
        # A folder of all scans together is told apart by the names; in a folder of one scan all masks are its own.
        for scan, name in scans.items():
            belonging = [path for path, lesion in masks.items() if len(scans) == 1 or lesion == name]
            found.add(name, scan, belonging, patient=VISIT.sub("", name))
        if masks and not scans:
            raise InputError(place, "has lesion masks and no T1", "each scan needs NAME_t1w_stx.nii.gz")
    return found if found.cases else None


def find_release_2(folder: Path) -> Found | None:
    """Cases of release 2, or None where the folder holds none; scans of its hidden test part have no mask."""
    if not any(is_volume(path) for path in folder.rglob("sub-*_label-L_desc-T1lesion_mask.*")):
        return None
    return bids.find(folder, "T1w")
