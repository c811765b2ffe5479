"""Heights: distances between the upper and lower point of each column of a vertebral body."""

from __future__ import annotations

import numpy as np

from spinetk.geometry import Side
from spinetk.measure.body import column, crossed, disordered, up
from spinetk.schema import KeypointSchema

COLUMNS = ("left", "middle", "right")
ANATOMICAL = ("anterior", "middle", "posterior")
# A neighbour this far (in levels) no longer says what a vertebra's height was.
REACH_LEVELS = 3
# A vertebra this much lower than its neighbours is no reference for others, even where it is not graded itself.
DOUBTFUL_LOSS = 0.10


def heights(points: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """Heights of the left, middle and right column.

    Args:
        points: (..., K, 2) points in one unit, px or mm; NaN where not visible.
        schema: Names the columns; a column it lacks (the middle of ``vertebra4``) has no height.

    Returns:
        (..., 3) distances in the unit of the points, NaN where not measurable: a point is missing, the endplates
        cross and the top point is not above the bottom point, or the points are
        :func:`spinetk.measure.body.disordered`.
    """
    found, head, wrong = [], up(points, schema), disordered(points, schema)
    for name in COLUMNS:
        top, bottom = column(points, schema, name)
        length = np.hypot(*np.moveaxis(top - bottom, -1, 0))
        found.append(np.where(crossed(top, bottom, head) | wrong, np.nan, length))
    return np.stack(found, axis=-1)


def anatomical(values: np.ndarray, side: Side) -> np.ndarray:
    """Reorder (..., 3) left, middle, right into anterior, middle, posterior when ``side`` is anterior."""
    return values if side == "left" else values[..., ::-1]


def references(values: np.ndarray, usable: np.ndarray, places: np.ndarray | None = None) -> list[tuple[int, ...]]:
    """The neighbours each vertebra is judged against: the nearest sound one above and below, at most three levels off.

    A vertebra that is itself clearly lower than its neighbours is left out as a reference, the lowest first, so that
    two collapsed neighbours do not excuse each other.

    Args:
        values: (n,) posterior heights, head to foot.
        usable: (n,) bool, False for vertebrae that must not serve (sacrum, faulty outline, missing points).
        places: (n,) their places counted in levels (:func:`spinetk.measure.levels.places`); None where none is missing.

    Returns:
        For each vertebra the positions of none, one or two references.
    """
    usable = np.array(usable, bool) & np.isfinite(values) & (values > 0)
    places = np.arange(len(values)) if places is None else places

    def nearest(index: int) -> tuple[int, ...]:
        near = [k for k in np.flatnonzero(usable).tolist() if abs(places[k] - places[index]) <= REACH_LEVELS]
        return (*[k for k in near if k < index][-1:], *[k for k in near if k > index][:1])

    while usable.sum() > 2:
        losses = np.array(
            [
                1 - values[k] / expected(values, k, nearest(k), places) if usable[k] and nearest(k) else 0
                for k in range(len(values))
            ]
        )
        worst = int(np.argmax(losses))
        if losses[worst] < DOUBTFUL_LOSS:
            break
        usable[worst] = False
    return [nearest(k) for k in range(len(values))]


def expected(
    values: np.ndarray, index: int, neighbours: tuple[int, ...], places: np.ndarray | None = None
) -> np.ndarray:
    """Height of a vertebra interpolated linearly between its neighbours, or that of the only one.

    Args:
        values: (..., n) heights, head to foot.
        index: The vertebra.
        neighbours: One or two positions from :func:`references`; with none the result is NaN.
        places: As for :func:`references`.

    Returns:
        (...) expected height.
    """
    if not neighbours:
        return np.full(values.shape[:-1], np.nan)
    if len(neighbours) == 1:
        return values[..., neighbours[0]]
    above, below = neighbours
    at = np.arange(values.shape[-1]) if places is None else places
    share = (at[index] - at[above]) / (at[below] - at[above])
    return (1 - share) * values[..., above] + share * values[..., below]
