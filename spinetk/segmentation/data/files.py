"""Image and mask files that belong together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinetk.errors import InputError
from spinetk.segmentation.volume import SUFFIXES, Volume, read_volume


@dataclass(frozen=True)
class Pair:
    """One case.

    Attributes:
        image: Volume file.
        mask: Volume file of the same grid, foreground not 0.
    """

    image: Path
    mask: Path

    @property
    def name(self) -> str:
        """Of the case: what image and mask have in common."""
        return _case(self.image)

    def read(self) -> tuple[Volume, np.ndarray]:
        """The image and its (D, H, W) bool mask.

        Raises:
            InputError: A file cannot be read, or the two do not have one size.
        """
        volume, mask = read_volume(self.image), read_volume(self.mask).values != 0
        if mask.shape != volume.values.shape:
            fault = f"has {mask.shape} voxels, its image {volume.values.shape}"
            raise InputError(self.mask, fault, "give a mask on the grid of its image")
        return volume, mask


def find_pairs(folder: str | Path) -> list[Pair]:
    """Pairs of ``folder/raw`` and ``folder/label``, sorted by name.

    Files belong together when their names agree up to the first underscore (``CASE_lgemri.nrrd``,
    ``CASE_laendo.nrrd``).

    Raises:
        InputError: A folder is missing or empty, a file has no partner, or a name is there twice.
    """
    folder = Path(folder)
    images, masks = (_by_name(folder / part) for part in ("raw", "label"))
    alone = sorted(images.keys() ^ masks.keys())
    if alone:
        raise InputError((images | masks)[alone[0]], "has no partner", "name image and mask alike up to the first _")
    return [Pair(images[name], masks[name]) for name in sorted(images)]


def _by_name(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise InputError(folder, "is no folder", "put images into raw and masks into label")
    found: dict[str, Path] = {}
    for path in sorted(p for p in folder.iterdir() if p.name.endswith(SUFFIXES) and not p.name.startswith(".")):
        name = _case(path)
        if name in found:
            raise InputError(path, f"begins like {found[name].name}", "names must differ before the first _")
        found[name] = path
    if not found:
        raise InputError(folder, "holds no volume", f"put {', '.join(SUFFIXES)} files into it")
    return found


def _case(path: Path) -> str:
    return path.name.split("_")[0].split(".")[0]
