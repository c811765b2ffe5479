"""What any archive can be asked for, whatever it is spoken to by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spinetk.errors import InputError
from spinetk.pacs.address import Address

# Series that hold no picture a reading can be made of.
NO_PICTURES = frozenset(
    {"SR", "PR", "KO", "DOC", "SEG", "REG", "PLAN", "RTSTRUCT", "RTPLAN", "RTDOSE", "RTRECORD", "FID", "AU", "ECG"}
    | {"HD", "EPS", "RWV", "SMR", "STAIN", "M3D", "OT", "ANN"}
)
# Series that are volumes: their slices are fetched and read together.
VOLUMES = frozenset({"CT", "MR", "PT", "NM"})
# Which attributes are asked for at which level of DICOM's model; the others are the study's.
SERIES_KEYS = frozenset(
    {"Modality", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "BodyPartExamined", "ProtocolName"}
    | {"Laterality", "SeriesDate", "SeriesTime", "PerformedProcedureStepStartDate"}
)
INSTANCE_KEYS = frozenset({"SOPInstanceUID", "SOPClassUID", "InstanceNumber", "ViewPosition", "ContentDate"})

LATER = "try again later"
SEE_LOG = "see its log for the reason"


class Unreachable(InputError):  # noqa: N818 - what it says of the archive
    """The archive does not answer now; asking later may help."""


class Refused(InputError):  # noqa: N818
    """The archive answered, and will answer the same again."""


@dataclass(frozen=True)
class Found:
    """One picture of an archive: an instance, or a series that is a volume (``instance`` is None)."""

    study: str
    series: str
    instance: str | None
    modality: str = ""

    @property
    def uids(self) -> tuple[str, ...]:
        """UIDs from the study down."""
        return (self.study, self.series) if self.instance is None else (self.study, self.series, self.instance)


class Archive(ABC):
    """An archive. One object may be used by one thread at a time; ``close`` it, or use it as a context.

    Args:
        address: Where it is.
    """

    def __init__(self, address: Address) -> None:
        self.address = address

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def search(self, level: str, uids: Sequence[str], keys: Mapping[str, str]) -> Iterator[dict[str, str]]:
        """Studies, series of a study, or instances of a series that match; each with UID and ``Modality``.

        Args:
            level: ``studies``, ``series`` or ``instances``.
            uids: Of what they belong to.
            keys: Attribute keywords and what they must match.

        Raises:
            Unreachable, Refused: The archive does not answer, or does not answer this.
        """

    @abstractmethod
    def fetch(self, found: Found, folder: Path) -> list[Path]:
        """Files of a picture, retrieved into a folder; empty when the archive holds it no longer.

        Raises:
            Unreachable, Refused: As of :meth:`search`.
        """

    @abstractmethod
    def store(self, files: Sequence[Path]) -> None:
        """Store objects; each is safe with the archive when this returns.

        Raises:
            Unreachable: Not now: try again later.
            Refused: Not ever.
        """

    @abstractmethod
    def echo(self) -> None:
        """Return when the archive answers.

        Raises:
            Unreachable, Refused: As of :meth:`search`.
        """

    def close(self) -> None:  # noqa: B027 - nothing to close is the usual case
        """Hang up."""

    def find(self, address: Address) -> Iterator[Found]:
        """Pictures that an address means, one after another: nothing is kept.

        Keys are matched at the level DICOM has them at: ``Modality`` is asked of series, ``StudyDate`` of studies.
        """
        keys = dict(address.query)
        if "ModalitiesInStudy" in keys:
            keys.setdefault("Modality", keys["ModalitiesInStudy"])
        per_series = {k: v for k, v in keys.items() if k in SERIES_KEYS}
        per_instance = {k: v for k, v in keys.items() if k in INSTANCE_KEYS}
        per_study = {k: v for k, v in keys.items() if k not in SERIES_KEYS | INSTANCE_KEYS}
        known = dict(zip(("study", "series", "instance"), address.uids, strict=False))
        studies: Iterator[str] = iter([known["study"]]) if "study" in known else self._uids("studies", (), per_study)
        for study in studies:
            own = per_series | ({"SeriesInstanceUID": known["series"]} if "series" in known else {})
            for entry in self.search("series", (study,), own):
                series, modality = entry["SeriesInstanceUID"], entry.get("Modality", "")
                if modality in NO_PICTURES and "instance" not in known:
                    continue
                if modality in VOLUMES and "instance" not in known and not per_instance:
                    yield Found(study, series, None, modality)
                    continue
                wanted = per_instance | ({"SOPInstanceUID": known["instance"]} if "instance" in known else {})
                for instance in self.search("instances", (study, series), wanted):
                    yield Found(study, series, instance["SOPInstanceUID"], modality)

    def _uids(self, level: str, uids: Sequence[str], keys: Mapping[str, str]) -> Iterator[str]:
        for entry in self.search(level, uids, keys):
            yield entry["StudyInstanceUID"]
