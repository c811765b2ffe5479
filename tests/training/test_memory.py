"""Freed memory is kept while a training runs, and handed back after it: counts of pages."""

import os
import resource
import sys
from pathlib import Path

import pytest
import torch

from spinetk.training.memory import freed_memory_kept

BLOCK = 64 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")
glibc = pytest.mark.skipif(
    sys.platform != "linux" or "CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="the C library is not glibc"
)


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


@glibc
def test_freed_memory_is_kept_inside_and_handed_back_after():
    with freed_memory_kept():
        for _ in range(6):  # Aligned blocks want a little more than the one before left.
            torch.ones(BLOCK, dtype=torch.uint8)
        held, before = resident(), faults()
        torch.ones(BLOCK, dtype=torch.uint8)
        assert faults() - before < BLOCK // PAGE // 10
    assert resident() < held - BLOCK // 2


def test_memory_of_any_c_library(monkeypatch):
    """Where there is no ``mallopt`` the block runs as it is."""
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    seen = []
    with freed_memory_kept():
        seen.append(1)
    assert seen == [1]
