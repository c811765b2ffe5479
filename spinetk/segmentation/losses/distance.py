"""Distance maps of masks for the boundary loss.

phi is positive outside a mask, 0 on its outermost voxels, negative within. It is zero everywhere for a mask that is
empty or full: there is no boundary to be at a distance from, and a distance transform would return what its memory
holds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import distance_transform_edt


def signed_distance(mask: np.ndarray, spacing_mm: Sequence[float] | float = 1.0) -> np.ndarray:
    """Signed distance of every voxel to the boundary of a mask.

    Args:
        mask: (*S) with foreground not 0, two or three axes.
        spacing_mm: Distance between voxels along every axis of ``mask``, or one number.

    Returns:
        (*S) float32 in mm: outside, the distance to the nearest voxel of the mask; inside, minus the distance to the
        nearest voxel outside, less the smallest spacing. For equal spacing this is Kervadec's map times the spacing.
    """
    mask = np.asarray(mask) != 0
    spacing = np.broadcast_to(np.asarray(spacing_mm, dtype=np.float64), mask.ndim)
    if mask.all() or not mask.any():
        return np.zeros(mask.shape, np.float32)
    outside = distance_transform_edt(~mask, spacing)
    inside = distance_transform_edt(mask, spacing)
    return np.where(mask, spacing.min() - inside, outside).astype(np.float32)
