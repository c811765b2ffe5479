"""An archive by DICOMweb: QIDO-RS, WADO-RS and STOW-RS through dicomweb-client."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pydicom

from spinetk.atomic import replacing
from spinetk.errors import InputError
from spinetk.pacs.address import Address
from spinetk.pacs.archive import LATER, SEE_LOG, Archive, Found, Refused, Unreachable
from spinetk.pacs.tls import Tls

PAGE = 100
TIMEOUT_S = 60.0
CHECK_PATH = "check the path of its DICOMweb service"
TOKEN = "SPINETK_DICOMWEB_TOKEN"
# As stored: transcoding costs the archive time, and takes what a codec of its own cannot do.
AS_STORED = (("application/dicom", "*"),)
ASKED = {
    "studies": ("StudyInstanceUID",),
    "series": ("SeriesInstanceUID", "Modality"),
    "instances": ("SOPInstanceUID",),
}


class WebArchive(Archive):
    """An archive by DICOMweb.

    User and password come from the address or from ``~/.netrc``, a bearer token from ``$SPINETK_DICOMWEB_TOKEN``.

    Args:
        address: Where it is.
        tls: For ``https``; by default nothing is shown, and whom requests trusts is trusted.

    Raises:
        InputError: dicomweb-client is not installed, or a file of ``tls`` cannot be used.
    """

    def __init__(self, address: Address, tls: Tls | None = None) -> None:
        super().__init__(address)
        try:
            import requests
            from dicomweb_client import DICOMwebClient
        except ImportError as error:
            fault = "needs dicomweb-client, which is not installed"
            raise InputError(str(address), fault, "pip install 'spinetk[pacs]'") from error
        self._session = requests.Session()
        if tls is not None:
            tls.client()  # requests would not say which file cannot be used
        adapter = _adapter(tls or Tls())
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)
        if address.user is not None:
            self._session.auth = (address.user, address.password or "")
        elif os.environ.get(TOKEN):
            self._session.headers["Authorization"] = f"Bearer {os.environ[TOKEN]}"
        # Larger bodies go out as a generator, which the library's own retry would send a second time empty.
        self._client = DICOMwebClient(address.url, self._session, chunk_size=1 << 40, timeout=TIMEOUT_S)
        self._client.set_http_retry_params(retry=False)

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    def echo(self) -> None:
        """Search for one study."""
        self._ask("search", lambda: self._client.search_for_studies(limit=1))

    def search(self, level: str, uids: Sequence[str], keys: Mapping[str, str]) -> Iterator[dict[str, str]]:
        """QIDO-RS, page by page."""
        calls: dict[str, Callable[..., list[dict[str, Any]]]] = {
            "studies": self._client.search_for_studies,
            "series": self._client.search_for_series,
            "instances": self._client.search_for_instances,
        }
        call = calls[level]
        offset, seen = 0, set[str]()
        while True:
            options: dict[str, Any] = {
                "limit": PAGE,
                "offset": offset,
                "fields": list(ASKED[level]),
                "search_filters": dict(keys),
            }
            page = self._ask("search", partial(call, *uids, **options))
            entries = [_entry(match, ASKED[level]) for match in page or []]
            fresh = [entry for entry in entries if entry.get(ASKED[level][0]) and entry[ASKED[level][0]] not in seen]
            # An archive that knows no offset answers every page with the first.
            seen = {entry[ASKED[level][0]] for entry in fresh}
            yield from fresh
            if len(entries) < PAGE or not fresh:
                return
            offset += len(entries)

    def fetch(self, found: Found, folder: Path) -> list[Path]:
        """WADO-RS, one instance after another."""
        instances = [found.instance]
        if found.instance is None:
            entries = self.search("instances", (found.study, found.series), {})
            instances = [entry["SOPInstanceUID"] for entry in entries]
        files = []
        for number, uid in enumerate(instances):
            got = self._ask("retrieve", partial(self._retrieve, found, str(uid)))
            if got is not None:
                path = folder / f"{number:05d}.dcm"
                with replacing(path) as temporary:
                    got.save_as(temporary, enforce_file_format=True)
                files.append(path)
        return files

    def store(self, files: Sequence[Path]) -> None:
        """STOW-RS, all in one request."""
        datasets = [pydicom.dcmread(path) for path in files]
        answer = self._ask("store", lambda: self._client.store_instances(datasets))
        # dicomweb-client passes on an answer that lists failures as if all were well.
        failed = list(getattr(answer, "FailedSOPSequence", None) or [])
        if failed:
            reason = int(failed[0].get("FailureReason") or 0)
            full = 0xA700 <= reason <= 0xA7FF
            kind, remedy = (Unreachable, LATER) if full else (Refused, SEE_LOG)
            fault = f"refused {len(failed)} of {len(files)} objects (reason {reason:04X}H)"
            raise kind(str(self.address), fault, remedy)

    def _retrieve(self, found: Found, uid: str) -> pydicom.Dataset:
        return self._client.retrieve_instance(found.study, found.series, uid, media_types=AS_STORED)

    def _ask(self, what: str, call: Callable[[], Any]) -> Any:
        """The answer of one request; None when there is no such thing."""
        import requests

        where = str(self.address)
        try:
            return call()
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            if status in (404, 410) and what == "retrieve":
                return None
            remedies = {
                401: f"give user and password in the address, in ~/.netrc, or a token in ${TOKEN}",
                403: "ask its keeper for access",
                404: CHECK_PATH,
            }
            fault = f"answers {status} to a {what} request"
            if status >= 500 or status in (*remedies, 408, 429):
                raise Unreachable(where, fault, remedies.get(status, LATER)) from None
            raise Refused(where, fault, SEE_LOG) from None
        except requests.exceptions.JSONDecodeError:
            raise Refused(where, "gives an answer that is no DICOMweb (no JSON)", CHECK_PATH) from None
        except (requests.RequestException, OSError) as error:
            fault = f"does not answer ({type(error).__name__})"
            raise Unreachable(where, fault, "check the address, and that the archive runs") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            # The error's own text may quote what was sent.
            fault = f"gives an answer that is no DICOMweb ({type(error).__name__})"
            raise Refused(where, fault, CHECK_PATH) from None


def _adapter(tls: Tls) -> Any:
    """Speaks TLS as told, and sends wildcards as they are: some archives (Orthanc 1.10) do not decode a query's values.

    What a session is told of certificates gives way to ``$REQUESTS_CA_BUNDLE``; what its adapter is told does not.
    """
    from requests.adapters import HTTPAdapter

    own: dict[str, Any] = {}
    if tls.authority is not None:
        own["verify"] = str(tls.authority)
    if tls.certificate is not None and tls.key is not None:
        own["cert"] = (str(tls.certificate), str(tls.key))

    class Adapter(HTTPAdapter):
        def send(self, request: Any, *arguments: Any, **options: Any) -> Any:
            path, mark, query = str(request.url).partition("?")
            request.url = path + mark + query.replace("%2A", "*").replace("%2C", ",")
            return super().send(request, *arguments, **options | own)

    return Adapter()


def _entry(match: dict[str, Any], keywords: Sequence[str]) -> dict[str, str]:
    dataset = pydicom.Dataset.from_json(match)
    return {keyword: str(dataset.get(keyword) or "") for keyword in keywords}
