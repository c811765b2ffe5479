"""Outlines: annotations whose points cannot have been set under the names they bear.

Names in another order than the points, left and right of the patient for those of the picture, mirrored copies that
kept their names (as the original's did), x and y exchanged, shares of the picture for px: all of it trains a network
without an error, and every height of it is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from spinetk.geometry import median
from spinetk.measure.body import CROSSED, DISORDERED, LYING, SWAPPED, UPSIDE_DOWN, faults, scale_of, stack
from spinetk.measure.heights import heights
from spinetk.measure.levels import on_its_head
from spinetk.reading import Reading

WORDS = {
    CROSSED: "have endplates that cross: are their points in the order of their names?",
    DISORDERED: "have walls that cross or a middle beyond the corners: are their points in the order of their names?",
    SWAPPED: "are mirrored against their names: left and right are the picture's, y runs down and stands after x",
    LYING: "are named a quarter turn off: are their points in the order of their names?",
    UPSIDE_DOWN: "are named upside down, against the others of their picture",
}
ON_ITS_HEAD = "have the head at the bottom of the picture by the names of their points"
LEAST_PX = 2
TINY = f"are less than {LEAST_PX} px high: are their coordinates px of this picture?"


def oddities(reading: Reading) -> list[str | None]:
    """What is odd about each body of a reading, as the words that follow ``8 bodies``; None where nothing is."""
    upright = reading.turned(reading.frame.upright_orientation(mirror=False))
    chain = stack(upright) * scale_of(upright)
    sizes = [median(own[~np.isnan(own)]) for own in heights(stack(upright), upright.schema)]
    over = ON_ITS_HEAD if on_its_head(upright) else None
    return [
        TINY if size < LEAST_PX else WORDS.get(fault or "", over)
        for size, fault in zip(sizes, faults(chain, upright.schema), strict=True)
    ]


def said_of(readings: Iterable[Reading]) -> list[str]:
    """A sentence for each kind of oddity in some readings, with how many of all their bodies have it."""
    total, found = 0, Counter[str]()
    for reading in readings:
        total += len(reading.vertebrae)
        found.update(odd for odd in oddities(reading) if odd is not None)
    return [f"{count} of {total} bodies {words}" for words, count in found.items()]
