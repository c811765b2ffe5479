"""Completion: a column whose levels are counted, with the bodies it lacks looked for where they must lie."""

from __future__ import annotations

import numpy as np

from spinetk.keypoints.centre.decoding import Found
from spinetk.keypoints.counting import LOWEST, Count, evidence
from spinetk.keypoints.engine import Engine
from spinetk.keypoints.level_decoding import Column, find_sequence, fits_between, missing_levels, rough_points, shifted

SURE_MARGIN = 3.0  # nats (20 to 1) by which the votes of a column must prefer its levels, to fill in what it lacks
MIN_COLUMN = 5  # bodies below which a column is not completed
UNSEEN = 1  # levels that a column with names may lack: the half of a spine can look like its other half


def complete(engine: Engine, pixels: np.ndarray, found: Found) -> Count:
    """Reduce ``found`` to the column, head to foot, add the levels it lacks, and say what they are called.

    Args:
        engine: Of a network with levels.
        pixels: (3, H, W) its input.
        found: Its detections in it, with calibrated scores; changed.
    """
    levels = engine.preset.levels
    column = _column(engine, pixels, found)
    for key, values in found.items():
        found[key] = values[column.order]
    have = list(column.levels)
    sure = column.margin > SURE_MARGIN and len(have) >= max(MIN_COLUMN, len(levels) - UNSEEN)
    size = pixels.shape[:0:-1]
    for wanted in missing_levels(have, len(levels)):
        outside = not have[0] < wanted < have[-1]
        if len(have) < MIN_COLUMN or (outside and not sure):
            continue
        rough = rough_points(found["points"], np.array(have), wanted)
        if not ((rough > 0) & (rough < size)).all():
            continue
        own = engine.look(pixels, rough[None])
        place = int(np.searchsorted(have, wanted))
        beside = found["points"][max(0, place - 1) : place + 1]
        if not fits_between(own["points"][0], beside, engine.schema):
            continue
        # Nothing was seen there by itself: as sure as its points are, and less than its neighbours.
        own["scores"] = found["scores"].min(keepdims=True) * own["point_scores"].mean()
        for key in found:
            found[key] = np.insert(found[key], place, own[key][0], axis=0)
        have.insert(place, wanted)
    names = [levels[level] for level in have]
    if not sure:
        return Count(names, known=levels)
    line = np.arange(len(have))
    alone = engine.votes(pixels, found["points"].mean(1), line, LOWEST)
    foot = shifted(alone[-LOWEST:], np.array(have)[-LOWEST:])
    return Count(names, foot, evidence(foot, found["scores"], found["point_scores"][0]), levels)


def _column(engine: Engine, pixels: np.ndarray, found: Found) -> Column:
    """The column with its levels: first by its shape alone, then with what the strip along it says."""
    points, scores = found["points"], found["scores"]
    nothing = np.zeros((len(points), len(engine.preset.levels)))
    line = find_sequence(points, scores, nothing, engine.schema).order
    votes = engine.votes(pixels, points.mean(1), line)
    return find_sequence(points, scores, votes, engine.schema)
