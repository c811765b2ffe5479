"""Blank: bodies cut off inside the picture, where a volume, a shutter or a frame ends what is seen.

A reformation whose slices end aslant, a collimated film and one stored in a frame have but one grey value between the
last body and the picture's edge. What the network places there is the end of what is seen, not an endplate, as it is at
the picture's own edge (:func:`spinetk.keypoints.chain.inside`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinetk.keypoints.chain import EDGE_SHARE
from spinetk.reading import Reading

LEAST_PX = 5
"""Fewer px of one value up to the picture's edge are no blank."""
SEAM_PX, SEAM = 2, 16
"""Px at the end of what is seen, and grey values by which they may differ: a resampled volume has such a seam."""
DISC_SHARE = 0.3
"""How far beyond the inner end of a body is looked at, in its heights: about a disc."""
REMARK = "cut off where nothing but one grey value lies beyond it: vertebra #{} from the top"


def without_cut_points(grey: np.ndarray, found: Reading) -> Reading:
    """The reading in which points of the first and the last body that lie at the end of what is seen count as not seen.

    Args:
        grey: (H, W) uint8, as stored.
        found: Bodies head to foot, points in px of ``grey``.
    """
    if not found.vertebrae or not found.schema.columns:
        return found
    vertebrae, remarks = list(found.vertebrae), list(found.remarks)
    for place, (outer, inner) in ((0, (0, 1)), (len(vertebrae) - 1, (1, 0))):
        body, hidden = vertebrae[place], []
        for names in found.schema.columns.values():
            pair = [found.schema.index(point) for point in names]
            start, end = body.points[pair[outer]], body.points[pair[inner]]
            if body.visible[pair[outer]] and _is_blank(grey, start, end):
                hidden.append(pair[outer])
        if hidden:
            seen = body.visible.copy()
            seen[hidden] = False
            vertebrae[place] = replace(body, visible=seen)
            remarks.append(REMARK.format(place + 1))
    return replace(found, vertebrae=vertebrae, remarks=remarks)


def ends_in_blank(grey: np.ndarray, found: Reading) -> np.ndarray:
    """(N,) bool: which bodies of a reading have points that :func:`without_cut_points` hides."""
    pairs = zip(found.vertebrae, without_cut_points(grey, found).vertebrae, strict=True)
    return np.array([bool((before.visible & ~after.visible).any()) for before, after in pairs], bool)


def _is_blank(grey: np.ndarray, point: np.ndarray, inner: np.ndarray) -> bool:
    """Whether all px from just beyond a point to the picture's edge are alike, and others lie beyond the inner end.

    Just beyond is a share of the body's height, as at the picture's edge; a seam may lie there. In a drawing all that
    is no bone is alike.
    """
    outward, height = point - inner, float(np.hypot(*(point - inner)))
    if height == 0:
        return False
    beyond = _values(grey, point, outward / height, EDGE_SHARE * height, float(np.hypot(*grey.shape)))
    disc = _values(grey, inner, -outward / height, EDGE_SHARE * height, DISC_SHARE * height)
    if len(beyond) < LEAST_PX:
        return False
    away = np.abs(beyond.astype(int) - int(beyond[-1]))
    alike = bool((away[:SEAM_PX] <= SEAM).all()) and not away[SEAM_PX:].any()
    return alike and not bool((disc == beyond[-1]).all())


def _values(grey: np.ndarray, start: np.ndarray, way: np.ndarray, first: float, last: float) -> np.ndarray:
    """Grey values along a way, px by px, as far as the picture goes."""
    x, y = np.floor(start + np.arange(first, last)[:, None] * way).astype(int).T
    within = (x >= 0) & (y >= 0) & (x < grey.shape[1]) & (y < grey.shape[0])
    return np.asarray(grey[y[within], x[within]])
