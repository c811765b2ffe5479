"""Upper end of a column: the spine goes on above the highest body that a network is sure of, until the picture ends.

On lateral films the bodies under lung, diaphragm and ribs (T12, L1) are dim, and a network that judges each by itself
sees them with little confidence. So what it hardly sees counts all the same where the next body must lie: one step
above the highest, of its size, on the short way to the picture's edge (a neck ends at the skull, well inside the film).
It is kept with the little confidence that it has, marked as below the threshold. At the lower end nothing is added:
there the column ends, at the sacrum.
"""

from __future__ import annotations

import numpy as np

from spinetk.keypoints.chain import body_axes, find_chain
from spinetk.schema import KeypointSchema

FEWEST = 3
"""Sure bodies below which nobody can say where the next must lie."""
MOST = 2
"""Bodies added at most: each rests on the one below it."""
AWAY = 0.5
"""How far a body may lie from where it is expected, in heights of its neighbour."""
SIZES = (0.7, 1.3)
"""Its height and width, as shares of its neighbour's: from body to body they change by a few percent."""
TAPER = (0.8, 1.25)
"""Its upper width as a share of the lower: the axis, with its dens, has less."""
TO_EDGE = 4.0
"""From the highest sure body's centre to the picture's upper edge, in its heights: farther down ends a neck."""
DISC = (0.0, 0.6)
"""The disc between the two, in heights of the neighbour: bodies do not overlap."""
MOST_TURN_DEG = 25.0
"""Between the axes of neighbours."""
REACH = 3.6
"""Heights above the highest body within which detections are worth a look: two steps and some."""


def worth_above(points: np.ndarray, scores: np.ndarray, least: float, schema: KeypointSchema) -> np.ndarray:
    """Which detections (N, K, 2), of at least this score or not, may belong to a column or lie above it, (N,) bool."""
    strong = scores >= least
    sure = np.flatnonzero(strong)
    chain = sure[find_chain(points[sure], scores[sure], schema)]
    if len(chain) < FEWEST or strong.all():
        return strong
    centres = points.mean(axis=1)
    up = centres[chain[0]] - centres[chain[1]]
    height = float(np.linalg.norm(body_axes(points[chain[:1]], schema)[0]))
    away = centres - centres[chain[0]]
    along = away @ up / max(float(np.linalg.norm(up)), 1e-6)
    sideways = np.sqrt(np.maximum((away**2).sum(axis=1) - along**2, 0.0))
    return strong | ((along > 0) & (along < REACH * height) & (sideways < AWAY * along))


def with_upper_end(points: np.ndarray, scores: np.ndarray, kept: list[int], schema: KeypointSchema) -> list[int]:
    """A column with the bodies that go on above it.

    Args:
        points: (N, K, 2) px of all detections.
        scores: (N,) their confidence.
        kept: Indices of the column, head to foot.
        schema: Must have columns.

    Returns:
        ``kept``, with up to ``MOST`` indices before it.
    """
    column = list(kept)
    if len(kept) < FEWEST or not schema.columns:
        return column
    centres = points.mean(axis=1)
    heights = np.linalg.norm(body_axes(points, schema)[0], axis=1)
    up = centres[column[0]] - centres[column[1]]
    room = centres[column[0], 1] * float(np.linalg.norm(up)) / max(-float(up[1]), 1e-6)
    if up[1] >= 0 or room > TO_EDGE * heights[column[0]]:
        return column
    for _ in range(MOST):
        first, second = column[:2]
        expected = 2 * centres[first] - centres[second]
        near = np.linalg.norm(centres - expected, axis=1) <= AWAY * heights[first]
        others = [
            int(k) for k in np.flatnonzero(near)
            if k not in column and follows(points[k], points[first], schema)
        ]  # fmt: skip
        if not others:
            break
        column.insert(0, max(others, key=lambda k: scores[k]))
    return column


def follows(upper: np.ndarray, lower: np.ndarray, schema: KeypointSchema) -> bool:
    """Whether two bodies, (K, 2) px each, can be neighbours: alike in size and tilt, with room for a disc between."""
    axes, widths = body_axes(np.stack([upper, lower]), schema)
    heights = np.linalg.norm(axes, axis=1) + 1e-6
    sizes = np.array([heights[0] / heights[1], widths[0] / max(float(widths[1]), 1e-6)])
    turn = np.degrees(np.arccos(np.clip(axes[0] @ axes[1] / heights.prod(), -1, 1)))
    ends = list(schema.columns.values())
    plates = [own[[schema.index(pair[end]) for pair in ends]].mean(axis=0) for own, end in ((upper, 1), (lower, 0))]
    disc = float((plates[1] - plates[0]) @ axes.sum(axis=0) / np.linalg.norm(axes.sum(axis=0))) / heights[1]
    across = [np.linalg.norm(upper[right] - upper[left]) for left, right in zip(*_sides(schema), strict=True)]
    taper = across[0] / max(float(across[1]), 1e-6)
    alike = (sizes > SIZES[0]).all() and (sizes < SIZES[1]).all() and TAPER[0] <= taper <= TAPER[1]
    return bool(alike and turn <= MOST_TURN_DEG and DISC[0] <= disc <= DISC[1])


def _sides(schema: KeypointSchema) -> tuple[list[int], list[int]]:
    """Indices of the leftmost points, top and bottom, and of the rightmost."""
    names = list(schema.columns.values())
    return [schema.index(name) for name in names[0]], [schema.index(name) for name in names[-1]]
