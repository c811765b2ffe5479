"""Addresses of archives and of what is in them: ``dicomweb+http://HOST/PATH/studies?...``, ``dicom://AET@HOST:PORT``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from spinetk.errors import InputError

SCHEMES = ("dicomweb+http", "dicomweb+https", "dicom", "dicoms")
PORT = 11112
EXAMPLES = "for example dicomweb+http://HOST:8042/dicom-web/studies?StudyDate=20250101- or dicom://AET@HOST:4242"
LEVELS = ("studies", "series", "instances")
UID = re.compile(r"[0-9.]{1,64}")


def check_title(title: str) -> str:
    """An AE title as it is (PS3.5, VR AE).

    Raises:
        InputError: It can be none.
    """
    if not 1 <= len(title.strip()) <= 16 or not title.isascii() or not title.isprintable() or "\\" in title:
        raise InputError(f"AE title {title!r}", "is not 1 to 16 plain characters", "for example SPINETK")
    return title


@dataclass(frozen=True)
class Address:
    """Where an archive is, and which of its pictures are meant.

    Attributes:
        scheme: One of ``SCHEMES``; ``dicoms`` is DIMSE over TLS.
        host, port: Of the archive.
        path: URL path of the DICOMweb service, empty for DIMSE.
        aet: AE title of the archive, for DIMSE.
        user, password: For DICOMweb, when the address names them.
        uids: Study, series and instance UID as far as they are named.
        query: Attribute keyword to the value it must match (DICOM's wildcards and ranges).
    """

    scheme: str
    host: str
    port: int
    path: str = ""
    aet: str = ""
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    uids: tuple[str, ...] = ()
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def is_web(self) -> bool:
        """Whether it is spoken to by DICOMweb."""
        return self.scheme.startswith("dicomweb")

    @property
    def is_secure(self) -> bool:
        """Whether by TLS."""
        return self.scheme in ("dicomweb+https", "dicoms")

    @property
    def url(self) -> str:
        """URL of the DICOMweb service."""
        return f"{self.scheme.removeprefix('dicomweb+')}://{_bracketed(self.host)}:{self.port}{self.path}"

    def __str__(self) -> str:
        """The archive without credentials and query, which may name a patient."""
        if self.is_web:
            return f"dicomweb+{self.url}"
        return f"{self.scheme}://{self.aet}@{_bracketed(self.host)}:{self.port}"

    def at(self, *uids: str) -> str:
        """The address of a study, series or instance of this archive; it can be parsed again."""
        return str(self) + "".join(f"/{level}/{uid}" for level, uid in zip(LEVELS, uids, strict=False))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def is_address(text: object) -> bool:
    """Whether a text is the address of an archive rather than a file."""
    return str(text).split("://", 1)[0] in SCHEMES and "://" in str(text)


def parse_address(text: str) -> Address:
    """The address in a text.

    Raises:
        InputError: It is none; nothing of its query is repeated.
    """
    shown = str(text).split("?", 1)[0]
    shown = re.sub(r"//[^/@]*@", "//", shown) if str(text).startswith("dicomweb") else shown
    try:
        parts = urlsplit(str(text))
        port = parts.port
    except ValueError as error:
        raise InputError(shown, "is not the address of an archive", EXAMPLES) from error
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise InputError(shown, "is not the address of an archive", EXAMPLES)
    path, uids = _split_path(parts.path, shown)
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    _check_query(query, shown)
    if parts.scheme.startswith("dicomweb"):
        usual = 443 if parts.scheme.endswith("https") else 80
        user, password = (None if v is None else unquote(v) for v in (parts.username, parts.password))
        return Address(parts.scheme, parts.hostname, port or usual, path, "", user, password, uids, query)
    aet = unquote(parts.username or "")
    if not aet or len(aet) > 16 or path:
        fault = "names no AE title of the archive" if not path else f"has a path that is not known: {path}"
        raise InputError(shown, fault, EXAMPLES)
    return Address(parts.scheme, parts.hostname, port or PORT, "", aet, None, None, uids, query)


def _split_path(path: str, shown: str) -> tuple[str, tuple[str, ...]]:
    """URL path of the service, and the UIDs that follow it."""
    steps = [step for step in path.split("/") if step]
    start = next((k for k, step in enumerate(steps) if step in LEVELS), len(steps))
    service, rest = steps[:start], steps[start:]
    uids = []
    for level, name in zip(LEVELS, rest[::2], strict=False):
        if name != level:
            raise InputError(shown, f"has {name!r} where {level!r} belongs", EXAMPLES)
    for uid in rest[1::2]:
        if not UID.fullmatch(uid):
            raise InputError(shown, f"has {uid[:64]!r} where a UID belongs", EXAMPLES)
        uids.append(uid)
    return "".join(f"/{step}" for step in service), tuple(uids)


def _check_query(query: tuple[tuple[str, str], ...], shown: str) -> None:
    if not query:
        return
    from pydicom.datadict import dictionary_VR, tag_for_keyword  # takes its time, and most inputs are files

    for keyword, _ in query:
        if tag_for_keyword(keyword) is None or dictionary_VR(tag_for_keyword(keyword) or 0) == "SQ":
            raise InputError(shown, f"asks for {keyword!r}, which is no DICOM attribute to search by", EXAMPLES)
