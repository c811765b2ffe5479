"""Slant: which side of a film of a neck is the front, from how its bodies stand to the line of their centres.

The bodies of a neck are no upright boxes: their endplates run down to the front. In 4,459 annotated lateral films of
necks (their corners and centres alone) the mean angle of C3 to C7 against the square to the line of centres is 7.8
degrees (SD 2.1): over 2 degrees to the front in 99.1 % of any three neighbours and 99.6 % of any four, to the back at
all in 0.14 % at most. How the neck is bent, or the head held, changes little of it.
"""

from __future__ import annotations

import numpy as np

from spinetk.measure.body import centres, direction_deg, midline, scale_of, stack, turn_deg
from spinetk.reading import Reading

FEWEST = 3
LEAST_DEG = 2.0
CONFIDENCE = 0.95
"""By judgement: less than the annotations bear out, for points that a network finds are less exact."""


def slant_deg(reading: Reading) -> float | None:
    """Mean angle of the bodies against the square to the line of centres, positive where their right sides hang lower.

    Args:
        reading: Head up, the bodies head to foot.

    Returns:
        Degrees, or None where fewer than three bodies are whole.
    """
    scale = scale_of(reading)
    own = direction_deg(midline(stack(reading) * scale, reading.schema))
    seen = np.isfinite(own)
    if seen.sum() < FEWEST:
        return None
    steps = np.diff((centres(reading) * scale)[seen], axis=0)
    steps = np.concatenate([steps[:1], steps[:-1] + steps[1:], steps[-1:]])
    square = direction_deg(np.stack([steps[:, 1], -steps[:, 0]], axis=1))
    return float(turn_deg(square, own[seen]).mean())


def belief(reading: Reading) -> float:
    """Confidence 0..1, positive for a front on the right, negative for one on the left, 0 where nothing tells."""
    angle = slant_deg(reading)
    if angle is None or abs(angle) < LEAST_DEG:
        return 0.0
    return CONFIDENCE if angle > 0 else -CONFIDENCE
