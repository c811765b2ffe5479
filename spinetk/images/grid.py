"""Grid: where the voxels of a volume lie in the patient, and the turning of its axes.

Arrays are (slices, rows, columns), and voxel indices (i, j, k) count columns, rows, slices: the first axis of the file
is the last of the array. Places are in mm in the axes of NIfTI and nibabel, RAS+: x to the patient's right, y to the
front, z to the head. DICOM and ITK count x to the left and y to the back (LPS+); ``origin_mm`` and ``direction`` are
given in their way. Axis codes name what the axes i, j, k point to, as nibabel's do: LPS is what an axial DICOM series
is stored as.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

AXIAL = "LPS"
"""Slices from foot to head, rows from front to back, columns from the patient's right to the left."""

LETTERS = ("RL", "AP", "SI")
LPS = np.array([-1.0, -1.0, 1.0])
OBLIQUE_DEGREES = 18.0
"""A picture whose axes lie further than this from the patient's is remarked: its letters are near, not exact."""
SAME_VOXELS = 0.1
"""Grids whose corners lie closer than this share of a voxel are the same."""

# How much each world axis counts where two choices of nearest axes are equally near (a volume turned by 45 degrees):
# any numbers will do that are about the directions and not about how the file is stored.
_TIES = np.array([[0.0, 0.31, 0.17], [0.23, 0.0, 0.41], [0.37, 0.13, 0.0]])


@dataclass(frozen=True, eq=False)
class Grid:
    """Where voxels lie.

    Attributes:
        shape: (D, H, W): slices, rows, columns.
        affine: (4, 4), voxel index (i, j, k) to mm, RAS+.
        oriented: Whether the file says which way its axes point; if not, ``affine`` is a guess.
    """

    shape: tuple[int, int, int]
    affine: np.ndarray
    oriented: bool = True

    @classmethod
    def of_lps(
        cls,
        shape: Sequence[int],
        spacing_mm: Sequence[float],
        origin_mm: Sequence[float] = (0.0, 0.0, 0.0),
        direction: Sequence[float] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
    ) -> Grid:
        """From what DICOM and ITK say.

        Args:
            shape, spacing_mm: (D, H, W): slices, rows, columns.
            origin_mm: Centre of the first voxel, LPS+.
            direction: 3x3 matrix from (column, row, slice) axes to LPS+, row after row.
        """
        affine = np.eye(4)
        affine[:3, :3] = LPS[:, None] * np.reshape(direction, (3, 3)) * np.asarray(spacing_mm, float)[::-1]
        affine[:3, 3] = LPS * origin_mm
        return cls(tuple(shape), affine)  # type: ignore[arg-type]

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxels along slices, rows, columns."""
        i, j, k = (float(v) for v in np.linalg.norm(self.affine[:3, :3], axis=0))
        return k, j, i

    @property
    def directions(self) -> np.ndarray:
        """(3, 3): unit vectors of the axes i, j, k as columns, RAS+."""
        return self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def origin_mm(self) -> tuple[float, float, float]:
        """Centre of the first voxel, LPS+ as in DICOM."""
        x, y, z = (float(v) for v in self.affine[:3, 3] * LPS)
        return x, y, z

    @property
    def direction(self) -> tuple[float, ...]:
        """3x3 matrix from (column, row, slice) axes to LPS+, row after row, as ITK has it."""
        return tuple(float(v) for v in (LPS[:, None] * self.directions).ravel())

    @property
    def axes(self) -> str:
        """What the axes i, j, k point to, most nearly: ``RAS``, ``LPS``, ``PIR`` ..."""
        codes = [""] * 3
        for world, (voxel, forward) in enumerate(self._nearest()):
            codes[voxel] = LETTERS[world][0 if forward else 1]
        return "".join(codes)

    @property
    def shear_degrees(self) -> float:
        """How far the axes are from right angles to one another, at most."""
        products = self.directions.T @ self.directions
        return float(np.degrees(np.arcsin(np.abs(products[~np.eye(3, dtype=bool)]).max().clip(0, 1))))

    @property
    def oblique_degrees(self) -> float:
        """Greatest angle between an axis and the patient's axis it is nearest to."""
        cosines = [abs(self.directions[world, voxel]) for world, (voxel, _) in enumerate(self._nearest())]
        return float(np.degrees(np.arccos(min(cosines).clip(0, 1))))

    def to_mm(self, indices: np.ndarray) -> np.ndarray:
        """(..., 3) voxel indices (i, j, k), whole = voxel centre, to mm."""
        return np.asarray(indices, float) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def to_index(self, places_mm: np.ndarray) -> np.ndarray:
        """Inverse of :meth:`to_mm`."""
        return (np.asarray(places_mm, float) - self.affine[:3, 3]) @ np.linalg.inv(self.affine[:3, :3]).T

    def corners(self) -> np.ndarray:
        """(8, 3) mm: centres of the voxels at the corners."""
        last = np.array(self.shape[::-1]) - 1
        return self.to_mm(np.stack(np.meshgrid(*[(0, n) for n in last], indexing="ij"), -1).reshape(-1, 3))

    def same(self, other: Grid) -> bool:
        """Whether both have the same voxels at the same place, to a tenth of a voxel."""
        if self.shape != other.shape or self.oriented != other.oriented:
            return False
        return bool(np.abs(self.to_index(other.corners()) - self.to_index(self.corners())).max() < SAME_VOXELS)

    def turn_to(self, axes: str) -> Turn:
        """How the array is turned for its axes i, j, k to point most nearly to ``axes``, such as ``LPS``.

        Raises:
            ValueError: ``axes`` are not three different ones.
        """
        wanted = [next((w for w, pair in enumerate(LETTERS) if letter in pair), -1) for letter in axes]
        if sorted(wanted) != [0, 1, 2]:
            raise ValueError(f"{axes!r} are no axes")
        nearest = self._nearest()
        order = tuple(nearest[world][0] for world in wanted)
        flips = tuple(
            nearest[world][1] != (letter == LETTERS[world][0]) for world, letter in zip(wanted, axes, strict=True)
        )
        return Turn(order, flips)  # type: ignore[arg-type]

    def described(self) -> str:
        """Size, spacing, axes and origin in a few words."""
        size = " x ".join(str(n) for n in self.shape[::-1])
        spacing = " x ".join(f"{s:.4g}" for s in self.spacing_mm[::-1])
        origin = ", ".join(f"{v:.1f}" for v in self.affine[:3, 3])
        axes = self.axes if self.oriented else "unknown directions"
        return f"{size} voxels of {spacing} mm, {axes}, first voxel at ({origin}) mm"

    def _nearest(self) -> list[tuple[int, bool]]:
        """For right-left, front-back and head-feet: the nearest voxel axis, each once, and whether it runs RAS-wards.

        It depends on the directions alone, not on the order in which a file stores them.
        """
        directions = self.directions

        def nearness(order: tuple[int, ...]) -> float:
            total = 0.0
            for world, voxel in enumerate(order):
                vector = directions[:, voxel] * (1 if directions[world, voxel] >= 0 else -1)
                total += vector[world] + 1e-3 * float(vector @ _TIES[world])
            return total

        best = max(permutations(range(3)), key=nearness)
        return [(voxel, bool(directions[world, voxel] >= 0)) for world, voxel in enumerate(best)]


