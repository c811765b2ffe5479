"""Pools: where tasks are done: in this process, in several of this machine, or by a Dask cluster.

Each takes tasks from an iterator as its workers come free, and gives them back with their outcomes as they are done,
in whatever order. The task of a worker that dies goes to another; one that kills several is given up.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any

from spinetk.batch.task import Maker, Outcome, Task, perform
from spinetk.device import check_device
from spinetk.errors import InputError

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor
    from multiprocessing.process import BaseProcess

    from distributed import Client

TRIES = 3
CHUNK_S, MOST_IN_CHUNK = 0.5, 64
Done = tuple[Task, Outcome]


class Pool(ABC):
    """Workers; as a context they end with the block.

    Attributes:
        local: Whether they are of this machine, so that what it has not they have not.
    """

    local = True

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

        key = _key_of(maker, key)
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


class Cluster(Pool):
    """A Dask cluster. Its workers see the same files and have spinetk installed.

    Args:
        client: Connected to its scheduler.
        cluster: Ended with the pool, when it is ours.
    """

    local = False

    def __init__(self, client: Client, cluster: Any = None) -> None:
        self._client, self._cluster = client, cluster

    @property
    def dashboard(self) -> str:
        """Address of Dask's dashboard, empty when it has none."""
        return str(self._client.dashboard_link or "")

    def run(self, maker: Maker, key: str, tasks: Iterable[Task]) -> Iterator[Done]:
        """Dask deals out chunks of about half a second, two a thread at a time, so that none waits for us."""
        key = _key_of(maker, key)
        from distributed import CancelledError, as_completed

        waiting = iter(tasks)
        pace = _Pace()
        running: dict[Any, list[Task]] = {}
        again: list[list[Task]] = []
        suspects: list[Task] = []
        results = as_completed(loop=self._client.loop)
        # Sent once: with a table of overrides it may be large.
        box = self._client.submit(_unchanged, _Boxed(maker), pure=False)

        def start(chunk: list[Task]) -> None:
            future = self._client.submit(_perform, box, key, chunk, pure=False)
            running[future.key] = chunk
            results.add(future)

        def fill() -> bool:
            """Start what there is room for; whether that is a suspect, with nothing beside it."""
            room = max(2 * self._threads(), 2)
            while len(running) < room and (chunk := again.pop() if again else list(islice(waiting, pace.count))):
                start(chunk)
            alone = not running and bool(suspects)
            if alone:
                start([suspects.pop()])
            return alone

        try:
            alone = fill()
            for future in results:
                chunk = running.pop(future.key)
                if future.status in ("lost", "cancelled", "pending"):
                    # Its worker died with the answer, or the scheduler did with everything.
                    if self._client.status != "running" or future.status == "cancelled":
                        raise OSError("the scheduler forgot a task")
                    again.append(chunk)
                    alone = fill()
                    continue
                outcomes = self._outcomes(future, chunk, pace, alone)
                if outcomes is None and len(chunk) > 1:
                    # One of them stops its workers; by themselves the others are done.
                    again += [[task] for task in chunk]
                elif outcomes is None:
                    # Dask blames all that a worker had when it died: last of all it is tried with nothing beside it.
                    suspects += chunk
                future.release()
                alone = fill()
                yield from zip(chunk, outcomes or [], strict=False)
        except (OSError, TimeoutError, CancelledError) as error:
            # The scheduler may also go between a look at a task's status and its result.
            address = str(getattr(getattr(self._client, "scheduler", None), "address", "the scheduler"))
            fault = f"is gone ({type(error).__name__})"
            raise InputError(address, fault, "start it again, then run the same: what was finished is kept") from error

    def _outcomes(self, future: Any, chunk: list[Task], pace: _Pace, alone: bool) -> list[Outcome] | None:
        """What became of a chunk; None when it is to be taken apart, or tried ``alone``."""
        from distributed import KilledWorker

        error = future.exception() if future.status == "error" else None
        if error is None:
            seconds, outcomes = future.result()
            pace.note(seconds / len(outcomes))
            return outcomes
        if not isinstance(error, KilledWorker):
            why = f"{type(error).__name__} in the cluster"
        elif not alone:
            return None
        else:
            why = "stopped each worker that tried it (killed, or no memory)"
        return [Outcome("error", f"{task.source}: {why}") for task in chunk]

    def close(self) -> None:
        """Leave the cluster; end it when it is ours."""
        with suppress(Exception):
            self._client.close(timeout=5)
        if self._cluster is not None:
            with suppress(Exception):
                self._cluster.close(timeout=10)

    def _threads(self) -> int:
        with suppress(Exception):
            return sum(self._client.nthreads().values())
        return 0


