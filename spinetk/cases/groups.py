"""Groups: which cases come from one patient, study, series or volume and so belong into one part of a split.

Every case keeps where it came from as ``origin`` in its JSON: keyed hashes of what the source's header says (PatientID,
StudyInstanceUID, SeriesInstanceUID) or, where it says nothing, of the file itself. The key is the file ``.salt`` of the
case folder: the same patient gets the same hash in every run on that folder, whichever way the picture came in, and
nobody without the file can try out which patient it is. The strongest of the hashes is the ``group`` in
``metadata.json``, unless somebody has given one.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from spinetk.cases.folder import CaseFolder
from spinetk.errors import InputError
from spinetk.formats.files import read_json, read_metadata, write_metadata
from spinetk.images.digest import of_file
from spinetk.images.elements import raw
from spinetk.images.find import find_series
from spinetk.images.guard import quiet
from spinetk.images.headers import open_header
from spinetk.images.identity import keyed_id
from spinetk.images.kind import VOLUMES, sniff

SALT = ".salt"
GROUP = "group"
KINDS = {"patient": "patient", "study": "study", "series": "series", "file": "volume", "subject": "subject"}
"""Kinds of an origin, in words."""

FIELDS = (GROUP, "patient")
"""Variables of ``metadata.json`` that name the patient."""

LOCK, WAIT_S = ".metadata.lock", 10
UIDS = {"study": "StudyInstanceUID", "series": "SeriesInstanceUID"}
# What tools and people write in place of a PatientID they have removed.
NOBODY = re.compile(
    r"(anon(ym(ous|i[sz]ed)?)?|de-?identified|unknown|none|null|nil|n/?a|no ?(id|name)|patient(id)?|0+|x+|\W+)?", re.I
)
SUBJECT = re.compile(r"(?:^|_)sub-([A-Za-z0-9]+)(?=[_.]|$)")
FOLDERS_UP = 4  # of a file in BIDS below the folder of its subject, derivatives included


def salt_of(base: str | Path) -> str:
    """The secret of a case folder, made on first use: by one process, however many begin at once."""
    path = Path(base) / SALT
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        mine = path.with_name(f"{SALT}.{secrets.token_hex(4)}")
        with open(os.open(mine, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as stream:
            stream.write(secrets.token_hex(16))
        try:
            os.link(mine, path)  # whoever comes second takes the first one's, else a patient would have two groups
        except OSError:  # there is one by now, or the file system knows no links
            if not path.is_file():
                os.replace(mine, path)
        finally:
            mine.unlink(missing_ok=True)
    return path.read_text(encoding="utf-8").strip()


def origin_of(picture: str | Path, salt: str) -> list[str]:
    """Keyed hashes of all that a source belongs to, the widest first: ``patient:``, ``study:``, ``series:`` ...

    Args:
        picture: A file, or the folder of a series; any slice or frame of it has the same origin.
        salt: Of the case folder (:func:`salt_of`).

    Returns:
        DICOM: patient, study and series, and ``file:`` where none is given. NIfTI, NRRD and MetaImage: ``file:``. All:
        ``subject:`` where the path says so as BIDS does (``sub-01``). Empty for a plain picture, of which nothing is
        known, and for what cannot be read.
    """
    path = Path(picture)
    try:
        status = path.stat()
        found = _facts(path, status.st_mtime_ns, status.st_size)
    except (InputError, OSError):
        return []
    return [f"{kind}:" + keyed_id(f"{kind} {value}", salt) for kind, value in found]


def group_of(picture: str | Path, base: str | Path) -> str | None:
    """The group that a picture has in a case folder by where it comes from; None when nothing is known of that."""
    return strongest(origin_of(picture, salt_of(base)))


def strongest(origin: Sequence[str]) -> str | None:
    """The group that an origin stands for."""
    return origin[0].partition(":")[2] if origin else None


def remember(base: str | Path, case: str, group: str | None) -> None:
    """Note the group of a case in ``metadata.json`` unless it has one.

    Raises:
        InputError: The file is malformed, or another process keeps it for too long.
    """
    if group is None:
        return
    base = Path(base)
    try:
        with FileLock(str(base / LOCK), timeout=WAIT_S):
            metadata = read_metadata(base)
            if not any(metadata.get(case, {}).get(name) for name in FIELDS):
                metadata[case] = {GROUP: group, **metadata.get(case, {})}
                write_metadata(base, metadata)
    except Timeout as error:
        raise InputError(base, "is being written to by another process", "save again") from error


def head_of(picture: Path) -> Path | None:
    """The DICOM file whose header speaks for a picture: the file, or the first of a series' folder; None: no DICOM."""
    if picture.is_dir():
        return next((files[0] for files in find_series(picture).values()), None)
    return picture if sniff(picture) == "dicom" else None


