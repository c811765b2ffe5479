"""Levels: order, names and numbers of vertebrae.

``TABLE`` maps a level name to the numbers other tools write; None where a tool has none. Sources of the columns:

* ``verse``: VerSe challenge (Sekuboyina et al., Med Image Anal 2021;73:102166) and its data description: 1-7 cervical,
  8-19 thoracic, 20-25 lumbar with L6 = 25, 26 sacrum, 28 the thirteenth thoracic vertebra.
* ``totalsegmentator``: class map of the task ``total``, TotalSegmentator version 2 (``map_to_binary.py``): 25 sacrum,
  26 S1, 27-31 L5..L1, 32-43 T12..T1, 44-50 C7..C1. Version 1, ``vertebrae_mr`` and ``vertebrae_pp`` number differently
  altogether.
* ``totalsegmentator_v3``: of its task ``total_v3`` (2.18): the same, but 26 is L6.
* ``totalspineseg``: label table in TotalSpineSeg's README: 11-17 C1..C7, 21-32 T1..T12, 41-45 L1..L5, 50 sacrum.
* ``sct``: Spinal Cord Toolbox vertebral levels, counted on from C1 = 1: T1 = 8, L1 = 20, L5 = 24, S1 = 25.
* ``sct_disc_above``: Spinal Cord Toolbox disc points carry the number of the vertebra *below* the disc: 3 = C2/C3,
  21 = L1/L2; 1 is the top of C1. The same figure means another place in the two files.
* ``snomed``: SNOMED CT concept and its meaning as in DICOM context groups 7602 and 7603, from the code dictionary of
  pydicom 3; that has none for S1 and for the transitional levels.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from spinetk.anchor import SEQUENCE, TRANSITIONAL
from spinetk.errors import InputError
from spinetk.geometry import TURNS, median
from spinetk.measure.body import centres, scale_of, stack, up
from spinetk.measure.heights import heights
from spinetk.reading import Reading

OUT_OF_ORDER = "the vertebrae are not ordered from head to foot."
# A step between centres has room for one more vertebra where it is this many times the larger of those beside it; or so
# many times the usual of the four around it, beside one that is long itself (a body missing on either side of one).
GAP, GAP_AROUND, LONG, LONG_PAIR = 1.5, 1.6, 1.4, 1.35
GROWTH = 1.03
"""How much longer a step between centres is than the one above it: medians of 1.04 in AASCE films, 1.03 in lumbar MR,
1.02 and 1.00 in lumbar and cervical lateral films, by their labels."""
BODY_AND_DISC = 1.3
"""Distance of neighbouring centres in heights of the bodies: 1.04 to 1.52, median 1.20, in 847 pairs of phantoms."""
# Mean of the cosines between the bodies' upward axes and the picture's downward one; 0.5 is 60 degrees.
UPSIDE_DOWN = 0.5


@dataclass(frozen=True)
class Level:
    """One row of ``TABLE``; the module docstring gives the source of each column."""

    verse: int | None
    totalsegmentator: int | None
    totalsegmentator_v3: int | None
    totalspineseg: int | None
    sct: int | None
    sct_disc_above: int | None
    snomed: tuple[str, str] | None


_SNOMED = {
    "C1": "14806007",
    "C2": "39976000",
    "C3": "113205007",
    "C4": "5329002",
    "C5": "36978003",
    "C6": "36054005",
    "C7": "87391001",
    "T1": "64864005",
    "T2": "53733008",
    "T3": "1626008",
    "T4": "73071006",
    "T5": "56401006",
    "T6": "45296009",
    "T7": "62487009",
    "T8": "11068009",
    "T9": "82687006",
    "T10": "7610001",
    "T11": "12989004",
    "T12": "23215003",
    "L1": "66794005",
    "L2": "14293000",
    "L3": "36470004",
    "L4": "11994002",
    "L5": "49668003",
}
_REGULAR = tuple(level for level in SEQUENCE if level not in (*TRANSITIONAL, "S1"))


def _regular(count: int, level: str) -> Level:
    """The row of the level at ``count``, 1 for C1 to 24 for L5."""
    region = {"C": 10, "T": 20, "L": 40}[level[0]]
    return Level(
        verse=count,
        totalsegmentator=51 - count,
        totalsegmentator_v3=51 - count,
        totalspineseg=region + int(level[1:]),
        sct=count,
        sct_disc_above=count,
        snomed=(_SNOMED[level], f"{level} vertebra"),
    )


TABLE: dict[str, Level] = {level: _regular(count, level) for count, level in enumerate(_REGULAR, 1)} | {
    "T13": Level(28, None, None, None, None, None, None),
    "L6": Level(25, None, 26, None, None, None, None),
    "S1": Level(None, 26, None, None, 25, 25, None),
    "sacrum": Level(26, 25, 25, 50, None, None, ("54735007", "Sacrum")),
}
SYSTEMS = tuple(column.name for column in fields(Level) if column.name != "snomed")


def name_of(number: int, system: str) -> str | None:
    """The level that ``system`` (one of ``SYSTEMS``) writes as ``number``; None when it is no vertebra there.

    Raises:
        InputError: The system is unknown.
    """
    if system not in SYSTEMS:
        raise InputError("numbering", f"{system!r} is unknown", f"use one of {', '.join(SYSTEMS)}")
    return next((name for name, level in TABLE.items() if getattr(level, system) == int(number)), None)


def faults(labels: Sequence[str | None]) -> list[str]:
    """What is wrong with a chain of names, head to foot, as short sentences.

    Names that are unknown, repeated or out of order, and names that leave no room for the bodies beside them: an L5
    with four bodies below it.
    """
    known = [label for label in labels if label is not None]
    found = [f"{label!r} is not a level name." for label in dict.fromkeys(known) if label not in SEQUENCE]
    found += [f"{label} appears twice." for label in dict.fromkeys(known) if known.count(label) > 1]
    places = [SEQUENCE.index(label) for label in known if label in SEQUENCE]
    if any(b < a for a, b in itertools.pairwise(places)):
        found.append("The level names are not in order from head to foot.")
        return found
    named = [(k, SEQUENCE.index(label)) for k, label in enumerate(labels) if label in SEQUENCE]
    if named:
        (first, top), (last, bottom) = named[0], named[-1]
        above, below = first, len(labels) - 1 - last
        for count, room, name, where in (
            (above, top, SEQUENCE[top], "above"),
            (below, len(SEQUENCE) - 1 - bottom, SEQUENCE[bottom], "below"),
        ):
            if count > room:
                lie = f"{count} bodies lie" if count > 1 else "a body lies"
                found.append(f"{name} cannot be right, or bodies are marked twice: {lie} {where} it.")
    for (k, one), (n, other) in itertools.pairwise(named):
        if n - k > max(other - one, 0) and other > one:
            bodies = f"{n - k - 1} bodies" if n - k > 2 else "a body"
            found.append(f"{SEQUENCE[one]} and {SEQUENCE[other]} cannot both be right: {bodies} between them.")
    return found


def head_to_foot(reading: Reading) -> list[int]:
    """Positions of the vertebrae of a reading from head to foot.

    The axis of the column is the mean direction from the lower to the upper points. Which of its ends the head is, the
    frame says (letters, EXIF); where it does not, the points do, and without points that tell, the upper edge of the
    picture is taken for the head.
    """
    if not reading.vertebrae:
        return []
    head, upward = toward_head(reading), _upward(reading)
    return _along(reading, head if reading.frame.says_head and head @ upward < 0 else -head)


def in_order(reading: Reading) -> list[int]:
    """Positions of the vertebrae in the order in which they are measured: as neighbours lie, head first.

    That is the order they are given in where their names bear it out. Else it is that of :func:`head_to_foot`, but the
    head is always where the points have it: which of them are upper ones decides what a disc lies between.
    """
    given = list(range(len(reading.vertebrae)))
    names = [SEQUENCE.index(v.label) for v in reading.vertebrae if v.label in SEQUENCE]
    if len(names) == len(given) and all(a < b for a, b in itertools.pairwise(names)):
        return given
    return _along(reading, -toward_head(reading))


def toward_head(reading: Reading) -> np.ndarray:
    """(2,) mean direction (x, y) from the lower to the upper points of the bodies, in mm or square px; where none of
    them tells, to where the head is by the frame."""
    heads = up(stack(reading) * scale_of(reading), reading.schema)
    length = np.hypot(heads[:, 0], heads[:, 1])
    known = np.isfinite(length) & (length > 0)
    mean = (heads[known] / length[known, None]).sum(axis=0) if known.any() else np.zeros(2)
    return mean if np.hypot(*mean) > 0 else _upward(reading)


def _upward(reading: Reading) -> np.ndarray:
    return -np.array(TURNS[reading.frame.upright_orientation(mirror=False)][1], dtype=np.float64)


def _along(reading: Reading, way: np.ndarray) -> list[int]:
    """Positions of the vertebrae by where their centres lie along a (2,) direction."""
    return [int(k) for k in np.argsort((centres(reading) * scale_of(reading)) @ way, kind="stable")]


def places(reading: Reading) -> np.ndarray:
    """(n,) place of each body, counted in levels from the first: 0, 1, 2, ...; 0, 7 for T5 and T12 alone.

    By their names where two beside one another have them, else by the distance of their centres against their heights;
    where these are not known, they count as neighbours.
    """
    scale = scale_of(reading)
    columns = heights(stack(reading) * scale, reading.schema)
    own = np.array([row[np.isfinite(row)].max(initial=0) for row in columns])
    steps = np.hypot(*np.diff(centres(reading) * scale, axis=0).T)
    found = [0]
    for k, (above, below) in enumerate(itertools.pairwise(reading.vertebrae)):
        apart = _levels_apart(above.label, below.label)
        usual = BODY_AND_DISC * (own[k] + own[k + 1]) / 2
        if apart is None:
            apart = max(1, round(steps[k] / usual)) if own[k] > 0 and own[k + 1] > 0 and np.isfinite(steps[k]) else 1
        found.append(found[-1] + apart)
    return np.array(found[: len(reading.vertebrae)])


def _levels_apart(above: str | None, below: str | None) -> int | None:
    """How many levels a name lies below another; None where the names do not tell."""
    if above not in SEQUENCE or below not in SEQUENCE:
        return None
    between = SEQUENCE[SEQUENCE.index(above) + 1 : SEQUENCE.index(below)]
    regular = sum(level not in TRANSITIONAL for level in between)
    return regular + 1 if SEQUENCE.index(below) > SEQUENCE.index(above) else None


def order_faults(reading: Reading) -> list[str]:
    """Short sentences on a chain that is not in order or seems to lack a vertebra."""
    found = []
    order = head_to_foot(reading)
    if order != sorted(order):
        found.append(OUT_OF_ORDER)
    steps = _evened(np.hypot(*np.diff(centres(reading) * scale_of(reading), axis=0).T))
    apart = np.diff(places(reading))
    for k in range(len(steps)):
        # Steps beside it, where there are any, know a column of low bodies and high discs better than heights do.
        if _is_gap(steps, k, int(apart[k])) or apart[k] > 2:
            above, below = (reading.vertebrae[i].label or f"vertebra #{i + 1}" for i in (k, k + 1))
            if None in (reading.vertebrae[k].label, reading.vertebrae[k + 1].label) or adjacent(above, below):
                found.append(f"a vertebra may be missing between {above} and {below}.")
    return found


def _evened(steps: Sequence[float] | np.ndarray) -> list[float]:
    """Steps from head to foot without their growth."""
    return (np.asarray(steps) / GROWTH ** np.arange(len(steps))).tolist()


def _is_gap(steps: Sequence[float], k: int, apart: int) -> bool:
    """Whether an evened step has room for one more body, by those around it, where there are two, else by heights."""
    others = [*steps[:k], *steps[k + 1 :]]
    around = others[max(k - 2, 0) : k + 2]
    if len(around) < 2:
        return apart > 1
    step, beside, usual = steps[k], max(others[max(k - 1, 0) : k + 1]), median(around)
    if step > GAP * beside or (step > GAP_AROUND * usual and beside > LONG * usual):
        return True
    return _is_long_pair(steps, k - 1) or _is_long_pair(steps, k)


def _is_long_pair(steps: Sequence[float], first: int) -> bool:
    """Whether a step and the next are longer than two on either side: the body between them lacks both neighbours."""
    if first < 0 or first + 2 > len(steps):
        return False
    around = [*steps[max(first - 2, 0) : first], *steps[first + 2 : first + 4]]
    return len(around) >= 2 and min(steps[first : first + 2]) > LONG_PAIR * max(around)


def on_its_head(reading: Reading) -> bool:
    """Whether the points of most bodies have their upper side clearly towards the bottom of a picture that stands."""
    heads = up(stack(reading) * scale_of(reading), reading.schema)
    length = np.hypot(heads[:, 0], heads[:, 1])
    known = np.isfinite(length) & (length > 0)
    return bool(known.any()) and float((heads[known, 1] / length[known]).mean()) > UPSIDE_DOWN


def adjacent(above: str, below: str) -> bool:
    """Whether nothing but a transitional vertebra can lie between two levels, the upper first; True for names that are
    no levels."""
    if above not in SEQUENCE or below not in SEQUENCE:
        return True
    if SEQUENCE.index(above) >= SEQUENCE.index(below):
        return False
    between = SEQUENCE[SEQUENCE.index(above) + 1 : SEQUENCE.index(below)]
    return all(level in TRANSITIONAL for level in between)
