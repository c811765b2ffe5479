"""Assembly: the column among a network's detections, as a reading with what the user should know of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinetk.keypoints import edge, metal
from spinetk.keypoints.centre.decoding import Found
from spinetk.keypoints.chain import find_chain, find_gaps, inside
from spinetk.keypoints.completion import MIN_COLUMN
from spinetk.keypoints.counting import NAMED, ROOM, Count, Counting
from spinetk.keypoints.ends import with_ends
from spinetk.reading import Reading
from spinetk.vertebra import Vertebra

WEAK_SHARE = 0.4
"""Of the threshold: enough to fill a gap between two vertebrae that pass it."""
METAL = "metal"
"""Key of detections: which bodies lie beneath some."""


def chained(found: Found, empty: Reading, threshold: float, goes_on: bool) -> Reading:
    """The spine among detections; a weak one is kept only where the sure ones leave a gap.

    Args:
        found: ``points``, ``scores``, ``sigma`` in px of the picture, and ``closer`` after a closer look.
        empty: The reading without vertebrae, with the landmarks seen.
        threshold: Confidence from which a body is sure.
        goes_on: Whether the column goes on beyond its sure bodies (:mod:`spinetk.keypoints.ends`).
    """
    points, scores, schema = found["points"], found["scores"], empty.schema
    candidates = np.flatnonzero(scores >= threshold * WEAK_SHARE)
    chain = candidates[find_chain(points[candidates], scores[candidates], schema)]
    sure = np.flatnonzero(scores[chain] >= threshold)
    room = find_gaps(points[chain[sure]], schema)
    kept = []
    for place, start in enumerate(sure):
        kept.append(chain[start])
        if place in room:
            kept += list(chain[start + 1 : sure[place + 1]])
    if goes_on:
        kept = with_ends(points, scores, kept, empty.landmarks, schema, threshold * WEAK_SHARE)
    return _reading(found, kept, empty, None)


def counted(found: Found, empty: Reading, threshold: float, count: Count, counting: Counting | None) -> Reading:
    """The same of detections that are a column already, with a count of its levels.

    It is kept from its first sure body to its last, and whole when its levels are all there.

    Args:
        found: As of :func:`chained`, and ``METAL``.
        empty, threshold: As of :func:`chained`.
        count: Its levels.
        counting: How sure such counts are.
    """
    points = found["points"]
    sure = np.flatnonzero(found["scores"] >= threshold)
    whole = len(sure) >= MIN_COLUMN and count.seen is not None
    kept = list(range(len(points)) if whole else range(sure[0], sure[-1] + 1) if len(sure) else ())
    hidden = metal.remark(found[METAL][kept])
    skips = whole and count.skips(find_gaps(points[kept], empty.schema))
    # No probability was fitted on instrumented spines, nor on columns that close up over a gap.
    probability = count.probability(counting) if whole and hidden is None and not skips else None
    named = probability is not None and probability >= NAMED
    reading = _reading(found, kept, empty, count.levels if named else None)
    told = [ROOM] if skips else [count.remark(probability)] if whole else []
    remarks = [*reading.remarks, *([hidden] if hidden else []), *told]
    return replace(reading, label_probability=probability, remarks=remarks)


def _reading(found: Found, kept: list[int], empty: Reading, names: list[str] | None) -> Reading:
    points, scores = found["points"], found["scores"]
    seen = inside(points[kept], (empty.width, empty.height), empty.schema)
    vertebrae = [
        Vertebra.from_points(
            points[k],
            own,
            score=float(scores[k]),
            point_sigma_px=found["sigma"][k],
            label=names[k] if names is not None else None,
        )
        for k, own in zip(kept, seen, strict=True)
    ]
    gaps = find_gaps(points[kept], empty.schema)
    remarks = [f"a vertebra may be missing between #{gap + 1} and #{gap + 2} from the top" for gap in gaps]
    cut = [f"#{n}" for n, v in enumerate(vertebrae, start=1) if not v.visible.all()]
    if cut:
        remarks.append(f"cut off by the edge of the picture: vertebra {', '.join(cut)} from the top")
    if "closer" in found and found["closer"][kept].any():
        remarks.append(edge.REMARK)
    return replace(empty, vertebrae=vertebrae, remarks=remarks)
