"""Our own layout: every picture has a JSON of the same name beside it, a result of ``predict`` or a case JSON.

A case folder is read too: its sources, under their case names.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spinetk.cases.folder import read_json, read_metadata
from spinetk.errors import InputError
from spinetk.formats.item import CaseItem, case_from, in_schema
from spinetk.formats.record import check_record, reading_of
from spinetk.images import find_pictures
from spinetk.reading import Reading
from spinetk.schema import KeypointSchema


def sidecar_items(source: str | Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The pictures of a folder tree and the JSON beside each.

    Args:
        source: The folder, of any depth.
        schema: Meaning of the points; None takes each file's own.

    Yields:
        One item per picture, or the error that keeps it out. ``metadata.json`` at the top is taken along.

    Raises:
        InputError: ``source`` is no folder.
    """
    source = Path(source)
    if not source.is_dir():
        raise InputError(source, "is not a folder", "give the folder of pictures with a JSON beside each")
    metadata = read_metadata(source)
    for picture in find_pictures([source]):
        parts = picture.relative_to(source).parts
        if "augs" in parts[:-1]:
            continue
        case = parts[0] if parts[1:] == ("src", "0", "src-0.png") else case_from(picture, source)
        try:
            reading = _reading(picture.with_suffix(".json"), schema)
        except InputError as error:
            yield error
            continue
        entry: dict[str, Any] = metadata.get(case, metadata.get(picture.stem, {}))
        group = next((str(entry[k]) for k in ("group", "patient") if entry.get(k) is not None), None)
        yield CaseItem(
            picture=picture,
            case=case,
            schema=reading.schema,
            vertebrae=reading.vertebrae,
            group=group,
            metadata=entry,
            frame=reading.frame,
            view=reading.view,
            size=(reading.width, reading.height),
        )


def _reading(path: Path, schema: KeypointSchema | None) -> Reading:
    content = read_json(path)
    if isinstance(content, dict) and "vertebrae" in content:
        return in_schema(Reading.from_json(content, str(path)), schema, path)
    return reading_of({"file_name": str(path.with_suffix(".png")), **check_record(content, path, schema)})
