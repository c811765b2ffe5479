"""Importing: the points of an annotation program's file, for the pictures of the list that it is about."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import is_zipfile

import numpy as np

from spinetk.errors import InputError
from spinetk.formats.correction import corrected_by, in_stored_px
from spinetk.formats.files import clean_name
from spinetk.formats.item import CaseItem
from spinetk.formats.registry import detect, read, readable
from spinetk.formats.slicer import MOST_AWAY, away_from, read_markups, stem_of
from spinetk.formats.slicer.shown import shown_plane
from spinetk.reading import Reading
from spinetk.review.entry import Entry
from spinetk.review.faults import line
from spinetk.review.meant import Stored, called, named
from spinetk.review.packed import unpacked
from spinetk.schema import VERTEBRA6
from spinetk.vertebra import Vertebra

if TYPE_CHECKING:
    from spinetk.review.session import ReviewSession

ALIKE = 2.0
"""By which factor bodies may have changed in size; beyond, a point list is in the coordinates of another picture."""

SETS = ("coco", "labelme", "yolo", "labelstudio", "cvat")
"""Formats of which several files, or a folder, are one set."""

MOST_OPENED = 16
"""Pictures or slices of one name that are looked at for the one a point list lies on."""


def choices() -> list[str]:
    """Titles of what can be imported."""
    return [entry.title for entry in readable().values()]


def import_files(files: list[Path], session: ReviewSession) -> tuple[dict[str, Reading], list[str]]:
    """Readings of pictures in the list, by the id of their entry, and what the user should know.

    A structured report names its picture by UID, a point list of 3D Slicer is called after it; all others name its
    file, whatever folders they put before it. A ZIP is unpacked. Scale, orientation and view stay those of the picture.
    """
    found: dict[str, Reading] = {}
    said: list[str] = []
    stored = Stored(session)
    for file in files:
        try:
            if not is_zipfile(file):
                _import(file, session, stored, found, said)
                continue
            with unpacked(file) as folder:
                for source in _sources(folder):
                    _import(source, session, stored, found, said)
        except InputError as error:
            said.append(f"{file.name}: {line(error)}")
    return found, said


def _sources(folder: Path) -> list[Path]:
    """The set that a folder is, else its files, each about pictures of its own."""
    if detect(folder)[0].name in SETS:
        return [folder]
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def _import(file: Path, session: ReviewSession, stored: Stored, found: dict[str, Reading], said: list[str]) -> None:
    """Add the readings of a file (or set), and what the user should know, pictures that are not in the list included.

    Raises:
        InputError: It is of no known format, or cannot be read.
    """
    chosen = detect(file)[0]
    if chosen.name in ("slicer", "fcsv"):
        entry, reading, remarks = _point_list(file, session)
        _add(found, said, entry, reading, remarks)
        return
    for item in _items(file, chosen.name, stored, session):
        try:
            if isinstance(item, InputError):
                raise item
            if item.rank:
                said.append(f"{item.case}: a further reading was left out")
                continue
            entry = _reported(item, stored, session) if chosen.name == "sr" else named(item, session)
            _add(found, said, entry, _reading(item, entry, session, chosen.holds), item.remarks)
        except InputError as error:  # the other pictures of a set keep theirs
            said.append(f"{file.name}: {line(error)}")


def _add(found: dict[str, Reading], said: list[str], entry: Entry, reading: Reading, remarks: list[str]) -> None:
    if entry.id in found:
        said.append(f"{entry.name}: has points in two of these files, of which the last counts")
    found[entry.id] = reading
    said += [f"{entry.name}: {remark}" for remark in remarks]


def _items(file: Path, kind: str, stored: Stored, session: ReviewSession) -> Iterator[CaseItem | InputError]:
    """The pictures a file is about; those formats that ask for their pictures are shown the list's."""
    if kind == "sr":
        from spinetk.formats.sr.items import items_of

        return iter(items_of(file, stored.find))
    if kind == "yolo":
        from spinetk.formats.yolo import yolo_items

        return yolo_items(file, sized=lambda stems: _sized(stems, session))
    return read(file)


