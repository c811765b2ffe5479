"""An archive by DIMSE: C-ECHO, C-FIND, C-GET and C-STORE through pynetdicom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from spinetk.atomic import replacing
from spinetk.errors import InputError
from spinetk.pacs.address import Address
from spinetk.pacs.archive import LATER, SEE_LOG, Archive, Found, Refused, Unreachable
from spinetk.pacs.quiet import quiet_networking
from spinetk.pacs.tls import Tls

if TYPE_CHECKING:
    from pynetdicom.association import Association

STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"
VERIFICATION = "1.2.840.10008.1.1"
TIMEOUT_S = 60.0
# Classes of pictures worth asking for: C-GET must name each beforehand, 128 at most.
PICTURES = (
    "1.2.840.10008.5.1.4.1.1.1",  # Computed Radiography
    "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray, for presentation
    "1.2.840.10008.5.1.4.1.1.1.1.1",  # Digital X-Ray, for processing
    "1.2.840.10008.5.1.4.1.1.2",  # CT
    "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT
    "1.2.840.10008.5.1.4.1.1.4",  # MR
    "1.2.840.10008.5.1.4.1.1.4.1",  # Enhanced MR
    "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture
    "1.2.840.10008.5.1.4.1.1.7.2",  # Multi-frame Grayscale Byte Secondary Capture
    "1.2.840.10008.5.1.4.1.1.7.3",  # Multi-frame Grayscale Word Secondary Capture
    "1.2.840.10008.5.1.4.1.1.7.4",  # Multi-frame True Color Secondary Capture
    "1.2.840.10008.5.1.4.1.1.12.1",  # X-Ray Angiographic
    "1.2.840.10008.5.1.4.1.1.12.2",  # X-Ray Radiofluoroscopic
    "1.2.840.10008.5.1.4.1.1.128",  # PET
)
COMPRESSED = (
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.50",
)
PLAIN = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
LEVELS = {"studies": "STUDY", "series": "SERIES", "instances": "IMAGE"}
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


def require_pynetdicom(what: str) -> Any:
    """pynetdicom, made quiet.

    Raises:
        InputError: It is not installed.
    """
    try:
        import pynetdicom
    except ImportError as error:
        raise InputError(what, "needs pynetdicom, which is not installed", "pip install 'spinetk[pacs]'") from error
    quiet_networking()
    return pynetdicom


class DimseArchive(Archive):
    """An archive by DIMSE; each request opens an association of its own.

    Args:
        address: Where it is.
        aet: Our AE title, which the archive has to know.
        tls: For ``dicoms://``; by default nothing is shown, and whom the system trusts is trusted.

    Raises:
        InputError: pynetdicom is not installed, or a file of ``tls`` cannot be used.
    """

    def __init__(self, address: Address, aet: str = "SPINETK", tls: Tls | None = None) -> None:
        super().__init__(address)
        self._net = require_pynetdicom(str(address))
        self._aet = aet
        self._tls = (tls or Tls()).client() if address.is_secure else None

    def echo(self) -> None:
        """C-ECHO."""
        with _Talk(self, [(VERIFICATION, PLAIN)]) as association:
            self._check(association.send_c_echo(), "C-ECHO")

    def search(self, level: str, uids: Sequence[str], keys: Mapping[str, str]) -> Iterator[dict[str, str]]:
        """C-FIND at one level of the study root."""
        query = Dataset()
        query.QueryRetrieveLevel = LEVELS[level]
        asked = [UIDS[("studies", "series", "instances").index(level)], *(["Modality"] if level == "series" else [])]
        for keyword in asked:
            setattr(query, keyword, "")
        for keyword, uid in zip(UIDS, uids, strict=False):
            setattr(query, keyword, uid)
        for keyword, value in keys.items():
            setattr(query, keyword, value)
        # Answers are few and small; gathering them lets the next level have an association of its own meanwhile.
        with _Talk(self, [(STUDY_ROOT_FIND, PLAIN)]) as association:
            matches = []
            for status, match in association.send_c_find(query, STUDY_ROOT_FIND):
                if self._check(status, "C-FIND") and match is not None:
                    matches.append({keyword: str(match.get(keyword) or "") for keyword in asked})
        yield from (match for match in matches if match[asked[0]])

    def fetch(self, found: Found, folder: Path) -> list[Path]:
        """C-GET; the objects come back on the same association."""
        from pynetdicom import build_role, evt

        files: list[Path] = []

        def on_store(event: Any) -> int:
            path = folder / f"{len(files):05d}.dcm"
            try:
                with replacing(path) as temporary:
                    temporary.write_bytes(event.encoded_dataset())
            except OSError:
                return 0xA700
            files.append(path)
            return 0x0000

        query = Dataset()
        query.QueryRetrieveLevel = "SERIES" if found.instance is None else "IMAGE"
        for keyword, uid in zip(UIDS, found.uids, strict=False):
            setattr(query, keyword, uid)
        contexts = [(STUDY_ROOT_GET, PLAIN), *((uid, (*PLAIN, *COMPRESSED)) for uid in PICTURES)]
        roles = [build_role(uid, scp_role=True) for uid in PICTURES]
        handlers = [(evt.EVT_C_STORE, on_store)]
        with _Talk(self, contexts, ext_neg=roles, evt_handlers=handlers) as association:
            failed, refused = 0, None
            for status, _ in association.send_c_get(query, STUDY_ROOT_GET):
                failed = int(status.get("NumberOfFailedSuboperations") or 0)
                try:
                    self._check(status, "C-GET")
                except Refused as error:
                    refused = error
        if refused is not None:
            # Some archives (Orthanc 1.10) answer with a failure what is only gone.
            entries = self.search("instances", found.uids[:2], {"SOPInstanceUID": found.instance or ""})
            if files or next(entries, None) is not None:
                raise refused
        if failed:
            fault = f"could not send {failed} of the objects of a picture by C-GET"
            raise Refused(str(self.address), fault, SEE_LOG)
        return sorted(files)

    def store(self, files: Sequence[Path]) -> None:
        """C-STORE, all on one association."""
        from pynetdicom.presentation import build_context

        metas = [pydicom.filereader.read_file_meta_info(path) for path in files]
        wanted = {(meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID) for meta in metas}
        contexts = [build_context(kind, [syntax]) for kind, syntax in sorted(wanted)]
        plain = sorted({kind for kind, syntax in wanted if syntax == ExplicitVRLittleEndian})
        contexts += [build_context(kind, [ImplicitVRLittleEndian]) for kind in plain]
        refused: list[str] = []
        with _Talk(self, contexts=contexts) as association:
            for path in files:
                try:
                    status = association.send_c_store(path)
                    self._check(status, "C-STORE")
                except ValueError:
                    # No accepted presentation context: the archive does not take such objects.
                    kind = pydicom.filereader.read_file_meta_info(path).MediaStorageSOPClassUID.name
                    refused.append(f"takes no {kind}")
                except Refused as error:
                    refused.append(error.fault)
        if refused:
            fault = ", ".join(dict.fromkeys(refused))
            raise Refused(str(self.address), fault, f"allow it in the settings of the archive, or {SEE_LOG}")

    def _check(self, status: Any, what: str) -> bool:
        """Whether a status is pending; raises when it is a failure."""
        if status is None or "Status" not in status:
            fault = f"broke the association off, or was silent for {TIMEOUT_S:.0f} s, in {what}"
            raise Unreachable(str(self.address), fault, LATER)
        code = int(status.Status)
        if code in (0xFF00, 0xFF01):
            return True
        if code == 0x0000 or code >> 12 == 0xB or code in (0x0001, 0x0107, 0x0111, 0x0116):
            return False
        if code >> 8 == 0xA7 or code == 0x0213:
            raise Unreachable(str(self.address), f"is out of resources ({code:04X}H in {what})", LATER)
        raise Refused(str(self.address), f"answers {code:04X}H to {what}", SEE_LOG)


class _Talk:
    """One association as a context; broken off when the block fails."""

    def __init__(self, archive: DimseArchive, asked: Sequence[tuple] = (), contexts: Any = (), **options: Any) -> None:
        from pynetdicom.presentation import build_context

        self._archive = archive
        self._contexts = [*contexts, *(build_context(uid, list(syntaxes)) for uid, syntaxes in asked)]
        self._options = options
        self._association: Association | None = None

    def __enter__(self) -> Association:
        address = self._archive.address
        own = self._archive._net.AE(self._archive._aet)
        own.acse_timeout = own.dimse_timeout = own.network_timeout = TIMEOUT_S
        own.connection_timeout = 10.0
        tls = None if self._archive._tls is None else (self._archive._tls, address.host)
        from pynetdicom import evt

        # A rejection that comes at once is sometimes taken for an abort by pynetdicom 3.0: look at the PDU itself.
        answers: list[str] = []
        listener = (evt.EVT_PDU_RECV, lambda event: answers.append(type(event.pdu).__name__))
        options = {"contexts": self._contexts, "ae_title": address.aet, "tls_args": tls, **self._options}
        options["evt_handlers"] = [*options.get("evt_handlers", []), listener]
        association = own.associate(address.host, address.port, **options)
        if not association.is_established:
            # Settings at either end are at fault: mended there, the same works.
            if association.is_rejected or "A_ASSOCIATE_RJ" in answers:
                fault = f"rejects the AE title {self._archive._aet}, or its own name {address.aet}"
                raise Unreachable(str(address), fault, "make the two known to each other in its settings")
            if association.acceptor.primitive is not None and not association.accepted_contexts:
                fault = "does not offer this service (no presentation context accepted)"
                raise Unreachable(str(address), fault, "switch it on in the settings of the archive")
            raise Unreachable(str(address), "does not answer", "check host and port, and that the archive runs")
        self._association = association
        return association

    def __exit__(self, kind: Any, *_: object) -> None:
        if self._association is None:
            return
        with suppress(RuntimeError, OSError):
            if kind is None and self._association.is_established:
                self._association.release()
            elif self._association.is_alive():
                self._association.abort()
