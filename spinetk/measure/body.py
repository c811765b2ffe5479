"""Body: the plane geometry of vertebral bodies, as arrays.

Every function takes points (..., K, 2), (x, y) with y down, in px or mm, and works over the leading axes, so that one
vertebra, a chain and a thousand disturbed chains are measured by the same lines. A point that is not visible is NaN;
what depends on it comes out NaN and becomes null where the results are written.
"""

from __future__ import annotations

import numpy as np

from spinetk.geometry import median
from spinetk.measure.rounding import DECIMALS
from spinetk.reading import Reading
from spinetk.schema import KeypointSchema


def scale_of(reading: Reading) -> np.ndarray:
    """(2,) factors of (x, y) that turn px into mm; when the spacing is unknown, into px of the finer side."""
    return reading.frame.square if reading.frame.spacing_mm is None else reading.frame.to_mm(np.ones(2))


def stack(reading: Reading) -> np.ndarray:
    """(n, K, 2) points of a reading in px, NaN where not visible."""
    points, visible = _chain(reading)
    return np.where(visible[..., None], points, np.nan)


def centres(reading: Reading) -> np.ndarray:
    """(n, 2) :attr:`spinetk.reading.Vertebra.centre` of every vertebra, px."""
    points, visible = _chain(reading)
    counted = (visible | ~visible.any(axis=1, keepdims=True))[..., None]
    return np.where(counted, points, 0.0).sum(axis=1) / counted.sum(axis=1)


def _chain(reading: Reading) -> tuple[np.ndarray, np.ndarray]:
    shape = len(reading.vertebrae), len(reading.schema)
    points = np.array([vertebra.points for vertebra in reading.vertebrae], dtype=np.float64).reshape(*shape, 2)
    return points, np.array([vertebra.visible for vertebra in reading.vertebrae], dtype=bool).reshape(shape)


