"""Volumes turned to axial slices and back, by exchanging and flipping axes alone: no value changes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from spinetk.segmentation.volume import Volume


@dataclass(frozen=True)
class Axial:
    """How the stored axes of a volume become slices from foot to head, rows from front to back, columns from right.

    Attributes:
        order: Stored axis that becomes slices, rows, columns.
        flips: Axes of the result that run the other way.
    """

    order: tuple[int, int, int]
    flips: tuple[int, ...]

    @classmethod
    def of(cls, volume: Volume) -> Axial:
        """By the directions of the volume; oblique axes go to the nearest."""
        # Columns of the matrix are the (x, y, z) of the column, row and slice axes; reversed both ways they are the
        # (z, y, x) of the stored axes.
        matrix = np.asarray(volume.direction, np.float64).reshape(3, 3)[::-1, ::-1]
        order = max(permutations(range(3)), key=lambda chosen: sum(abs(matrix[w, a]) for w, a in enumerate(chosen)))
        return cls(order, tuple(w for w, a in enumerate(order) if matrix[w, a] < 0))

    def take(self, values: np.ndarray) -> np.ndarray:
        """Stored (D, H, W) to axial."""
        return np.ascontiguousarray(np.flip(values.transpose(self.order), self.flips))

    def back(self, values: np.ndarray) -> np.ndarray:
        """Axial to stored."""
        return np.ascontiguousarray(np.flip(values, self.flips).transpose(np.argsort(self.order)))

    def volume(self, stored: Volume) -> Volume:
        """The axial values with their spacing, for reading: place and directions are those of a standard volume."""
        return Volume(self.take(stored.values), tuple(stored.spacing_mm[axis] for axis in self.order))
