"""Slices of a volume in order: sorting, gaps, and which one to show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from spinetk.images.reformat import Plane

FEWEST_FOR_REFORMATION = 4
SAME_DEPTH_MM = 0.01
"""Depths that differ by no more are the same."""


def in_order(planes: list[Plane], remarks: list[str]) -> list[Plane]:
    """Planes sorted by depth, one for each depth; duplicates and gaps are remarked."""
    normal = planes[0].normal
    ranked = sorted(planes, key=lambda plane: float(plane.position @ normal))
    kept = [ranked[0]]
    for plane in ranked[1:]:
        if float((plane.position - kept[-1].position) @ normal) > SAME_DEPTH_MM:
            kept.append(plane)
    if len(kept) < len(ranked):
        doubled = len(ranked) - len(kept)
        slices = (
            "1 slice at a place already taken was" if doubled == 1 else f"{doubled} slices at places already taken were"
        )
        remarks.append(f"{slices} left out")
    if len(kept) > 2:
        steps = np.diff([float(plane.position @ normal) for plane in kept])
        usual = float(np.median(steps))
        gaps = int((steps > 1.5 * usual).sum())
        if gaps:
            largest = f"the largest is {steps.max():.3g} mm, {usual:.3g} mm is usual"
            remarks.append(f"{gaps} gap{'s' * (gaps > 1)} between slices: {largest}")
    return kept


def central(planes: list[Plane]) -> int:
    """Place of the slice nearest to the middle of planes sorted by depth.

    Of two that are equally near it is the one on the patient's right, however the slices are stored: the same volume as
    NIfTI (:attr:`spinetk.images.cut.Cut.central`) gives the same.
    """
    depths = np.array([float(plane.position @ planes[0].normal) for plane in planes])
    away = np.abs(depths - (depths[0] + depths[-1]) / 2)
    nearest = np.flatnonzero(away < away.min() + SAME_DEPTH_MM)
    return int(nearest[-1 if planes[0].normal[0] < 0 else 0])


def spine_score(pixels: np.ndarray) -> float:
    """How much a sagittal slice looks like a column of vertebral bodies and discs.

    Bodies and discs alternate from head to feet, so a slice through them has strong, wide edges across the long axis
    of its middle third. The score is the mean absolute vertical difference there, after averaging over 5 % of the
    width, which muscle and ribs do not survive. A rule of thumb, not a detector.
    """
    import cv2

    height, width = pixels.shape
    middle = pixels[:, width // 3 : max(2 * width // 3, width // 3 + 1)].astype(np.float32)
    wide = cv2.blur(middle, (max(width // 20, 1), max(height // 100, 1)))
    return float(np.abs(np.diff(wide, axis=0)).mean()) if height > 1 else 0.0


def said_of_slices(remarks: Sequence[Sequence[str]]) -> list[str]:
    """What was remarked on single slices, each sentence once, with how many slices it is about if not about all."""
    counts = Counter(sentence for own in remarks for sentence in dict.fromkeys(own))
    total = len(remarks)
    return [
        sentence if count == total else f"{sentence} ({count} of {total} slices)" for sentence, count in counts.items()
    ]
