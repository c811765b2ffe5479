"""Pools: where tasks are done: in this process, in several of this machine, or by a Dask cluster.

Each takes tasks from an iterator as its workers come free, and gives them back with their outcomes as they are done,
in whatever order. The task of a worker that dies goes to another; one that kills several is given up.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from spinetk.batch.task import Maker, Outcome, Task, perform
from spinetk.errors import InputError

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor
    from multiprocessing.process import BaseProcess

TRIES = 3
Done = tuple[Task, Outcome]


class Pool(ABC):
    """Workers; as a context they end with the block.

    Attributes:
        local: Whether they are of this machine, so that what it has not they have not.
    """

    local = True

    @property
    def dashboard(self) -> str:
        """Address of a page that shows what they do; empty where there is none."""
        return ""

    @abstractmethod
    def run(self, maker: Maker, key: str, tasks: Iterable[Task]) -> Iterator[Done]:
        """Do tasks.

        Args:
            maker: Makes the work in each worker; picklable, unless it is done here.
            key: Names the settings it is made with: workers that have it from an earlier run keep it.
            tasks: Taken only as workers come free.
        """

    def close(self) -> None:  # noqa: B027 - nothing to end is the usual case
        """End the workers."""

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Here(Pool):
    """This process."""

    def run(self, maker: Maker, key: str, tasks: Iterable[Task]) -> Iterator[Done]:
        """One after another."""
        key = uuid.uuid4().hex
        for task in tasks:
            yield task, perform(maker, key, task)


class Processes(Pool):
    """Processes of this machine, each with a share of its cores.

    Args:
        count: How many.
        gpus: How many GPUs they share.
    """

    def __init__(self, count: int, gpus: int = 0) -> None:
        if count < 1:
            raise InputError(f"--workers {count}", "is not a number of processes", "give 1 or more")
        self._threads = max(1, (os.cpu_count() or 1) // count)
        self._count, self._gpus = count, gpus
        # One executor a process: an executor of several is broken as a whole when one of them dies.
        self._executors: list[ProcessPoolExecutor | None] = [None] * count
        self._told: list[str | None] = [None] * count  # key of the maker that a process has

    def run(self, maker: Maker, key: str, tasks: Iterable[Task]) -> Iterator[Done]:
        """Each process has one task at a time."""
        from concurrent.futures import FIRST_COMPLETED, wait
        from concurrent.futures.process import BrokenProcessPool

        key = key_of(maker, key)
        waiting = iter(tasks)
        running: dict[Future, tuple[int, Task, int]] = {}
        for place in range(self._count):
            self._next(place, maker, key, waiting, running)
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                place, task, tries = running.pop(future)
                try:
                    outcome = future.result()
                except BrokenProcessPool:
                    self._end(place)
                    if tries < TRIES:
                        running[self._submit(place, maker, key, task)] = (place, task, tries + 1)
                        continue
                    outcome = Outcome(
                        "error", f"{task.source}: stopped its process {tries} times (killed, or no memory)"
                    )
                if outcome.state == "unable":
                    self._told[place] = None
                self._next(place, maker, key, waiting, running)
                yield task, outcome

    def close(self) -> None:
        """End the processes."""
        for place in range(self._count):
            self._end(place)

    def _next(self, place: int, maker: Maker, key: str, waiting: Iterator[Task], running: dict) -> None:
        task = next(waiting, None)
        if task is not None:
            running[self._submit(place, maker, key, task)] = (place, task, 1)

    def _submit(self, place: int, maker: Maker, key: str, task: Task) -> Future:
        executor = self._executors[place]
        if executor is None:
            import multiprocessing
            from concurrent.futures import ProcessPoolExecutor

            context = multiprocessing.get_context("spawn")
            own = (self._threads, place % self._gpus if self._gpus > 1 else None)
            executor = ProcessPoolExecutor(1, mp_context=context, initializer=_begin, initargs=own)
            self._executors[place] = executor
        known, self._told[place] = self._told[place], key
        return executor.submit(perform, None if known == key else maker, key, task)

    def _end(self, place: int) -> None:
        executor = self._executors[place]
        if executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)
            self._executors[place] = self._told[place] = None


def _begin(threads: int, gpu: int | None) -> None:
    """Start of a worker process: its share of cores and GPUs, and no life beyond its parent's."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
        os.environ.setdefault(name, str(threads))
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    if gpu is not None:
        seen = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
        os.environ["CUDA_VISIBLE_DEVICES"] = seen[gpu] if gpu < len(seen) and seen[gpu] else str(gpu)


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def key_of(maker: Maker, key: str) -> str:
    """A name for what a maker makes, the same in all runs that would make the same."""
    return hashlib.sha256(key.encode() + pickle.dumps(maker)).hexdigest()
