"""Identity of DICOM objects made from a picture: the same picture and the same reader give the same UIDs.

A picture archive that is sent the same results twice then holds them once (PS3.5 9: a UID names one content).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydicom.dataset import Dataset
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
