"""What tests of whole DICOM objects share: a film, a reading, and the elements of an object as plain content."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from report_source import source
from whole import rich

from spinetk._version import __version__
from spinetk.formats.identity import Identity
from spinetk.reading import Vertebra

MADE = Identity("reader", datetime(2026, 1, 2, 3, 4, 5))
DATED = {"InstanceCreationDate": "20260102", "InstanceCreationTime": "030405.000000"}
CONTENT = {"ContentDate": "20260102", "ContentTime": "030405.000000"}
PATIENT = {
    "PatientName": "Müller^Zoë", "PatientID": "P-7", "PatientBirthDate": "19500102", "PatientSex": "F",
    "StudyDate": "20200304", "StudyTime": "101112", "StudyID": "S1", "AccessionNumber": "A9",
    "ReferringPhysicianName": "Ref^Doc", "StudyInstanceUID": "1.2.3.3",
}  # fmt: skip
MAKER = {"Manufacturer": "spinetk", "ManufacturerModelName": "spinetk", "SoftwareVersions": __version__}
# What names are made of is said by tests of identity; what highdicom says of itself is its own affair.
LEFT_TO_OTHERS = {
    "SOPInstanceUID", "SeriesInstanceUID", "ContributingEquipmentSequence", "PixelData", "ContentSequence",
}  # fmt: skip


def film(frames=None):
    data = source(256, 128, frames)
    for name, value in {
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME1", "BitsAllocated": 16, "BitsStored": 12,
        "HighBit": 11, "PixelRepresentation": 0, "InstanceNumber": 4, "WindowCenter": 40, "WindowWidth": 400,
        "RescaleSlope": 2, "RescaleIntercept": -5, "RescaleType": "HU",
    }.items():  # fmt: skip
        setattr(data, name, value)
    return data


def told():
    """Bodies with all points, with none, and with one, which lies outside of the picture."""
    found = rich("x.dcm")
    found.vertebrae[0].point_sigma_px = np.array([0.25, 0.5, 0.75, 1])
    found.vertebrae[0].measures = {
        "heights_mm": {"anterior": 8.25, "middle": None}, "area_mm2": 12, "deformity": None, "flag": True,
        "list": [1, None, "a\\b", ""], "none": None, "empty": [], "tilt": 2.5, "share_percent": 3, "wedge_deg": 4,
    }  # fmt: skip
    found.vertebrae[1].visible[:] = False
    seen = np.array([0, 0, 0, 1], bool)
    found.vertebrae.append(Vertebra(np.array([[1, 1], [2, 2], [3, 3], [400.0, 4]]), seen, (0, 0, 9, 9), "T12", 0.5))
    return found


def content(data):
    """Keyword to value; the items of a sequence in a list."""
    found = {}
    for element in data:
        if element.keyword in LEFT_TO_OTHERS:
            continue
        value = element.value
        if element.VR == "SQ":
            value = [content(item) for item in value]
        elif element.VM > 1:
            value = [v if isinstance(v, str) else float(v) for v in value]
        elif element.VR in ("DS", "IS", "PN", "UI"):
            value = str(value)
        found[element.keyword] = "" if value is None else value
    return found


def among(found, wanted):
    """What an object says of all that is wanted; later versions of highdicom may say more."""
    return {name: found.get(name) for name in wanted}
