"""Loss: what a format does not hold of readings, said before they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from spinetk.errors import InputError
from spinetk.formats.beside import beside
from spinetk.formats.registry import Format
from spinetk.measure.deformity import is_sure
from spinetk.measure.levels import TABLE
from spinetk.reading import Reading
from spinetk.vertebra import Vertebra


def lost(entry: Format, readings: Sequence[Reading]) -> list[str]:
    """What the readings have and the format does not hold, in words; scores, spacing and measurements are not counted.
    Where points are in px of pictures that are to be turned, that is said, too.

    ``docs/how-to/formats.md`` lists it for all formats.
    """
    found = []
    if "levels" not in entry.holds:
        found.append((sum(v.label is not None for r in readings for v in r.vertebrae), "level names"))
    if "visibility" not in entry.holds:
        found.append((sum(not v.visible.all() for r in readings for v in r.vertebrae), "vertebrae with unseen points"))
    left = [
        replace(
            reading,
            landmarks=[] if "landmarks" in entry.holds else reading.landmarks,
            extras={} if "extras" in entry.holds else reading.extras,
        )
        for reading in readings
    ]
    found.append((sum(len(p) for r in left for p in beside(r).values()), "points beside the vertebrae"))
    if "rulers" not in entry.holds:
        found.append((sum(len(r.rulers) for r in readings), "lengths and angles drawn by a reader"))
    if "outside" not in entry.holds:
        found.append((sum(map(_outside, readings)), "points outside the picture"))
    if "levels" in entry.holds and "other names" not in entry.holds:
        named = (v.label for r in readings for v in r.vertebrae if v.label is not None)
        found.append((sum(label not in TABLE for label in named), "names that are no levels"))
    said = [f"{entry.title} cannot hold {what} ({count})" for count, what in found if count]
    placed = sum(reading.slice is not None or reading.series is not None for reading in readings)
    if placed and "slice" not in entry.holds:
        said.append(
            f"{entry.title} cannot hold the slice or series of a reading ({placed}): read again, it is taken to be of "
            "the central slice of the main series"
        )
    fronts = sum(r.facing is not None and r.frame.anterior is None for r in readings)
    if fronts and "front" not in entry.holds:
        said.append(f"{entry.title} cannot hold the patient's front ({fronts}): give --facing to measure it again")
    refused = sum(reading.not_graded is not None for reading in readings)
    if refused and "refusals" not in entry.holds:
        said.append(
            f"{entry.title} cannot hold why a reading has no grades ({refused}): measured again, it gets grades"
        )
    unsure = sum(_unsure(v) for reading in readings for v in reading.vertebrae)
    if unsure and entry.read is not None and "uncertainty" not in entry.holds:
        said.append(
            f"{entry.title} cannot hold that a grade is uncertain ({unsure}): measured without the result beside it, "
            "it comes out as sure"
        )
    return said if entry.stored else said + _turned(readings)


def _turned(readings: Sequence[Reading]) -> list[str]:
    """Where pictures do not stand as they are stored: those whose files say so, and those whose files do not."""
    turned = [reading for reading in readings if reading.frame.exif_orientation != 1]
    by_file = sum(map(_says_turn, turned))
    said = []
    if by_file:
        said.append(
            f"EXIF turns {by_file} of the pictures: points are in px as stored, and off in programs that turn them "
            "(CVAT, Label Studio, labelme); give those copies without the tag"
        )
    if by_look := len(turned) - by_file:
        said.append(
            f"{by_look} of the pictures lie turned and do not say so: points are in px as stored, as programs show them"
        )
    return said


def _says_turn(reading: Reading) -> bool:
    """Whether the file of a picture says that it is to be turned; one that is not there is believed to."""
    from spinetk.images.plain import exif_orientation

    try:
        return exif_orientation(Path(reading.file)) != 1
    except (InputError, OSError):
        return True


def _unsure(vertebra: Vertebra) -> bool:
    """Whether a grade is not sure by the standard deviations of the points."""
    answer = vertebra.measures.get("deformity")
    return answer is not None and vertebra.point_sigma_px is not None and not is_sure(answer)


def _outside(reading: Reading) -> int:
    """How many points that are seen lie outside the picture."""
    size = (reading.width, reading.height)
    return sum(int((v.visible & ((v.points < 0) | (v.points > size)).any(axis=1)).sum()) for v in reading.vertebrae)
