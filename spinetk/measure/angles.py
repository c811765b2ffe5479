"""Angles: Cobb angles as the AASCE labels define them, lordosis and kyphosis between endplates.

All angles are degrees. Directions are taken in mm where the spacing is known, since rectangular pixels shear angles.

The AASCE rule was worked out from the public labels (landmarks and the three angles of 481 pictures) and reproduces all
of them. Each vertebra is the line between the middles of its left and right wall. The first angle is the largest
between any two of these lines; the two vertebrae are its ends. The other two depend on the form of the spine, read
off the centres of all endplates against the straight line from the first to the last of them:

* all on one side (C form): from the first vertebra to the upper end, and from the lower end to the last vertebra;
* on both sides (S form), main curve in the upper half of the picture: the largest angle that the upper end makes with
  any vertebra above it, and the lower end with any below it;
* S form, main curve in the lower half: the largest angle of the upper end with any vertebra above it, and from that
  vertebra on upwards again.

In the last case both further curves lie above the main one, so ``cobb_lower`` is then the topmost curve: the name
follows the column, not the anatomy; the end vertebrae tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spinetk.geometry import Side, median
from spinetk.measure.body import direction_deg, endplate_centres, endplates, midline, turn_deg
from spinetk.schema import KeypointSchema

# name: (upper level, its endplate, lower level, its endplate, +1 for lordosis or -1 for kyphosis)
SAGITTAL = {
    "lordosis_l1_l5": ("L1", "upper", "L5", "lower", 1),
    "lordosis_l1_s1": ("L1", "upper", "S1", "upper", 1),
    "kyphosis_t1_t12": ("T1", "upper", "T12", "lower", -1),
    "kyphosis_t4_t12": ("T4", "upper", "T12", "lower", -1),
}
COBB = ("cobb_max", "cobb_upper", "cobb_lower")
# A line turned further than this from the middle of all others is a swapped pair of names, not a curve.
IMPLAUSIBLE_TURN_DEG = 120.0


@dataclass(frozen=True)
class Cobb:
    """The three AASCE angles as pairs of vertebrae.

    Attributes:
        ends: For each of ``COBB`` the positions (upper, lower) of its end vertebrae, head to foot.
        form: ``C`` or ``S``.
        left_out: Positions that have no usable mid-line.
    """

    ends: tuple[tuple[int, int], ...]
    form: str
    left_out: tuple[int, ...]


def tilts_deg(points: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """(...) direction of each vertebra's mid-line, degrees; 0 = level, positive = the right side hangs lower."""
    return direction_deg(midline(points, schema))


def cobb(points: np.ndarray, schema: KeypointSchema, height: float) -> Cobb | None:
    """Find the end vertebrae of the three AASCE angles.

    Args:
        points: (n, K, 2), head to foot, px or mm; NaN where not visible.
        schema: Meaning of the points.
        height: Height of the picture in the unit of the points; the rule asks in which half the main curve lies.

    Returns:
        None when fewer than two vertebrae have a mid-line.
    """
    tilts = tilts_deg(points, schema)
    known = np.isfinite(tilts)
    if known.sum() >= 3:
        lines = np.radians(tilts[known])
        middle = np.degrees(np.arctan2(median(np.sin(lines)), median(np.cos(lines))))
        known &= ~(np.abs(turn_deg(middle, np.nan_to_num(tilts))) > IMPLAUSIBLE_TURN_DEG)
    used = np.flatnonzero(known)
    if len(used) < 2:
        return None
    tilts = tilts[used]
    between = np.abs(turn_deg(tilts[:, None], tilts[None, :]))
    last = len(used) - 1
    pairs = np.triu_indices(len(used), k=1)
    first, second = (int(rank[np.argmax(between[pairs])]) for rank in pairs)
    upper_centres, lower_centres = endplate_centres(points[used], schema)
    if not _both_sides(np.stack([upper_centres, lower_centres], axis=1)):
        form, upper, lower = "C", (0, first), (second, last)
    else:
        form = "S"
        # An end that is cut below is where its upper endplate is.
        lower_centres = np.where(np.isnan(lower_centres), upper_centres, lower_centres)
        turning = int(np.argmax(between[first, : first + 1]))
        upper = (turning, first)
        if lower_centres[first, 1] + lower_centres[second, 1] < height:
            lower = (second, second + int(np.argmax(between[second, second:])))
        else:
            lower = (int(np.argmax(between[turning, : turning + 1])), turning)
    ends = tuple((int(used[a]), int(used[b])) for a, b in ((first, second), upper, lower))
    return Cobb(ends, form, tuple(int(k) for k in np.flatnonzero(~known)))


def _both_sides(centres: np.ndarray) -> bool:
    """Whether (n, 2, 2) centres of upper and lower endplates, those of the last vertebra aside, lie on both sides of
    the end-to-end line; NaN where an endplate is not seen."""
    flat = centres.reshape(-1, 2)
    seen = np.isfinite(flat).all(axis=1)
    if seen.sum() < 4:
        return False
    first, last = flat[seen][[0, -1]]
    chord, offset = last - first, flat[:-2][seen[:-2]] - first
    side = chord[0] * offset[:, 1] - chord[1] * offset[:, 0]
    # Straight spines leave rounding noise on both sides; a curve is not made of it.
    noise = 1e-9 * float(chord @ chord)
    return bool(side.max() > noise and side.min() < -noise)


def cobb_deg(points: np.ndarray, schema: KeypointSchema, ends: tuple[int, int]) -> np.ndarray:
    """(...) angle 0..180 between the mid-lines of two vertebrae of (..., n, K, 2) points."""
    tilts = tilts_deg(points[..., list(ends), :, :], schema)
    return np.abs(turn_deg(tilts[..., 0], tilts[..., 1]))


def endplate_cobb_deg(points: np.ndarray, schema: KeypointSchema, ends: tuple[int, int]) -> np.ndarray:
    """(...) angle 0..180 between the upper endplate of the upper and the lower endplate of the lower end vertebra."""
    upper, lower = endplates(points[..., list(ends), :, :], schema)
    return np.abs(turn_deg(direction_deg(upper[..., 0, :]), direction_deg(lower[..., 1, :])))


def sagittal_deg(
    points: np.ndarray, schema: KeypointSchema, labels: Sequence[str | None], name: str, side: Side | None
) -> np.ndarray | None:
    """A lordosis or kyphosis of ``SAGITTAL``.

    Args:
        points: (..., n, K, 2), px or mm.
        schema: Meaning of the points.
        labels: The n level names.
        name: Key of ``SAGITTAL``.
        side: The anterior side. Known, the angle is signed: positive for the usual direction (lordosis opens to the
            front, kyphosis to the back). Unknown, its absolute value is given.

    Returns:
        (...) degrees, or None when one of the two levels is not there.
    """
    top, top_plate, bottom, bottom_plate, usual = SAGITTAL[name]
    where: Mapping[str | None, int] = {label: k for k, label in reversed(list(enumerate(labels)))}
    if top not in where or bottom not in where:
        return None
    plates = dict(zip(("upper", "lower"), endplates(points, schema), strict=True))
    start = direction_deg(plates[top_plate][..., where[top], :])
    end = direction_deg(plates[bottom_plate][..., where[bottom], :])
    turn = turn_deg(start, end)
    if side is None:
        return np.abs(turn)
    # Facing right, lordosis lets the lower endplate dip to the right: clockwise on the screen, a positive turn.
    return usual * turn if side == "right" else -usual * turn
