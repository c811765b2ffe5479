"""Importing: the points of an annotation program's file, for the pictures of the list that it names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spinetk.errors import InputError
from spinetk.formats.correction import corrected_by, in_stored_px
from spinetk.formats.item import CaseItem, case_named
from spinetk.formats.registry import detect, read, readable
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
            holds = detect(file)[0].holds
            for item in read(file):
                if isinstance(item, InputError):
                    raise item
                if item.rank:
                    said.append(f"{item.case}: a further reading was left out")
                    continue
                entry = _entry(item, session)
                found[entry.id] = _reading(item, entry, session, holds)
                said += [f"{entry.name}: {remark}" for remark in item.remarks]
        except InputError as error:
            said.append(f"{file.name}: {line(error)}")
    return found, said


def _entry(item: CaseItem, session: ReviewSession) -> Entry:
    """The picture of the list that an annotation names.

    Raises:
        InputError: There is none, or it may be any of several.
    """
    name = item.picture.name.casefold()
    stem = Path(name).stem
    known = list(session.entries.values())
    cases = [e for e in known if item.case in (e.case, None if e.kind == "case" else case_named(e.name))]
    named = [e for e in known if name in (Path(e.name).name.casefold(), e.path.name.casefold())]
    alike = [e for e in known if stem in (Path(e.name).stem.casefold(), (e.case or "").casefold())]
    found = next((some for some in ([e for e in named if e in cases], named, cases, alike) if some), [])
    if item.slice is not None:
        found = [e for e in found if item.slice in (e.slice, e.place)] or found
    if not found:
        raise InputError(item.picture.name, "is not in the list", "add the picture first")
    if len(found) > 1:
        fault = f"may be any of {len(found)} pictures of the list"
        raise InputError(item.picture.name, fault, "open the page with that one alone")
    return found[0]


def _reading(item: CaseItem, entry: Entry, session: ReviewSession, holds: Collection[str]) -> Reading:
    opened = session.open(entry)
    base = opened.reading
    item = in_stored_px(item, base)
    if item.size is not None and item.size != (base.width, base.height):
        fault = f"has {base.width} x {base.height} px, its annotation is about {item.size[0]} x {item.size[1]} px"
        raise InputError(entry.name, fault, "give the picture that was annotated")
    if item.slice not in (None, opened.picture.slice) and entry.kind != "case":
        fault = f"shows slice {opened.picture.slice + 1}, its annotation is about slice {item.slice + 1}"
        raise InputError(entry.name, fault, "choose that slice first")
    if item.model is None and base.model is not None:
        return corrected_by(item, base, holds=holds)
    points = {name: getattr(item, name) for name in ("vertebrae", "landmarks", "extras", "schema", "interval_scale")}
    return replace(base, **points, model=item.model, angles={})
