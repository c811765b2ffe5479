"""Reading: one unit of the queue becomes DICOM objects that are ready to send."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from importlib import import_module
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from spinetk.atomic import sync
from spinetk.errors import InputError
from spinetk.formats.capture import write_capture
from spinetk.formats.identity import Identity
from spinetk.formats.presentation import write_presentation
from spinetk.formats.sr import write_sr
from spinetk.images.elements import raw
from spinetk.images.source import dicom_source
from spinetk.node.queue import Queue, Unit
from spinetk.node.settings import NodeSettings
from spinetk.reading import Reading
from spinetk.report.overlay import draw

log = logging.getLogger("spinetk.node")

OUTBOX = "outbox"
TRIES = 3
# A reading and the 8-bit picture it was made of, from a file or a series folder.
ReadFile = Callable[[Path], tuple[Reading, np.ndarray]]


class Reader:
    """Makes results of what came in.

    Args:
        settings: Of the node.
        queue: Units in state ``received`` are taken from it.
        read: Reads one picture.
        fingerprint: Of all that a reading depends on, for the model a reading names.
        maker: Noted with what was decided and made, see :class:`spinetk.node.receiver.Receiver`.
    """

    def __init__(
        self,
        settings: NodeSettings,
        queue: Queue,
        read: ReadFile,
        fingerprint: Callable[[str | None], str],
        maker: str = "",
    ) -> None:
        self._settings, self._queue, self._maker = settings, queue, maker
        self._read, self._fingerprint = read, fingerprint

    def warm(self) -> None:
        """Import what the first results would wait for."""
        if "sr" in self._settings.results:
            with suppress(ImportError):
                import_module("highdicom.sr")

    def work(self, unit: Unit) -> None:
        """Take a unit from ``received`` to ``made``, ``passed`` or ``failed``."""
        if unit.tries >= TRIES:
            self._fail(unit, f"stopped the node {unit.tries} times while it was read")
            return
        self._queue.begin(unit)
        try:
            self._work(unit)
        except InputError as error:
            # Its source is a file of the spool, whose name gives nobody away.
            self._fail(unit, f"{error.fault}" + (f" ({error.remedy})" if error.remedy else ""))
        except (OSError, MemoryError) as error:
            self._queue.untried(unit)
            self._queue.later(unit, 30.0, getattr(error, "strerror", None) or type(error).__name__)
            log.error("%s cannot be worked on now: %s", unit.id, getattr(error, "strerror", None) or "out of memory")
        except Exception as error:
            self._fail(unit, f"internal error, please report it: {type(error).__name__}")

    def _work(self, unit: Unit) -> None:
        path = self._settings.folder / unit.path
        slices = sorted(path.glob("*.dcm")) if path.is_dir() else []
        path = slices[0] if len(slices) == 1 else path
        header = _header(path)
        if str(raw(header, "Manufacturer") or "").strip().lower() == "spinetk":
            self._pass(unit, "is a result of this software")
            return
        if not any(rule.matches(header) for rule in self._settings.rules):
            self._pass(unit, "matches no rule")
            return
        reading, grey = self._read(path)
        picture = hashlib.sha256(grey.tobytes() + str(grey.shape).encode()).hexdigest()
        if unit.picture and not slices:
            if unit.picture != picture:
                fault = "came before with other pixels under the same UID; the results sent are about the first"
                self._fail(unit, fault)
                return
            if unit.maker == self._maker:
                waiting = any(outbox(self._settings.folder, unit).glob("*.dcm"))
                self._queue.move(unit, "made" if waiting else "sent", "came again in another form")
                return
        self._make(unit, path, slices, reading, grey)
        self._queue.move(unit, "made", picture=picture, maker=self._maker)
        log.info("%s read: %d vertebrae", unit.id, len(reading.vertebrae))

    def _make(self, unit: Unit, path: Path, slices: list[Path], reading: Reading, grey: np.ndarray) -> None:
        """Write the objects into the outbox; what a kill leaves half made is made anew."""
        source, frame = dicom_source(path, reading.slice, reading.series)
        reader = self._fingerprint(reading.model)
        # More slices may choose another one, or say more: then they are other results.
        reader += "".join(sorted(f"\n{_header(file).SOPInstanceUID}" for file in slices))
        identity = Identity(reader, datetime.fromtimestamp(unit.received))
        folder = outbox(self._settings.folder, unit)
        shutil.rmtree(folder, ignore_errors=True)
        for kind in self._settings.results:
            target = folder / f"{kind}.dcm"
            if kind == "sr":
                write_sr(target, reading, source, frame=frame, identity=identity)
            elif kind == "overlay":
                write_capture(target, draw(grey, reading), source, frame=frame, identity=identity)
            else:
                write_presentation(target, reading, source, frame=frame, identity=identity)
            sync(target)
        sync(folder)

    def _pass(self, unit: Unit, why: str) -> None:
        self._queue.move(unit, "passed", why, maker=self._maker)
        log.info("%s not read: %s", unit.id, why)

    def _fail(self, unit: Unit, why: str) -> None:
        self._queue.move(unit, "failed", why)
        log.warning("%s failed: %s", unit.id, why)


def outbox(folder: Path, unit: Unit) -> Path:
    """Where the results of a unit wait to be sent."""
    return folder / OUTBOX / unit.id


def _header(path: Path) -> Dataset:
    """Header of a file, or of the first file of a series folder.

    Raises:
        InputError: There is none, or it cannot be read.
    """
    files = sorted(path.glob("*.dcm")) if path.is_dir() else [path]
    try:
        return pydicom.dcmread(files[0], stop_before_pixels=True)
    except (OSError, IndexError) as error:
        raise InputError(path, "is gone from the spool", "send it again") from error
    except Exception as error:
        raise InputError(path, f"has a damaged header ({type(error).__name__})", "send it again") from error
