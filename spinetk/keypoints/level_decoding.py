"""Level decoding: the column of vertebrae where the levels are consecutive names, and there may be votes for them.

One level alone is easily mistaken for its neighbour; the votes of a whole column are not. Dynamic programming finds
the detections and the consecutive levels that fit best together; a level without a detection costs evidence, and the
place where it must lie follows from its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinetk.keypoints.chain import body_axes
from spinetk.schema import KeypointSchema

STEP = 1.35  # distance of neighbouring centres over the mean height of their bodies
MAX_SKIP = 3  # levels
FLOOR = -8.0  # least log-probability that a single detection may hold against a level
# Weight of a level's log-probability beside the detection's score. Small, for neighbours repeat each other's mistake.
EVIDENCE = 0.03
MEMBERSHIP = 0.3  # what joining the column costs a detection
SKIP = 0.4  # what a level without a detection costs
UNFIT = 1e3  # what a detour round a step that cannot be may cost
ROUGH, FINE = 0.15, 0.05  # by how much rough points, and points refined once, may be wrong about what a column gains
MISFIT = 0.3  # cost of a step e times too long or short


@dataclass(frozen=True)
class Column:
    """A column with its levels.

    Attributes:
        order: (M,) indices of the detections, head to foot.
        levels: (M,) their levels, strictly increasing.
        margin: By how many nats the votes prefer these levels to the same shifted by one.
    """

    order: np.ndarray
    levels: np.ndarray
    margin: float


def find_sequence(points: np.ndarray, scores: np.ndarray, votes: np.ndarray, schema: KeypointSchema) -> Column:
    """Choose detections and consecutive levels.

    Args:
        points: (N, K, 2) px.
        scores: (N,) confidence 0..1.
        votes: (N, L) log-probabilities of the levels, head to foot, less that of the likeliest answer; all 0 where
            nothing is known.
        schema: Must have columns.
    """
    count, kinds = votes.shape
    if count == 0:
        return Column(np.zeros(0, np.int64), np.zeros(0, np.int64), 0.0)
    votes = np.maximum(votes, FLOOR)
    centres = points.mean(1)
    axes, widths = body_axes(points, schema)
    heights = np.linalg.norm(axes, axis=1) + 1e-6
    down = (axes / heights[:, None] * scores[:, None]).sum(0)
    down = down / np.linalg.norm(down) if np.linalg.norm(down) > 1e-6 else np.array([0.0, 1.0])
    nodes = np.argsort(centres @ down, kind="stable")
    own = scores[:, None] - MEMBERSHIP + EVIDENCE * votes
    best, previous = own.copy(), np.full((count, kinds, 2), -1)
    fits, costs = _steps(centres, axes, heights, widths)
    gaps = np.arange(1, MAX_SKIP + 1)
    # For a level and a gap the level before it; none where that lies above the first.
    before = np.arange(kinds)[None] - gaps[:, None]
    for position, j in enumerate(nodes):
        above = nodes[:position][fits[nodes[:position], j]]
        if not len(above):
            continue
        gain = np.where(before >= 0, best[above][:, before.clip(0)] - costs[above, j][..., None] + own[j], -np.inf)
        gain = gain.reshape(-1, kinds)
        winner = gain.argmax(0)
        top = gain[winner, np.arange(kinds)]
        better = top > best[j]
        best[j, better] = top[better]
        body, gap = np.divmod(winner[better], MAX_SKIP)
        previous[j, better] = np.column_stack([above[body], np.flatnonzero(better) - gaps[gap]])
    j, level = (int(v) for v in np.unravel_index(best.argmax(), best.shape))
    path = []
    while j >= 0:
        path.append((j, level))
        j, level = (int(v) for v in previous[j, level])
    order, levels = np.array(path[::-1]).T
    return Column(order, levels, min(shifted(votes[order], levels)))


def contenders(points: np.ndarray, scores: np.ndarray, schema: KeypointSchema, wrong: float = ROUGH) -> np.ndarray:
    """Which detections may be part of the column, by their points so far: no other needs a closer look.

    One whose score is less than what joining costs is no end of a column. It stays where a column through two others
    may gain by passing through it, i.e. where they leave it room.

    Args:
        points: (N, K, 2) px.
        scores: (N,) confidence 0..1.
        schema: Must have columns.
        wrong: By how much the points may be wrong about what a column gains.

    Returns:
        (N,) bool.
    """
    strong = scores >= MEMBERSHIP
    if strong.sum() < 2 or strong.all():
        return np.ones(len(scores), bool)
    axes, widths = body_axes(points, schema)
    fits, costs = _steps(points.mean(1), axes, np.linalg.norm(axes, axis=1) + 1e-6, widths)
    step = np.where(fits, costs.min(-1), np.inf)
    past, to, on = step[np.ix_(strong, strong)].clip(max=UNFIT), step[strong][:, ~strong], step[~strong][:, strong]
    saved = (past[:, :, None] - to[:, None] - on.T[None]).max((0, 1))
    kept = strong.copy()
    kept[~strong] = saved + scores[~strong] - MEMBERSHIP > -wrong
    return kept


def _steps(
    centres: np.ndarray, axes: np.ndarray, heights: np.ndarray, widths: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(N, N) whether body j may follow body i, and (N, N, MAX_SKIP) what it costs over a gap of 1, 2, ... levels."""
    step = centres[None] - centres[:, None]
    length = np.linalg.norm(step, axis=-1)
    unit_axes = axes / heights[:, None]
    direction = unit_axes[:, None] + unit_axes[None]
    bend = (step * direction).sum(-1) / (length * np.linalg.norm(direction, axis=-1) + 1e-6)
    unit = (heights[:, None] + heights[None]) / 2
    sideways = length * np.sqrt(np.maximum(0.0, 1 - bend**2))
    fits = (length >= 0.55 * unit) & (bend >= 0.3) & (sideways <= np.maximum(widths[:, None], widths[None]))
    size = 0.1 * np.abs(np.log(heights[None] / heights[:, None]))
    gaps = np.arange(1, MAX_SKIP + 1)
    stretch = np.abs(np.log(np.maximum(length, 1e-6)[..., None] / (STEP * unit[..., None] * gaps)))
    return fits, SKIP * (gaps - 1) + MISFIT * stretch + size[..., None]


