"""Companions: the other films of the same patient in the list, to hang beside the one that is read."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spinetk.cases.groups import FIELDS, origin_of
from spinetk.errors import InputError
from spinetk.formats.files import METADATA, natural_key, read_metadata
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

    def of(self, entry: Entry) -> list[Entry]:
        """The entries beside one, in the order of their names; at most 50."""
        wanted = self._groups(entry)
        if not wanted:
            return []
        found = [one for one in self._entries() if one.id != entry.id and wanted & self._groups(one)]
        return sorted(found, key=lambda one: natural_key(one.title))[:MOST]

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