class _Boxed:
    """A maker that Dask does not take for something to look into."""

    def __init__(self, maker: Maker) -> None:
        self.maker = maker


def _unchanged(boxed: _Boxed) -> _Boxed:
    return boxed


def _perform(boxed: _Boxed, key: str, chunk: list[Task]) -> tuple[float, list[Outcome]]:
    """Seconds, and what became of the tasks up to the one after which there is no going on."""
    started, outcomes = time.perf_counter(), []
    for task in chunk:
        outcomes.append(perform(boxed.maker, key, task))
        if outcomes[-1].state in ("full", "unable"):
            break
    return time.perf_counter() - started, outcomes


class _Pace:
    """How many tasks make a chunk: what a chunk costs is to be small beside its work, and what a lost worker takes
    along is to be little.

    Attributes:
        count: Of the next one.
    """

    def __init__(self) -> None:
        self.count = 1
        self._each: float | None = None

    def note(self, seconds: float) -> None:
        """Another chunk took this long a task."""
        # The first one of a worker loads a model; it must not count for long.
        self._each = seconds if self._each is None else min(seconds, (self._each + seconds) / 2)
        self.count = max(1, min(int(CHUNK_S / max(self._each, 1e-6)), MOST_IN_CHUNK))


def _key_of(maker: Maker, key: str) -> str:
    """A name for what a maker makes, the same in all runs that would make the same."""
    return hashlib.sha256(key.encode() + pickle.dumps(maker)).hexdigest()


def open_pool(
    workers: int | None = None,
    scheduler: str | None = None,
    batch_system: str | None = None,
    job: Iterable[str] = (),
    device: str = "cpu",
) -> Pool:
    """The pool that options of the command line ask for.

    Args:
        workers: Processes of this machine; jobs of the batch system.
        scheduler: Address of a Dask scheduler.
        batch_system: ``slurm`` or ``pbs``: ``workers`` jobs are submitted, each with one Dask worker.
        job: ``NAME=VALUE`` of dask-jobqueue (``cores=4``, ``memory=16GB``, ``walltime=02:00:00``, ``queue=gpu``); the
            rest comes from ``~/.config/dask/jobqueue.yaml``.
        device: Of the work; processes of this machine share its GPUs unless it is ``cpu``.

    Raises:
        InputError: Options that exclude each other, a package that is not installed, nobody answers, or the device is
            none; of a cluster only its workers know whether they have it.
    """
    check_device(device)
    if scheduler is None and batch_system is None:
        if device not in ("auto", "cpu"):
            from spinetk.training.device import pick_device

            pick_device(device)
        return Here() if workers is None or workers == 1 else Processes(workers, _gpus(device))
    if scheduler is not None and (batch_system is not None or workers is not None):
        raise InputError("--scheduler", "has its workers already", "leave --workers, --slurm and --pbs out")
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError("a cluster", "needs Dask, which is not installed", "pip install 'spinetk[cluster]'") from error
    if scheduler is not None:
        try:
            return Cluster(Client(scheduler, timeout=10, set_as_default=False))
        except (OSError, TimeoutError, ValueError) as error:
            raise InputError(f"--scheduler {scheduler}", "does not answer", "start dask scheduler there") from error
    cluster = _jobs(str(batch_system), _options(job))
    cluster.scale(jobs=workers or 1)
    return Cluster(Client(cluster, set_as_default=False), cluster)


def _gpus(device: str) -> int:
    """How many GPUs work on a device may share."""
    if device == "cpu" or find_spec("torch") is None:
        return 0
    import torch

    return torch.cuda.device_count()


def _jobs(kind: str, options: dict[str, Any]) -> Any:
    """A cluster of jobs of a batch system."""
    try:
        import dask_jobqueue
    except ImportError as error:
        fault = "needs dask-jobqueue, which is not installed"
        raise InputError(f"--{kind}", fault, "pip install 'spinetk[cluster]'") from error
    make = {"slurm": dask_jobqueue.SLURMCluster, "pbs": dask_jobqueue.PBSCluster}[kind]
    try:
        # A second thread of a worker would wait for the first: networks use the cores by themselves.
        usual: dict[str, Any] = {"cores": 1, "memory": "8GB", "processes": 1}
        return make(**(usual | options))
    except (TypeError, ValueError, OSError) as error:
        text = " ".join(str(error).split())[:200]
        raise InputError(
            f"--{kind}", f"cannot be used: {text}", "see --job, and jobqueue.yaml of dask-jobqueue"
        ) from error


def _options(job: Iterable[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for text in job:
        name, found, value = text.partition("=")
        if not found or not name.isidentifier():
            raise InputError(f"--job {text}", "is not NAME=VALUE", "for example --job memory=16GB")
        options[name] = int(value) if value.isdecimal() else value
    return options
