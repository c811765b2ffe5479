"""Limits on what a file may cost, and quiet for the libraries that read it."""

from __future__ import annotations

import io
import logging
import os
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from spinetk.errors import InputError

MAX_PIXELS = 100_000_000
"""Most pixels of one picture or frame: a 10 000 x 10 000 scan, 400 MB as float32."""

MAX_VOXELS = 400_000_000
"""Most voxels of a volume in one file, which is read whole."""

FREE_PIXELS = 16_000_000
"""Up to this size a compressed picture may be as dense as it likes; above it ``MAX_EXPANSION`` holds."""

MAX_EXPANSION = 2_000
"""Most decoded bytes per stored byte of a large compressed picture (an even JPEG reaches a few hundred)."""

MAX_HEADER_READS = 240_000
"""Most reads while a DICOM header is parsed: about 2 a data element, so 120 000 elements."""

CHATTY = tuple(
    logging.getLogger(name)
    for name in (
        "pydicom",
        "pydicom.pixels.decoders.base",
        "pydicom.pixels.utils",
        "pylibjpeg",
        "pylibjpeg.utils",
        "openjpeg.utils",
        "openjpeg._openjpeg",
        "jpeg_ls._CharLS",
        "PIL.TiffImagePlugin",
        "PIL.PngImagePlugin",
        "nibabel.global",
    )
)
REMEDY_COPY = "export or copy the file again"


class BoundedReader(io.BufferedReader):
    """Never allocates more than is left in the file, whatever length a header claims, and counts its reads.

    Args:
        raw: The bytes.
        size: How many there are.
    """

    def __init__(self, raw: io.RawIOBase | io.BytesIO, size: int) -> None:
        super().__init__(raw)
        self.size = size
        self.reads_left: int | None = MAX_HEADER_READS

    @property
    def name(self) -> str:
        """The file's name, empty for bytes in memory (pydicom asks every stream for one)."""
        return getattr(self.raw, "name", "")

    def read(self, size: int | None = -1) -> bytes:
        """Read at most ``size`` bytes (all that is left when negative or None)."""
        if self.reads_left is not None:
            self.reads_left -= 1
            if self.reads_left < 0:
                raise OverlongHeaderError
        if size is not None and 0 <= size <= io.DEFAULT_BUFFER_SIZE:
            return super().read(size)
        left = max(self.size - self.tell(), 0)
        return super().read(left if size is None or size < 0 else min(size, left))


class OverlongHeaderError(Exception):
    """A header of more parts than any real one."""


def regular_file(path: Path) -> os.stat_result:
    """Status of an ordinary, non-empty file.

    Raises:
        InputError: It is missing, unreadable, empty, or a FIFO, socket or device (opening one could wait for ever).
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise InputError(display_name(path), "does not exist or cannot be reached", "check the path") from error
    if not stat.S_ISREG(status.st_mode):
        raise InputError(display_name(path), "is not an ordinary file", "give a file or a folder")
    if not os.access(path, os.R_OK):
        raise InputError(display_name(path), "may not be read", "change its permissions")
    if status.st_size == 0:
        raise InputError(display_name(path), "is empty", REMEDY_COPY)
    return status


def display_name(path: Path) -> str:
    """The path as one printable line."""
    return "".join(c if c.isprintable() else "?" for c in str(path))


def check_size(path: Path, width: int, height: int, sample_bytes: int = 1, stored_bytes: int | None = None) -> None:
    """Refuse a picture from its header, before any memory is asked for.

    Args:
        path: Named in the error.
        width: Columns the header claims.
        height: Rows the header claims.
        sample_bytes: Decoded bytes per pixel, all samples.
        stored_bytes: Compressed bytes that are there, or None for pictures that are not compressed.

    Raises:
        InputError: The size is not positive, above ``MAX_PIXELS``, or out of proportion to the bytes stored.
    """
    pixels = width * height
    if width < 1 or height < 1:
        raise InputError(display_name(path), f"claims a size of {width} x {height} pixels", REMEDY_COPY)
    if pixels > MAX_PIXELS:
        fault = f"claims {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} million"
        raise InputError(display_name(path), fault, "crop or resample it first")
    if stored_bytes is not None and pixels > FREE_PIXELS and pixels * sample_bytes > MAX_EXPANSION * stored_bytes:
        fault = f"claims {width} x {height} pixels from {stored_bytes} bytes"
        raise InputError(display_name(path), fault, REMEDY_COPY)


class Shared:
    """A state of the whole process that several threads ask for at once: made by the first, undone by the last.

    Args:
        make: A context that makes it.
    """

    def __init__(self, make: Callable[[], AbstractContextManager[None]]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._users = 0
        self._made: ExitStack | None = None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if not self._users:
                with ExitStack() as made:
                    made.enter_context(self._make())
                    self._made = made.pop_all()
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users and self._made is not None:
                    self._made.close()


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in CHATTY:
            logger.addFilter(_drop)
        try:
            yield
        finally:
            for logger in CHATTY:
                logger.removeFilter(_drop)


def _drop(record: logging.LogRecord) -> bool:
    return False


@contextmanager
def _silent_stderr() -> Iterator[None]:
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 2)
        os.close(nothing)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


_QUIET, _SILENT = Shared(_quiet), Shared(_silent_stderr)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep warnings and log lines of the reading libraries off the screen: they may quote patient text."""
    with _QUIET():
        yield


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Keep what native decoders write to standard error off the screen, for the moment they run."""
    with _SILENT():
        yield
