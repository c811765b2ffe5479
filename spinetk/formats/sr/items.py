"""Structured reports as annotations of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

from spinetk.errors import InputError
from spinetk.formats.files import clean_name
from spinetk.formats.item import CaseItem, in_schema
from spinetk.formats.registry import Source
from spinetk.formats.sr.read import read_sr
from spinetk.schema import KeypointSchema


def items(source: Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The pictures of structured reports: a report names its picture by UID, which is looked for beside it.

    Args:
        source: A report, or a folder of them and of the pictures.
        schema: Points to keep; None takes the report's.

    Yields:
        One item per report, or the error that keeps it out.
    """
    look = Source(source)
    files = [source] if source.is_file() else [p for p in look.files if look.head(p)[128:132] == b"DICM"]
    reports = [p for p in files if source.is_file() or b"1.2.840.10008.5.1.4.1.1.88." in look.head(p)]
    folder = source if source.is_dir() else source.parent
    known: dict[str, Path] | None = None
    for path in reports:
        try:
            report = read_sr(path)
            reading = in_schema(report.reading, schema, path)
        except InputError as error:
            yield error
            continue
        known = _pictures(folder) if known is None else known
        picture = known.get(report.sop_instance_uid)
        missing = None
        if picture is None:
            missing = InputError(path, "is about a picture that is not beside it", "put the DICOM file there")
        yield CaseItem(
            picture=picture or Path(path.name),
            case=clean_name(path.stem),
            schema=reading.schema,
            vertebrae=reading.vertebrae,
            extras=reading.extras,
            frame=reading.frame,
            view=reading.view,
            size=(reading.width, reading.height),
            model=reading.model,
            remarks=list(reading.remarks),
            missing=missing,
        )


def _pictures(folder: Path) -> dict[str, Path]:
    """SOP instance UID to file of the DICOM files of a folder and of the folders in it."""
    found: dict[str, Path] = {}
    for path in sorted((*folder.glob("*"), *folder.glob("*/*"))):
        if path.is_file():
            try:
                header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SOPInstanceUID", "Rows"])
            except (InvalidDicomError, OSError, ValueError, TypeError, AttributeError, KeyError, EOFError):
                continue
            if header.get("Rows"):
                found[str(header.get("SOPInstanceUID"))] = path
    return found
