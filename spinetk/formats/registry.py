"""Registry: every format that is read or written, each described once by its own module.

``prepare --from``, ``measure``, ``report --as``, the review page and the table in the docs all ask here. A new format
is a module with a ``FORMAT`` and its line in ``MODULES``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol
from zipfile import is_zipfile

from spinetk.errors import InputError
from spinetk.formats.files import read_json
from spinetk.formats.item import CaseItem
from spinetk.reading import Reading
from spinetk.schema import KeypointSchema

MODULES: list[str] = [
    "spinetk.formats.aasce",
    "spinetk.formats.masks",
    "spinetk.formats.coco",
    "spinetk.formats.labelme",
    "spinetk.formats.yolo",
    "spinetk.formats.labelstudio",
    "spinetk.formats.cvat",
    "spinetk.formats.slicer",
    "spinetk.formats.sr",
    "spinetk.formats.centroids",
    "spinetk.formats.ours",
    "spinetk.formats.table",
]
"""In the order in which a source is asked what it is; ``ours``, which takes any picture with a JSON, comes last."""

HEAD_BYTES = 4096
HOLDS = (
    "points", "levels", "visibility", "scores", "uncertainty", "landmarks", "extras", "rulers", "slice", "spacing",
    "front", "refusals", "outside", "other names", "measurements",
)  # fmt: skip
"""What a format may keep of a reading: all named points to 0.01 px, level names, which points are visible, ...; *slice*
is which slice, frame or series it is about, *landmarks* S1 and the femoral heads, *uncertainty* the standard deviations
of points, *front* the patient's front, *refusals* why there are no grades, *outside* points beyond the picture, *other
names* those that are no levels.
"""


class Reader(Protocol):
    """Reads a file or folder; a faulty picture comes as its error and does not cost the others."""

    def __call__(self, source: Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]: ...


class Writer(Protocol):
    """Writes readings and returns the files; ``chosen`` is the slice of a volume they are about, when it was named."""

    def __call__(self, path: Path, readings: Sequence[Reading], *, chosen: int | None = None) -> list[Path]: ...


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        name: As ``--from`` and ``--as`` take it.
        title: As menus show it.
        suffix: Ending of a file that holds one picture, or, with ``many``, the name of the file that holds all.
        media_type: Of a download.
        read, write: None where it is not read or not written.
        recognises: Whether a source looks like it.
        many: Whether one file holds all pictures.
        needs: Extra of ``pip install 'spinetk[EXTRA]'`` that writing asks for.
        holds: Which of ``HOLDS`` come back as they went; what is missing there gets lost on the way out.
        origin: Where the format puts (0, 0) and how its coordinates become ours.
        tools: Programs and versions that were run on it, or sets that were read.
        documented: Programs whose documentation was followed, none of which was run.
        source: Where the format is described.
        stored: Whether it is about a stored picture, whose file has to be there for writing.
        aliases: Further names.
    """

    name: str
    title: str
    suffix: str = ".json"
    media_type: str = "application/json"
    read: Reader | None = None
    write: Writer | None = None
    recognises: Callable[[Source], bool] = lambda source: False
    many: bool = False
    needs: str | None = None
    holds: frozenset[str] = frozenset({"points", "levels", "visibility"})
    origin: str = ""
    tools: str = ""
    documented: str = ""
    source: str = ""
    stored: bool = False
    aliases: tuple[str, ...] = ()

    def path_in(self, folder: Path, stem: str) -> Path:
        """Where a file of this format goes."""
        return folder / (self.suffix if self.many else stem + self.suffix)


