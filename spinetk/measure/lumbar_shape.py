"""Lumbar shape: whether the four lowest bodies of a lateral film lie to one another as L2 to L5 do, or as L1 to L4.

The farther down a lumbar spine, the more each body turns against the one above it: in 1,755 annotated lateral films by
5.8, 9.8 and 13.5 degrees (SD 4.5 to 5.5) from L2 to L5, by 1.4, 5.8 and 9.8 from L1 to L4. With the bodies' front
heights, widths and distances, a logistic function (Platt, 1999) of these tells the two apart in 83 % of columns and is
right as often as it says so (``benchmarks/lumbar_shape.py``, where the figures come from). It looks at no grey value,
so that it errs in other films than what was found of the sacrum.
"""

from __future__ import annotations

import numpy as np

from spinetk.geometry import Side
from spinetk.measure.body import centres, column, direction_deg, midline, scale_of, stack, turn_deg
from spinetk.reading import Reading

BODIES = 4
# Of :func:`features`, in their order: angles, front heights, widths, distances.
WEIGHTS = (0.117, 0.128, 0.106, 10.792, -1.414, -9.647, -2.984, 11.025, 7.735, -4.805, -11.02, 7.76, -4.11, -4.375)
INTERCEPT = -1.621
MOST = 2.0
"""Greatest log odds it gives, 7 to 1: a fracture or a fusion can make a spine look one level higher or lower."""


def features(reading: Reading, side: Side) -> np.ndarray | None:
    """What the four lowest bodies look like, without regard to size, turn and mirror.

    Args:
        reading: Bodies, head to foot.
        side: Where the patient's front is.

    Returns:
        (14,) angles in degrees from each midline to the next, positive where the lower one dips more in front (3);
        front heights (4), widths (4) and distances of neighbouring centres (3) by the mean width. None with fewer
        bodies, or where a point that is needed is not in the picture.
    """
    scale = scale_of(reading)
    lowest = stack(reading)[-BODIES:] * scale
    if len(lowest) < BODIES:
        return None
    across = midline(lowest, reading.schema)
    top, bottom = column(lowest, reading.schema, side)
    directions = direction_deg(across)
    bends = turn_deg(directions[:-1], directions[1:]) * (1 if side == "right" else -1)
    widths = np.linalg.norm(across, axis=1)
    steps = np.linalg.norm(np.diff(centres(reading)[-BODIES:] * scale, axis=0), axis=1)
    sizes = np.concatenate([np.linalg.norm(bottom - top, axis=1), widths, steps]) / widths.mean()
    found = np.concatenate([bends, sizes])
    return found if np.isfinite(found).all() else None


def log_odds(reading: Reading, side: Side | None) -> float:
    """Natural logarithm of the odds that the lowest body is L5 and not L4, were either as likely before; 0 if unknown.

    Args:
        reading: A lateral film, head up, its bodies head to foot and none missing.
        side: Where the patient's front is; None: unknown.
    """
    own = None if side is None else features(reading, side)
    return 0.0 if own is None else float(np.clip(own @ np.array(WEIGHTS) + INTERCEPT, -MOST, MOST))
