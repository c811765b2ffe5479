"""Rules: which of the pictures that come in are read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from pydicom.dataset import Dataset

from spinetk.errors import InputError
from spinetk.images.elements import words

FIELDS = {
    "modality": "Modality",
    "body_part": "BodyPartExamined",
    "view": "ViewPosition",
    "series_description": "SeriesDescription",
    "manufacturer": "Manufacturer",
    "station": "StationName",
}
EXAMPLE = "for example modality=DX,CR body_part=*SPINE* view=LL,RL,LATERAL"


@dataclass(frozen=True)
class Rule:
    """What a picture must be for this rule to have it read.

    Attributes:
        patterns: Field (a key of ``FIELDS``) to shell patterns of which one must match, whatever the letter case. A
            picture that lacks the attribute matches ``-`` alone.
    """

    patterns: tuple[tuple[str, tuple[str, ...]], ...]

    @classmethod
    def of(cls, content: Mapping[str, Any], source: str) -> Rule:
        """A rule from a table of a settings file.

        Raises:
            InputError: An unknown field, or patterns that are no text.
        """
        patterns = []
        for field, given in content.items():
            if field not in FIELDS:
                raise InputError(source, f"has an unknown field {field!r} in a rule", f"known: {', '.join(FIELDS)}")
            texts = [given] if isinstance(given, str) else given
            if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
                raise InputError(source, f"has no text or list of texts in {field!r} of a rule", EXAMPLE)
            patterns.append((field, tuple(text.strip().upper() for text in texts)))
        if not patterns:
            raise InputError(source, "has an empty rule, which would read everything", EXAMPLE)
        return cls(tuple(patterns))

    @classmethod
    def parse(cls, text: str) -> Rule:
        """A rule from ``modality=DX,CR body_part=*SPINE*``.

        Raises:
            InputError: As of :meth:`of`.
        """
        parts = re.split(r"\s+(?=[a-z_]+=)", text.strip())
        if not all("=" in part for part in parts):
            raise InputError(f"--rule {text!r}", "is not FIELD=PATTERN,... pairs", EXAMPLE)
        pairs = dict(part.split("=", 1) for part in parts)
        if len(pairs) < len(parts):
            raise InputError(
                f"--rule {text!r}", "names a field twice", "give all patterns of a field at once: view=LL,RL"
            )
        return cls.of({field: value.split(",") for field, value in pairs.items()}, f"--rule {text!r}")

    def matches(self, header: Dataset) -> bool:
        """Whether every field of a picture's header fits."""
        return all(_fits(header, FIELDS[field], patterns) for field, patterns in self.patterns)

    def __str__(self) -> str:
        return " ".join(f"{field}={','.join(patterns)}" for field, patterns in self.patterns)


def _fits(header: Dataset, keyword: str, patterns: Sequence[str]) -> bool:
    values = [value for value in words(header, keyword) if value] or ["-"]
    return any(fnmatchcase(value, pattern) for value in values for pattern in patterns)


def default_rules() -> tuple[Rule, ...]:
    """Radiographs and MR whose header names the spine as the body part."""
    return (Rule.parse("modality=CR,DX,MR body_part=*SPINE*"),)
