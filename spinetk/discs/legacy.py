"""The published trio DTT, FNR and FPR, exactly as coded, for comparison with published tables.

They are blind to labels, duplicates, sideways errors and voxel size; :mod:`spinetk.discs.metrics` is not.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

FALSE_POSITIVE_PX = 10.0
FALSE_NEGATIVE_PX = 7.0
"""The original's comment and README say 5 mm."""


def trio(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> dict[str, float | int | None]:
    """DTT, FNR and FPR over images.

    Args:
        pairs: For each image the true (N, 2) and the predicted (M, 2) points, x across and y along the spine, in px.
            The original counts px; give mm and the result is in mm.

    Returns:
        ``dtt_median``, ``dtt_mean``, ``dtt_sd``: distance of each true disc to the nearest prediction, whatever its
        label. ``along_mean``, ``along_sd``: along the spine only, to the prediction nearest in that direction.
        ``fnr_percent``: true discs with no
        prediction within 7 along the spine. ``fpr_percent``: predictions with no true disc within 10 along the spine,
        per *true* disc. ``discs``: true discs. None where nothing can be counted. Images without a prediction have
        no distance; their discs are missed.
    """
    distances: list[float] = []
    along: list[float] = []
    missed = false = total = 0
    for truth, found in pairs:
        truth, found = np.reshape(truth, (-1, 2)), np.reshape(found, (-1, 2))
        total += len(truth)
        if not len(found) or not len(truth):
            missed += len(truth)
            false += len(found)
            continue
        apart = truth[:, None] - found[None]
        height = np.abs(apart[..., 1])
        distances += np.hypot(apart[..., 0], apart[..., 1]).min(axis=1).tolist()
        along += height.min(axis=1).tolist()
        missed += int((height.min(axis=1) > FALSE_NEGATIVE_PX).sum())
        false += int((height.min(axis=0) > FALSE_POSITIVE_PX).sum())
    return {
        "dtt_median": float(np.median(distances)) if distances else None,
        "dtt_mean": float(np.mean(distances)) if distances else None,
        "dtt_sd": float(np.std(distances)) if distances else None,
        "along_mean": float(np.mean(along)) if along else None,
        "along_sd": float(np.std(along)) if along else None,
        "fnr_percent": 100 * missed / total if total else None,
        "fpr_percent": 100 * false / total if total else None,
        "discs": total,
    }
