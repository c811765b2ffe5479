"""Freed memory is kept while a training runs, and handed back after it: counts of pages."""

import os
import subprocess
import sys

import pytest

from spinetk.training.memory import OF_THE_USER, freed_memory_kept

# In a process of its own: this one's memory is already kept, and its heap is full of holes.
SCRIPT = """
import ctypes, resource
from spinetk.training.memory import freed_memory_kept

c = ctypes.CDLL(None)
c.malloc.restype, c.malloc.argtypes, c.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
size, page = 64 << 20, resource.getpagesize()

def touched():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = c.malloc(size)
    ctypes.memset(block, 1, size)
    c.free(block)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) * page

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * page

with freed_memory_kept():
    touched()
    print(touched() / size)
    held = resident()
print((held - resident()) / size)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or "CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="the C library is not glibc"
)
def test_freed_memory_is_kept_inside_and_handed_back_after():
    plain = {name: value for name, value in os.environ.items() if name not in OF_THE_USER}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, env=plain)
    anew, handed_back = map(float, done.stdout.split())
    assert anew < 0.1
    assert handed_back > 0.9


def test_memory_of_any_c_library(monkeypatch):
    """Where there is no ``mallopt`` the block runs as it is."""
    for name in OF_THE_USER:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    seen = []
    with freed_memory_kept():
        seen.append(1)
    assert seen == [1]


@pytest.mark.skipif(sys.platform != "linux", reason="only there is glibc asked")
@pytest.mark.parametrize("said", [None, *OF_THE_USER])
def test_what_the_environment_says_of_memory_stands(monkeypatch, said):
    calls = []

    class Library:
        def mallopt(self, parameter: int, value: int) -> None:
            calls.append((parameter, value))

        def malloc_trim(self, left: int) -> None:
            calls.append(left)

    for name in OF_THE_USER:
        monkeypatch.delenv(name, raising=False)
    if said is not None:
        monkeypatch.setenv(said, "1048576")
    monkeypatch.setattr("ctypes.CDLL", lambda _: Library())
    with freed_memory_kept():
        calls.append("run")
    # M_MMAP_MAX is -4 and M_TRIM_THRESHOLD -1 in glibc's malloc.h, with 65,536 maps and 128 KiB to begin with.
    kept = [(-4, 0), (-1, 2**31 - 1), "run", (-4, 65536), (-1, 131072), 0]
    assert calls == (["run"] if said else kept)
