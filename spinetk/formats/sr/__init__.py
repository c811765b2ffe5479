"""DICOM structured report of a reading: Comprehensive SR, template TID 1500, with the outlines as coordinates.

One measurement group a vertebra (TID 1410: closed POLYLINE through its points, TID 1501 where no point is visible) and
one for the whole picture (TID 1501: angles, view, spacing). SCOORD coordinates are (column, row) with 0\\0 at the outer
corner of the upper left pixel and Columns\\Rows at that of the lower right one (PS3.3 C.18.6.1), so a pixel centre is
at integer + 0.5: the convention of `spinetk.geometry`, and no shift is needed. They are stored as 32-bit floats: in
pictures up to 4096 px a point comes back within 1/8192 px. Measured numbers are stored as 64-bit floats and come back
unchanged; fields that are unknown (null) or empty are left out.
"""

from spinetk.formats.sr.read import Report, read_sr
from spinetk.formats.sr.write import write_sr

__all__ = ["Report", "read_sr", "write_sr"]
