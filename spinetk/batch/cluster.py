"""Cluster: tasks done by the workers of Dask, that are there already or that a batch system starts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from spinetk.batch.pools import Done, Pool, key_of
from spinetk.batch.task import Maker, Outcome, Task, perform
from spinetk.errors import InputError

if TYPE_CHECKING:
    from distributed import Client

CHUNK_S, MOST_IN_CHUNK = 0.5, 64


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
        key = key_of(maker, key)
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
