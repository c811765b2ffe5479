"""Importing: the points of an annotation program's file, for the pictures of the list that it names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spinetk.errors import InputError
from spinetk.formats.item import CaseItem
from spinetk.formats.registry import read, readable
from spinetk.reading import Reading
from spinetk.review.entry import Entry
from spinetk.review.faults import line

if TYPE_CHECKING:
    from spinetk.review.session import ReviewSession


def choices() -> list[str]:
    """Titles of what can be imported."""
    return [entry.title for entry in readable().values()]


def import_files(files: list[Path], session: ReviewSession) -> tuple[dict[str, Reading], list[str]]:
    """Readings of pictures in the list, by the id of their entry, and what the user should know.

    A picture is known by its file name, whatever folders the file puts before it. Scale, orientation and view stay
    those of the picture.
    """
    found: dict[str, Reading] = {}
    said: list[str] = []
    for file in files:
        try:
            for item in read(file):
                if isinstance(item, InputError):
                    raise item
                if item.rank:
                    said.append(f"{item.case}: a further reading was left out")
                    continue
                entry = _entry(item, session)
                found[entry.id] = _reading(item, entry, session)
                said += [f"{entry.name}: {remark}" for remark in item.remarks]
        except InputError as error:
            said.append(f"{file.name}: {line(error)}")
    return found, said


def _entry(item: CaseItem, session: ReviewSession) -> Entry:
    name = item.picture.name.casefold()
    for entry in session.entries.values():
        if name in (Path(entry.name).name.casefold(), entry.path.name.casefold()) or item.case == entry.case:
            return entry
    stem = Path(name).stem
    for entry in session.entries.values():
        if stem in (Path(entry.name).stem.casefold(), (entry.case or "").casefold()):
            return entry
    raise InputError(item.picture.name, "is not in the list", "add the picture first")


def _reading(item: CaseItem, entry: Entry, session: ReviewSession) -> Reading:
    base = session.open(entry).reading
    if item.size is not None and item.size != (base.width, base.height):
        fault = f"has {base.width} x {base.height} px, its annotation is about {item.size[0]} x {item.size[1]} px"
        raise InputError(entry.name, fault, "give the picture that was annotated")
    points = {name: getattr(item, name) for name in ("vertebrae", "landmarks", "extras", "schema", "interval_scale")}
    return replace(base, **points, model=item.model, angles={})
