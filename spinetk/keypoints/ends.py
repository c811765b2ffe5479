"""Ends of a column: the spine goes on above the highest body that a network is sure of, and down to the sacrum.

On lateral films the bodies under lung, diaphragm and ribs (T12, L1) are dim, and a network that judges each by itself
sees them with little confidence. So what it hardly sees counts all the same where the next body must lie: one step
above the highest, of its size, on the short way to the picture's edge (a neck ends at the skull, well inside the film).
It is kept with the little confidence that it has, marked as below the threshold. Of a body that the edge cuts, its
lower endplate tells. At the lower end the column stops at the sacrum, so a body hardly seen is added only where it fits
between the lowest sure body and an S1 endplate that is seen: L5 under the iliac wings. One seen half, as would fill a
gap, is added where no S1 endplate is seen better.
"""

from __future__ import annotations

import numpy as np

from spinetk.keypoints.chain import EDGE_SHARE, body_axes, find_chain
from spinetk.keypoints.naming import seat
from spinetk.keypoints.sacrum import MOST_WEDGE_DEG, is_near, surest
from spinetk.landmark import Landmark
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
LEAST_SEEN = 0.25
"""From the upper edge down to the lower endplate of a body that counts, in heights of the one below it."""
LEAST_CUT = 0.05
"""Confidence in a body of which the edge leaves so little that its lower endplate alone tells."""
DISC = (0.0, 0.6)
"""The disc between the two, in heights of the neighbour: bodies do not overlap."""
MOST_TURN_DEG = 25.0
"""Between the axes of neighbours."""
LOWER_TURN_DEG = 35.0
"""The same at the lower end: nowhere do neighbours stand to each other as aslant as L4 and L5."""
REACH = (3.6, 2.2)
"""Heights above the highest and below the lowest body within which detections are worth a look: two steps, one step."""


def worth_beyond(points: np.ndarray, scores: np.ndarray, least: float, schema: KeypointSchema) -> np.ndarray:
    """Which detections (N, K, 2), of at least this score or not, may belong to a column or go on from it, (N,) bool."""
    strong = scores >= least
    sure = np.flatnonzero(strong)
    chain = sure[find_chain(points[sure], scores[sure], schema)]
    if len(chain) < FEWEST or strong.all():
        return strong
    centres, worth = points.mean(axis=1), strong
    for (last, before), reach in zip((chain[:2], chain[:-3:-1]), REACH, strict=True):
        step = centres[last] - centres[before]
        height = float(np.linalg.norm(body_axes(points[last][None], schema)[0]))
        away = centres - centres[last]
        along = away @ step / max(float(np.linalg.norm(step)), 1e-6)
        sideways = np.sqrt(np.maximum((away**2).sum(axis=1) - along**2, 0.0))
        worth = worth | ((along > 0) & (along < reach * height) & (sideways < AWAY * along))
    return worth


def with_ends(
    points: np.ndarray,
    scores: np.ndarray,
    kept: list[int],
    landmarks: list[Landmark],
    schema: KeypointSchema,
    least: float,
) -> list[int]:
    """A column with :func:`with_upper_end` and, by the surest S1 endplate seen, :func:`with_lower_end`."""
    sacral = surest(landmarks)
    return with_lower_end(points, scores, with_upper_end(points, scores, kept, schema), sacral, schema, least)


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
    if not near_edge(points[column[0]], points[column[1]], schema):
        return column
    for _ in range(MOST):
        above = [k for k in range(len(points)) if k not in column]
        fits = goes_on_above(points[above], scores[above], points[column[:2]], schema)
        others = [k for k, fit in zip(above, fits, strict=True) if fit]
        if not others:
            break
        column.insert(0, max(others, key=lambda k: scores[k]))
    return column


