"""One case: an image, the masks that are joined to its truth, and what its data set says about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from spinetk.errors import InputError
from spinetk.images.volume import SUFFIXES, Volume
from spinetk.segmentation.data.colour import read_both_ways, read_mask
from spinetk.segmentation.data.files import read_case, say_inverted
from spinetk.segmentation.data.said import say

Part = Literal["train", "val", "test"]
PARTS: tuple[Part, ...] = ("train", "val", "test")
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


@dataclass(frozen=True)
class Case:
    """Files that belong together.

    Attributes:
        name: Unique in its data set, from its file names.
        image: Volume or picture.
        masks: Files of the same grid; a pixel is true where any of them marks it.
        part: Of the data set's own split, where its folders say one.
        patient: Cases of one patient are never parted; the name where nothing else is known.
    """

    name: str
    image: Path
    masks: tuple[Path, ...]
    part: Part | None = None
    patient: str = ""

    def read(self) -> tuple[Volume | np.ndarray, np.ndarray]:
        """Image and mask."""
        raise NotImplementedError

    @property
    def who(self) -> str:
        """The patient, or the case where no patient is known."""
        return self.patient or self.name


@dataclass(frozen=True)
class VolumeCase(Case):
    """A case of volumes."""

    def read(self) -> tuple[Volume, np.ndarray]:
        """Image and (D, H, W) bool mask in axial slices (:func:`spinetk.segmentation.data.files.read_case`)."""
        return read_case(self.image, self.masks)


@dataclass(frozen=True)
class PictureCase(Case):
    """A case of colour pictures."""

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """(H, W, 3) uint8 RGB and (H, W) bool mask; what had to be guessed is a warning.

        A picture is turned as its EXIF says, unless its masks have the size of the picture as it is stored. Where it
        has the same size both ways, that is a warning: a mask drawn on the picture as it is stored would not fit.

        Raises:
            InputError: A file cannot be read, or the sizes differ.
        """
        masks = [(path, *read_mask(path)) for path in self.masks]
        sizes = {mask.shape for _, mask, _ in masks}
        picture, stored = read_both_ways(self.image)
        if len(sizes) == 1 and picture.shape[:2] not in sizes:
            picture = stored
        elif picture is not stored and picture.shape == stored.shape:
            said = "turned as its EXIF says, and so must its mask be, whose size does not tell"
            say(self.image, said)
        whole: np.ndarray = np.zeros(picture.shape[:2], bool)
        for path, mask, remark in masks:
            if mask.shape != whole.shape:
                fault = f"has {mask.shape[0]} x {mask.shape[1]} pixels, its image {whole.shape[0]} x {whole.shape[1]}"
                raise InputError(path, fault, "give a mask of the size of its image")
            if remark is not None:
                say(path, remark)
            whole |= mask
        say_inverted(whole, self.masks)
        return picture, whole


@dataclass
class Found:
    """What an importer found.

    Attributes:
        cases: Sorted by name.
        unlabelled: Images of the layout without any mask; they are left out.
    """

    cases: list[Case] = field(default_factory=list)
    unlabelled: list[Path] = field(default_factory=list)

    @property
    def joined(self) -> list[Case]:
        """Cases whose truth is several masks together."""
        return [case for case in self.cases if len(case.masks) > 1]

    def add(self, name: str, image: Path, masks: list[Path], part: Part | None = None, patient: str = "") -> None:
        """Take a case up, or note an image that has no mask."""
        if not masks:
            self.unlabelled.append(image)
            return
        kind = VolumeCase if is_volume(image) else PictureCase
        self.cases.append(kind(name, image, tuple(sorted(masks)), part, patient))


def is_volume(path: Path) -> bool:
    """Whether the name is that of a NIfTI, NRRD or MetaImage volume."""
    return path.name.lower().endswith(SUFFIXES)


def is_picture(path: Path) -> bool:
    """Whether the name is that of a PNG, JPEG, TIFF or BMP picture."""
    return path.name.lower().endswith(PICTURE_SUFFIXES)


def stem(path: Path) -> str:
    """The name without the suffix of a volume or picture."""
    suffix = next((s for s in SUFFIXES if path.name.lower().endswith(s)), path.suffix)
    return path.name[: len(path.name) - len(suffix)]


def part_of(name: str) -> Part | None:
    """The part that a folder's whole name stands for, never a piece of a name."""
    word = name.lower()
    if word in ("train", "training"):
        return "train"
    if word in ("val", "valid", "validation"):
        return "val"
    return "test" if word in ("test", "testing") else None


def part_below(root: Path, place: Path) -> Part | None:
    """The part that the nearest folder between a data set's root and a file or folder stands for."""
    return next((part for name in reversed(place.relative_to(root).parts) if (part := part_of(name))), None)


def files(folder: Path, deep: bool = False) -> list[Path]:
    """Volumes and pictures of a folder, hidden ones left out, sorted.

    Args:
        folder: An existing folder.
        deep: Of its subfolders too.
    """
    found = folder.rglob("*") if deep else folder.iterdir()
    return sorted(p for p in found if (is_volume(p) or is_picture(p)) and not p.name.startswith(".") and p.is_file())
