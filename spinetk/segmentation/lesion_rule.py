"""When a lesion of one mask counts as met by the other: a rule by name, stated with every figure that depends on it.

``touch``
    One voxel in common. Lesions that merge or split still count.
``cover:SHARE``
    At least that share of its voxels lies in the other mask, whoever covers it, as challenges of multiple sclerosis ask
    (MSSEG 2016: a tenth, among other conditions).
``iou:LEAST``
    It has a partner in the other mask with at least that intersection over union; one to one, with as many pairs as can
    be had. A lesion that is split or merged counts once at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spinetk.errors import InputError

KINDS = ("touch", "cover", "iou")
ROUNDING = 1e-6  # of a voxel: exactly the share is enough


@dataclass(frozen=True)
class LesionRule:
    """A rule and its threshold.

    Attributes:
        kind: ``touch``, ``cover`` or ``iou``.
        least: Share or intersection over union, over 0 to 1; 0 for ``touch``.
    """

    kind: Literal["touch", "cover", "iou"] = "touch"
    least: float = 0.0

    @classmethod
    def of(cls, text: str) -> LesionRule:
        """Read ``touch``, ``cover:0.1``, ``iou:0.5``, ...; raises ``InputError`` for anything else."""
        kind, _, number = text.partition(":")
        try:
            least = float(number) if number else 0.0
        except ValueError:
            least = -1.0
        if kind not in KINDS or (kind == "touch") != (number == "") or not (0 < least <= 1 or kind == "touch"):
            raise InputError(f"lesion rule {text!r}", "is unknown", "use touch, cover:SHARE or iou:LEAST, as iou:0.5")
        return cls(kind, least)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return self.kind if self.kind == "touch" else f"{self.kind}:{self.least:g}"

    def met(self, one: np.ndarray, ones: int, other: np.ndarray, others: int) -> tuple[int, int]:
        """How many lesions of each mask the rule counts as met.

        Args:
            one, other: (*S) labels, 0 for background.
            ones, others: Their greatest labels.
        """
        both = (one > 0) & (other > 0)
        pairs, common = np.unique(np.stack([one[both], other[both]]), axis=1, return_counts=True)
        if self.kind == "touch":
            return len(np.unique(pairs[0])), len(np.unique(pairs[1]))
        sizes = (np.bincount(one.ravel(), minlength=ones + 1), np.bincount(other.ravel(), minlength=others + 1))
        if self.kind == "cover":
            return tuple(  # type: ignore[return-value]
                int((np.bincount(own, common, len(size))[1:] + ROUNDING >= self.least * size[1:]).sum())
                for own, size in zip(pairs, sizes, strict=True)
            )
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import maximum_bipartite_matching

        enough = common + ROUNDING >= self.least * (sizes[0][pairs[0]] + sizes[1][pairs[1]] - common)
        table = csr_array((np.ones(int(enough.sum())), tuple(pairs[:, enough])), shape=(ones + 1, others + 1))
        matched = int((maximum_bipartite_matching(table, perm_type="column") >= 0).sum())
        return matched, matched


TOUCH = LesionRule()
