"""Days: how far apart the pictures of one patient were taken, without the date of any.

Where a DICOM header gives a date, a case keeps it as ``day``, counted from a day of the patient's own within a century,
which only the case folder's secret (:data:`spinetk.cases.groups.SALT`) together with the PatientID tells. Differences
between two pictures of one patient are true; of two patients they mean nothing. DICOM PS3.15 calls this to retain
longitudinal temporal information with modified dates; ours drops the time of day, too.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import date
from functools import lru_cache
from pathlib import Path

from spinetk.cases.groups import head_of, strongest_of
from spinetk.errors import InputError
from spinetk.images.elements import raw
from spinetk.images.guard import quiet
from spinetk.images.headers import open_header

DATES = ("AcquisitionDate", "StudyDate", "SeriesDate")
CENTURY_DAYS = 36_525
EARLIEST_YEAR = 1920  # what stands in place of a removed date lies before: 19000101, 00010101
FORM = re.compile(r"(\d{4})\.?(\d\d)\.?(\d\d)")


def day_of(picture: str | Path, salt: str) -> int | None:
    """The day a picture was taken, on the scale of its patient and this secret.

    Args:
        picture: A DICOM file, or the folder of a series.
        salt: Of the case folder (:func:`spinetk.cases.groups.salt_of`), or of a session.

    Returns:
        None where the header gives no date that can be one, or names no patient, study or series to count by.
    """
    path = Path(picture)
    try:
        head = head_of(path)
        status = path.stat()
        taken = None if head is None else _taken(head, status.st_mtime_ns, status.st_size)
        whose = strongest_of(path)
    except (InputError, OSError):
        return None
    if taken is None or whose is None:
        return None
    digest = hmac.new(salt.encode(), f"day {whose}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return taken - int.from_bytes(digest[:8], "big") % CENTURY_DAYS


@lru_cache(maxsize=1024)
def _taken(head: Path, changed_ns: int, size: int) -> int | None:
    """The ordinal of the first date of the header; time and size are there so that a changed file is read again."""
    with quiet():
        header = open_header(head)
        with header.stream:
            for name in DATES:
                found = FORM.fullmatch(str(raw(header.dataset, name) or "").strip())
                try:
                    day = date(*map(int, found.groups())) if found else None
                except ValueError:
                    continue
                if day is not None and day.year >= EARLIEST_YEAR:
                    return day.toordinal()
    return None
