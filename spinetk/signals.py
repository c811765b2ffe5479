"""Signals: SIGTERM and Ctrl+C end a verb within two seconds, wherever it is.

The first signal raises :class:`Leave` in the main thread, which unwinds as any exit does: files half written are
removed, what was finished stays. A training does not raise: it saves itself and leaves after the iteration under way.

Either way the main thread must come back to Python for it, which the backward pass of a network or a codec may not do
for minutes. So a second thread listens as well, at the descriptor that Python's C handler writes each signal to
(``signal.set_wakeup_fd``). What has not ended in time it ends: a training is saved as it stood before the iteration
(:func:`saving_with`), files half written are removed, processes that were begun are killed.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

from spinetk import atomic

GRACE_S = 1.6
"""From the signal to the end; ``$SPINETK_GRACE_S`` in its place, for clusters that give more."""
OWN_WAY_S = 0.5  # left to the main thread before others act
CHILDREN_S = 0.2  # left to processes that were begun
SIGNALS = (signal.SIGINT, signal.SIGTERM)
WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}

_savers: list[Callable[[], str | None]] = []
_processes: list[list[Any]] = []


class Leave(SystemExit):
    """A signal told the program to leave.

    Attributes:
        number: Of the signal; the exit code is 128 and that.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number

    def __str__(self) -> str:
        return f"{WORDS[signal.Signals(self.number)]}; what was finished is kept"


@contextmanager
def leaving() -> Iterator[None]:
    """Within it, SIGTERM and Ctrl+C end the program as said above. For the main thread; elsewhere it does nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = {number: signal.signal(number, _raise) for number in SIGNALS}
    woken = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    heard = threading.Event()
    threading.Thread(target=_watch, args=(reader, heard), name="signals", daemon=True).start()
    try:
        yield
    finally:
        atomic.remove_unfinished()
        # The main thread may come here before the other one has heard.
        told = heard.is_set() or is_leaving(sys.exc_info()[1])
        if told:
            _end_processes(_others(), CHILDREN_S)
        # Once a signal has come the thread stays to the very end: what still runs then may never come back.
        if not told:
            signal.set_wakeup_fd(woken)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(writer)


@contextmanager
def saving_with(save: Callable[[], str | None]) -> Iterator[None]:
    """Within it, ``save`` is called, in another thread, before a program that does not leave by itself is ended.

    It returns a sentence for the user, or None when there was nothing to save.
    """
    _savers.append(save)
    try:
        yield
    finally:
        _savers.remove(save)


def ending(processes: list[Any]) -> None:
    """Have these processes ended too when a signal ends the program; more may be added to the list afterwards.

    Args:
        processes: With ``poll``, ``terminate`` and ``kill``, as of `subprocess`. Those of `multiprocessing` are known
            anyhow.
    """
    _processes.append(processes)


def is_leaving(error: BaseException | None) -> bool:
    """Whether an error is how a signal ends the program."""
    codes = [128 + number for number in SIGNALS]
    return isinstance(error, KeyboardInterrupt) or (isinstance(error, SystemExit) and error.code in codes)


def without_farewell(stop: SystemExit) -> NoReturn:
    """End the process now that all is kept: taking torch's modules down takes seconds on a busy machine.

    What is registered to be done at exit is, while the other thread still watches over the time; Python stops that
    thread once it takes itself down.
    """
    with suppress(Exception):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(int(str(stop.code)))


def _raise(number: int, _: FrameType | None) -> NoReturn:
    raise Leave(number)


def _watch(reader: int, heard: threading.Event) -> None:
    number = 0
    while number not in SIGNALS:
        got = os.read(reader, 1)
        if not got:
            os.close(reader)
            return
        number = got[0]
    heard.set()
    ends = time.monotonic() + _grace()
    time.sleep(min(OWN_WAY_S, _grace() / 2))
    said: list[str] = []
    saver = threading.Thread(target=_save, args=(said,), daemon=True)
    saver.start()
    while time.monotonic() < ends and not said:
        time.sleep(0.02)
    _end(number, said[0] if said and said[0] else "what was finished is kept")


def _grace() -> float:
    try:
        return min(max(float(os.environ.get("SPINETK_GRACE_S", GRACE_S)), 0.1), 3600.0)
    except ValueError:
        return GRACE_S


def _save(said: list[str]) -> None:
    """Save what wants saving; then, and only then, the program may be ended before its time."""
    for save in reversed(_savers):
        with suppress(Exception):
            sentence = save()
            if sentence:
                said.append(sentence)


def _end(number: int, sentence: str) -> NoReturn:
    # Nothing is imported that late: what has no processes has not imported it.
    multiprocessing = sys.modules.get("multiprocessing")
    _end_processes([*(multiprocessing.active_children() if multiprocessing else ()), *_others()])
    atomic.remove_unfinished()
    with suppress(Exception):
        os.write(
            2 if sys.__stderr__ is None else sys.__stderr__.fileno(),
            f"spinetk: {WORDS[signal.Signals(number)]}; {sentence}\n".encode(),
        )
    os._exit(128 + number)


def _others() -> list[Any]:
    return [process for processes in _processes for process in processes]


def _end_processes(processes: list[Any], own_way_s: float = 0.0) -> None:
    """End processes that have not done so by themselves in this time."""
    _wait(processes, own_way_s)
    for process in filter(_alive, processes):
        with suppress(Exception):
            process.terminate()
    # Those that remove what they have half written are gone by then; the others ignore it.
    _wait(processes, CHILDREN_S)
    for process in filter(_alive, processes):
        with suppress(Exception):
            process.kill()


def _wait(processes: list[Any], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and any(map(_alive, processes)):
        time.sleep(0.02)


def _alive(process: Any) -> bool:
    return process.is_alive() if hasattr(process, "is_alive") else process.poll() is None


def in_worker() -> None:
    """In a process that works for this one: leave Ctrl+C to it, and on SIGTERM leave as any program does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _raise)


def _forget() -> None:
    """A forked process (one that prepares data) has handlers of its own, or none."""
    if signal.getsignal(signal.SIGTERM) is _raise:
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
