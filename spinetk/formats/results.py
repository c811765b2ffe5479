"""Result files: finding and reading what ``spinetk predict`` wrote, and what other programs made of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from spinetk.atomic import PREFIX
from spinetk.errors import InputError
from spinetk.formats.correction import corrected_by, in_stored_px
from spinetk.formats.item import CaseItem
from spinetk.formats.ours import is_result
from spinetk.formats.registry import Source, detect, read
from spinetk.formats.slicer import FCSV, MARKUPS, corrected
from spinetk.reading import Reading
from spinetk.schema import KeypointSchema

MANIFEST = "run.json"


def find_results(inputs: Iterable[str | Path]) -> list[Path]:
    """Result files among files and folders: of a folder, its JSON files that are results; a file is taken as it is.

    Other JSON of a folder (``run.json``, sets of annotation programs) is passed by; damaged JSON is not, so that its
    fault is said.

    Raises:
        InputError: There is none.
    """
    paths = [Path(given) for given in inputs]
    found: list[Path] = []
    for path in paths:
        found += _results_in(path) if path.is_dir() else [path]
    if not found:
        raise InputError(", ".join(map(str, paths)), "holds no result", "give the JSON files of `spinetk predict`")
    return found


def _results_in(folder: Path) -> list[Path]:
    found = []
    source = Source(folder)
    for path in sorted(folder.glob("*.json")):
        known = path.name == MANIFEST or path.name.endswith(MARKUPS) or path.name.startswith(PREFIX)
        if not known and is_result(source.json(path), unreadable=True):
            found.append(path)
    return found


def read_result(path: str | Path) -> Reading:
    """One result file.

    Raises:
        InputError: It cannot be read, is no JSON, or is no result.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(path, "cannot be read", "check the path") from error
    except (ValueError, RecursionError) as error:
        raise InputError(path, "is not valid JSON", "give a JSON of `spinetk predict`") from error
    if not isinstance(content, dict):
        raise InputError(path, "is not a spinetk result", "give a JSON of `spinetk predict`")
    return Reading.from_json(content, str(path))


def iter_results(inputs: Iterable[str | Path]) -> Iterator[tuple[Path, Reading | InputError]]:
    """Each reading of some files and folders, or the error it gave.

    A file or folder of an annotation program (:mod:`spinetk.formats.registry`) is read as such. Where results lie
    beside it, its points correct theirs: picture, spacing, view and model are the result's, and so is the path.

    Args:
        inputs: Results, files of other programs, or folders of either.

    The manifest of a batch among the files (``run.json``, as ``*.json`` gives it) is passed by; of a folder in which
    every picture failed it says why.
    """
    paths, nothing = list(map(Path, inputs)), True
    for path, reading in _each(paths):
        nothing = False
        yield path, reading
    if nothing and paths:
        yield paths[0], InputError(paths[0], "holds no result", "give the JSON files of `spinetk predict`")


def _each(inputs: list[Path]) -> Iterator[tuple[Path, Reading | InputError]]:
    for given in inputs:
        if given.name == MANIFEST and given.is_file():
            continue
        try:
            if results := own_results(given):
                yield from _read_all(results)
            elif given.is_dir() and (reasons := _all_failed(given)):
                fault = f"holds no result: all {len(reasons)} pictures failed, the first with {reasons[0]!r}"
                raise InputError(
                    given, fault, f"see {MANIFEST} for the others" if len(reasons) > 1 else "mend it and predict again"
                )
            else:
                yield from _foreign(given)
        except InputError as error:
            yield given, error


def own_results(given: Path) -> list[Path]:
    """The result files of ``spinetk predict`` that are meant by a path; none where it is another program's."""
    if given.name == MANIFEST and given.is_file():
        return []
    if given.is_dir():
        return _results_in(given)
    own = given.suffix.lower() == ".json" and is_result(Source(given).json(given), unreadable=True)
    return [given] if own else []


