"""Image and mask files that belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spinetk.errors import InputError
from spinetk.images.foreground import foreground, may_be_inverted
from spinetk.images.grid import AXIAL
from spinetk.images.volume import SUFFIXES, Volume, mask_on, read_volume
from spinetk.segmentation.data.said import say


@dataclass(frozen=True)
class Pair:
    """One case.

    Attributes:
        image: Volume file.
        mask: Volume file (:func:`spinetk.images.foreground.foreground`).
    """

    image: Path
    mask: Path

    @property
    def name(self) -> str:
        """Of the case: what image and mask have in common."""
        return _case(self.image)

    def read(self) -> tuple[Volume, np.ndarray]:
        """The image and its (D, H, W) bool mask in axial slices (:func:`read_case`)."""
        return read_case(self.image, [self.mask])


def read_case(image: Path, masks: Sequence[Path]) -> tuple[Volume, np.ndarray]:
    """An image and the union of its masks' foregrounds, turned to axial slices (``AXIAL``); they meet in mm.

    What had to be guessed about the image is a warning.

    Raises:
        InputError: A file cannot be read, or a mask does not lie on its image.
    """
    stored = read_volume(image).finite(image)
    for remark in stored.remarks:
        say(image, remark)
    mask = np.zeros(stored.values.shape, bool)
    for path in masks:
        label = read_volume(path)
        found, said = foreground(label.values)
        if said is not None:
            say(path, said)
        mask |= mask_on(replace(label, values=found), stored.grid, path, image)
        if not label.grid.turn_to(stored.grid.axes).grid(label.grid).same(stored.grid):
            said = f"{label.grid.described()}, on another grid than its image: resampled, nearest voxel"
            say(path, said)
    say_inverted(mask, masks)
    volume, turn = stored.as_closest(AXIAL)
    return replace(volume, values=np.ascontiguousarray(volume.values)), np.ascontiguousarray(turn.take(mask))


def say_inverted(mask: np.ndarray, files: Sequence[Path]) -> None:
    """Warn about a mask that looks as if it marked the background."""
    if may_be_inverted(mask):
        share = f"marks {mask.mean():.0%} of its image and all its corners"
        say(files[0], f"{share}: is it inverted? It was taken as it is", stacklevel=4)


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
        raise InputError(folder, "is not a folder", "put images into raw and masks into label")
    found: dict[str, Path] = {}
    for path in sorted(p for p in folder.iterdir() if p.name.lower().endswith(SUFFIXES) and not p.name.startswith(".")):
        name = _case(path)
        if name in found:
            raise InputError(path, f"begins like {found[name].name}", "names must differ before the first _")
        found[name] = path
    if not found:
        raise InputError(folder, "holds no volume", f"put {', '.join(SUFFIXES)} files into it")
    return found


def _case(path: Path) -> str:
    return path.name.split("_")[0].split(".")[0]
