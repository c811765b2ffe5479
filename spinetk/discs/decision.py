"""Decision: which candidates are discs, by one of the named methods, and whether their levels can be known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch

from spinetk.discs.candidates import Candidates
from spinetk.discs.cleanup import clean
from spinetk.discs.lookonce import PointSet, point_features
from spinetk.discs.search import Column, best_chain
from spinetk.discs.skeleton import FIFTH, nearest_to_skeleton
from spinetk.errors import InputError

METHODS = ("peaks", "search", "lookonce", "lookonce+search", "condition")
THRESHOLD = 0.3
SURE_HEIGHT = 0.7
"""A peak of this height is a disc for ``lookonce+search`` whatever the point network says: on pictures unlike its
training it throws true discs away, and peaks so high are hardly ever false."""
SAME_MM = 10.0
"""Two candidates so near to one another are of one disc."""
SURE_MARGIN = 0.1
"""By how much heatmaps at the found places must speak for the levels rather than for all one higher or lower."""


def decide(
    candidates: Candidates,
    method: str,
    *,
    column: Column | None = None,
    skeleton: np.ndarray | None = None,
    channels: int,
    points: PointSet | None = None,
    threshold: float = THRESHOLD,
) -> Candidates:
    """At most one disc per channel.

    Args:
        candidates: In mm.
        method: ``peaks``: the highest peak of each channel. ``search``: the best column. ``lookonce``: those that the
            point network takes for discs, the highest of each channel. ``lookonce+search``: the best column of those
            and of peaks of at least :data:`SURE_HEIGHT`.
            ``condition``: the hand-written clean-up.
        column: Of the model, for ``search``; a legacy model has none and is searched for the nearest to ``skeleton``.
        skeleton: Mean skeleton of a legacy model.
        channels: Number of heatmaps.
        points: The point network, for ``lookonce``.
        threshold: Least height of a peak that counts by itself.

    Raises:
        InputError: The method is unknown or lacks its network.
    """
    if method not in METHODS:
        raise InputError(f"method {method!r}", "is unknown", f"use {', '.join(METHODS)}")
    if method.startswith("lookonce"):
        if points is None:
            raise InputError(f"method {method!r}", "needs a point network", "give --points, trained with `--points-of`")
        kept = np.zeros(len(candidates), bool)
        kept[_believed(candidates, points, channels)] = True
        if method.endswith("search"):
            kept |= candidates.scores >= SURE_HEIGHT
        candidates = candidates.take(kept)
    if method.endswith("search"):
        if column is not None:
            return candidates.take(best_chain(candidates, column, threshold=threshold)[0])
        return _nearest(candidates.take(candidates.scores >= threshold), skeleton)
    candidates = candidates.take(candidates.scores >= threshold)
    if method == "condition":
        candidates = _cleaned(candidates)
    return candidates.take(candidates.strongest())


@torch.no_grad()
def _believed(candidates: Candidates, network: PointSet, channels: int) -> np.ndarray:
    if not len(candidates):
        return np.zeros(0, np.int64)
    device = next(network.parameters()).device
    points, scores = (torch.as_tensor(part, dtype=torch.float32) for part in (candidates.points, candidates.scores))
    features = point_features(points, scores, torch.as_tensor(candidates.channel), channels)
    return np.flatnonzero((network(features[None].to(device))[0] > 0).cpu().numpy())


def _cleaned(candidates: Candidates) -> Candidates:
    groups = clean(candidates.points)
    heads = np.array([group[candidates.scores[group].argmax()] for group in groups], np.int64)
    means = np.array([candidates.points[group].mean(axis=0) for group in groups]).reshape(-1, 2)
    return replace(candidates.take(heads), points=means)


def _nearest(candidates: Candidates, skeleton: np.ndarray | None) -> Candidates:
    """The published search over the leading channels that have a candidate; the highest peaks where it cannot run."""
    own = [np.flatnonzero(candidates.channel == k) for k in range(0 if skeleton is None else len(skeleton))]
    count = next((k for k, members in enumerate(own) if not len(members)), len(own))
    known = 0 if skeleton is None else int(np.isfinite(skeleton[:, 0]).sum())
    count = min(count, known)
    if skeleton is None or count <= FIFTH:
        return candidates.take(candidates.strongest())
    chosen, _ = nearest_to_skeleton([candidates.points[members] for members in own[:count]], skeleton)
    return candidates.take(np.array([members[i] for members, i in zip(own, chosen, strict=False)]))


def levels_disagree(
    candidates: Candidates, chosen: Candidates, column: Column, points: PointSet, channels: int
) -> bool:
    """Whether the column of what the point network believes gives a chosen disc another level.

    Args:
        candidates, chosen: In mm.
        column, points, channels: As for :func:`decide`.
    """
    believed = candidates.take(_believed(candidates, points, channels))
    other = believed.take(best_chain(believed, column)[0])
    apart = np.linalg.norm(chosen.points[:, None] - other.points[None], axis=2)
    return bool(((apart < SAME_MM) & (chosen.channel[:, None] != other.channel[None])).any())


def levels_are_sure(maps: np.ndarray, chosen: Candidates) -> bool:
    """Whether the heatmaps at the chosen places speak for these channels and against all of them one up or down.

    A column seen without an end or a landmark fits one level higher or lower nearly as well; then the neighbouring
    channels are high at the same places. The margin is a choice, not calibrated.

    Args:
        maps: (K, H, W).
        chosen: In px of the maps.
    """
    if not len(chosen):
        return False
    if any(b <= a for a, b in pairwise(chosen.points[np.argsort(chosen.channel), 1])):
        return False
    return level_margin(maps, chosen) >= SURE_MARGIN


def level_margin(maps: np.ndarray, chosen: Candidates, shifts: Sequence[int] = (-1, 1)) -> float:
    """By how much heatmaps at the chosen places, in the mean, are higher than those so many levels further down.

    Args:
        maps: (K, H, W).
        chosen: At least one disc, in px of the maps.
        shifts: The levels compared, the highest of which counts; -1 is one level up.
    """
    columns = (chosen.points[:, 0]).astype(int).clip(0, maps.shape[2] - 1)
    rows = (chosen.points[:, 1]).astype(int).clip(0, maps.shape[1] - 1)

    def support(shift: int) -> float:
        channel = chosen.channel + shift
        inside = (channel >= 0) & (channel < len(maps))
        values = maps[channel.clip(0, len(maps) - 1), rows, columns].clip(0, 1)
        return float(np.where(inside, values, 0).mean())

    return support(0) - max(map(support, shifts))