def with_lower_end(
    points: np.ndarray,
    scores: np.ndarray,
    kept: list[int],
    sacral: Landmark | None,
    schema: KeypointSchema,
    least: float,
) -> list[int]:
    """A column with the next body below its lowest, where the sacrum leaves room for one.

    Args:
        points: (N, K, 2) px of all detections.
        scores: (N,) their confidence.
        kept: Indices of the column, head to foot.
        sacral: The S1 endplate, or None where none is seen.
        schema: Must have columns.
        least: Confidence from which a body is added without an S1 endplate below it, if none lies, surer than the
            body, under the lowest of the column. With one below it, a body is added however little it is seen.

    Returns:
        ``kept``, or with one index after it.
    """
    if len(kept) < FEWEST or not schema.columns:
        return list(kept)
    on_sacrum = sacral is not None and is_near(seat(points[kept[-1]], sacral, schema))
    centres = points.mean(axis=1)
    last, before = kept[-1], kept[-2]
    height = float(np.linalg.norm(body_axes(points[last][None], schema)[0]))
    near = np.linalg.norm(centres - (2 * centres[last] - centres[before]), axis=1) <= AWAY * height
    others = [
        int(k) for k in np.flatnonzero(near)
        if k not in kept and follows(points[last], points[k], schema, LOWER_TURN_DEG)
    ]  # fmt: skip
    seats = {} if sacral is None or on_sacrum else {k: seat(points[k], sacral, schema) for k in others}
    added = [k for k, own in seats.items() if is_near(own) and own.wedge_deg <= MOST_WEDGE_DEG]
    rival = (sacral.score or 0.0) if sacral is not None and on_sacrum else 0.0
    added = added or [k for k in others if scores[k] >= max(least, rival)]
    return [*kept, max(added, key=lambda k: scores[k])] if added else list(kept)


def follows(upper: np.ndarray, lower: np.ndarray, schema: KeypointSchema, most_turn_deg: float = MOST_TURN_DEG) -> bool:
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
    return bool(alike and turn <= most_turn_deg and DISC[0] <= disc <= DISC[1])


def near_edge(first: np.ndarray, second: np.ndarray, schema: KeypointSchema) -> bool:
    """Whether a column, whose two highest bodies, (K, 2) px each, these are, goes on to the picture's upper edge."""
    up = first.mean(axis=0) - second.mean(axis=0)
    height = float(np.linalg.norm(body_axes(first[None], schema)[0]))
    room = float(first[:, 1].mean()) * float(np.linalg.norm(up)) / max(-float(up[1]), 1e-6)
    return bool(up[1] < 0 and room <= TO_EDGE * height)


def goes_on_above(points: np.ndarray, scores: np.ndarray, highest: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """Which detections can be the next body above a column.

    Args:
        points: (N, K, 2) px.
        scores: (N,) their confidence.
        highest: (2, K, 2) px, the column's two highest bodies.
        schema: Must have columns.

    Returns:
        (N,) bool.
    """
    first, second = highest
    expected = 2 * first.mean(axis=0) - second.mean(axis=0)
    height = float(np.linalg.norm(body_axes(first[None], schema)[0]))
    bottoms = [schema.index(bottom) for _, bottom in schema.columns.values()]
    fits = []
    for own, score in zip(points, scores, strict=True):
        near = np.linalg.norm(own.mean(axis=0) - expected) <= AWAY * height
        alike = (near and follows(own, first, schema)) or (score >= LEAST_CUT and hangs(own, first, schema))
        fits.append(bool(alike and own[bottoms, 1].mean() >= LEAST_SEEN * height))
    return np.array(fits, bool)


def hangs(upper: np.ndarray, lower: np.ndarray, schema: KeypointSchema) -> bool:
    """Whether a body, (K, 2) px, that the picture's upper edge cuts can be the next above another.

    Its lower endplate tells, by its width and tilt and the disc below it: what is left of the body has any height, and
    what lies beyond the edge was not seen.
    """
    axes, _ = body_axes(np.stack([upper, lower]), schema)
    tall, height = np.linalg.norm(axes, axis=1) + 1e-6
    down = axes[1] / height
    ends = list(schema.columns.values())
    top, bottom = upper[[schema.index(pair[0]) for pair in ends]], upper[[schema.index(pair[1]) for pair in ends]]
    plate = lower[[schema.index(pair[0]) for pair in ends]]
    step = (plate.mean(axis=0) - bottom.mean(axis=0)) / height
    disc, aside = float(step @ down), abs(float(step[0] * down[1] - step[1] * down[0]))
    own, other = bottom[-1] - bottom[0], plate[-1] - plate[0]
    widths = np.linalg.norm(own) + 1e-6, np.linalg.norm(other) + 1e-6
    turn = np.degrees(np.arccos(np.clip(own @ other / (widths[0] * widths[1]), -1, 1)))
    cut = top[:, 1].min() <= EDGE_SHARE * height and tall < SIZES[1] * height
    alike = SIZES[0] < widths[0] / widths[1] < SIZES[1] and turn <= MOST_TURN_DEG
    return bool(cut and alike and DISC[0] <= disc <= DISC[1] and aside <= AWAY)


def _sides(schema: KeypointSchema) -> tuple[list[int], list[int]]:
    """Indices of the leftmost points, top and bottom, and of the rightmost."""
    names = list(schema.columns.values())
    return [schema.index(name) for name in names[0]], [schema.index(name) for name in names[-1]]
