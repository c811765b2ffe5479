"""What had to be guessed about single files: a warning each, or one for all files of a data set that it is true of."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from spinetk.images.guard import display_name

NAMED = 3
NUMBER = re.compile(r"\d+(?:\.\d+)?")
_heard: ContextVar[list[tuple[Path, str]] | None] = ContextVar("heard", default=None)


def say(file: Path, sentence: str, stacklevel: int = 3) -> None:
    """Warn about a file, at once or when :func:`summed` ends.

    Args:
        file: Named in the warning.
        sentence: What is said of it.
        stacklevel: Of :func:`warnings.warn`, from here.
    """
    heard = _heard.get()
    if heard is None:
        warnings.warn(f"{display_name(file)}: {sentence}", stacklevel=stacklevel)
    else:
        heard.append((file, sentence))


@contextmanager
def summed() -> Iterator[None]:
    """While a data set is read: what is said of several files, whatever the figures in it, becomes one warning.

    It names the folder they are in, how many they are, and the first of them; the figures are those of the first.
    """
    heard: list[tuple[Path, str]] = []
    token = _heard.set(heard)
    try:
        yield
    finally:
        _heard.reset(token)
        kinds: dict[str, dict[Path, str]] = {}
        for file, sentence in heard:
            kinds.setdefault(NUMBER.sub("#", sentence), {}).setdefault(file, sentence)
        for files in kinds.values():
            warnings.warn(_line(files), stacklevel=3)


def _line(files: dict[Path, str]) -> str:
    first, sentence = next(iter(files.items()))
    if len(files) == 1:
        return f"{display_name(first)}: {sentence}"
    folder = Path(os.path.commonpath([file.parent for file in files]))
    names = [display_name(file.relative_to(folder)) for file in list(files)[:NAMED]]
    more = ", ..." if len(files) > NAMED else ""
    figures = ", and alike" if len(set(files.values())) > 1 else ""
    return f"{display_name(folder)}: {len(files)} files ({', '.join(names)}{more}): {sentence}{figures}"