def several_runs(inputs: Iterable[str | Path]) -> list[str]:
    """A remark on each folder among the inputs that holds results of runs with different settings."""
    found = []
    for folder in dict.fromkeys(path if path.is_dir() else path.parent for path in map(Path, inputs)):
        manifest = Source(folder).json(folder / MANIFEST) if (folder / MANIFEST).is_file() else None
        runs = manifest.get("runs") if isinstance(manifest, dict) else None
        settings = [run for run in runs.values() if isinstance(run, dict)] if isinstance(runs, dict) else []
        names = dict.fromkeys(name for run in settings for name in run)
        other = [name for name in names if any(run.get(name) != settings[0].get(name) for run in settings)]
        if other:
            differ = ", ".join(other)
            found.append(f"{folder} holds results of {len(settings)} runs, which differ in {differ} (see {MANIFEST})")
    return found


def _all_failed(folder: Path) -> list[str]:
    """Why nothing came of a batch, by its manifest; empty when there is none."""
    content = Source(folder).json(folder / MANIFEST) if (folder / MANIFEST).is_file() else None
    failed = content.get("failed") if isinstance(content, dict) else None
    if not isinstance(failed, list):
        return []
    return [str(entry.get("why") if isinstance(entry, dict) else entry) for entry in failed]


def _read_all(paths: Iterable[Path]) -> Iterator[tuple[Path, Reading | InputError]]:
    for path in paths:
        try:
            yield path, read_result(path)
        except InputError as error:
            yield path, error


def _foreign(given: Path) -> Iterator[tuple[Path, Reading | InputError]]:
    """Readings of another program's file, by the results beside it where there are some."""
    if not given.exists():
        raise InputError(given, "does not exist", "check the path")
    entry = detect(given)[0]
    folder = given if given.is_dir() else given.parent
    bases: dict[str, list[tuple[Path, Reading]]] = {}
    lying = _results_in(folder)
    if not lying and folder.name == Path(entry.suffix).parent.name:  # `report` makes a folder of its own for YOLO
        lying = _results_in(folder.parent)
    for path, found in _read_all(lying):
        if isinstance(found, Reading):
            bases.setdefault(Path(found.file).name, []).append((path, found))
    if given.name.lower().endswith((MARKUPS, FCSV)):
        stem = given.name[: -len(MARKUPS if given.name.lower().endswith(MARKUPS) else FCSV)]
        base = given.with_name(f"{stem}.json")
        if base.exists():
            yield base, corrected(given, read_result(base))
            return
    for item in read(given, schema=_common(r.schema for named in bases.values() for _, r in named)):
        if isinstance(item, InputError):
            yield given, item
            continue
        try:
            yield _corrected(item, bases, given, entry.holds)
        except InputError as error:
            yield given, error


def _common(schemas: Iterable[KeypointSchema]) -> KeypointSchema | None:
    """The one schema of all results beside a file, or None."""
    found = {schema.name: schema for schema in schemas}
    return next(iter(found.values())) if len(found) == 1 else None


def _corrected(
    item: CaseItem, bases: dict[str, list[tuple[Path, Reading]]], given: Path, holds: Collection[str]
) -> tuple[Path, Reading]:
    name = item.picture.name
    suffix = f".{item.annotator or item.rank}".replace(" ", "-") if item.rank else ""
    meant = _meant(item, bases.get(name, []), given)
    if meant is None:
        reading = item.reading()
        return given.with_name(f"{item.case}{suffix}.json"), reading
    where, base = meant
    item = in_stored_px(item, base)
    if item.size is not None and item.size != (base.width, base.height):
        raise InputError(f"{given}: image {name}", "has another size than the result's picture", "give its own result")
    return where.with_name(f"{where.stem}{suffix}.json"), corrected_by(item, base, holds=holds)


def _meant(item: CaseItem, results: list[tuple[Path, Reading]], given: Path) -> tuple[Path, Reading] | None:
    """The result that an annotation corrects, of those of a picture of its name; None where there is none.

    Raises:
        InputError: It may be any of several.
    """
    placed = item.slice is not None or item.series is not None
    fitting = [one for one in results if not placed or (one[1].slice, one[1].series) == (item.slice, item.series)]
    if len(fitting) > 1:
        here = item.picture.resolve()
        fitting = [one for one in fitting if Path(one[1].file).resolve() == here] or fitting
    if len(fitting) > 1:
        names = ", ".join(path.name for path, _ in fitting[:4])
        fault = f"may correct any of {len(fitting)} results of pictures of that name ({names})"
        raise InputError(f"{given}: image {item.picture.name}", fault, "keep it beside the result that it is about")
    return fitting[0] if fitting else None
