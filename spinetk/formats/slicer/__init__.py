"""3D Slicer markups (``.mrk.json``, or the older ``.fcsv``): a point list a picture, points named ``LEVEL keypoint``.

Slicer puts the centre of the first pixel at the origin of a picture, spinetk its outer corner, so half a pixel lies
between the two. Points are written where Slicer shows their picture (:mod:`spinetk.formats.slicer.shown`), in LPS:

* of DICOM slices, volumes and sagittal pictures made of a series, in mm of the patient's coordinate system;
* else in the plane of the picture (x right, y down) with the spacing that ITK finds in its file, which is not always
  ours: ImagerPixelSpacing for a film that has a calibrated PixelSpacing, too, the density for printing of a JPEG;
* in px of that plane where ITK finds none, as for a PNG. A spacing that the user gave spinetk is not in the file.

slicerio 1.4 reads ``.fcsv`` only, and takes missing points for defined ones: those are left out of ``.fcsv``.
"""

from __future__ import annotations

from typing import Any

from spinetk.formats.registry import Format
from spinetk.formats.slicer.controls import FCSV, MARKUPS
from spinetk.formats.slicer.markups import (
    MOST_AWAY,
    away_from,
    corrected,
    read_markups,
    slicer_items,
    stem_of,
    write_fcsv,
    write_markups,
    write_reading,
)

__all__ = [
    "FCSV",
    "FORMAT",
    "MARKUPS",
    "MOST_AWAY",
    "away_from",
    "corrected",
    "read_markups",
    "stem_of",
    "write_fcsv",
    "write_markups",
]

_COMMON: dict[str, Any] = {
    "stored": True,
    "read": slicer_items,
    "write": write_reading,
    "holds": frozenset({"points", "levels", "visibility", "outside", "landmarks", "extras"}),
    "origin": "LPS (or RAS) mm of the centre of the first pixel: half a pixel lies between; in the patient where the "
    "picture is a DICOM slice or a volume that has a place there, else in the plane of the picture, at the spacing "
    "that ITK finds in its file",
    "source": "https://slicer.readthedocs.io/en/latest/developer_guide/modules/markups.html",
}
FORMAT = (
    Format(
        name="slicer",
        title="3D Slicer markups",
        suffix=MARKUPS,
        recognises=lambda source: bool(source.ending(MARKUPS)),
        tools="slicerio 1.4.0",
        documented="3D Slicer 5.6",
        **_COMMON,
    ),
    Format(
        name="fcsv",
        title="3D Slicer fiducials (fcsv)",
        suffix=FCSV,
        media_type="text/csv; charset=utf-8",
        recognises=lambda source: bool(source.ending(FCSV)),
        tools="slicerio 1.4.0",
        documented="3D Slicer 4.4 to 5.6",
        **_COMMON,
    ),
)