class Source:
    """A file or folder that is asked what it is; nothing is read twice."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._contents: dict[Path, Any] = {}
        self._heads: dict[Path, bytes] = {}

    @cached_property
    def files(self) -> list[Path]:
        """The file itself, or those of the folder and of the folders tools make in it, sorted; hidden ones left out."""
        if not self.path.is_dir():
            return [self.path]
        places = [self.path, *(self.path / name for name in ("annotations", "labels", "train", "valid", "test"))]
        found = [path for place in places if place.is_dir() for path in sorted(place.iterdir()) if path.is_file()]
        return [path for path in found if not path.name.startswith(".")]

    def ending(self, *suffixes: str) -> list[Path]:
        """Those whose names end so."""
        return [path for path in self.files if path.name.lower().endswith(suffixes)]

    def json(self, path: Path) -> Any:
        """Content of a JSON file; None when it has none."""
        if path not in self._contents:
            try:
                self._contents[path] = read_json(path)
            except InputError:
                self._contents[path] = None
        return self._contents[path]

    def any_json(self, test: Callable[[Any], bool]) -> bool:
        """Whether a JSON file there has such content."""
        return any(test(self.json(path)) for path in self.ending(".json"))

    def head(self, path: Path) -> bytes:
        """The first bytes of a file."""
        if path not in self._heads:
            try:
                with open(path, "rb") as stream:
                    self._heads[path] = stream.read(HEAD_BYTES)
            except OSError:
                self._heads[path] = b""
        return self._heads[path]


def formats() -> dict[str, Format]:
    """All formats by name, in the order of ``MODULES``."""
    found = (import_module(module).FORMAT for module in MODULES)
    return {entry.name: entry for one in found for entry in (one if isinstance(one, tuple) else (one,))}


def readable() -> dict[str, Format]:
    """Those that can be read."""
    return {name: entry for name, entry in formats().items() if entry.read is not None}


def writable() -> dict[str, Format]:
    """Those that can be written."""
    return {name: entry for name, entry in formats().items() if entry.write is not None}


def format_named(name: str, among: dict[str, Format] | None = None) -> Format:
    """A format by its name.

    Raises:
        InputError: There is none among them.
    """
    known = formats() if among is None else among
    for entry in known.values():
        if name in (entry.name, *entry.aliases):
            return entry
    raise InputError(f"format {name!r}", "is unknown here", f"use {', '.join(known)}")


def detect(source: str | Path) -> list[Format]:
    """The formats that a source looks like, the likeliest first.

    Raises:
        InputError: It looks like none.
    """
    asked = Source(Path(source))
    found = [entry for entry in readable().values() if entry.recognises(asked)]
    if not found and asked.path.is_file() and is_zipfile(asked.path):
        raise InputError(source, "is a ZIP", "unpack it and give the folder that is in it")
    for entry in formats().values() if not found else ():
        if entry.read is None and entry.recognises(asked):
            raise InputError(source, f"is {entry.title}, which is only written", "give the same reading as JSON")
    if not found:
        remedy = f"pictures are read by `spinetk predict`; `prepare --from` names a format: {', '.join(readable())}"
        raise InputError(source, "is of no known format", remedy)
    return found


def read(
    source: str | Path, name: str | None = None, schema: KeypointSchema | None = None
) -> Iterator[CaseItem | InputError]:
    """The annotated pictures of a source.

    Args:
        source: A file or folder.
        name: Its format; None looks.
        schema: Points to keep; None takes what the files say.

    Yields:
        One item a picture and annotator, or the error that keeps it out.

    Raises:
        InputError: The source as a whole cannot be used.
    """
    found = detect(source) if name is None else [format_named(name, readable())]
    also = [entry for entry in found[1:] if entry.name != "ours"]
    seen: Counter[Path] = Counter()
    for item in _reader(found[0])(Path(source), schema):
        if also and isinstance(item, CaseItem):
            others = " and ".join(entry.title for entry in also)
            item.remarks.insert(0, f"{found[0].title} was read; there is also {others} (choose with --from)")
            also = []
        if isinstance(item, CaseItem):
            item.rank = max(item.rank, seen[item.picture])
            seen[item.picture] += 1
        yield item


def _reader(entry: Format) -> Reader:
    if entry.read is None:
        raise InputError(f"format {entry.name!r}", "can only be written", f"use {', '.join(readable())}")
    return entry.read
