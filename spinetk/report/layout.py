"""Layout: labels in a column beside the picture that never overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def spread(centres: Sequence[float], heights: Sequence[float], low: float, high: float) -> np.ndarray:
    """Place boxes on a line as near to their wished centres as non-overlap allows.

    The result has the least sum of squared displacements among all placements in the given order of wishes
    (isotonic regression by pooling adjacent violators), moved into ``low..high`` as far as it fits.

    Args:
        centres: N wished box centres, in any order and unit.
        heights: N box sizes along the line.
        low, high: Ends of the line. Boxes that cannot all fit start at ``low`` and run over ``high``.

    Returns:
        (N,) box centres in the order given.
    """
    wished = np.asarray(centres, dtype=np.float64)
    sizes = np.asarray(heights, dtype=np.float64)
    if len(wished) == 0:
        return wished
    order = np.argsort(wished, kind="stable")
    sizes = sizes[order]
    # Distance of each box's centre from the first one's when all are packed.
    packed = np.concatenate([[0.0], np.cumsum((sizes[1:] + sizes[:-1]) / 2)])
    blocks: list[tuple[float, int]] = []
    for offset in wished[order] - packed:
        mean, count = float(offset), 1
        while blocks and blocks[-1][0] > mean:
            previous, size = blocks.pop()
            mean, count = (previous * size + mean * count) / (size + count), size + count
        blocks.append((mean, count))
    start = np.repeat([mean for mean, _ in blocks], [count for _, count in blocks])
    first = low + sizes[0] / 2
    last = high - sizes[-1] / 2 - packed[-1]
    placed = np.empty_like(wished)
    placed[order] = np.clip(start, first, max(first, last)) + packed
    return placed


def nice_length(longest: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not longer than ``longest``."""
    power = 10.0 ** np.floor(np.log10(longest))
    return float(max(step * power for step in (1, 2, 5) if step * power <= longest * (1 + 1e-9)))
