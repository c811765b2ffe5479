"""Receiver: the DICOM server of a node. What it answers success to is on disk and in the queue."""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset

from spinetk.atomic import replacing
from spinetk.errors import InputError
from spinetk.images.elements import integer, raw, word
from spinetk.images.identity import keyed_id
from spinetk.node.queue import Queue, Unit
from spinetk.node.reading import outbox
from spinetk.node.settings import NodeSettings
from spinetk.pacs.archive import VOLUMES
from spinetk.pacs.dimse import require_pynetdicom

log = logging.getLogger("spinetk.node")

SUCCESS, OUT_OF_RESOURCES, MISMATCH, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xA900, 0xC000
# All of a header that the receiver looks at.
LOOKED_AT = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "Modality", "NumberOfFrames")
SPOOL = "spool"


class Receiver:
    """Takes objects in.

    Args:
        settings: Of the node.
        queue: Where to note what came.
        maker: What would read it now: a thing that comes again is read again only by another.
    """

    def __init__(self, settings: NodeSettings, queue: Queue, maker: str = "") -> None:
        self._settings, self._queue, self._salt, self._maker = settings, queue, queue.salt(), maker
        self._server: Any = None
        self._ae: Any = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.socket.getsockname()[1])

    def start(self) -> None:
        """Listen, in threads of its own.

        Raises:
            InputError: pynetdicom is not installed, or the port cannot be had.
        """
        net = require_pynetdicom("spinetk node")
        from pydicom.uid import AllTransferSyntaxes
        from pynetdicom import AllStoragePresentationContexts, _config, evt
        from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

        _config.UNRESTRICTED_STORAGE_SERVICE = True  # classes newer than the library, and private ones
        own = net.AE(self._settings.aet)
        own.add_supported_context(Verification)
        for context in AllStoragePresentationContexts:
            own.add_supported_context(context.abstract_syntax, AllTransferSyntaxes)
        own.require_called_aet = True
        own.require_calling_aet = list(self._settings.allow)
        own.maximum_associations = 32
        # A caller that falls silent in mid-transfer is let go, and what it had sent of that object is dropped.
        own.network_timeout = own.dimse_timeout = 60.0
        handlers = [
            (evt.EVT_C_STORE, self._on_store),
            (evt.EVT_C_ECHO, lambda event: SUCCESS),
            (evt.EVT_REJECTED, self._on_rejected),
            (evt.EVT_ABORTED, lambda event: log.warning("an association broke off; what was acknowledged is kept")),
        ]
        where, tls = (self._settings.host, self._settings.port), self._settings.tls.server()
        try:
            self._server = own.start_server(where, block=False, evt_handlers=handlers, ssl_context=tls)
        except OSError as error:
            fault = f"cannot be listened on ({error.strerror or error})"
            raise InputError(f"{where[0]}:{where[1]}", fault, "choose another --port or --host") from error
        self._ae = own

    def stop(self) -> None:
        """Take no more, and break open associations off: their callers got no success for what is not on disk."""
        if self._ae is not None:
            self._ae.shutdown()

    def recover(self) -> None:
        """Queue what a kill left on disk without an entry; remove what is half written, or at a place it has left."""
        spool = self._settings.folder / SPOOL
        for path in sorted(spool.rglob("*")) if spool.is_dir() else []:
            if path.name.startswith(".tmp-"):
                path.unlink(missing_ok=True)
            elif path.suffix != ".dcm":
                continue
            elif (known := self._queue.known(path.stem)) is not None:
                if self._place(known[1], path.stem) != path:
                    path.unlink(missing_ok=True)
            else:
                data = path.read_bytes()
                header = _header(data)
                if header is not None:
                    self._note(path, header, hashlib.sha256(data).hexdigest())

    def _on_rejected(self, event: Any) -> None:
        log.warning("an association was rejected: its AE title is not among those allowed, or calls another")

    def _on_store(self, event: Any) -> int:
        try:
            return self._store(event)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE)
            log.error("an object was not taken: %s", "the disk is full" if full else error.strerror)
            return OUT_OF_RESOURCES
        except Exception as error:
            # The error's own text may quote the object.
            log.error("an object was not taken: %s", type(error).__name__)
            return OUT_OF_RESOURCES

    def _store(self, event: Any) -> int:
        data = event.encoded_dataset()
        header = _header(data)
        if header is None:
            log.warning("an object was not taken: it is not readable DICOM, or names no study, series or instance")
            return CANNOT_UNDERSTAND
        if header.SOPInstanceUID != event.request.AffectedSOPInstanceUID:
            log.warning("an object was not taken: it is another than its message says")
            return MISMATCH
        instance = keyed_id(header.SOPInstanceUID, self._salt)
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(header, instance)
        with self._queue.changed:
            known = self._queue.known(instance)
            if known is not None and known[0] == digest and not self._is_due(known[1], path):
                log.info("%s came again, as it was: nothing to do", instance)
                return SUCCESS
            with replacing(path, durable=True) as temporary:
                temporary.write_bytes(data)
            self._note(path, header, digest)
            if known is not None:
                self._leave(known[1], instance, path)
        return SUCCESS

    def _leave(self, before: Unit, instance: str, path: Path) -> None:
        """What was moved to another series, or is read otherwise, leaves its old place and unit."""
        old = self._place(before, instance)
        if old is not None and old != path:
            old.unlink(missing_ok=True)
            with suppress(OSError):  # others of the series are still there
                old.parent.rmdir()
        unit = self._queue.get(before.id)
        if unit is None or self._queue.instances(unit) or unit.state not in ("received", "made"):
            return
        if self._queue.move(unit, "passed", "came again in another series, where it is read"):
            shutil.rmtree(outbox(self._settings.folder, unit), ignore_errors=True)
            log.info("%s is empty: all of it came again in another series", unit.id)

    def _place(self, unit: Unit, instance: str) -> Path | None:
        """Where the file of an instance of a unit lies; None where it was removed."""
        place = self._settings.folder / unit.path
        return None if not unit.path else place if place.suffix == ".dcm" else place / f"{instance}.dcm"

    def _is_due(self, unit: Unit, path: Path) -> bool:
        """Whether what comes again is to be read again: it failed, or another model or rule would read it.

        So is a slice whose file was removed, once an earlier slice of its series has come again for such a reason.
        """
        if unit.state in ("sent", "passed"):
            return unit.maker != self._maker
        return unit.state == "failed" or not path.exists()

    def _path(self, header: Dataset, instance: str) -> Path:
        series = keyed_id(header.SeriesInstanceUID, self._salt)
        return self._settings.folder / SPOOL / series / f"{instance}.dcm"

    def _note(self, path: Path, header: Dataset, digest: str) -> None:
        """Enter a file that is on disk into the queue."""
        volume = word(header, "Modality") in VOLUMES and (integer(header, "NumberOfFrames") or 1) == 1
        unit, place = (path.parent.name, path.parent) if volume else (path.stem, path)
        ready = time.time() + (self._settings.settle_s if volume else 0.0)
        self._queue.add(path.stem, digest, unit, str(place.relative_to(self._settings.folder)), ready)
        log.info("%s received%s", path.stem, f", of series {unit}" if volume else "")


def _header(data: bytes) -> Dataset | None:
    """What the receiver looks at, or None when the object cannot be told apart from others."""
    try:
        header = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True, specific_tags=list(LOOKED_AT))
    except Exception:
        # Whatever damaged data do to the parser ends here.
        return None
    uids = [raw(header, name) for name in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")]
    return header if all(isinstance(uid, str) and uid.strip() for uid in uids) else None
