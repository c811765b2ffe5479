"""Cores: the pool that many inputs get unless another is asked for: a process for each core of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from spinetk.batch.pools import Done, Here, Pool, Processes
from spinetk.batch.task import Maker, Task

MANY = 8
"""Inputs from which on processes are worth their start, which takes as long as two pictures."""
MOST = 16
"""Processes: each holds a model of its own, some 300 MB."""
CGROUP = Path("/sys/fs/cgroup")
QUOTAS = (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"))
"""Files with a container's processor time in a period and its length, in cgroups of version 2 and 1."""


class Cores(Pool):
    """This process for few tasks; for ``MANY`` or more a process a core, for up to ``MOST`` cores."""

    def __init__(self) -> None:
        self._processes: Processes | None = None

    def run(self, maker: Maker, key: str, tasks: Iterable[Task]) -> Iterator[Done]:
        """The first ``MANY`` tasks are taken at once, to see whether there are so many."""
        waiting = iter(tasks)
        first = list(islice(waiting, MANY))
        count = min(cores(), MOST)
        if len(first) == MANY and count > 1 and self._processes is None:
            self._processes = Processes(count)
        yield from (self._processes or Here()).run(maker, key, chain(first, waiting))

    def close(self) -> None:
        """End the processes."""
        if self._processes is not None:
            self._processes.close()


def cores() -> int:
    """Cores that this process may use: those it is bound to, and no more than a container's share allows."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for names in QUOTAS:
        try:
            quota, period = (int(word) for name in names for word in (CGROUP / name).read_text().split())
        except (OSError, ValueError):  # there is none, or it is "max"
            continue
        if quota > 0:
            return max(1, min(bound, round(quota / period)))
    return bound
