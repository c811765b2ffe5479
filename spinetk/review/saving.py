"""Saving: a correction becomes a reader's reading and the truth of its case, whole or not at all, and nothing is lost.

Every save says which version it began from. Where the disk holds another by now, whoever wrote it (another tab, another
server on the same folder, another program), the save is refused with both, for a person to choose. Servers on one
folder take turns by a lock file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from spinetk.atomic import write_json
from spinetk.cases.days import day_of
from spinetk.cases.folder import CaseFolder, write_record
from spinetk.cases.groups import origin_of, remember, salt_of, strongest
from spinetk.errors import InputError
from spinetk.formats.files import read_json
from spinetk.formats.record import Record, check_record, record_of
from spinetk.images.picture import pixel_hash
from spinetk.reading import Reading
from spinetk.review.entry import Entry
from spinetk.review.history import History, Status, Version, now, review_of, version_of
from spinetk.review.opened import Opened
from spinetk.review.readers import Readings, folder_of
from spinetk.review.target import Target, picture_of

LOCK = ".review.lock"
LOCK_S = 20.0
SET_ASIDE = "augs.old"


class ConflictError(Exception):
    """The case holds another version than the save began from.

    Attributes:
        version: What it holds.
    """

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.version = version


@dataclass(frozen=True)
class Wish:
    """How a reading is to be saved.

    Attributes:
        began: The version on which it was begun (:func:`spinetk.review.history.version_of`); empty for a first save.
        reader: Who saves; may be empty.
        status: ``corrected`` or ``signed``.
        empty: Whether a reading without vertebrae may take the place of one with some.
        blinded: Whether readers do not see each other's work: the reading is the reader's own and becomes the truth
            only where the case has none, or the reader's.
        settles: Ends the blinding of a case: the reading becomes its truth, whoever read it.
    """

    began: str
    reader: str = ""
    status: Status = "corrected"
    empty: bool = False
    blinded: bool = False
    settles: bool = False


@dataclass(frozen=True)
class Saved:
    """Where a correction went.

    Attributes:
        case: Name of the case.
        vertebrae: How many were written.
        version: Which the next save begins from.
        status, reader, when: As they were written down.
        remarks: What the user should know.
    """

    case: str
    vertebrae: int
    version: str
    status: Status
    reader: str
    when: str
    remarks: list[str] = field(default_factory=list)


def save(target: Target, entry: Entry, opened: Opened, reading: Reading, wish: Wish) -> Saved:
    """Write a reading.

    Args:
        target: Takes pictures that are in no case folder yet.
        entry: What was read.
        opened: Its picture.
        reading: Its vertebrae.
        wish: How.

    Raises:
        ConflictError: The case holds another version by now.
        InputError: The reading is not valid or empty over one that is not, a part of the case is a link, or the folder
            cannot be written.
    """
    base = entry.base or target.base
    try:
        with _turn(base):
            if entry.case is None:
                target.adopt(entry, opened)
            try:
                return _Save(target, entry, opened, reading, wish).run()
            except ConflictError:
                raise
            except BaseException:
                if not CaseFolder(base).source(entry.case or "").exists():
                    entry.case, entry.base = None, None  # nothing of it was made
                raise
    except OSError as error:
        fault = f"cannot be written ({error.strerror or type(error).__name__})"
        raise InputError(base, fault, "check space and permissions") from error


@contextmanager
def _turn(base: Path) -> Iterator[None]:
    base.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(base / LOCK, timeout=LOCK_S):
            yield
    except Timeout:
        raise InputError(base, "is being written by another server", "save again in a moment") from None


class _Save:
    def __init__(self, target: Target, entry: Entry, opened: Opened, reading: Reading, wish: Wish) -> None:
        assert entry.base is not None
        assert entry.case is not None
        self.target, self.entry, self.opened, self.reading, self.wish = target, entry, opened, reading, wish
        self.case = entry.case
        self.path = CaseFolder(entry.base).source(entry.case)
        self.readings = Readings(entry.base)
        self.history = History(self.path)
        self.when = now()
        here = entry.kind == "case"
        self.origin = [] if here else origin_of(picture_of(entry), salt_of(entry.base))
        self.day = None if here else day_of(picture_of(entry), salt_of(entry.base))
        self.remarks: list[str] = []

    def run(self) -> Saved:
        own = self.wish.blinded and not self.wish.settles
        if own and not self.wish.reader:
            raise InputError(self.case, "is read blinded, and nobody said who reads", "give the reader's name")
        refuse_links(self.path, 4)
        refuse_links(self.history.folder, 1)
        there = version_of(self.path)
        before = check_record(read_json(self.path), self.path) if there else None
        if before and (before["height"], before["width"]) != (self.reading.height, self.reading.width):
            fault = f"holds a picture of {before['width']} x {before['height']} px by now, which another program wrote"
            raise InputError(self.case, fault, "open it anew")
        if own:
            known = self.readings.read(self.wish.reader, self.case)
            began_at, held = (known.version, len(known.reading.vertebrae)) if known else ("", 0)
        else:
            began_at, held = there, len(before["annotations"]) if before else 0
        if began_at != self.wish.began:
            raise ConflictError(began_at)
        record = self._record(before)
        count = len(record["annotations"])
        if held and not count and not self.wish.empty:
            fault = f"would have no vertebra where {held} are saved"
            raise InputError(self.case, fault, "say that all of them are to go")
        truth = not own or before is None or self._may_change(before)
        version = self._write(before, record, truth=truth, there=there)
        if self.wish.reader and not self.wish.settles:
            refuse_links(self.readings.path(self.wish.reader, self.case), 3)
            name, status = self.wish.reader, self.wish.status
            mine = self.readings.write(name, self.case, status, self.when, self.reading)
            version = mine if own else version
        if self.entry.kind != "case":
            self.target.remember(self.entry)
        remember(self.path.parents[3], self.case, strongest(self.origin))
        lost = len(self.reading.vertebrae) - count
        if lost:
            self.remarks.append(f"{lost} vertebrae outside the picture left out")
        return Saved(self.case, count, version, self.wish.status, self.wish.reader, self.when, self.remarks)

    def _may_change(self, before: Record) -> bool:
        """Whether a blinded reading becomes the truth: where there is none yet, and where it is the reader's own."""
        status, reader, _ = review_of(before)
        return folder_of(reader) == folder_of(self.wish.reader) if status != "given" else not before["annotations"]

    def _record(self, before: Record | None) -> Record:
        review = {"status": self.wish.status, "reader": self.wish.reader, "when": self.when}
        if before is not None:
            fresh = record_of(self.reading, str(before.get("image_id", self.case)))
            own = {"origin": self.origin or None, "day": self.day}
            known = {name: value for name, value in own.items() if value is not None}
            kept = {k: v for k, v in (known | before).items() if k not in ("orientation", "schema", "rulers", "facing")}
            if kept.get("landmarks") and not fresh.get("landmarks"):
                kept["landmarks"] = []  # looked for, and taken away
            content = {**kept, **fresh, "file_name": self.path.with_suffix(".png").name, "review": review}
            return check_record(content, self.path)
        fields: dict[str, Any] = {"augmentation": 0, "modality": self.opened.picture.modality, "review": review}
        fields |= {"origin": self.origin or None, "day": self.day}
        digest = pixel_hash(self.opened.grey)
        return record_of(self.reading, f"{self.case}-src-0", case=self.case, pixels_sha256=digest, **fields)

    def _write(self, before: Record | None, record: Record, *, truth: bool, there: str) -> str:
        """Truth and history; what the truth was before is in the history first."""
        if before is not None and truth:
            self.history.keep_before(read_json(self.path))
            self.remarks += _set_aside(self.path.parents[2])
        text = {**record, "file_name": self.path.with_suffix(".png").name}
        made = Version(0, "", there, self.when, self.wish.reader, self.wish.status, len(record["annotations"]), truth)
        if not truth:
            self.history.add(made, text)
            return there
        if before is None:
            write_record(self.path, record, self.opened.grey)
        else:
            write_json(self.path, record)
        version = version_of(self.path)
        self.history.add(replace(made, version=version), text)
        return version


def refuse_links(path: Path, parts: int) -> None:
    """Refuse to write through a link: it may lead out of the case folder.

    Args:
        path: What is to be written.
        parts: How many of its last parts, itself included, must be no links.

    Raises:
        InputError: One is.
    """
    for part in (path, *path.parents[: parts - 1]):
        if part.is_symlink():
            raise InputError(part, "is a link, and nothing is saved through links", "open the folder it leads to")


def _set_aside(case: Path) -> list[str]:
    augs = case / "augs"
    if not augs.is_dir():
        return []
    number = 1
    while (old := case / (SET_ASIDE if number == 1 else f"{SET_ASIDE}-{number}")).exists():
        number += 1
    augs.rename(old)
    return [f"the augmented copies showed the old points and were moved to {old.name}: run `spinetk augment` again"]
