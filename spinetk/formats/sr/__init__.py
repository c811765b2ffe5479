"""DICOM structured report of a reading: Comprehensive SR, template TID 1500, with the outlines as coordinates.

One measurement group a vertebra (TID 1410: closed POLYLINE through its points, TID 1501 where no point is visible) and
one for the whole picture (TID 1501: angles, view, spacing). SCOORD coordinates are (column, row) with 0\\0 at the outer
corner of the upper left pixel and Columns\\Rows at that of the lower right one (PS3.3 C.18.6.1), so a pixel centre is
at integer + 0.5: the convention of `spinetk.geometry`, and no shift is needed. They are stored as 32-bit floats: in
pictures up to 4096 px a point comes back within 1/8192 px. Measured numbers are stored as 64-bit floats and come back
unchanged; fields that are unknown (null) or empty are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from spinetk.errors import InputError
from spinetk.formats.item import CaseItem
from spinetk.formats.registry import Format, Source
from spinetk.formats.sr.read import Report, read_sr
from spinetk.formats.sr.write import write_sr
from spinetk.reading import Reading
from spinetk.schema import KeypointSchema

__all__ = ["FORMAT", "Report", "read_sr", "write_sr"]

SR_CLASSES = (b"1.2.840.10008.5.1.4.1.1.88.",)


def sr_items(source: Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The pictures of structured reports; see :mod:`spinetk.formats.sr.items`."""
    from spinetk.formats.sr.items import items

    yield from items(source, schema)


def write_report(path: Path, readings: Sequence[Reading], *, chosen: int | None = None) -> list[Path]:
    """One reading of a DICOM picture as a structured report.

    Raises:
        InputError: The picture is no DICOM, highdicom is not installed, or ``path`` is a file that is no report: a
            picture of the same name.
    """
    from spinetk.formats.sr.items import is_report
    from spinetk.images.source import source_of

    if path.is_file() and not is_report(Source(path).head(path)):
        raise InputError(path, "is there and is no structured report", "write the reports into another folder")
    (reading,) = readings
    source, frame = source_of(reading, chosen)
    write_sr(path, reading, source, frame=frame)
    return [path]


def _recognises(source: Source) -> bool:
    heads = map(source.head, source.ending(".dcm", ".sr") if source.path.is_dir() else [source.path])
    return any(head[128:132] == b"DICM" and SR_CLASSES[0] in head for head in heads)


FORMAT = Format(
    name="sr",
    title="DICOM structured report",
    suffix=".dcm",
    media_type="application/dicom",
    read=sr_items,
    write=write_report,
    recognises=_recognises,
    needs="sr",
    stored=True,
    holds=frozenset({
        "points", "levels", "visibility", "other names", "scores", "uncertainty", "landmarks", "slice", "spacing",
        "front", "refusals", "measurements",
    }),
    origin="outer corner of the first pixel (PS3.3 C.18.6.1): coordinates pass unchanged",
    tools="highdicom 0.28.2, pydicom 3.0",
    documented="dcmqi, OHIF 3",
    source="DICOM PS3.16 TID 1500, TID 1410; PS3.3 C.18.6",
)  # fmt: skip
