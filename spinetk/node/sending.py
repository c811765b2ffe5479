"""Sending: results go back to the archive, as often as it takes."""

from __future__ import annotations

import logging
import random
import shutil
from collections.abc import Callable

from spinetk.errors import InputError
from spinetk.node.queue import Queue, Unit
from spinetk.node.reading import outbox
from spinetk.node.settings import NodeSettings
from spinetk.pacs import Archive, Unreachable

log = logging.getLogger("spinetk.node")

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 600.0
REFUSALS = 3


class Sender:
    """Brings results of units in state ``made`` to the archive.

    Args:
        settings: Of the node.
        queue: Units are taken from it.
        connect: The archive.
        wait: Seconds before a repetition, from the number of tries so far.
    """

    def __init__(
        self,
        settings: NodeSettings,
        queue: Queue,
        connect: Callable[[], Archive],
        wait: Callable[[int], float] | None = None,
    ) -> None:
        self._settings, self._queue, self._connect = settings, queue, connect
        self._wait = wait or back_off
        self._away = 0

    def work(self, unit: Unit) -> None:
        """Take a unit from ``made`` to ``sent`` or ``failed``, or leave it for later.

        An archive that is away, or does not let us in, is waited for without end; one that refuses an object is asked
        three times. A kill between storing and noting it repeats the storing, with the same UIDs: the archive holds it
        once.
        """
        folder = outbox(self._settings.folder, unit)
        files = sorted(folder.glob("*.dcm"))
        if not files:
            self._queue.move(unit, "received", "its results are gone from the outbox")
            return
        try:
            with self._connect() as archive:
                archive.store(files)
        except Unreachable as error:
            self._away += 1
            seconds = self._wait(self._away)
            self._queue.later_all("made", seconds, str(error))
            log.warning("%s not sent yet, next try in %.0f s: %s", unit.id, seconds, error)
        except InputError as error:
            tries = self._queue.begin(unit)
            if tries < REFUSALS:
                self._queue.later(unit, self._wait(tries), str(error))
                log.warning("%s was refused, to be tried again: %s", unit.id, error)
            else:
                self._queue.move(unit, "failed", f"{error}; its results are kept in the outbox", picture="")
                log.error("%s failed: %s; its results are kept in the outbox", unit.id, error)
        except FileNotFoundError:
            # More of a series came in and its results are being made anew.
            self._queue.later(unit, 1.0, "")
        else:
            if self._away:
                self._away = 0
                self._queue.later_all("made", 0.0, "")
            if self._queue.move(unit, "sent"):
                shutil.rmtree(folder, ignore_errors=True)
            log.info("%s sent: %s", unit.id, ", ".join(file.stem for file in files))


def back_off(tries: int) -> float:
    """Seconds to wait after a number of tries: doubled each time up to ten minutes, with a tenth of chance."""
    longest = min(FIRST_WAIT_S * 2.0 ** min(tries - 1, 20), LONGEST_WAIT_S)
    return longest * random.uniform(0.9, 1.1)
