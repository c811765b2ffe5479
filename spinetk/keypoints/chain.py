"""Chain: the ordered column of vertebrae in a set of detections.

A detector judges each box alone, so a vertebra can be found twice and a rib or a disc can pass for one. Vertebrae form
one chain from head to foot with steps that change slowly. The chain of greatest total evidence is found by dynamic
programming over the detections, ordered from head to foot; steps shorter than a vertebra (duplicates) or bending
away from the column are not allowed, and a step that skips a vertebra costs evidence.
"""

from __future__ import annotations

import numpy as np

from spinetk.geometry import median
from spinetk.schema import KeypointSchema

EDGE_SHARE = 0.08  # of the bodies' height
LEAST_STEP = 0.55
"""Between neighbouring centres, in their mean height: a normal step is about 1.3, a shorter one leads to the same."""


def body_axes(points: np.ndarray, schema: KeypointSchema) -> tuple[np.ndarray, np.ndarray]:
    """Foot-ward axis vector (N, 2) (length = mean height) and width (N,) of bodies given as (N, K, 2) points, px."""
    tops = np.stack([points[:, schema.index(top)] for top, _ in schema.columns.values()], 1)
    bottoms = np.stack([points[:, schema.index(bottom)] for _, bottom in schema.columns.values()], 1)
    axis = (bottoms - tops).mean(1)
    middle = (tops + bottoms) / 2
    return axis, np.linalg.norm(middle[:, -1] - middle[:, 0], axis=-1)


def find_chain(points: np.ndarray, scores: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """Choose and order the detections that form the spine.

    Args:
        points: (N, K, 2) px.
        scores: (N,) detection confidence in 0..1.
        schema: Its columns give each body's axis. A schema without columns keeps all, ordered from the top.

    Returns:
        Indices of the kept detections, head to foot; empty for no detections.
    """
    count = len(points)
    if count == 0:
        return np.zeros(0, dtype=np.int64)
    centres = points.mean(1)
    if not schema.columns:
        return np.argsort(centres[:, 1], kind="stable")
    axes, widths = body_axes(points, schema)
    heights = np.linalg.norm(axes, axis=1)
    # Rotating by the mean body axis orders a tilted spine from head to foot too.
    down = axes.sum(0)
    down = down / np.linalg.norm(down) if np.linalg.norm(down) > 1e-6 else np.array([0.0, 1.0])
    along = centres @ down
    nodes = np.argsort(along, kind="stable")
    best = np.zeros(count)
    previous = np.full(count, -1)
    for position, j in enumerate(nodes):
        best[j] = scores[j]
        for i in nodes[:position]:
            step = centres[j] - centres[i]
            unit = (heights[i] + heights[j]) / 2 + 1e-6
            length = np.linalg.norm(step)
            direction = axes[i] / (heights[i] + 1e-6) + axes[j] / (heights[j] + 1e-6)
            bend = np.dot(step, direction) / (length * np.linalg.norm(direction) + 1e-6)
            sideways = length * np.sqrt(max(0.0, 1 - bend**2))
            if length < LEAST_STEP * unit or bend < 0.3 or sideways > max(widths[i], widths[j]):
                continue
            missing = max(0.0, length / (1.35 * unit) - 1.3)
            gain = best[i] + scores[j] - 0.25 * missing - 0.1 * abs(np.log(heights[j] / (heights[i] + 1e-6) + 1e-6))
            if gain > best[j]:
                best[j], previous[j] = gain, i
    order = [int(np.argmax(best))]
    while previous[order[-1]] >= 0:
        order.append(int(previous[order[-1]]))
    return np.array(order[::-1])


def find_gaps(points: np.ndarray, schema: KeypointSchema) -> list[int]:
    """Steps that are long enough to hide a vertebra: over 1.7 times what the heights and the other steps expect.

    Args:
        points: (N, K, 2) of a chain, head to foot, px.
        schema: Its columns give the heights; without them there is no answer.

    Returns:
        Positions i such that a vertebra seems to be missing between i and i + 1.
    """
    if len(points) < 2 or not schema.columns:
        return []
    centres = points.mean(1)
    heights = np.linalg.norm(body_axes(points, schema)[0], axis=1)
    steps = np.linalg.norm(np.diff(centres, axis=0), axis=1)
    units = steps / ((heights[1:] + heights[:-1]) / 2 + 1e-6)
    typical = min(median(units), 1.8)
    return [int(i) for i in np.flatnonzero(units > 1.7 * typical)]


def inside(points: np.ndarray, size: tuple[int, int], schema: KeypointSchema) -> np.ndarray:
    """Which points are truly seen: not on the picture's edge, where those of a body cut by it come to lie.

    Args:
        points: (N, K, 2) of a chain, px.
        size: (width, height) of the picture.
        schema: Its columns give the bodies' heights; "on" means nearer than 8 % of their median.

    Returns:
        (N, K) bool.
    """
    if not schema.columns or not len(points):
        return np.ones(points.shape[:2], bool)
    margin = EDGE_SHARE * median(np.linalg.norm(body_axes(points, schema)[0], axis=1))
    return np.asarray(((points > margin) & (points < np.array(size) - margin)).all(-1))
