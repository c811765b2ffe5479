"""Labels: the level, the structure or the point that a free label of an annotation tool names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from spinetk.anchor import SEQUENCE
from spinetk.schema import VERTEBRA6

# "L3", "vertebra_L3", "Th12", "D12"; not "L3-L4", which is a disc, and not the T2 of "T2w".
LEVEL = re.compile(r"(?<![A-Za-z0-9])(C|TH|T|D|L|S)[ _.-]?0?(\d{1,2})(?![A-Za-z0-9])", re.IGNORECASE)


DISC = re.compile(r"(?:^|[^a-z])(?:discs?|disks?|ivd|intervertebral)(?:[^a-z]|$)", re.IGNORECASE)


# Landmarks that readings of the spine use besides the vertebrae.
STRUCTURES = re.compile(
    r"sacr|(?:^|[^a-z0-9])s1(?:[^a-z0-9]|$)|fem(?:oral|ur)|(?:^|[^a-z])hips?(?:[^a-z]|$)|bicoxo|clavic|iliac|coccy|"
    r"odontoid|(?:^|[^a-z])dens(?:[^a-z]|$)|acetabul|pelvi",
    re.IGNORECASE,
)


WORDS = {
    "upper": "top", "superior": "top", "sup": "top", "lower": "bottom", "inferior": "bottom", "inf": "bottom",
    "mid": "middle", "center": "middle", "centre": "middle", "central": "middle",
}  # fmt: skip


def level_in(text: str | None) -> str | None:
    """The level that a label names (``L3``, ``vertebra_L3``, ``Th12``), or None when it names none or two."""
    found = {_level(region, number) for region, number in LEVEL.findall(text or "")}
    level = found.pop() if len(found) == 1 else None
    return None if level is None or DISC.search(text or "") else level


def _level(region: str, number: str) -> str | None:
    name = {"TH": "T", "D": "T"}.get(region.upper(), region.upper()) + str(int(number))
    return name if name in SEQUENCE else None


def structure_in(text: str | None) -> str | None:
    """The known structure that a label names, as a plain name (``femoral_head``); None for anything else."""
    if not text or not STRUCTURES.search(text):
        return None
    return "_".join(re.findall(r"[a-z0-9]+", text.lower()))[:60] or None


def point_in(text: str, names: Iterable[str] = VERTEBRA6.keypoints) -> str | None:
    """The point of the schema that a name means: itself, or ``upper-left`` for ``top_left``."""
    names = set(names)
    if text in names:
        return text
    if not re.fullmatch(r"[A-Za-z _.:-]+", text):
        return None
    words = [WORDS.get(word, word) for word in re.findall(r"[a-z]+", text.lower())]
    for order in (words, words[::-1]):
        if "_".join(order) in names:
            return "_".join(order)
    return None


def split_label(text: str, names: Sequence[str] = VERTEBRA6.keypoints) -> tuple[str, str | None]:
    """(what comes before, point) of a label like ``L3 top_left`` or ``L3_top_left``; the point is None without one."""
    text = text.strip()
    for start in [0] + [match.end() for match in re.finditer(r"[ _.:-]+", text)]:
        point = point_in(text[start:], names)
        if point is not None:
            return text[:start].rstrip(" _.:-"), point
    return text, None
