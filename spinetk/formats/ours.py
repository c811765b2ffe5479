"""Our own layout: every picture has a JSON of the same name beside it, a result of ``predict`` or a case JSON.

A case folder is read too: its sources, under their case names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from spinetk.atomic import write_text
from spinetk.errors import InputError
from spinetk.formats.files import read_json, read_metadata
from spinetk.formats.item import CaseItem, case_from, in_schema
from spinetk.formats.record import check_record, reading_of
from spinetk.formats.registry import HOLDS, Format, Source
from spinetk.images import find_pictures
from spinetk.images.find import are_results
from spinetk.reading import Reading
from spinetk.schema import KeypointSchema


def read_ours(source: Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The pictures of a folder tree and the JSON beside each; or one result.

    Args:
        source: The folder, of any depth, or a JSON.
        schema: Meaning of the points; None takes each file's own.

    Yields:
        One item per picture, or the error that keeps it out. ``metadata.json`` at the top is taken along.

    Raises:
        InputError: ``source`` is no such JSON, or a folder of pictures none of which has one.
    """
    if not source.is_dir():
        yield item_of(_reading(source, schema), source)
        return
    metadata = read_metadata(source)
    pictures = list(find_pictures([source]))
    if pictures and not any(picture.with_suffix(".json").exists() for picture in pictures):
        fault = f"holds no annotations: none of its {len(pictures)} pictures has a JSON beside it"
        fault = "holds no annotations: its picture has no JSON beside it" if len(pictures) == 1 else fault
        raise InputError(source, fault, "pictures alone are read by `spinetk predict`; --from names another format")
    overlays = are_results(pictures)
    for picture in pictures:
        parts = picture.relative_to(source).parts
        if "augs" in parts[:-1]:
            continue
        case = parts[0] if parts[1:] == ("src", "0", "src-0.png") else case_from(picture, source)
        wrong: list[InputError] = []
        try:
            content = read_json(picture.with_suffix(".json"))
            reading = _reading(picture.with_suffix(".json"), schema, content, wrong)
        except InputError as error:
            yield error
            continue
        entry: dict[str, Any] = metadata.get(case, metadata.get(picture.stem, {}))
        group = next((str(entry[k]) for k in ("group", "patient") if entry.get(k) is not None), None)
        item = item_of(reading, picture)
        if "vertebrae" not in content or item.missing is not None:
            item.picture = picture
        if picture in overlays and item.picture.samefile(picture):  # beside a result lies its overlay
            yield InputError(reading.file, "is no longer there", "give the picture back its place")
            continue
        item.case, item.group, item.metadata, item.missing = case, group, entry, None
        item.remarks += map(str, wrong)
        if "vertebrae" not in content:
            item.origin, item.day = list(content.get("origin") or []), content.get("day")
        yield item


def item_of(reading: Reading, file: Path) -> CaseItem:
    """An item about the picture that a result names: where it says, or beside it."""
    named = Path(reading.file)
    picture = next((p for p in (named, file.parent / named.name) if p.exists()), None)
    return CaseItem(
        picture=picture or named,
        case=case_from(file, file.parent),
        schema=reading.schema,
        vertebrae=reading.vertebrae,
        landmarks=reading.landmarks,
        extras=reading.extras,
        rulers=reading.rulers,
        interval_scale=reading.interval_scale,
        frame=reading.frame,
        view=reading.view,
        size=(reading.width, reading.height),
        model=reading.model,
        slice=reading.slice,
        series=reading.series,
        pixels_sha256=reading.pixels_sha256,
        stored_sha256=reading.stored_sha256,
        facing=reading.facing,
        not_graded=reading.not_graded,
        threshold=reading.threshold,
        label_probability=reading.label_probability,
        missing=None if picture else InputError(reading.file, "is no longer there", "give the picture back its place"),
    )


def _reading(
    path: Path, schema: KeypointSchema | None, content: Any = None, left_out: list[InputError] | None = None
) -> Reading:
    content = read_json(path) if content is None else content
    if isinstance(content, dict) and "vertebrae" in content:
        return in_schema(Reading.from_json(content, str(path)), schema, path)
    return reading_of(
        {"file_name": str(path.with_suffix(".png")), **check_record(content, path, schema, left_out=left_out)}
    )


def write_ours(path: Path, readings: Sequence[Reading], *, chosen: int | None = None) -> list[Path]:
    """Write one reading as a result file, atomically."""
    (reading,) = readings
    write_text(path, json.dumps(reading.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return [path]


def is_result(content: Any, *, unreadable: bool = False) -> bool:
    """Whether JSON content is a result of ``predict``; None, which is no JSON, counts where a reader shall say so."""
    if content is None:
        return unreadable
    return isinstance(content, dict) and isinstance(content.get("vertebrae"), list) and "file" in content


def _recognises(source: Source) -> bool:
    if source.path.is_dir():
        return True
    content = source.json(source.path) if source.path.suffix.lower() == ".json" else None
    return is_result(content) or (isinstance(content, dict) and {"annotations", "image_id"} <= set(content))


FORMAT = Format(
    name="ours",
    title="JSON, points and measurements",
    suffix=".json",
    read=read_ours,
    write=write_ours,
    recognises=_recognises,
    holds=frozenset(HOLDS),
    origin="outer corner of the first pixel; its centre is (0.5, 0.5)",
    tools="spinetk",
    source="docs/explanation/coordinates.md",
    aliases=("json",),
)
