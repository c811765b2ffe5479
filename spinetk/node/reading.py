"""Reading: one unit of the queue becomes DICOM objects that are ready to send."""

from __future__ import annotations

import hashlib
import json
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
from spinetk.formats.identity import PATIENT_AND_STUDY, Identity
from spinetk.formats.presentation import write_presentation
from spinetk.formats.sr import write_sr
from spinetk.images.elements import raw
from spinetk.images.identity import keyed_id
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
            said = getattr(error, "strerror", None) or "out of memory"
            self._queue.later(unit, 30.0, said)
            log.error("%s cannot be worked on now: %s", unit.id, said)
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
        known = self._queue.instances(unit)
        if slices and len(slices) < known:
            # Those that are left are not the series: the slice read would be another one.
            fault = f"{known - len(slices)} of its {known} slices are no longer kept, so the rest cannot be read"
            self._fail(unit, f"{fault} (send the whole series again)")
            return
        reading, grey = self._read(path)
        filed = _filed(header, self._queue.salt())
        picture = _digests(reading, grey, slices, filed)
        other = _otherwise(unit.picture, picture, unit.maker == self._maker)
        waiting = any(outbox(self._settings.folder, unit).glob("*.dcm"))
        if other:
            fault = f"came before with {other} under the same UID; the results sent are about the first"
            if waiting and not self._settings.dry_run:
                self._queue.remark(unit, fault)
                self._queue.move(unit, "made", fault)
                log.warning("%s is not read: it %s", unit.id, fault)
            else:
                self._fail(unit, fault)
            return
        before = tuple(unit.picture.split(":")[3:]) or filed  # older nodes did not note it
        if before != filed and (waiting or before[0] != filed[0]):
            log.info("%s came again for another study or patient, whose its results are now", unit.id)
        elif unit.picture and not slices and unit.maker == self._maker:
            if before != filed:
                self._queue.remark(
                    unit, "came again with other data of patient or study; the results sent bear the first"
                )
            self._queue.move(unit, "made" if waiting else "sent", "came again in another form", picture=picture)
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


def _filed(header: Dataset, salt: str) -> tuple[str, str]:
    """Where results go, as keyed hashes: the study, and what is said of it and its patient."""
    about = json.dumps([str(header.get(tag) or "") for tag in PATIENT_AND_STUDY])
    return keyed_id(header.StudyInstanceUID, salt), keyed_id(about, salt)


def _digests(reading: Reading, grey: np.ndarray, slices: list[Path], filed: tuple[str, str]) -> str:
    """What a reading rests on, as digests: the pixels; scale, orientation and view; which slices there were; and where
    its results go.
    """
    about = json.dumps([reading.frame.to_json(), reading.view], sort_keys=True)
    uids = "\n".join(sorted(str(_header(file).SOPInstanceUID) for file in slices))
    parts = (grey.tobytes() + str(grey.shape).encode(), about.encode(), uids.encode())
    return ":".join([*(hashlib.sha256(part).hexdigest() for part in parts), *filed])


def _otherwise(before: str, now: str, same_maker: bool) -> str | None:
    """What is not as it was in a picture that comes under the same UIDs, in words; None where its results stand.

    Args:
        before, now: Of :func:`_digests`; ``before`` is empty for what comes first, and older nodes noted less.
        same_maker: Whether the same model would read it: another one may choose another slice and find another scale,
            and its results have UIDs of their own.
    """
    (pixels, *others), (own, about, slices, *_) = before.split(":"), now.split(":")
    single = slices == hashlib.sha256(b"").hexdigest()
    if not before or (not single and (not same_maker or others[1:2] != [slices])):
        return None
    if pixels != own:
        return "other pixels"
    return "another scale, orientation or view" if same_maker and others and others[0] != about else None


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
