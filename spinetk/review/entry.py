"""Entry: one line of the page's list, known to the browser by a random id only."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from spinetk.cases.folder import CaseFolder
from spinetk.errors import InputError
from spinetk.formats.files import check_name
from spinetk.images import find_inputs

Kind = Literal["case", "result", "picture"]


@dataclass
class Entry:
    """Something to look at.

    Attributes:
        path: The picture, series folder or result file; for a case the base of its case folder.
        name: As the page shows it.
        case: Name of the case in ``base`` that holds its truth; None as long as there is none.
        base: The case folder of ``case``.
        slice: Place of the slice that was chosen of a series or volume, counted from 0; None: the usual one.
        place: Place of the slice that was read, once it was.
    """

    kind: Kind
    path: Path
    name: str
    case: str | None = None
    base: Path | None = None
    slice: int | None = None
    place: int | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    _source: tuple[str, Path] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def title(self) -> str:
        """As the list shows it."""
        return self.name if self.slice is None else f"{self.name}, slice {self.slice + 1}"

    @property
    def source(self) -> Path | None:
        """The JSON of its case, as far as it has one."""
        if self.case is None or self.base is None:
            return None
        if self._source is None or self._source[0] != self.case:
            # Asked of thousands of entries at once; the folder itself was checked when the entry was made.
            self._source = self.case, self.base.absolute().joinpath(check_name(self.case), "src", "0", "src-0.json")
        return self._source[1]

    def stored(self, named: str) -> str:
        """The file of its picture, where its reading has the name ``named``: what the page shows may be another."""
        return str(self.path) if self.kind == "picture" else named


def entries_of(given: Path) -> Iterator[Entry]:
    """What a path of the command line stands for; nothing is decoded.

    Raises:
        InputError: It does not exist, or holds nothing to show.
    """
    if not given.exists():
        raise InputError(given, "does not exist", "give pictures, results of predict, or a case folder")
    if (given / "src").is_dir():
        yield _case(CaseFolder(given.parent), given.name)
    elif _is_case_folder(given):
        folder = CaseFolder(given)
        yield from (_case(folder, case) for case in folder.cases())
    elif results := _results(given):
        yield from (Entry("result", path, path.stem) for path in results)
    else:
        found = list(find_inputs([given]))
        if not found:
            raise InputError(given, "holds no picture", "give DICOM, PNG, JPEG, TIFF or NIfTI files, or a case folder")
        for path in found:
            name = path.relative_to(given).as_posix() if path != given and path.is_relative_to(given) else path.name
            yield Entry("picture", path, name)


def _case(folder: CaseFolder, case: str) -> Entry:
    return Entry("case", folder.base, case, case=case, base=folder.base)


def _is_case_folder(folder: Path) -> bool:
    return folder.is_dir() and any((p / "src").is_dir() for p in folder.iterdir() if not p.name.startswith("."))


def _results(given: Path) -> list[Path]:
    """The result files of ``spinetk predict`` in a folder, or a single one."""
    from spinetk.formats.results import MANIFEST, find_results

    if given.is_file():
        return [given] if given.suffix.lower() == ".json" else []
    if (given / MANIFEST).is_file():
        return find_results([given])
    first = next(iter(sorted(given.glob("*.json"))), None)
    try:
        content = json.loads(first.read_text(encoding="utf-8")) if first else None
    except (OSError, ValueError, RecursionError):
        content = None
    return find_results([given]) if isinstance(content, dict) and "vertebrae" in content else []
