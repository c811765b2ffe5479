"""Search: the most plausible column of discs among candidates, in quadratic time.

A column is a chain of candidates with ascending levels. It gains for the height of each peak, pays for each step that
is unlike the steps seen in training, and pays for each level it leaps over. It may start and end anywhere, so neither
the number of discs nor any particular disc has to be known. Dynamic programming over all pairs of candidates gives the
best chain; sizes of body are tried on a short list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from spinetk.discs.candidates import Candidates
from spinetk.errors import InputError

SCALES = (0.8, 0.9, 1.0, 1.1, 1.2)
SCALE_SD = 0.15
GAIN = 10.0
GAP_COST = 2.0
# Least standard deviations of a step, mm: few subjects must not make a skeleton that allows nothing.
FLOOR_MM = (4.0, 3.0)
USUAL_STEP_MM = (0.0, 33.0)


@dataclass(frozen=True)
class Column:
    """Steps between neighbouring levels, head to foot.

    Attributes:
        levels: K disc numbers, ascending.
        steps_mm: (K - 1, 2) mean (x, y) from each level to the next.
        spread_mm: (K - 1, 2) standard deviations.
    """

    levels: tuple[int, ...]
    steps_mm: np.ndarray
    spread_mm: np.ndarray

    @classmethod
    def learn(cls, subjects: Sequence[Mapping[int, Sequence[float] | np.ndarray]], levels: Sequence[int]) -> Column:
        """From the discs of training subjects, number to (x, y) mm.

        A step no subject has takes the mean of those that some have.
        """
        levels = tuple(sorted(levels))
        means, spreads = [], []
        for upper, lower in pairwise(levels):
            steps = [np.subtract(s[lower], s[upper]) for s in subjects if upper in s and lower in s]
            means.append(np.mean(steps, axis=0) if steps else np.full(2, np.nan))
            spreads.append(np.std(steps, axis=0) if len(steps) > 1 else np.zeros(2))
        steps_mm, spread_mm = np.array(means).reshape(-1, 2), np.array(spreads).reshape(-1, 2)
        known = np.isfinite(steps_mm[:, 0])
        steps_mm[~known] = steps_mm[known].mean(axis=0) if known.any() else USUAL_STEP_MM
        return cls(levels, steps_mm, np.maximum(spread_mm, FLOOR_MM))

    def cost(self, points_mm: Mapping[int, Sequence[float]], scale: float = 1.0) -> float:
        """What the steps of a chain (number to (x, y) mm) cost: 0 for the mean column at this scale, wherever it is."""
        numbers = sorted(points_mm)
        channel = np.array([self.levels.index(n) for n in numbers])
        pairs = self._pairs(channel, np.array([points_mm[n] for n in numbers], dtype=np.float64), scale)
        return float(np.diagonal(pairs, 1).sum())

    def _pairs(self, channel: np.ndarray, points: np.ndarray, scale: float) -> np.ndarray:
        """(N, N) cost of stepping from candidate i to candidate j; infinite unless j is of a later level."""
        place = np.concatenate([np.zeros((1, 2)), np.cumsum(self.steps_mm, axis=0)])[channel] * scale
        variance = np.concatenate([np.zeros((1, 2)), np.cumsum((self.spread_mm * scale) ** 2, axis=0)])[channel]
        unlike = (points[None] - points[:, None]) - (place[None] - place[:, None])
        spread = variance[None] - variance[:, None]
        leapt = channel[None] - channel[:, None] - 1
        allowed = leapt >= 0
        spread = np.where(allowed[..., None], spread, 1.0)
        return np.where(allowed, 0.5 * (unlike**2 / spread).sum(axis=2) + GAP_COST * leapt, np.inf)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON content."""
        return {
            "levels": list(self.levels),
            "steps_mm": np.round(self.steps_mm, 4).tolist(),
            "spread_mm": np.round(self.spread_mm, 4).tolist(),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any], source: str = "column") -> Column:
        """Inverse of :meth:`to_json`; raises ``InputError`` naming ``source``."""
        try:
            levels = tuple(int(n) for n in content["levels"])
            arrays = [np.array(content[k], dtype=np.float64).reshape(-1, 2) for k in ("steps_mm", "spread_mm")]
            sound = all(len(a) == len(levels) - 1 and np.isfinite(a).all() for a in arrays) and (arrays[1] > 0).all()
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(source, "holds no column of discs", "use weights of `spinetk discs train`") from error
        if not sound:
            raise InputError(source, "holds a malformed column of discs", "use weights of `spinetk discs train`")
        return cls(levels, *arrays)


def best_chain(
    candidates: Candidates, column: Column, *, threshold: float = 0.3, scales: Sequence[float] = SCALES
) -> tuple[np.ndarray, float]:
    """The chain of candidates with the greatest worth.

    worth = sum of 10 (score - threshold) - steps - 0.5 (log(scale) / 0.15)^2, the best over ``scales``.

    Args:
        candidates: Points in mm; ``channel`` indexes ``column.levels``.
        column: Steps to expect.
        threshold: A peak of this height is worth nothing by itself.
        scales: Sizes of body to try, 1 = the mean of training.

    Returns:
        Indices of the chosen candidates, head to foot (empty when none is worth it), and their worth.
    """
    if not len(candidates):
        return np.zeros(0, np.int64), 0.0
    gain = GAIN * (candidates.scores - threshold)
    best: tuple[np.ndarray, float] = (np.zeros(0, np.int64), 0.0)
    for scale in scales:
        chain, worth = _chain(gain, column._pairs(candidates.channel, candidates.points, scale), candidates.channel)
        worth -= 0.5 * (np.log(scale) / SCALE_SD) ** 2
        if worth > best[1]:
            best = chain, worth
    return best


def _chain(gain: np.ndarray, pairs: np.ndarray, channel: np.ndarray) -> tuple[np.ndarray, float]:
    worth = gain.copy()
    before = np.full(len(gain), -1)
    for i in np.argsort(channel, kind="stable"):
        reached = worth - pairs[:, i]
        k = int(reached.argmax())
        if reached[k] > 0:
            worth[i] += reached[k]
            before[i] = k
    chain = [int(worth.argmax())]
    while before[chain[-1]] >= 0:
        chain.append(int(before[chain[-1]]))
    return np.array(chain[::-1]), float(worth[chain[0]])
