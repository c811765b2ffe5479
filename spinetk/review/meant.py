"""Meant: which picture of the list an annotation is about, by its UID, its name, or where its points lie."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from spinetk.cases.groups import SALT, salt_of
from spinetk.errors import InputError
from spinetk.formats.item import CaseItem, case_named
from spinetk.images.identity import keyed_id
from spinetk.images.source import dicom_source
from spinetk.review.entry import Entry
from spinetk.review.target import picture_of

if TYPE_CHECKING:
    from spinetk.review.session import ReviewSession

COPY = re.compile(r" ?\(\d+\)$")
"""What a browser puts after the name of a file that it has downloaded before."""
NOT_LISTED = "add the picture first"


class Stored:
    """The DICOM pictures of a list by their SOP instance UIDs; each file is looked at once, when first asked for."""

    def __init__(self, session: ReviewSession) -> None:
        self._session = session
        self._files: dict[str, dict[str, Path]] = {}

    def find(self, uid: str) -> Path | None:
        """The file of a picture; of one that is a case only, the case's, whose name is a keyed hash of the UID."""
        entries = list(self._session.entries.values())
        found = next((files[uid] for files in map(self._of, entries) if uid in files), None)
        if found is not None:
            return found
        cases = [entry for entry in entries if entry.kind == "case"]
        bases = {entry.base for entry in cases if entry.base is not None and (entry.base / SALT).is_file()}
        names = {base: keyed_id(uid, salt_of(base)) for base in bases}
        return next((_picture(e) for e in cases if e.base in names and e.case == names[e.base]), None)

    def entry(self, item: CaseItem) -> Entry:
        """The entry whose picture is that of an item, as it was found.

        Raises:
            InputError: It shows another slice.
        """
        entries = list(self._session.entries.values())
        own = [e for e in entries if item.picture in (_picture(e), *self._of(e).values())]
        own = [e for e in own if item.slice in (e.slice, e.place)] or own
        shown = [e for e in own if self._shows(e, item)]
        if not shown:
            raise InputError(own[0].name, "shows another slice than its annotation is about", "choose that slice first")
        return _only(item.case, shown)

    def is_stored(self, entry: Entry) -> bool:
        """Whether a UID tells which picture an entry is."""
        return bool(self._of(entry))

    def _of(self, entry: Entry) -> dict[str, Path]:
        from spinetk.formats.sr.items import by_uid

        if entry.id not in self._files:
            path = picture_of(entry)
            # A case's path is its folder: what lies there is not its picture.
            files: Iterable[Path] = [] if entry.kind == "case" else path.glob("*") if path.is_dir() else [path]
            self._files[entry.id] = by_uid(files)
        return self._files[entry.id]

    def _shows(self, entry: Entry, item: CaseItem) -> bool:
        path = picture_of(entry)
        if entry.kind == "case" or not path.is_dir():
            return True
        opened = self._session.open(entry)
        try:
            return dicom_source(path, opened.picture.slice, opened.reading.series)[0] == item.picture
        except InputError:  # a reformation, which is stored nowhere
            return False


def named(item: CaseItem, session: ReviewSession) -> Entry:
    """The picture of the list that an annotation names, whatever folders it puts before the name.

    Raises:
        InputError: There is none, or it may be any of several.
    """
    name = item.picture.name.casefold()
    stem = Path(name).stem
    known = list(session.entries.values())
    cases = [e for e in known if item.case in (e.case, None if e.kind == "case" else case_named(e.name))]
    same = [e for e in known if name in (Path(e.name).name.casefold(), e.path.name.casefold())]
    alike = [e for e in known if stem in (Path(e.name).stem.casefold(), (e.case or "").casefold())]
    found = next((some for some in ([e for e in same if e in cases], same, cases, alike) if some), [])
    if item.slice is not None:
        found = [e for e in found if item.slice in (e.slice, e.place)] or found
    if not found:
        raise InputError(item.picture.name, "is not in the list", NOT_LISTED)
    return _only(item.picture.name, found)


def called(stem: str, session: ReviewSession) -> list[Entry]:
    """The entries after which a file may be called: as the page names its downloads, a case, a result or a picture.

    Raises:
        InputError: There is none.
    """
    known = list(session.entries.values())
    found: list[Entry] = []
    for name in dict.fromkeys((stem.casefold(), COPY.sub("", stem).casefold())):
        own = [e for e in known if name in (f"picture-{e.id}", (e.case or "").casefold())]
        alike = [e for e in known if name in (Path(e.name).name.casefold(), *_stems(e.name), *_stems(e.path.name))]
        found = found or own or alike
    if not found:
        fault = "is called after no picture of the list, and says nothing else of it"
        raise InputError(stem, fault, "add the picture first, and call the file as it is called")
    return found


def _stems(name: str) -> list[str]:
    """A name without its ending, and without both of ``.nii.gz``."""
    first = Path(name.casefold()).stem
    return [Path(first).name, Path(first).stem]


def _only(name: str, found: list[Entry]) -> Entry:
    if len(found) > 1:
        fault = f"may be any of {len(found)} pictures of the list"
        raise InputError(name, fault, "open the page with that one alone")
    return found[0]


def _picture(entry: Entry) -> Path | None:
    """The PNG of a case."""
    return entry.source.with_suffix(".png") if entry.kind == "case" and entry.source is not None else None