def column(points: np.ndarray, schema: KeypointSchema, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Top and bottom point, each (..., 2), of a column of the schema; NaN when the schema has no such column."""
    if name not in schema.columns:
        nothing = np.full((*points.shape[:-2], 2), np.nan)
        return nothing, nothing
    top, bottom = schema.columns[name]
    return points[..., schema.index(top), :], points[..., schema.index(bottom), :]


def endplates(points: np.ndarray, schema: KeypointSchema) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower endplate, each (..., 2), as the vector from the left to the right corner."""
    top_left, bottom_left = column(points, schema, "left")
    top_right, bottom_right = column(points, schema, "right")
    return top_right - top_left, bottom_right - bottom_left


def endplate_centres(points: np.ndarray, schema: KeypointSchema) -> tuple[np.ndarray, np.ndarray]:
    """Mid-points (..., 2) of the upper and lower endplate, from their corners."""
    top_left, bottom_left = column(points, schema, "left")
    top_right, bottom_right = column(points, schema, "right")
    return (top_left + top_right) / 2, (bottom_left + bottom_right) / 2


def midline(points: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """(..., 2) vector from the middle of the left wall to the middle of the right wall.

    With one corner missing the endplate that is whole stands in for it; :func:`disordered` bodies have none.
    """
    upper, lower = endplates(points, schema)
    # Middle of the walls: the mean of the two endplate vectors is the same vector.
    vector = (upper + lower) / 2
    for substitute in (upper, lower):
        vector = np.where(np.isnan(vector), substitute, vector)
    return np.where(disordered(points, schema)[..., None], np.nan, vector)


def disordered(points: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """(...) whether points were set in another order than that of their names.

    The endplates then run opposite ways, as of corners named row by row and set one after the other around the body, or
    a middle lies beyond the corners beside it. Tops below their bottoms and mirrored bodies are :func:`crossed` and
    found by :func:`faults`.
    """
    plates = endplates(points, schema)
    found = (plates[0] * plates[1]).sum(axis=-1) < 0
    starts, middles = column(points, schema, "left"), column(points, schema, "middle")
    for plate, start, middle in zip(plates, starts, middles, strict=True):
        along, length = ((middle - start) * plate).sum(axis=-1), (plate * plate).sum(axis=-1)
        found |= (along < -BEYOND * length) | (along > (1 + BEYOND) * length)
    return found


def direction_deg(vector: np.ndarray) -> np.ndarray:
    """Direction of (..., 2) vectors in degrees, -180..180, 0 = to the right, positive = clockwise on the screen.

    A vector of no length has no direction: NaN.
    """
    vector = np.asarray(vector, dtype=np.float64)
    angle = np.degrees(np.arctan2(vector[..., 1], vector[..., 0]))
    return np.where(np.hypot(vector[..., 0], vector[..., 1]) > 0, angle, np.nan)


def turn_deg(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Signed turn from one direction to another in degrees, -180..180, positive = clockwise on the screen."""
    return (np.asarray(end) - np.asarray(start) + 180.0) % 360.0 - 180.0


def up(points: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """(..., 2) vector from the lower to the upper points, over the columns that are whole; NaN when none is."""
    total, count = np.zeros((*points.shape[:-2], 2)), np.zeros((*points.shape[:-2], 1), int)
    for name in schema.columns:
        top, bottom = column(points, schema, name)
        vector = top - bottom
        whole = ~(np.isnan(vector[..., :1]) | np.isnan(vector[..., 1:]))
        total += np.where(whole, vector, 0.0)
        count += whole
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def area(points: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """(...) area of the outline through all column points, in squared units of the points; NaN when one is missing."""
    if len(schema.columns) < 2:
        return np.full(points.shape[:-2], np.nan)
    order = [name for name in ("left", "middle", "right") if name in schema.columns]
    tops, bottoms = zip(*(column(points, schema, name) for name in order), strict=True)
    outline = np.stack([*tops, *bottoms[::-1]], axis=-2)
    following = np.roll(outline, -1, axis=-2)
    cross = outline[..., 0] * following[..., 1] - outline[..., 1] * following[..., 0]
    return np.abs(cross.sum(axis=-1)) / 2


def crossed(top: np.ndarray, bottom: np.ndarray, head: np.ndarray) -> np.ndarray:
    """(...) whether the top point of a column lies level with or below its bottom point, as the whole body stands.

    Args:
        top, bottom: (..., 2) ends of the column.
        head: (..., 2) direction of the body from :func:`up`.
    """
    along = (top - bottom) * head
    return along[..., 0] + along[..., 1] <= 0


BEYOND = 0.1
"""How far along its endplate a middle may lie beyond a corner, as a share of that endplate: points are never exact."""

CROSSED = "the endplates cross or touch"
DISORDERED = "its points are not in the order of their names (walls cross, or a middle lies beyond the corners)"
SWAPPED = "the names of its points are swapped (left with right, or top with bottom)"
UPSIDE_DOWN = "its points are named upside down, against those of the other bodies"
LYING = "its points are named a quarter turn off: its heights would be widths"
IMPOSSIBLE = (CROSSED, DISORDERED, SWAPPED, UPSIDE_DOWN, LYING)
"""Faults of outlines that no body can have."""


def faults(points: np.ndarray, schema: KeypointSchema) -> list[str | None]:
    """What is wrong with the outline of each of n vertebrae (n, K, 2), as a short phrase; None when nothing is.

    A sound outline has every top point on one side of its bottom point, has endplates and walls that do not cross, and
    runs left to right as seen with the top up. Of three and more, none has its top where the others have their bottom.
    """
    head, across = up(points, schema), midline(points, schema)
    cross = np.zeros(len(points), bool)
    for name in schema.columns:
        cross |= crossed(*column(points, schema, name), head)
    # Seen with the top up (y down on the screen) the right wall lies where this product is negative.
    swapped = across[:, 0] * head[:, 1] - across[:, 1] * head[:, 0] >= 0
    found = (
        (
            np.isnan(head).any(axis=1),
            "its upper and lower endplates are nowhere visible together, so no height is measured",
        ),
        (cross, CROSSED),
        (disordered(points, schema), DISORDERED),
        (~(np.hypot(across[:, 0], across[:, 1]) > 0), "a wall of the body is missing or the body has no width"),
        (swapped, SWAPPED),
        (_turned_over(head), UPSIDE_DOWN),
        (_lies_across(points, head), LYING),
    )
    return [next((words for bad, words in found if bad[k]), None) for k in range(len(points))]


def _turned_over(head: np.ndarray) -> np.ndarray:
    """(n,) bool: of (n, 2) vectors from bottom to top, those that point the other way than most."""
    whole = np.isfinite(head).all(axis=1) & (np.hypot(head[:, 0], head[:, 1]) > 0)
    units = np.where(whole[:, None], head, 0.0) / np.where(whole, np.hypot(head[:, 0], head[:, 1]), 1.0)[:, None]
    over = units @ units.sum(axis=0) < 0
    return over & (whole.sum() >= 3) & (2 * over.sum() < whole.sum())


def _lies_across(points: np.ndarray, head: np.ndarray) -> np.ndarray:
    """(n,) bool: vectors from bottom to top at more than 60 degrees to the line of (n, K, 2) bodies, where most are."""
    none = np.zeros(len(points), bool)
    whole = np.isfinite(head).all(axis=1) & (np.hypot(head[:, 0], head[:, 1]) > 0)
    if whole.sum() < 2:
        return none
    centres = np.nanmean(points[whole], axis=1)
    line = np.linalg.svd(centres - centres.mean(axis=0))[2][0]
    along = np.abs(head[whole] @ line) / np.hypot(head[whole, 0], head[whole, 1])
    if median(along) < 0.5:
        none[np.flatnonzero(whole)[along < 0.5]] = True
    return none


def number(value: float | np.ndarray, digits: int = DECIMALS) -> float | None:
    """A finite Python float for JSON, or None."""
    return round(float(value), digits) if np.isfinite(value) else None
