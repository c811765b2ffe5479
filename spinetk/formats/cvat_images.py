"""CVAT for images 1.1: one XML, a skeleton a vertebra, pictures beside it or in ``images``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from spinetk.cases.folder import clean_name
from spinetk.errors import InputError
from spinetk.formats.cvat import iter_cvat
from spinetk.formats.item import CaseItem, in_schema, picture_named
from spinetk.schema import KeypointSchema

HEAD_BYTES = 4096


def cvat_items(source: str | Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The pictures of CVAT annotation files.

    Args:
        source: The XML, with the pictures in its folder or in ``images`` there; or a folder that holds such files.
        schema: Points to keep; None takes those of the skeletons.

    Yields:
        One item per image that has a skeleton, or the error that keeps it out.

    Raises:
        InputError: There is no CVAT file, or it is damaged.
    """
    source = Path(source)
    files = [source] if source.is_file() else cvat_files(source)
    if not files:
        raise InputError(source, "holds no CVAT XML", "export it as 'CVAT for images 1.1'")
    for file in files:
        folders = [file.parent, file.parent / "images"]
        for reading in iter_cvat(file):
            if isinstance(reading, InputError):
                yield reading
                continue
            if not reading.vertebrae:
                yield InputError(f"{file}: image {reading.file}", "has no annotation", "annotate it or leave it out")
                continue
            try:
                picture = picture_named(reading.file, file, folders)
                reading = in_schema(reading, schema, file)
            except InputError as error:
                yield error
                continue
            yield CaseItem(
                picture=picture,
                case=clean_name("_".join(Path(reading.file).with_suffix("").parts)),
                schema=reading.schema,
                vertebrae=reading.vertebrae,
                size=(reading.width, reading.height),
            )


def cvat_files(folder: Path) -> list[Path]:
    """The XML files of a folder that begin as CVAT's do."""
    return [path for path in sorted(folder.glob("*.xml")) if b"<annotations" in _head(path)]


def _head(path: Path) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(HEAD_BYTES)
    except OSError:
        return b""
