"""Companions: the other films of the same patient in the list, to hang beside the one that is read."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spinetk.cases.days import day_of
from spinetk.cases.groups import FIELDS, SALT, origin_of, salt_of
from spinetk.errors import InputError
from spinetk.formats.files import METADATA, natural_key, read_json, read_metadata
from spinetk.review.entry import Entry

MOST = 50


class Companions:
    """Which entries belong together: cases with one ``group`` in ``metadata.json``, files of one patient or volume.

    Args:
        entries: The list, as it is when it is asked.
    """

    def __init__(self, entries: Callable[[], list[Entry]]) -> None:
        self._entries = entries
        self._metadata: dict[Path, tuple[float, dict[str, dict[str, Any]]]] = {}
        self._origins: dict[Path, frozenset[tuple[str, str]]] = {}
        self._secret = secrets.token_hex(16)  # of this session: what is known of the files stays in it

    def of(self, entry: Entry) -> list[tuple[Entry, int | None]]:
        """The entries beside one, with the days from it to them: negative for an earlier film, None where unknown.

        Those nearest in time first, of two as near the earlier one; then those without a date, by name. At most 50.
        """
        wanted = self._groups(entry)
        if not wanted:
            return []
        found = [one for one in self._entries() if one.id != entry.id and wanted & self._groups(one)]
        pairs = [(one, self._days(entry, one)) for one in sorted(found, key=lambda one: natural_key(one.title))]
        return sorted(pairs, key=lambda pair: (pair[1] is None, abs(pair[1] or 0), pair[1] or 0))[:MOST]

    def _days(self, entry: Entry, other: Entry) -> int | None:
        """Between two entries, on a scale both have; dates themselves are kept nowhere."""
        bases = [one.base for one in (entry, other) if one.kind != "picture" and one.base is not None]
        if len(set(bases)) > 1:
            return None  # the secrets of two folders count from different days
        salt = self._secret
        if bases:
            if not (bases[0] / SALT).is_file():
                return None
            salt = salt_of(bases[0])
        (whose, day), (theirs, later) = (_day(one, salt) for one in (entry, other))
        return None if day is None or later is None or whose != theirs else later - day

    def _groups(self, entry: Entry) -> frozenset[tuple[str, str]]:
        found: frozenset[tuple[str, str]] = frozenset()
        if entry.base is not None and entry.case is not None:
            own = self._table(entry.base).get(entry.case, {})
            found |= {(str(entry.base), own[name]) for name in FIELDS if isinstance(own.get(name), str)}
        if entry.kind == "picture":
            if entry.path not in self._origins:
                # The widest that is known of a file alone: its patient, else its study, series or content.
                widest = origin_of(entry.path, self._secret)[:1]
                self._origins[entry.path] = frozenset({("", str(entry.path)), *(("", one) for one in widest)})
            found |= self._origins[entry.path]
        return found

    def _table(self, base: Path) -> dict[str, dict[str, Any]]:
        try:
            changed = (base / METADATA).stat().st_mtime
            if base not in self._metadata or self._metadata[base][0] != changed:
                self._metadata[base] = changed, read_metadata(base)
        except (OSError, InputError):
            return {}
        return self._metadata[base][1]


def _day(entry: Entry, salt: str) -> tuple[str | None, int | None]:
    """(hash of whose scale it is, the day) of an entry; of a case as it was noted when it was made.

    Films of one patient under two numbers have two scales: nothing is said of the time between them.
    """
    if entry.kind == "picture":
        origin, day = origin_of(entry.path, salt), day_of(entry.path, salt)
        return (origin[0] if origin else None), day
    try:
        content = None if entry.source is None else read_json(entry.source)
    except InputError:
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("day"), int) or not content.get("origin"):
        return None, None
    return str(content["origin"][0]), content["day"]
