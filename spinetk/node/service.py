"""Service: the node as a whole, from start to stop."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from spinetk.errors import InputError
from spinetk.locking import Lock, is_locked
from spinetk.node.queue import Queue, Unit
from spinetk.node.reading import OUTBOX, Reader, ReadFile, outbox
from spinetk.node.receiver import SPOOL, Receiver
from spinetk.node.sending import Sender
from spinetk.node.settings import NodeSettings
from spinetk.pacs import open_archive
from spinetk.pacs.quiet import quiet_networking

log = logging.getLogger("spinetk.node")

QUEUE = "queue.sqlite"
IDLE_S = 1.0
RECOVERY_S = 5.0
CLEAN_EVERY_S = 600.0


class Node:
    """A running node; ``start``, then ``wait`` until ``stop`` is called from another thread or a signal handler.

    Args:
        settings: How it behaves.
        read, fingerprint: As of :class:`spinetk.node.reading.Reader`; by default the released or named model.
    """

    def __init__(
        self,
        settings: NodeSettings,
        read: ReadFile | None = None,
        fingerprint: Callable[[str | None], str] | None = None,
    ) -> None:
        self.settings = settings
        self._read, self._fingerprint = read, fingerprint
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Take up what was left, then listen.

        Raises:
            InputError: Another node works in the folder, the port cannot be had, a file of TLS cannot be used, or a
                package or model is missing.
        """
        settings = self.settings
        quiet_networking()
        warnings.simplefilter("ignore")  # pydicom's quote the values they are about
        settings.tls.client()  # what cannot be used is told before there is a folder
        settings.folder.mkdir(parents=True, exist_ok=True)
        settings.folder.chmod(0o700)
        self._lock = Lock(settings.folder, "another node works in this folder").acquire()
        read, fingerprint = self._read, self._fingerprint
        if read is None or fingerprint is None:
            from spinetk.node.model import model_reader

            read, fingerprint = model_reader(settings)
        maker = _maker(settings, fingerprint)
        self.queue = Queue(settings.folder / QUEUE)
        self.receiver = Receiver(settings, self.queue, maker)
        self.receiver.recover()
        reader = Reader(settings, self.queue, read, fingerprint, maker)
        self._spawn("received", reader.work, reader.warm)
        if settings.dry_run or settings.send_to is None:
            log.info("dry run: results stay in %s", settings.folder / OUTBOX)
        else:
            connect = partial(open_archive, settings.send_to, settings.aet, settings.tls)
            connect().close()  # a package or a certificate that is missing is said now
            self._spawn("made", Sender(settings, self.queue, connect).work)
        self._thread(self._clean_up)
        self.receiver.start()
        about = {"aet": settings.aet, "host": settings.host, "port": self.receiver.port, "dry_run": settings.dry_run}
        about["send_to"] = None if settings.send_to is None else str(settings.send_to)
        self.queue.meta("about", json.dumps(about))
        log.info("%s listens on %s:%d", settings.aet, settings.host, self.receiver.port)

    def stop(self) -> None:
        """Ask the node to stop; what it is at is finished first."""
        self._stopping.set()

    def wait(self) -> None:
        """Return when the node has stopped."""
        while not self._stopping.wait(0.5):
            pass
        self.receiver.stop()
        with self.queue.changed:
            self.queue.changed.notify_all()
        for thread in self._threads:
            thread.join()
        self.queue.close()
        self._lock.release()

    def _spawn(self, state: str, work: Callable[[Unit], None], begin: Callable[[], None] = lambda: None) -> None:
        def loop() -> None:
            begin()
            while not self._stopping.is_set():
                try:
                    # Held from the look to the wait, so that no change in between goes unheard.
                    with self.queue.changed:
                        unit = self.queue.next(state, time.time())
                        if unit is None:
                            self.queue.changed.wait(IDLE_S)
                    if unit is not None:
                        work(unit)
                except Exception as error:
                    # The queue itself cannot be written (a full disk): nothing is lost, all of it is tried again.
                    log.error("the queue cannot be worked on now: %s", type(error).__name__)
                    self._stopping.wait(RECOVERY_S)

        self._thread(loop)

    def _thread(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _clean_up(self) -> None:
        """Remove received files that are needed no longer."""
        while True:
            keep = time.time() - self.settings.keep_hours * 3600
            passed = self.queue.old(("passed",), time.time() - self.settings.settle_s)
            for unit in [*self.queue.old(("sent",), keep), *passed]:
                self.queue.remove_files(unit, self.settings.folder)
            if self._stopping.wait(CLEAN_EVERY_S):
                return


def _maker(settings: NodeSettings, fingerprint: Callable[[str | None], str]) -> str:
    """All that decides what becomes of a picture: rules, kinds of results, models."""
    about = [*map(str, settings.rules), *settings.results, fingerprint(None)]
    return hashlib.sha256("\n".join(about).encode()).hexdigest()


def retry(folder: Path) -> int:
    """Try again everything that has failed; how many units.

    Raises:
        InputError: The folder holds no node.
    """
    queue = Queue(folder / QUEUE, read_only=True)
    queue.close()
    queue = Queue(folder / QUEUE)
    try:
        units = queue.latest("failed", -1)
        for unit in units:
            waiting = any(outbox(folder, unit).glob("*.dcm"))
            queue.move(unit, "made" if waiting else "received", "to be tried again")
        return len(units)
    finally:
        queue.close()


def status(folder: Path) -> dict[str, Any]:
    """How a node stands: whether it runs, where, what waits, and what failed last.

    Raises:
        InputError: The folder holds no node.
    """
    queue = Queue(folder / QUEUE, read_only=True)
    try:
        oldest = {state: queue.waiting(state) for state in ("received", "made")}
        now = time.time()
        about = queue.meta("about")
        return {
            "running": is_locked(folder),
            **(json.loads(about) if about else {}),
            "units": queue.counts(),
            "oldest_waiting_s": {s: None if u is None else round(now - u.received, 1) for s, u in oldest.items()},
            "next_try_s": None if oldest["made"] is None else round(max(0.0, oldest["made"].ready - now), 1),
            "last_word": oldest["made"].why if oldest["made"] is not None else "",
            "remarks": [{"id": unit, "said": said} for unit, said in queue.remarks(10)],
            "failed": [{"id": u.id, "why": u.why} for u in queue.latest("failed", 10)],
            "spool_bytes": sum(f.stat().st_size for f in (folder / SPOOL).rglob("*.dcm")),
        }
    except (ValueError, OSError) as error:
        raise InputError(folder, "holds a node that cannot be looked at", "try again") from error
    finally:
        queue.close()
