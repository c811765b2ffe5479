"""Exports of annotations, and tasks that were not annotated yet, as items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

from spinetk.errors import InputError
from spinetk.formats.files import read_json
from spinetk.formats.item import UPLOAD, CaseItem, Pictures, case_named
from spinetk.formats.labels import split_label, structure_in
from spinetk.formats.labelstudio.regions import KINDS, NO_MODEL, REMEDY, label_of, shapes_of
from spinetk.formats.registry import Source
from spinetk.formats.shapes import Shape, assemble, meaning
from spinetk.schema import VERTEBRA6, KeypointSchema


def labelstudio_items(source: str | Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The pictures of a Label Studio export, or of a file of tasks that were not annotated yet.

    Args:
        source: The JSON, with the pictures in its folder or in ``images`` there; or a folder that holds such files.
        schema: Points to keep; None takes ``vertebra4`` when only corners were annotated, else ``vertebra6``.

    Yields:
        One item per task and annotation, that which counts first (the one marked as ground truth, else the newest);
        or the error that keeps a task out.

    Raises:
        InputError: There is no such file, or it is no export of annotations.
    """
    source = Path(source)
    look = Source(source)
    files = [source] if source.is_file() else [p for p in look.ending(".json") if is_export(look.json(p))]
    if not files:
        raise InputError(source, "holds no Label Studio export", REMEDY)
    for file in files:
        tasks = read_json(file)
        if not is_export(tasks):
            raise InputError(file, "is no Label Studio export", REMEDY)
        yield from _items(tasks, file, schema)


def is_export(content: Any) -> bool:
    """Whether JSON content is a list of tasks with annotations, or with predictions to start from."""
    return (
        isinstance(content, list)
        and bool(content)
        and all(isinstance(t, Mapping) and "data" in t for t in content)
        and any(all(isinstance(t.get(kind), list) for t in content) for kind in ("annotations", "predictions"))
    )


def _items(
    tasks: Sequence[Mapping[str, Any]], file: Path, schema: KeypointSchema | None
) -> Iterator[CaseItem | InputError]:
    pictures = Pictures(file)
    names = _point_names(tasks, schema)
    read: list[tuple[Mapping[str, Any], Mapping[str, Any], list[str], tuple[int, int], list[Shape]] | InputError] = []
    for task in tasks:
        where = f"{file}: task {task.get('id')}"
        try:
            for answer, remarks in _answers(task, where):
                size = _size(answer["result"], where)
                read.append((task, answer, remarks, size, shapes_of(answer["result"], size, names, where, remarks)))
        except InputError as error:
            read.append(error)
    whole = meaning([s for found in read if not isinstance(found, InputError) for s in found[-1]], schema)
    rank: Counter[int] = Counter()
    for found in read:
        if isinstance(found, InputError):
            yield found
            continue
        task, answer, remarks, size, shapes = found
        assembled = assemble(shapes, whole, size)
        named = _names(task)
        picture, missing = pictures.find(*named)
        yield CaseItem(
            picture=picture,
            case=case_named(named[-1]),
            schema=whole,
            vertebrae=assembled.vertebrae,
            landmarks=assembled.landmarks,
            extras=assembled.extras,
            size=size,
            annotator=_annotator(answer),
            rank=rank[id(task)],
            model=str(answer["model_version"])[:80]
            if answer.get("model_version") not in (None, "", NO_MODEL)
            else None,
            remarks=remarks + assembled.remarks,
            missing=missing,
        )
        rank[id(task)] += 1


def _point_names(tasks: Sequence[Mapping[str, Any]], schema: KeypointSchema | None) -> Sequence[str]:
    """Names that keypoints may have: the schema's; without one ours, or all there are when none is ours."""
    if schema is not None:
        return schema.keypoints
    labels = [
        label
        for task in tasks
        for answer in [*_listed(task, "annotations"), *_listed(task, "predictions")]
        for region in _listed(answer, "result")
        if (label := label_of(region, "keypointlabels")) is not None
    ]
    if any(split_label(label)[1] for label in labels):
        return VERTEBRA6.keypoints
    return list(dict.fromkeys(label for label in labels if structure_in(label) is None))


def _listed(table: Any, name: str) -> list[Mapping[str, Any]]:
    entries = table.get(name) if isinstance(table, Mapping) else None
    return [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []


def _answers(task: Mapping[str, Any], where: str) -> Iterator[tuple[Mapping[str, Any], list[str]]]:
    """The annotations of a task, that which counts first, and remarks; predictions where there are none at all."""
    asked = "annotations" if isinstance(task.get("annotations"), list) else "predictions"
    done = [a for a in _listed(task, asked) if not a.get("was_cancelled") and _listed(a, "result")]
    if not done:
        raise InputError(where, "has no annotation", "annotate it or leave it out of the export")
    done.sort(key=lambda a: (bool(a.get("ground_truth")), str(a.get("updated_at") or "")), reverse=True)
    for number, answer in enumerate(done):
        remarks = []
        if asked == "predictions":
            remarks.append("not annotated yet: the points of the prediction were taken")
        elif len(done) > 1 and number == 0:
            why = "the one marked true" if answer.get("ground_truth") else "the newest"
            remarks.append(f"{len(done)} annotations of one picture: {why} counts (by {_annotator(answer)})")
        yield answer, remarks


def _annotator(answer: Mapping[str, Any]) -> str | None:
    """A number, never a name or an address."""
    by = answer.get("completed_by")
    number = by.get("id") if isinstance(by, Mapping) else by
    if isinstance(number, int):
        return f"annotator {number}"
    return f"annotation {answer['id']}" if isinstance(answer.get("id"), int) else None


def _size(regions: Sequence[Mapping[str, Any]], where: str) -> tuple[int, int]:
    drawn = [r for r in regions if isinstance(r, Mapping) and isinstance(r.get("value"), Mapping)]
    numbers: list[tuple[Any, Any]] = [
        (r.get("original_width"), r.get("original_height")) for r in drawn if r.get("type") in KINDS
    ]
    sizes = {pair if all(isinstance(v, int | float) for v in pair) else None for pair in numbers}
    try:
        (pair,) = sizes
        width, height = (int(side) for side in pair or ())
    except (TypeError, ValueError, OverflowError) as error:
        if not sizes:
            raise InputError(where, "has no keypoint", "label the corners of the vertebrae as keypoints") from error
        raise InputError(where, "does not say how large its picture is", REMEDY) from error
    if width < 1 or height < 1 or any(region.get("image_rotation") for region in drawn):
        raise InputError(where, "was annotated on a rotated picture", "turn it back in Label Studio")
    return width, height


def _names(task: Mapping[str, Any]) -> list[str]:
    """Names the picture may have: as uploaded, and without the prefix Label Studio gave it."""
    data = task["data"]
    texts = list(data.values()) if isinstance(data, Mapping) else []
    names = []
    for text in (task.get("file_upload"), *texts):
        if not isinstance(text, str) or not text or len(text) > 2000:
            continue
        try:
            address = urlparse(text)
            text = parse_qs(address.query).get("d", [address.path])[0]
        except ValueError:
            continue
        name = text.replace("\\", "/").rpartition("/")[2]
        names += [name, UPLOAD.sub("", name)] if Path(name).suffix else []
    return list(dict.fromkeys(names)) or [""]
