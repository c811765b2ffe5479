"""Identity of DICOM objects made from a picture: the same picture and the same reader give the same UIDs.

A picture archive that is sent the same results twice then holds them once (PS3.5 9: a UID names one content).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import generate_uid

NEEDED = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
# Type 2 of the Patient and General Study modules: may be empty, must be there.
PATIENT_AND_STUDY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
)


UNICODE = "ISO_IR 192"
SINGLE = (13, 100, 101, 109, 110, 126, 127, 138, 144, 148, 166, 203)
CHARACTER_SETS = frozenset((UNICODE, "GB18030", "GBK", *(f"ISO_IR {number}" for number in SINGLE)))
SEXES = {"M": "M", "F": "F", "O": "O", "MALE": "M", "FEMALE": "F", "OTHER": "O"}


def identify(derived: Dataset, full: Dataset) -> None:
    """Give what is made of a source its patient and study, empty where it has none, and its character set.

    All may be empty. A date, time or sex that is none by the standard, as de-identified files have (``1950``, ``X``),
    is left out: highdicom takes no object with it. Those that ACR-NEMA wrote (``2025.01.02``) are written anew, and
    names in Unicode where highdicom does not take the character set.
    """
    unicode = not _is_taken(full.get("SpecificCharacterSet"))
    if unicode:
        derived.SpecificCharacterSet = UNICODE
    for tag in PATIENT_AND_STUDY:
        value = full.get(tag)
        single = value[0] if isinstance(value, MultiValue) and value else value
        text = "" if single is None else str(single).strip()
        if tag.endswith("Date"):
            value = _date(text)
        elif tag.endswith("Time"):
            value = _time(text)
        elif tag.endswith("Sex"):
            value = SEXES.get(text.upper())
        elif tag.endswith("Name"):
            value = text if unicode else single
        setattr(derived, tag, value)


def _is_taken(characters: Any) -> bool:
    """Whether highdicom takes a SpecificCharacterSet; it refuses an empty first of several, as Japanese films have."""
    if characters in (None, ""):
        return True
    if isinstance(characters, str):
        return characters in CHARACTER_SETS
    values = [str(value) for value in characters]
    return len(values) > 1 and all(value.startswith("ISO 2022 IR ") for value in values)


def _date(text: str) -> str | None:
    digits = re.sub(r"(?<=\d)[-./](?=\d)", "", text)
    try:
        return datetime.strptime(digits, "%Y%m%d").strftime("%Y%m%d") if len(digits) == 8 else None
    except ValueError:
        return None


def _time(text: str) -> str | None:
    digits = text.replace(":", "")
    if not re.fullmatch(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?", digits):
        return None
    return digits


@dataclass(frozen=True)
class Identity:
    """What derived objects are named after.

    Attributes:
        reader: Fingerprint of all that made them: version, weights, options.
        made: Their content date and time.
    """

    reader: str
    made: datetime

    def series_uid(self, source: Dataset, kind: str) -> str:
        """One series for a study, a reader and a kind of object (``sr``, ``overlay``, ``points``)."""
        return generate_uid(entropy_srcs=["\n".join(["series", source.StudyInstanceUID, self.reader, kind])])

    def instance_uid(self, source: Dataset, frame: int | None, kind: str) -> str:
        """One instance for a picture (``frame`` counted from 0, None for the only one), a reader and a kind."""
        parts = ["instance", source.StudyInstanceUID, source.SOPInstanceUID, str(frame), self.reader, kind]
        return generate_uid(entropy_srcs=["\n".join(parts)])

    def stamp(self, derived: Dataset) -> None:
        """Give a data set that was just made the date and time ``made``, wherever it says when it was made."""
        date, time = self.made.strftime("%Y%m%d"), self.made.strftime("%H%M%S.%f")
        for name in ("ContentDate", "InstanceCreationDate", "PresentationCreationDate"):
            if name in derived:
                setattr(derived, name, date)
        for name in ("ContentTime", "InstanceCreationTime", "PresentationCreationTime"):
            if name in derived:
                setattr(derived, name, time)
        for name in ("DateOfSecondaryCapture", "TimeOfSecondaryCapture"):
            if name in derived:
                setattr(derived, name, date if name.startswith("Date") else time)
        # highdicom names itself as contributing equipment.
        for item in derived.get("ContributingEquipmentSequence", []):
            if "ContributionDateTime" in item:
                item.ContributionDateTime = date + time


def uids(source: Dataset, frame: int | None, kind: str, identity: Identity | None) -> tuple[str, str]:
    """Series and instance UID of a derived object; new ones when nothing names it."""
    if identity is None:
        return generate_uid(), generate_uid()
    return identity.series_uid(source, kind), identity.instance_uid(source, frame, kind)
