"""Corrections: result files out to 3D Slicer and CVAT, and back in with the points that were moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from spinetk.errors import InputError
from spinetk.formats.cvat import iter_cvat, write_cvat
from spinetk.formats.slicer import read_markups, write_markups
from spinetk.reading import Reading
from spinetk.schema import KeypointSchema

MARKUPS = ".mrk.json"
CVAT = "annotations.xml"


def write_for_slicer(path: Path, reading: Reading) -> Path:
    """Write the points for 3D Slicer, in patient coordinates where the picture is a DICOM slice that has them.

    Raises:
        InputError: The picture is no longer there.
    """
    write_markups(path, reading, source_dicom=_positioned(reading))
    return path


def write_for_cvat(path: Path, readings: Sequence[Reading]) -> Path:
    """Write all points as one CVAT file.

    Raises:
        InputError: Two pictures have one name, so that they could not be told apart on the way back.
    """
    names = [_name(reading) for reading in readings]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(path, f"two pictures are named {twice!r}", "export their results apart")
    write_cvat(path, readings)
    return path


def corrected_in_slicer(path: Path, base: Reading) -> Reading:
    """The result ``base`` with the points of a point list; measurements are left out.

    Raises:
        InputError: It is no point list of this result.
    """
    return read_markups(path, base, source_dicom=_positioned(base))


def corrected_in_cvat(path: Path, bases: Sequence[tuple[Path, Reading]]) -> Iterator[tuple[Path, Reading | InputError]]:
    """The results whose pictures a CVAT file names, with its points; measurements are left out.

    Args:
        path: The XML file.
        bases: Result files and what they hold.

    Yields:
        Path of the result, and the corrected reading or what is wrong with it.

    Raises:
        InputError: The file is no CVAT file.
    """
    known = {_name(reading): (where, reading) for where, reading in bases}
    schemas: dict[str, KeypointSchema] = {reading.schema.name: reading.schema for _, reading in bases}
    given = next(iter(schemas.values())) if len(schemas) == 1 else None
    for found in iter_cvat(path, given):
        if isinstance(found, InputError):
            yield path, found
            continue
        if found.file not in known:
            yield (
                path,
                InputError(f"{path}: image {found.file}", "has no result beside it", "keep the JSON files there"),
            )
            continue
        where, base = known[found.file]
        if (found.height, found.width) != (base.height, base.width):
            yield where, InputError(f"{path}: image {found.file}", "has another size than the result's picture")
            continue
        yield where, replace(base, vertebrae=found.vertebrae, schema=found.schema, angles={})


def _name(reading: Reading) -> str:
    return Path(reading.file).name


def _positioned(reading: Reading) -> Path | None:
    """The DICOM slice with a place in the patient that a reading is about, or None when there is no such slice."""
    from spinetk.images.elements import numbers
    from spinetk.images.headers import open_header
    from spinetk.images.source import dicom_source

    if not Path(reading.file).exists():
        raise InputError(reading.file, "is no longer there", "give the picture back its place")
    try:
        source, frame = dicom_source(reading.file)
        header = open_header(source)
    except InputError:
        return None
    with header.stream:
        placed = [numbers(header.dataset, name) for name in ("ImagePositionPatient", "ImageOrientationPatient")]
    return source if frame is None and [len(values) for values in placed] == [3, 6] else None
