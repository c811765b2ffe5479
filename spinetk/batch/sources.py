"""Sources: inputs by name, folder, pattern, list or archive, as texts in a lasting order."""

from __future__ import annotations

import glob
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from spinetk.errors import InputError
from spinetk.images.guard import display_name
from spinetk.pacs.address import is_address, parse_address

# Files and folders to the inputs they hold, as `spinetk.images.find_inputs` does.
Expand = Callable[[list[Path]], Iterable[Path]]


def sources(
    inputs: Iterable[str | Path], lists: Iterable[str | Path] = (), *, expand: Expand, aet: str = "SPINETK"
) -> Iterator[str]:
    """The inputs in the order given; an archive is asked only when its turn comes.

    Args:
        inputs: Files, folders, patterns (``'films/*.dcm'``), addresses of archives (see `spinetk.pacs.address`).
        lists: Text files with one such input per line; ``-`` is standard input. Empty lines and lines that begin with
            ``#`` are ignored; names are relative to the working folder.
        expand: What a folder holds.
        aet: Our own AE title, for DIMSE.

    Raises:
        InputError: A list cannot be read, a pattern fits nothing, or an archive does not answer.
    """
    for given in _each(inputs, lists):
        yield from _expanded(given, expand, aet)


def _each(inputs: Iterable[str | Path], lists: Iterable[str | Path]) -> Iterator[str]:
    yield from map(str, inputs)
    for name in lists:
        try:
            stream = sys.stdin if str(name) == "-" else open(name, encoding="utf-8-sig", errors="surrogateescape")  # noqa: SIM115
        except OSError as error:
            raise InputError(name, "cannot be read as a list", "give a text file with one input per line") from error
        with stream:
            try:
                for line in stream:
                    text = line.rstrip("\r\n")
                    if text.strip() and not text.startswith("#"):
                        yield text
            except (OSError, ValueError) as error:
                raise InputError(
                    name, "cannot be read as a list", "give a text file with one input per line"
                ) from error


def _expanded(given: str, expand: Expand, aet: str) -> Iterator[str]:
    if is_address(given):
        yield from _of_archive(given, aet)
        return
    path = Path(given)
    if any(mark in given for mark in "*?[") and not path.exists():
        found = sorted(glob.iglob(given, recursive=True))
        if not found:
            raise InputError(display_name(path), "fits no file", "check the pattern, and that it is quoted once")
        for name in found:
            yield from map(str, expand([Path(name)]))
    else:
        yield from map(str, expand([path]))


def _of_archive(given: str, aet: str) -> Iterator[str]:
    from spinetk.pacs import open_archive

    address = parse_address(given)
    with open_archive(address, aet) as archive:
        for found in archive.find(address):
            yield address.at(*found.uids)
