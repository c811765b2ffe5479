"""Saving: corrections become truth in a case folder, whole or not at all, and what was there before is kept."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from dataclasses import dataclass
from pathlib import Path

from spinetk.atomic import write_json
from spinetk.cases.folder import CaseFolder, write_record
from spinetk.cases.groups import origin_of, remember, salt_of, strongest
from spinetk.cases.preparation import pixel_hash
from spinetk.errors import InputError
from spinetk.formats.files import clean_name, read_json
from spinetk.formats.record import Record, check_record, record_of
from spinetk.images.identity import case_id
from spinetk.reading import Reading
from spinetk.review.entry import ORIGINAL, Entry
from spinetk.review.opened import Opened

INDEX = ".review.json"
SET_ASIDE = "augs.old"


@dataclass(frozen=True)
class Saved:
    """Where a correction went.

    Attributes:
        case: Name of the case.
        vertebrae: How many were written.
        remarks: What the user should know.
    """

    case: str
    vertebrae: int
    remarks: list[str]


class Target:
    """The case folder that takes corrections of pictures that are in none.

    ``.review.json`` in it says which picture became which case; pictures are named by a keyed hash of their path, so
    that the file gives nothing away.
    """

    def __init__(self, base: Path) -> None:
        self.base = base
        self._lock = threading.Lock()
        self._index: dict[str, str] | None = None

    def recall(self, entry: Entry) -> None:
        """Tell an entry the case that an earlier session saved it as."""
        if not (self.base / INDEX).is_file():
            return
        case = self._known().get(self._mark(entry))
        if case is not None and CaseFolder(self.base).source(case).exists():
            entry.case, entry.base, entry.saved = case, self.base, True

    def save(self, entry: Entry, opened: Opened, reading: Reading) -> Saved:
        """Write a reading as the truth of its case.

        The first version a case had is kept beside as ``src-0.original.json``. Augmented copies made from the old
        points are set aside, since training on them would contradict the correction.

        Raises:
            InputError: The reading is not valid, or the folder cannot be written.
        """
        with self._lock:
            try:
                if entry.case is None:
                    self._adopt(entry, opened)
                return self._write(entry, opened, reading)
            except OSError as error:
                fault = f"cannot be written ({error.strerror or type(error).__name__})"
                raise InputError(entry.base or self.base, fault, "check space and permissions") from error

    def _write(self, entry: Entry, opened: Opened, reading: Reading) -> Saved:
        folder = CaseFolder(entry.base)
        path = folder.source(entry.case)
        origin = [] if entry.kind == "case" else origin_of(_picture(entry), salt_of(folder.base))
        remarks: list[str] = []
        if path.exists():
            before = read_json(path)
            record = _corrected(before if not origin else {"origin": origin, **before}, reading, path)
            if not path.with_name(ORIGINAL).exists():
                write_json(path.with_name(ORIGINAL), before)
            remarks += _set_aside(path.parents[2])
            write_json(path, record)
        else:
            fields = {"augmentation": 0, "modality": opened.picture.modality, "origin": origin or None}
            image_id = f"{entry.case}-src-0"
            record = record_of(reading, image_id, case=entry.case, pixels_sha256=pixel_hash(opened.grey), **fields)
            write_record(path, record, opened.grey)
        if entry.kind != "case":
            self._remember(entry)
        remember(folder.base, entry.case, strongest(origin))
        entry.saved = True
        lost = len(reading.vertebrae) - len(record["annotations"])
        if lost:
            remarks.append(f"{lost} vertebrae outside the picture left out")
        return Saved(entry.case, len(record["annotations"]), remarks)

    def _adopt(self, entry: Entry, opened: Opened) -> None:
        """Find the case a picture belongs to: the one of its name that has its pixels, else a new one."""
        self.base.mkdir(parents=True, exist_ok=True)
        name = self._name(entry)
        folder, digest = CaseFolder(self.base), pixel_hash(opened.grey)
        case, number = name, 1
        while (self.base / case).exists() or case.startswith("."):
            path = folder.source(case)
            there = read_json(path) if path.exists() else {}
            if isinstance(there, dict) and there.get("pixels_sha256") == digest:
                break
            number += 1
            case = f"{name}-{number}"
        entry.case, entry.base = case, self.base

    def _name(self, entry: Entry) -> str:
        """As ``prepare`` names cases: DICOM files often bear the patient's name, so theirs get a hash."""
        from spinetk.images.kind import sniff

        picture = _picture(entry)
        if picture.is_dir() or sniff(picture) == "dicom":
            return case_id(picture, salt_of(self.base))
        return clean_name(Path(entry.name).with_suffix("").as_posix().replace("/", "_"))

    def _mark(self, entry: Entry) -> str:
        place = str(entry.path.absolute()) + ("" if entry.slice is None else f"\0slice {entry.slice}")
        text = place.encode("utf-8", "surrogatepass")
        return hmac.new(salt_of(self.base).encode(), text, hashlib.sha256).hexdigest()[:32]

    def _known(self) -> dict[str, str]:
        if self._index is None:
            try:
                content = json.loads((self.base / INDEX).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                content = {}
            self._index = content if isinstance(content, dict) else {}
        return self._index

    def _remember(self, entry: Entry) -> None:
        known = self._known()
        if known.get(mark := self._mark(entry)) != entry.case:
            known[mark] = str(entry.case)
            write_json(self.base / INDEX, known)


def _picture(entry: Entry) -> Path:
    """The picture an entry is about; a result names it."""
    if entry.kind != "result":
        return entry.path
    from spinetk.formats.results import read_result

    return Path(read_result(entry.path).file)


def _corrected(before: Record, reading: Reading, path: Path) -> Record:
    """The case JSON with the corrected vertebrae, scale and view; all its other fields stay."""
    if not isinstance(before, dict):
        raise InputError(path, "is not a table of fields", "mend the file or prepare the case again")
    fresh = record_of(reading, str(before.get("image_id", path.parents[2].name)))
    kept = {k: v for k, v in before.items() if k not in ("orientation", "schema")}
    return check_record({**kept, **fresh, "file_name": path.with_suffix(".png").name}, path)


def _set_aside(case: Path) -> list[str]:
    augs = case / "augs"
    if not augs.is_dir():
        return []
    number = 1
    while (old := case / (SET_ASIDE if number == 1 else f"{SET_ASIDE}-{number}")).exists():
        number += 1
    augs.rename(old)
    return [f"the augmented copies showed the old points and were moved to {old.name}: run `spinetk augment` again"]