@dataclass(frozen=True)
class Turn:
    """An exchange and reversal of axes: no value changes, and the way back is exact.

    Attributes:
        order: Stored axis (0 = i, 1 = j, 2 = k) that each turned axis i, j, k is.
        flips: Whether it is reversed.
    """

    order: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    def take(self, values: np.ndarray) -> np.ndarray:
        """Stored (D, H, W) to turned, a view."""
        turned = values.transpose([2 - self.order[2 - axis] for axis in range(3)])
        return turned[tuple(slice(None, None, -1 if flip else 1) for flip in reversed(self.flips))]

    def back(self, values: np.ndarray) -> np.ndarray:
        """Turned to stored, contiguous."""
        stored = values[tuple(slice(None, None, -1 if flip else 1) for flip in reversed(self.flips))]
        return np.ascontiguousarray(stored.transpose(np.argsort([2 - self.order[2 - axis] for axis in range(3)])))

    def grid(self, stored: Grid) -> Grid:
        """The grid of the turned array."""
        size = stored.shape[::-1]
        change = np.zeros((4, 4))
        change[3, 3] = 1
        for turned, (axis, flip) in enumerate(zip(self.order, self.flips, strict=True)):
            change[axis, turned] = -1 if flip else 1
            change[axis, 3] = size[axis] - 1 if flip else 0
        shape = tuple(size[axis] for axis in reversed(self.order))
        return Grid(shape, stored.affine @ change, stored.oriented)  # type: ignore[arg-type]
