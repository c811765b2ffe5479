"""Memory: what a training step frees is kept for the next one.

glibc gives every block of more than 32 MiB back to the system as soon as it is freed, and the system clears each page
of the next one: with the maps of 128 MiB that a KiU-Net makes, a quarter of the time of a step on a CPU.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Of glibc's ``malloc.h``."""
TRIM_BYTES, MMAP_MAX = 128 << 10, 65_536
"""What glibc begins with."""
NEVER = 2**31 - 1
OF_THE_USER = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_MAX_")
"""Variables that glibc reads as a program starts."""


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Freed memory stays with the process inside the block, and goes back to the system after it.

    Nothing happens where the C library is not glibc, or where the environment says what it is to keep.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    settable = library is not None and hasattr(library, "mallopt") and hasattr(library, "malloc_trim")
    if library is None or not settable or any(name in os.environ for name in OF_THE_USER):
        yield
        return
    library.mallopt(M_MMAP_MAX, 0)
    library.mallopt(M_TRIM_THRESHOLD, NEVER)
    try:
        yield
    finally:
        library.mallopt(M_MMAP_MAX, MMAP_MAX)
        library.mallopt(M_TRIM_THRESHOLD, TRIM_BYTES)
        library.malloc_trim(0)