def strongest_of(picture: Path) -> str | None:
    """The widest of what a DICOM header says it belongs to, not hashed: never to be kept or shown."""
    head = head_of(picture)
    found = [] if head is None else _dicom(head)
    return None if not found or found[0][0] == "file" else " ".join(found[0])


class Union:
    """Cases that belong together, joined one pair at a time."""

    def __init__(self, cases: Iterable[str]) -> None:
        self._above = {case: case for case in cases}

    def root(self, case: str) -> str:
        """The case that stands for all that belong with this one."""
        while (above := self._above[case]) != case:
            self._above[case] = case = self._above[above]
        return case

    def join(self, first: str, second: str) -> bool:
        """Put two cases together; whether they were apart."""
        one, other = self.root(first), self.root(second)
        self._above[other] = one
        return one != other

    def join_equal(self, values: Mapping[str, Hashable | None]) -> int:
        """Join cases of one value; None says nothing. Returns how many were apart."""
        first: dict[Hashable, str] = {}
        return sum(self.join(first.setdefault(v, case), case) for case, v in values.items() if v is not None)

    def parts(self) -> list[list[str]]:
        """The cases, by what they belong to."""
        found: dict[str, list[str]] = {}
        for case in self._above:
            found.setdefault(self.root(case), []).append(case)
        return list(found.values())


def origins(folder: CaseFolder, cases: Iterable[str]) -> dict[str, list[str]]:
    """What each case's JSON says of where it came from; nothing where it cannot be read."""
    found = {}
    for case in cases:
        try:
            content = read_json(folder.source(case))
        except InputError:
            content = None
        keys = content.get("origin") if isinstance(content, dict) else None
        found[case] = [k for k in keys if isinstance(k, str) and k.partition(":")[2]] if isinstance(keys, list) else []
    return found


def labelled(folder: CaseFolder, cases: Sequence[str], metadata: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The group of each case by what is known: equal ``group`` or ``patient``, or an origin in common.

    Returns:
        Case to label: ``group:`` and the name somebody gave, or the first of the names that turned out to be one;
        ``case:`` and its own name where it is alone and nothing is known.
    """
    union = Union(cases)
    given = {name: {case: metadata.get(case, {}).get(name) for case in cases} for name in FIELDS}
    for values in given.values():
        union.join_equal({case: None if value is None else str(value) for case, value in values.items()})
    known = origins(folder, cases)
    first: dict[str, str] = {}
    for case, keys in known.items():
        for key in keys:
            union.join(first.setdefault(key, case), case)
    labels: dict[str, str] = {}
    for part in union.parts():
        names = [str(given[name][case]) for name in FIELDS for case in part if given[name][case] is not None]
        own = names[0] if names else strongest(known[part[0]])
        labels |= dict.fromkeys(part, f"case:{part[0]}" if own is None else f"group:{own}")
    return labels


@lru_cache(maxsize=1024)
def _facts(path: Path, changed_ns: int, size: int) -> tuple[tuple[str, str], ...]:
    """(kind, value) of an origin; time and size are there so that a changed file is read again."""
    subject = [("subject", name) for name in [_subject(path)] if name]
    if path.is_dir():
        heads = [files[0] for files in find_series(path).values()]
        found = list(dict.fromkeys(fact for head in heads for fact in _dicom(head)))
        order = ["patient", *UIDS, "file"]
        return (*sorted(found, key=lambda fact: order.index(fact[0])), *subject)
    kind = sniff(path)
    if kind == "dicom":
        return (*_dicom(path), *subject)
    return (*subject, *([("file", _digest(path))] if kind in VOLUMES else []))


def _dicom(path: Path) -> list[tuple[str, str]]:
    with quiet():
        header = open_header(path)
        with header.stream:
            patient = " ".join(str(raw(header.dataset, "PatientID") or "").split()).casefold()
            uids = {kind: str(raw(header.dataset, name) or "").strip() for kind, name in UIDS.items()}
    found = [] if NOBODY.fullmatch(patient) else [("patient", patient)]
    found += [(kind, uid) for kind, uid in uids.items() if uid]
    return found or [("file", _digest(path))]


def _digest(path: Path) -> str:
    return of_file(path).hexdigest()


def _subject(path: Path) -> str | None:
    found = SUBJECT.search(path.name)
    if found:
        return found[1]
    names = [folder.name for folder in list(Path(os.path.abspath(path)).parents)[:FOLDERS_UP]]
    return next((name[4:] for name in names if re.fullmatch(r"sub-[A-Za-z0-9]+", name)), None)
