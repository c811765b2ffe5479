"""Target: the case folder that takes corrections of pictures that are in none, and which picture became which case."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

from spinetk.atomic import write_json
from spinetk.cases.folder import CaseFolder
from spinetk.cases.groups import salt_of
from spinetk.formats.files import clean_name, read_json
from spinetk.images.identity import case_id
from spinetk.images.picture import pixel_hash
from spinetk.review.entry import Entry
from spinetk.review.opened import Opened

INDEX = ".review.json"


class Target:
    """A case folder, made on the first save.

    ``.review.json`` in it says which picture became which case; pictures are named by a keyed hash of their path, so
    that the file gives nothing away. It is read again before it is written: another server may have added to it.
    """

    def __init__(self, base: Path) -> None:
        self.base = base
        self._index: dict[str, str] | None = None

    def recall(self, entry: Entry) -> None:
        """Tell an entry the case that an earlier session saved it as."""
        if not (self.base / INDEX).is_file():
            return
        if self._index is None:
            self._index = self._read()
        case = self._index.get(self._mark(entry))
        if case is not None and CaseFolder(self.base).source(case).exists():
            entry.case, entry.base = case, self.base

    def adopt(self, entry: Entry, opened: Opened) -> None:
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

    def remember(self, entry: Entry) -> None:
        """Write down the case of an entry."""
        mark = self._mark(entry)
        known = self._read()
        if known.get(mark) != entry.case:
            known[mark] = str(entry.case)
            write_json(self.base / INDEX, known)
        self._index = known

    def _name(self, entry: Entry) -> str:
        """As ``prepare`` names cases: DICOM files often bear the patient's name, so theirs get a hash."""
        from spinetk.images.kind import sniff

        picture = picture_of(entry)
        if picture.is_dir() or sniff(picture) == "dicom":
            return case_id(picture, salt_of(self.base))
        return clean_name(Path(entry.name).with_suffix("").as_posix().replace("/", "_"))

    def _mark(self, entry: Entry) -> str:
        place = str(entry.path.absolute()) + ("" if entry.slice is None else f"\0slice {entry.slice}")
        text = place.encode("utf-8", "surrogatepass")
        return hmac.new(salt_of(self.base).encode(), text, hashlib.sha256).hexdigest()[:32]

    def _read(self) -> dict[str, str]:
        try:
            content = json.loads((self.base / INDEX).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            content = {}
        return content if isinstance(content, dict) else {}


def picture_of(entry: Entry) -> Path:
    """The picture an entry is about; a result names it."""
    if entry.kind != "result":
        return entry.path
    from spinetk.formats.results import read_result

    return Path(read_result(entry.path).file)