def shifted(votes: np.ndarray, levels: np.ndarray) -> tuple[float, float]:
    """By how many nats votes (N, L) prefer the levels (N,) to those one higher, and to those one lower.

    No vote holds more than ``FLOOR`` against a level; beyond the ends it is the floor.
    """
    padded = np.pad(np.maximum(votes, FLOOR), ((0, 0), (1, 1)), constant_values=FLOOR)
    rows = np.arange(len(levels))
    higher, here, lower = (float(padded[rows, levels + step].sum()) for step in (0, 1, 2))
    return here - higher, here - lower


def rough_points(points: np.ndarray, levels: np.ndarray, wanted: int) -> np.ndarray:
    """Where a level without a detection must lie, from its neighbours.

    Args:
        points: (M, K, 2) of the column, at least two bodies.
        levels: (M,) their levels.
        wanted: The level, inside the column or one beyond its end.

    Returns:
        (K, 2), on the line between the same points of the two nearest bodies.
    """
    after = int(np.searchsorted(levels, wanted).clip(1, len(levels) - 1))
    share = (wanted - levels[after - 1]) / (levels[after] - levels[after - 1])
    return points[after - 1] + share * (points[after] - points[after - 1])


def missing_levels(have: list[int], count: int) -> list[int]:
    """The levels of 0..count - 1 that are not there: those inside the column, then outwards from its ends."""
    if not have:
        return []
    inside = [level for level in range(have[0], have[-1]) if level not in have]
    return inside + list(range(have[0] - 1, -1, -1)) + list(range(have[-1] + 1, count))


def fits_between(body: np.ndarray, neighbours: np.ndarray, schema: KeypointSchema) -> bool:
    """Whether a (K, 2) body has the size of its (1 or 2, K, 2) neighbours and keeps its distance from them."""
    axes, widths = body_axes(np.concatenate([body[None], neighbours]), schema)
    heights = np.linalg.norm(axes, axis=1)
    ratios = np.concatenate([heights[0] / (heights[1:] + 1e-6), widths[0] / (widths[1:] + 1e-6)])
    steps = np.linalg.norm(neighbours.mean(1) - body.mean(0), axis=1) / (heights[1:] + 1e-6)
    return bool((ratios > 0.6).all() and (ratios < 1.6).all() and (steps > 0.8).all() and (steps < 2.2).all())