def _sized(stems: Sequence[str], session: ReviewSession) -> tuple[Path, tuple[int, int]]:
    """A name by which the list has a picture, and its (width, height) in px as stored.

    Raises:
        InputError: It is not in the list, or may be any of several.
    """
    fault: InputError | None = None
    for stem in stems:
        try:
            entry = named(CaseItem(Path(f"{stem}.png"), clean_name(stem), VERTEBRA6), session)
        except InputError as error:
            fault = fault or error
            continue
        base = session.open(entry).reading
        return Path(f"{stem}.png"), (base.width, base.height)
    assert fault is not None
    raise fault


def _reported(item: CaseItem, stored: Stored, session: ReviewSession) -> Entry:
    """The picture a report is about: by its UID, else one that has none of its own, by name.

    Raises:
        InputError: It is not in the list, or shows another slice.
    """
    if item.missing is None:
        return stored.entry(item)
    try:
        entry = named(item, session)
    except InputError:
        raise item.missing from None
    if stored.is_stored(entry):
        raise item.missing
    item.remarks.append("the report is about a DICOM file that is not in the list: taken for this picture by its name")
    return entry


def _point_list(file: Path, session: ReviewSession) -> tuple[Entry, Reading, list[str]]:
    """The picture that a point list is called after, its reading, and what is to be said.

    Raises:
        InputError: There is none, or the points are not in its coordinates.
    """
    entries = called(stem_of(file), session)
    if len(entries) > MOST_OPENED:
        raise _several(file, len(entries))
    fitting = []
    for entry in entries:
        opened = session.open(entry)
        about = replace(opened.reading, file=entry.stored(opened.reading.file))
        plane = shown_plane(about, opened.picture.slice)
        fitting.append((away_from(file, plane), entry, opened, about, plane))
    near = [one for one in fitting if one[0] <= MOST_AWAY]
    if not near:
        fault = f"lies {min(one[0] for one in fitting):.1f} mm off the slice that is shown"
        raise InputError(file, fault, "choose the slice that it was drawn on first")
    if len(near) > 1:
        raise _several(file, len(near))
    _, entry, opened, about, plane = near[0]
    reading = read_markups(file, about, source_dicom=plane)
    _check_place(file, reading, opened.reading)
    remarks = [remark for remark in reading.remarks if remark not in about.remarks]
    return entry, replace(reading, file=opened.reading.file), remarks


def _several(file: Path, count: int) -> InputError:
    return InputError(file, f"may be about any of {count} pictures of the list", "open the page with that one alone")


def _check_place(file: Path, reading: Reading, base: Reading) -> None:
    """Refuse points that are in the coordinates of another picture, of which a point list says nothing.

    Raises:
        InputError: None lies in the picture, or the bodies are far smaller or larger than those that are there.
    """
    size = np.array([reading.width, reading.height])
    points = np.concatenate([vertebra.points[vertebra.visible] for vertebra in reading.vertebrae])
    remedy = "open the file that it was drawn on: of a DICOM file that, not its case"
    if not ((points >= 0) & (points <= size)).all(axis=1).any():
        raise InputError(file, "has no point in the picture", remedy)
    if base.vertebrae:
        own, there = (np.median([_extent(v) for v in some.vertebrae]) for some in (reading, base))
        if not there / ALIKE <= own <= there * ALIKE:
            fault = f"has bodies of {own:.0f} px where those of the picture have {there:.0f} px"
            raise InputError(file, fault, remedy)


def _extent(vertebra: Vertebra) -> float:
    """px from one corner of a box around a body to the other."""
    points = vertebra.points[vertebra.visible] if vertebra.visible.any() else vertebra.points
    return float(np.linalg.norm(np.ptp(points, axis=0)))


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
