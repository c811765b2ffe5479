"""From what the locator found to the crop the segmenter sees, and back.

The locator looks at a coarse copy of the volume. Its largest component, with a margin in mm and sides rounded up to
multiples of 16, is the box the segmenter works in. Any size and spacing: the coarse grid is given in mm (1.25 x 2.5 x
2.5, which is the original's 48 x 160 x 160 for its 96 x 640 x 640 voxels of 0.625 mm), and a box may reach beyond a
volume whose sides are no multiples of 16. Array axes are (slice, row, column).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinetk.segmentation.metrics import largest_component

LOCATOR_MM = (1.25, 2.5, 2.5)
MULTIPLE = 16
"""Of which every side of the box is one."""


@dataclass(frozen=True)
class Box:
    """A box of whole voxels that may reach beyond the array it is cut from.

    Attributes:
        start: First voxel along every axis; may be negative.
        size: Voxels along every axis.
    """

    start: tuple[int, ...]
    size: tuple[int, ...]

    @property
    def stop(self) -> tuple[int, ...]:
        """First voxel after the box along every axis."""
        return tuple(a + n for a, n in zip(self.start, self.size, strict=True))

    def moved(self, by: Sequence[int]) -> Box:
        """The same box some voxels further along every axis."""
        return Box(tuple(a + n for a, n in zip(self.start, by, strict=True)), self.size)

    def cut(self, values: np.ndarray, fill: float | None = None) -> np.ndarray:
        """The box out of ``values``, a copy of the box's size.

        Args:
            values: (*S) array.
            fill: Value beyond the array; None for the smallest of ``values``, which in an image is background.
        """
        if fill is None:
            fill = values.min() if values.size else 0
        patch = np.full(self.size, fill, values.dtype)
        here, there = self._overlap(values.shape)
        patch[there] = values[here]
        return patch

    def paste(self, patch: np.ndarray, shape: Sequence[int]) -> np.ndarray:
        """Inverse of :meth:`cut`: an array of ``shape`` with ``patch`` where the box lies and 0 elsewhere."""
        if patch.shape != self.size:
            raise ValueError(f"a patch of {patch.shape} is not from a box of {self.size}")
        whole = np.zeros(tuple(shape), patch.dtype)
        here, there = self._overlap(whole.shape)
        whole[here] = patch[there]
        return whole

    def _overlap(self, shape: Sequence[int]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """The shared part, in the array's own indices and in the box's."""
        low = [min(max(0, a), n) for a, n in zip(self.start, shape, strict=True)]
        high = [max(a, min(n, b)) for a, b, n in zip(low, self.stop, shape, strict=True)]
        here = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        there = tuple(slice(a - s, b - s) for a, b, s in zip(low, high, self.start, strict=True))
        return here, there


def locator_shape(shape: Sequence[int], spacing_mm: Sequence[float], grid_mm: Sequence[float] = LOCATOR_MM) -> tuple:
    """Size of the coarse copy of a volume whose voxels are about ``grid_mm``; never more voxels than the volume has."""
    # Rounded twice: spacings that differ in their last digits alone give one size.
    return tuple(min(n, max(1, round(round(n * s / g, 3)))) for n, s, g in zip(shape, spacing_mm, grid_mm, strict=True))


def shrink(values: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """A coarse copy of an image, or of a mask as shares of foreground: float32 means of what each new voxel covers."""
    import torch
    import torch.nn.functional as F

    whole = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
    return F.interpolate(whole[None, None], size=tuple(shape), mode="area")[0, 0].numpy()


def found_box(probability: np.ndarray) -> Box | None:
    """Box around the largest component of ``probability >= 0.5``; None where nothing reaches it."""
    places = np.argwhere(largest_component(probability >= 0.5))
    if len(places) == 0:
        return None
    low, high = places.min(0), places.max(0) + 1
    return Box(tuple(int(a) for a in low), tuple(int(b - a) for a, b in zip(low, high, strict=True)))


def crop_box(
    found: Box,
    coarse: Sequence[int],
    shape: Sequence[int],
    spacing_mm: Sequence[float],
    *,
    margin_mm: float = 10.0,
    least: Sequence[int] | None = None,
) -> Box:
    """The segmenter's box in the full volume.

    Args:
        found: Box in the coarse copy.
        coarse: Shape of the coarse copy.
        shape: Shape of the volume.
        spacing_mm: Of the volume, in array order.
        margin_mm: Added on every side.
        least: Smallest sides, for instance those trained on.

    Returns:
        A box that contains the found one with its margin as far as the volume goes. It lies inside the volume along
        every axis that is long enough, and has the whole axis in its middle along every other.
    """
    start, size = [], []
    for axis, whole in enumerate(shape):
        scale = whole / coarse[axis]
        margin = margin_mm / spacing_mm[axis]
        low = max(0, int(np.floor(found.start[axis] * scale - margin)))
        high = min(whole, int(np.ceil(found.stop[axis] * scale + margin)))
        side = max(high - low, least[axis] if least is not None else 1)
        side = -(-side // MULTIPLE) * MULTIPLE
        middle = (low + high - side) // 2
        start.append(min(max(0, middle), whole - side) if side <= whole else (whole - side) // 2)
        size.append(side)
    return Box(tuple(start), tuple(size))
