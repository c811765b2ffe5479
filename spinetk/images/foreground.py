"""What a mask marks: 0 and 1, 0 and 255, labels, or shares of a pixel as resampling and smoothing leave them."""

from __future__ import annotations

import numpy as np

ROUNDING = 1e-3
"""Of whole numbers, and of zero: interpolation leaves such traces."""
LEAST_SHARES = 4
"""So many values between none and all are shares; fewer may be labels."""
FULL = (255, 65535)
"""All of a pixel in files of whole numbers."""
FULL_SHARE, NEARLY, ON_SLOPES = 0.1, 0.98, 0.3
"""In such files shares are known by two things: this part of the marked pixels is nearly full, and of the others at
least this part lies on a slope, between a lower and a higher neighbour, while next to nothing of a label does."""
STORED = 1 / 510
"""Whole numbers that were written as scaled bytes are no whole numbers by up to this part of the greatest."""


def foreground(values: np.ndarray) -> tuple[np.ndarray, str | None]:
    """Where a mask marks something.

    Labels, and 0 with any other value, count from the least value on. Shares (values that are not whole, or shades up
    to 255 or 65535 around an area of nearly that) count from one half: a smoothed mask would be larger otherwise.

    Args:
        values: (*S); what is no number or below 0 marks nothing.

    Returns:
        (*S) bool, and what was decided about shares or several labels, for a remark; None where nothing was.
    """
    if values.dtype == bool:
        return values.copy(), None
    known = np.where(np.isfinite(values), values, 0) if values.dtype.kind == "f" else values
    top = float(known.max(initial=0))
    if top <= 0:
        low = float(known.min(initial=0))
        said = f"its values run from {low:g} to 0: what is below 0 does not count as marked" if low < 0 else None
        return np.zeros(values.shape, bool), said
    least = ROUNDING * min(top, 1.0)
    found: np.ndarray = known > least
    marked = known[found].astype(np.float64)
    between = np.unique(marked[marked < (1 - ROUNDING) * top])
    labels = f"it holds {len(between) + 1} values beside 0, up to {top:g}: all of them count as marked"
    if len(between) < LEAST_SHARES:
        return found, labels if len(between) else None
    whole = max(least, min(STORED * top, 0.1))
    fractions = bool((np.abs(between - np.round(between)) > whole).any())
    if not fractions and not _are_shades(known, top):
        return found, labels
    return known >= top / 2, f"its values are shares up to {top:.4g}: half and more counts as marked"


def _are_shades(values: np.ndarray, top: float) -> bool:
    if (
        not any(NEARLY * full <= top <= full for full in FULL)
        or (values[values > 0] >= NEARLY * top).mean() < FULL_SHARE
    ):
        return False
    partly = (values > 0) & (values < NEARLY * top)
    sloping = np.zeros(values.shape, bool)
    for axis in range(values.ndim):
        along = np.moveaxis(values, axis, 0)
        before, own, after = along[:-2], along[1:-1], along[2:]
        np.moveaxis(sloping, axis, 0)[1:-1] |= ((before < own) & (own < after)) | ((before > own) & (own > after))
    return bool((sloping & partly).sum() >= ON_SLOPES * partly.sum())


def may_be_inverted(mask: np.ndarray) -> bool:
    """Whether a mask marks all corners and more than half of its image, as one that marks the background does."""
    corners = mask[np.ix_(*([0, -1] for _ in mask.shape))] if mask.size else mask
    return bool(mask.size and corners.all() and mask.mean() > 0.5)
