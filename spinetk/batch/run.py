"""Run: every input of a batch done once, its results named for good, and a journal that the next run goes on from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spinetk.atomic import remove_stale
from spinetk.batch.journal import Entry, Journal
from spinetk.batch.pools import Here, Pool
from spinetk.batch.task import Maker, Task, content, signature
from spinetk.errors import InputError
from spinetk.images.find import stems_in
from spinetk.images.identity import safe_name
from spinetk.locking import Lock
from spinetk.pacs.address import is_address


@dataclass
class Run:
    """What a run left in its folder.

    Attributes:
        out: The folder.
        sources: Inputs of this run, in order; as the user named them.
        entries: What became of each of them: the journal's words, by :func:`key_of` an input.
        readers: Settings by name, of all runs into this folder.
        reader: The name of this run's.
        skipped: How many were done already.
        done: How many this run did, well or not.
    """

    out: Path
    sources: list[str] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    readers: dict[str, dict[str, Any]] = field(default_factory=dict)
    reader: str = ""
    skipped: int = 0
    done: int = 0

    def own(self) -> Iterator[tuple[str, Entry]]:
        """Inputs of this run with what became of them, in order."""
        for source in self.sources:
            entry = self.entries.get(key_of(source))
            if entry is not None:
                yield source, entry

    def everything(self) -> Iterator[tuple[str, Entry]]:
        """The same, then what other runs left in the folder, by name of their results."""
        yield from self.own()
        own = {key_of(source) for source in self.sources}
        others = [(source, entry) for source, entry in self.entries.items() if source not in own]
        yield from sorted(others, key=lambda other: other[1].stem)

    def failures(self) -> list[str]:
        """One line for each input of this run that failed."""
        return [entry.why for _, entry in self.own() if entry.state != "done"]

    def has_errors(self) -> bool:
        """Whether one failed by our fault."""
        return any(entry.state == "error" for _, entry in self.own())


def key_of(source: str) -> str:
    """The name of an input in the journal, wherever the command was started."""
    return source if is_address(source) else os.path.abspath(source)


def fingerprint(settings: dict[str, Any]) -> str:
    """16 hexadecimal digits that name settings."""
    text = json.dumps(settings, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Names:
    """How the results of an input are named.

    Attributes:
        result: Name of the file whose presence says that an input is done, by its stem.
        reserved: Stems that no input may have.
        stem_of: A stem from an input's name.
        beside: Names of further files. One that is there without a result is somebody's picture, and is kept.
    """

    result: str = "{}.json"
    reserved: Sequence[str] = ("run", "vertebrae", "journal")
    stem_of: Callable[[str], str] | None = None
    beside: Sequence[str] = ()


def run_batch(
    sources: Iterable[str],
    out: str | Path,
    maker: Maker,
    settings: dict[str, Any],
    *,
    names: Names = Names(),
    pool: Pool | None = None,
    aet: str = "SPINETK",
    again: bool = False,
    empty: bool = True,
    progress: bool = True,
    finish: Callable[[Run], None] | None = None,
) -> Run:
    """Do what is missing: every input whose content, settings or results are not those of the journal.

    Args:
        sources: Inputs, see `spinetk.batch.sources`.
        out: Folder of the results; no other run may use it at the same time.
        maker: Makes what does the work.
        settings: All that results depend on, besides the input: version, weights, options.
        names: Of the results.
        pool: Where; this process by default.
        aet: Our own AE title, for DIMSE.
        again: Do everything anew.
        empty: Whether no input at all is an error.
        progress: Show a bar.
        finish: Called at the end, and after an interruption, to write what is made of all results.

    Raises:
        InputError: Another run uses the folder, it cannot be written, there is no room left, or there is no input.
    """
    out = Path(out)
    with Lock(out):
        journal = Journal(out)
        run = Run(out, entries=journal.entries, readers=journal.readers, reader=fingerprint(settings))
        try:
            journal.begin(run.reader, settings)
            tasks = _Tasks(run, sources, _Namer(journal, out, names), aet, again)
            _work(run, journal, tasks, pool or Here(), maker, progress)
            # Workers that were killed on the way may have left some.
            remove_stale(out)
        except BaseException:
            # What was finished is told, as far as that goes.
            with suppress(Exception):
                _finish(run, journal, finish)
            raise
        _finish(run, journal, finish)
        if tasks.fault is not None:
            raise tasks.fault
        if empty and not run.sources:
            raise InputError("the inputs", "hold no picture", "give DICOM, PNG, JPEG or TIFF files")
    return run


def _finish(run: Run, journal: Journal, finish: Callable[[Run], None] | None) -> None:
    journal.close()
    if finish is not None and run.entries:
        finish(run)


def _work(run: Run, journal: Journal, tasks: _Tasks, pool: Pool, maker: Maker, progress: bool) -> None:
    with _bar(tasks.total, progress and tasks.total != 1) as bar:
        tasks.skipped = bar.update
        for task, outcome in pool.run(maker, run.reader, tasks):
            if outcome.state in ("full", "unable"):
                raise InputError(*outcome.fault)
            run.done += 1
            journal.add(key_of(task.source), task.stem, outcome, run.reader)
            bar.update()


def _bar(total: int | None, shown: bool) -> Any:
    """What is told of every input that is done; without a bar nothing has to be imported for it."""
    if not shown:
        return _NoBar()
    from tqdm import tqdm

    return tqdm(total=total, smoothing=0.05)


class _NoBar:
    def __enter__(self) -> _NoBar:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self) -> None:
        """One more."""


class _Tasks:
    """Tasks for what is missing, made as they are asked for.

    Attributes:
        total: How many inputs there are, where that is known beforehand: an archive is asked while pictures are read.
        fault: Why the inputs ended before their end.
        skipped: Called for each input that is done.
    """

    def __init__(self, run: Run, sources: Iterable[str], namer: _Namer, aet: str, again: bool = False) -> None:
        self.total = len(sources) if isinstance(sources, Sequence) else None
        self.fault: InputError | None = None
        self.skipped: Callable[[], Any] = lambda: None
        self._run, self._sources, self._namer, self._aet = run, sources, namer, aet
        self._result, self._again = namer.result, again

    def __iter__(self) -> Iterator[Task]:
        run, here, out = self._run, os.getcwd(), str(self._run.out.resolve())
        seen: set[int] = set()
        waiting = iter(self._sources)
        while True:
            try:
                source = next(waiting, None)
            except InputError as error:
                # Those under way are finished first.
                self.fault = error
                return
            if source is None:
                return
            key = key_of(source)
            if hash(key) in seen or (key.startswith(out + os.sep) and self._namer.is_result(key, out)):
                continue
            seen.add(hash(key))
            run.sources.append(source)
            stem = self._namer.stem(source)
            if not self._again and _is_done(run.entries.get(key), source, run, stem, self._result):
                run.skipped += 1
                self.skipped()
            else:
                yield Task(source, here, out, stem, self._aet)


def _is_done(entry: Entry | None, source: str, run: Run, stem: str, result: str) -> bool:
    if entry is None or entry.state != "done" or entry.reader != run.reader or entry.stem != stem:
        return False
    if not (run.out / result.format(stem)).is_file():
        return False
    if is_address(source):
        return True
    path = Path(source)
    try:
        return signature(path) == entry.signature or content(path) == entry.content
    except OSError:
        # Gone or unreadable: its turn says so.
        return False


class _Namer:
    """Stems of result files: an input's own name, and a hash of its path where another input has that already."""

    def __init__(self, journal: Journal, out: Path, names: Names) -> None:
        self._journal, self._out, self.result, self._beside = journal, out, names.result, names.beside
        self._reserved = {stem.casefold() for stem in names.reserved}
        self._stem_of = names.stem_of or plain_stem

    def stem(self, source: str) -> str:
        key = key_of(source)
        known = self._journal.entries.get(key)
        if known is not None:
            return known.stem
        base = self._stem_of(source)
        mark = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        stem = base
        for digits in (0, 8, 16, 64):
            stem = base if digits == 0 else marked(base, mark[:digits])
            owner = self._journal.owner(stem)
            if stem.casefold() not in self._reserved and (owner == key or (owner is None and self._is_free(stem, key))):
                break
        self._journal.own(stem, key)
        return stem

    def is_result(self, key: str, out: str) -> bool:
        """Whether a file in the folder of the results is one: those that lie among the pictures are no pictures."""
        if os.path.relpath(key, out).count(os.sep) > 1:
            return False
        return any(self._journal.owner(stem) not in (None, key) for stem in stems_in(Path(key).name))

    def _is_free(self, stem: str, key: str) -> bool:
        """Whether no result of before there were journals, of another picture, and no picture has this name."""
        path, beside = self._out / self.result.format(stem), [self._out / name.format(stem) for name in self._beside]
        if any(key_of(str(one)) == key for one in beside):
            return False
        if not path.exists():
            return not any(one.exists() for one in beside)
        try:
            return key_of(str(json.loads(path.read_text(encoding="utf-8")).get("file"))) == key
        except (OSError, ValueError, AttributeError):
            return False


def marked(name: str, mark: str) -> str:
    """A name with a mark, before the suffixes that make it a volume or a picture."""
    for suffix in (".nii.gz", ".seg.dcm", ".nii", ".nrrd", ".mha", ".png"):
        if name.endswith(suffix):
            return f"{name.removesuffix(suffix)}-{mark}{suffix}"
    return f"{name}-{mark}"


def plain_stem(source: str) -> str:
    """A safe file name without suffix, from the last part of a path or address."""
    if is_address(source):
        # UIDs in a file name would let anyone check whether a study is among them.
        return "picture-" + hashlib.sha256(source.encode()).hexdigest()[:16]
    name = Path(source).name
    return safe_name(name.removesuffix(".gz").rsplit(".", 1)[0] or name)
