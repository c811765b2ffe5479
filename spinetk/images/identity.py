"""Names for cases that give nobody away and are safe as one part of a path."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from pathlib import Path

from spinetk.errors import InputError
from spinetk.images.digest import of_file
from spinetk.images.elements import raw
from spinetk.images.find import find_series
from spinetk.images.guard import quiet, regular_file
from spinetk.images.kind import sniff

ID_LENGTH = 16
MAX_LENGTH = 64
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def case_id(path: str | Path, salt: str) -> str:
    """A name for the case a picture belongs to.

    Args:
        path: A file, or a series folder.
        salt: Secret of the project: without it, nobody can check whether a study is in a data set.

    Returns:
        DICOM: the first 16 hexadecimal digits of HMAC-SHA-256 of SOPInstanceUID (of SeriesInstanceUID for a folder;
        of the file's bytes when it has none). Other files: their stem, with everything but ``A-Z a-z 0-9 . _ -``
        replaced, never empty, never hidden, at most 64 characters; a stem that had to be changed gets a hash.

    Raises:
        InputError: The file is missing, empty or no file.
    """
    path = Path(path)
    if path.is_dir():
        groups = find_series(path)
        if not groups:
            return safe_name(path.resolve().name)
        return _digest(_uid(next(iter(groups.values()))[0], "SeriesInstanceUID"), salt)
    regular_file(path)
    if sniff(path) != "dicom":
        return safe_name(
            re.sub(r"\.nii(\.gz)?$", "", path.name, flags=re.IGNORECASE) if ".nii" in path.name else path.stem
        )
    return _digest(_uid(path, "SOPInstanceUID"), salt)


def keyed_id(uid: str, salt: str) -> str:
    """16 hexadecimal digits for a UID, as :func:`case_id` makes them."""
    return _digest(uid.strip().encode("utf-8", "surrogatepass"), salt)


def safe_name(text: str) -> str:
    """Any text as one path component; see :func:`case_id`."""
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    name = re.sub(r"[^A-Za-z0-9._-]", "_", plain).lstrip(".-").rstrip(".")
    if RESERVED.fullmatch(name):
        name = f"_{name}"
    if name and name == text and len(name) <= MAX_LENGTH:
        return name
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{name[: MAX_LENGTH - 9]}-{mark}" if name.strip("_") else f"case-{mark}"


def _uid(path: Path, keyword: str) -> bytes:
    from spinetk.images.headers import open_header  # pydicom takes its time, and a JPEG needs none

    with quiet():
        try:
            header = open_header(path)
        except InputError:
            uid = None
        else:
            with header.stream:
                uid = raw(header.dataset, keyword)
    if isinstance(uid, str) and uid.strip():
        return uid.strip().encode("utf-8", "surrogatepass")
    return of_file(path).digest()


def _digest(value: bytes, salt: str) -> str:
    return hmac.new(salt.encode("utf-8", "surrogatepass"), value, hashlib.sha256).hexdigest()[:ID_LENGTH]
