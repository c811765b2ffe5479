"""Second look: what the look of a picture leaves open is settled by what a model finds in it.

Where the network that tells the view is not sure, the likeliest view is read all the same, and stands if a column of
bodies is found: pictures without a spine give single bodies at most. Where it is not sure how a lateral film lies, the
film is read in both positions and the one with more in it is kept: a body looks the same upside down, the sacrum does
not.
"""

from __future__ import annotations

import numpy as np

from spinetk.keypoints.chain import find_gaps
from spinetk.reading import Reading

FEWEST = 4
"""Whole bodies in an unbroken column that show that there is a spine."""
LEAST_SCORE = 0.8
"""Their least mean confidence."""
SACRUM_WEIGHT = 2.0
"""What an S1 endplate counts beside a body."""
CLEARLY = 1.0
"""By how much a turned picture must have more in it, in bodies, than the picture as it stands."""


def shows_column(reading: Reading) -> bool:
    """Whether the bodies found prove that a spine is shown the way that was assumed."""
    # What was added above the highest sure body, because a column goes on, proves no column.
    sure = [(vertebra.score or 0.0) >= (reading.threshold or 0.0) for vertebra in reading.vertebrae]
    column = reading.vertebrae[sure.index(True) :] if any(sure) else []
    whole = [vertebra for vertebra in column if vertebra.visible.all()]
    if len(whole) < FEWEST or np.mean([vertebra.score or 0.0 for vertebra in whole]) < LEAST_SCORE:
        return False
    return not find_gaps(np.array([vertebra.points for vertebra in whole]), reading.schema)


def evidence(reading: Reading) -> float:
    """How much is found, in bodies: the sum of the confidences of whole bodies and, with more weight, of S1."""
    bodies = sum(vertebra.score or 0.0 for vertebra in reading.vertebrae if vertebra.visible.all())
    return bodies + SACRUM_WEIGHT * sum(own.score or 0.0 for own in reading.landmarks if own.kind == "s1")
