"""One input, done in whatever process it was given to."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spinetk.errors import InputError
from spinetk.pacs.address import is_address, parse_address

# Reads the picture at a path, writes its results beside `out / stem`, and returns what the journal is to keep of them.
# `source` is what the user called the input.
Work = Callable[[Path, str, Path, str], dict[str, Any]]
# Makes the work once in each process: loads models. It travels to other processes, so it is a picklable callable.
Maker = Callable[[], Work]


@dataclass(frozen=True)
class Task:
    """What is to be done.

    Attributes:
        source: The input as the user named it: a path, or an address in an archive.
        here: The folder that paths are relative to.
        out: Folder of the results, absolute.
        stem: Names of its result files begin with it.
        aet: Our own AE title, for DIMSE.
        hashed: Whether the outcome is to say the input's content.
    """

    source: str
    here: str
    out: str
    stem: str
    aet: str = "SPINETK"
    hashed: bool = True


@dataclass(frozen=True)
class Outcome:
    """What became of it.

    Attributes:
        state: ``done``, ``failed`` (the input's fault), ``error`` (ours), ``full`` (there is no room to write) or
            ``unable`` (the work could not be made: no input can be done).
        why: One line, unless it is done.
        signature: Size and time of the input's file, as :func:`signature` gives them.
        content: SHA-256 of the input's bytes.
        seconds: It took.
        about: What the work says of its results.
        fault: Source, fault and remedy, when it is ``full`` or ``unable``.
    """

    state: str
    why: str = ""
    signature: str = ""
    content: str = ""
    seconds: float = 0.0
    about: dict[str, Any] = field(default_factory=dict)
    fault: tuple[str, str, str] = ("", "", "")


_works: dict[Any, Work] = {}
_one_at_a_time = threading.RLock()


def perform(maker: Maker | None, key: str, task: Task) -> Outcome:
    """Do a task; no exception leaves this function.

    Args:
        maker: Makes the work, when this process has not yet; None where it has.
        key: Names the maker: what was made under it before is used again.
        task: The input and its place.
    """
    started = time.perf_counter()
    try:
        # Threads of one process would share a network; they take turns.
        with _one_at_a_time:
            if key not in _works:
                assert maker is not None
                _works.clear()
                try:
                    _works[key] = maker()
                except InputError as error:
                    return _ends("unable", error)
            with opened(task) as path:
                mark = "" if is_address(task.source) else signature(path)
                about = _works[key](path, task.source, Path(task.out), task.stem)
                digest = content(path) if task.hashed else ""
    except InputError as error:
        return Outcome("failed", _named(task, error))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            fault = f"cannot be written ({error.strerror})"
            return _ends("full", InputError(error.filename or task.out, fault, "make room, then run the same again"))
        if not is_address(task.source) and not _path(task).exists():
            return Outcome("failed", str(InputError(task.source, "does not exist", "check the path")))
        return Outcome("error", _ours(task, error))
    except Exception as error:
        if os.environ.get("SPINETK_DEBUG"):
            raise
        return Outcome("error", _ours(task, error))
    return Outcome("done", "", mark, digest, round(time.perf_counter() - started, 4), about)


def _ends(state: str, error: InputError) -> Outcome:
    """What ends the run, to be raised again where that is."""
    return Outcome(state, str(error), fault=(error.source, error.fault, error.remedy))


def _named(task: Task, error: InputError) -> str:
    """Its line, with the input before it where a setting is at fault, as an anchor that does not fit this picture."""
    line = str(error)
    return line if Path(task.source).name in error.source else f"{task.source}: {line}"


def _ours(task: Task, error: Exception) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return f"{task.source}: internal error, please report it: {text}"


@contextmanager
def opened(task: Task) -> Iterator[Path]:
    """The task's input as a file or series folder; what comes from an archive is gone afterwards.

    Raises:
        InputError: The archive does not answer, or holds it no longer.
    """
    if not is_address(task.source):
        yield _path(task)
        return
    from spinetk.pacs import Found, open_archive

    address = parse_address(task.source)
    uids = [*address.uids, None, None, None][:3]
    if uids[1] is None:
        raise InputError(str(address), "is not a single picture", "name its study, series and instance")
    with tempfile.TemporaryDirectory(prefix="spinetk-") as folder, open_archive(address, task.aet) as archive:
        files = archive.fetch(Found(str(uids[0]), str(uids[1]), uids[2]), Path(folder))
        if not files:
            raise InputError(task.source, "is no longer in the archive", "search again")
        yield files[0] if len(files) == 1 else Path(folder)


def _path(task: Task) -> Path:
    """The input's path: as it was named where that means the same."""
    path = Path(task.source)
    return path if os.getcwd() == task.here else Path(task.here) / path


def signature(path: Path) -> str:
    """Sizes and times of a file, or of the files of a folder: equal while nobody touched them."""
    from spinetk.images.digest import files_of

    if path.is_dir():
        entries = sorted((e.name, e.stat().st_size, e.stat().st_mtime_ns) for e in os.scandir(path) if e.is_file())
        return hashlib.sha256(repr(entries).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return "-".join(f"{one.stat().st_size}-{one.stat().st_mtime_ns}" for one in files_of(path))


def content(path: Path) -> str:
    """SHA-256 of a file, or of the files of a folder in the order of their names."""
    from spinetk.images.digest import of_file

    if not path.is_dir():
        return of_file(path).hexdigest()
    whole = hashlib.sha256()
    for entry in sorted(Path(entry.path) for entry in os.scandir(path) if entry.is_file()):
        whole.update(content(entry).encode())
    return whole.hexdigest()
