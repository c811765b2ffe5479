"""CVAT for images 1.1 and for video 1.1: one skeleton a vertebra, its points named by sub-labels.

CVAT counts from the outer corner of the upper left pixel, as spinetk does, so coordinates pass unchanged. Not visible
points are marked ``outside``. Level and score are attributes of the skeleton, or the level is the label itself;
measurements are not part of the format. The XML is read here rather than through cvat-sdk, which speaks to a server
and reads no files, or datumaro 1.13, which takes skeletons apart into loose points and drops their levels.
"""

from __future__ import annotations

from spinetk.formats.cvat.reading import cvat_items, read_cvat, recognises
from spinetk.formats.cvat.writing import write_cvat, write_readings
from spinetk.formats.registry import Format

__all__ = ["FORMAT", "cvat_items", "read_cvat", "write_cvat"]

FORMAT = Format(
    name="cvat",
    title="CVAT annotations",
    suffix="annotations.xml",
    media_type="application/xml",
    read=cvat_items,
    write=write_readings,
    recognises=recognises,
    many=True,
    holds=frozenset({"points", "levels", "visibility", "outside", "other names", "scores", "landmarks", "extras"}),
    origin="outer corner of the first pixel: coordinates pass unchanged",
    documented="CVAT 2.80 (for images 1.1, for video 1.1)",
    source="https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/",
)
