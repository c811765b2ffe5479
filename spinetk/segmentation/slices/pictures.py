"""Colour pictures: what a network sees of them, random changes, training crops, prediction and the clean-up after it.

Pictures are (H, W, 3) uint8 RGB, what a network sees is (3, h, w) float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Literal

import cv2
import numpy as np
import torch
from pydantic import Field
from torch import nn
from torch.utils.data import Dataset

from spinetk.errors import InputError
from spinetk.segmentation.losses.output import logit_of
from spinetk.segmentation.registry import Scale
from spinetk.segmentation.slices.predictor import Statistics, half_type, turned_about_the_middle
from spinetk.training.device import channels_last
from spinetk.validation import STRICT, above, between

MOST_CHROMA = 8
"""By how much red, green and blue of a grey pixel may differ, of 255."""
LEAST_COLOURED = 0.01
"""Share of its pixels from which a picture is coloured."""
Side = Annotated[int, between(1, 8192)]
Size = tuple[Side, Side]
Item = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class PictureForm:
    """How a picture becomes the input of a network.

    Attributes:
        scale: ``z-score`` by mean and SD; ``0-255`` stretches each picture to that range. (TMUnet was trained on
            z-scores stretched in this way: the stretch undoes them, so no statistics are needed.)
        mean, sd: Of all samples of the training part.
        size: (H, W) that pictures are resized to; None keeps theirs.
        coloured: Share of the pictures of the training part that have colour; None where the card does not know.
    """

    __pydantic_config__ = STRICT

    scale: Scale
    mean: Annotated[float, between(-1e9, 1e9)] = 0.0
    sd: Annotated[float, above(0, 1e9)] = 1.0
    size: Size | None = None
    coloured: Annotated[float, between(0, 1)] | None = None

    @classmethod
    def of(cls, scale: Scale, size: Size | None, pictures: Sequence[np.ndarray]) -> PictureForm:
        """With the statistics of the (resized) pictures of the training part."""
        grey = sum(map(is_grey, pictures))
        form = cls(scale, size=size, coloured=1 - grey / len(pictures) if len(pictures) else None)
        if scale != "z-score":
            return form
        found = Statistics.of(pictures)
        return replace(form, mean=found.mean, sd=found.sd)

    def remark(self, picture: np.ndarray) -> str | None:
        """What is said of a picture without colour where those of the training had it, or the other way round."""
        grey = is_grey(picture)
        if self.coloured is None:
            known = "whether those of the training were, the model's card does not say"
            return f"the picture is grey; {known}: the mask may be wrong" if grey else None
        if self.coloured != (1 if grey else 0):  # of both kinds, or of this kind alone
            return None
        here, there = ("grey", "coloured") if grey else ("coloured", "grey")
        return f"the picture is {here}, and those of the training were {there}: the mask may be wrong"

    def resize(self, picture: np.ndarray) -> np.ndarray:
        """The picture at the network's size."""
        return picture if self.size is None else resize(picture, self.size)

    def resize_mask(self, mask: np.ndarray) -> np.ndarray:
        """The bool mask at the network's size: where it covers half of a pixel or more."""
        if self.size is None or mask.shape == tuple(self.size):
            return mask
        return resize(mask.astype(np.float32), self.size) >= 0.5

    def values(self, picture: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 to (3, H, W) float32."""
        values = np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)
        if self.scale == "z-score":
            return (values - np.float32(self.mean)) / np.float32(self.sd)
        low, high = float(values.min()), float(values.max())
        return (values - low) * (255 / ((high - low) or 1.0))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"size": None if self.size is None else list(self.size)}


def is_grey(picture: np.ndarray) -> bool:
    """Whether a picture (H, W, 3) uint8 has no colour, but for specks and what a JPEG leaves of grey."""
    return bool((np.ptp(picture, axis=-1) > MOST_CHROMA).mean() < LEAST_COLOURED)


def resize(values: np.ndarray, size: Size) -> np.ndarray:
    """(H, W[, 3]) to (h, w[, 3]): by areas where it shrinks, else linear."""
    if values.shape[:2] == tuple(size):
        return values
    smaller = size[0] <= values.shape[0] and size[1] <= values.shape[1]
    return cv2.resize(values, size[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


@dataclass(frozen=True)
class PictureAugmentation:
    """Random changes, each in half of the draws; what comes in from outside is the picture mirrored at its edge.

    Attributes:
        flips: ``rows``, ``columns``.
        rotate_degrees: Largest angle either way.
        enlarge: Largest factor of height and of width, drawn apart; the middle is kept.
        noise: SD beside the SD of the values.
    """

    __pydantic_config__ = STRICT

    flips: Annotated[tuple[Literal["rows", "columns"], ...], Field(max_length=2)] = ("rows", "columns")
    rotate_degrees: Annotated[float, between(0, 180)] = 30.0
    enlarge: Annotated[float, between(1, 4)] = 1.1
    noise: Annotated[float, between(0, 100)] = 0.01

    def __call__(self, values: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> Item:
        """Changed (3, H, W) float32 values and (H, W) bool mask."""
        noisy, down, across, turned, larger = rng.random(5) < 0.5
        if noisy and self.noise:
            sd = np.float32(self.noise * (float(values.std()) or 1.0))
            values = values + sd * rng.standard_normal(values.shape, dtype=np.float32)
        if down and "rows" in self.flips:
            values, mask = values[:, ::-1], mask[::-1]
        if across and "columns" in self.flips:
            values, mask = values[..., ::-1], mask[..., ::-1]
        degrees = rng.uniform(-1, 1) * self.rotate_degrees * turned
        scales = rng.uniform(1, self.enlarge, 2) if larger else np.ones(2)
        if degrees or (scales != 1).any():
            values, mask = _warp(values, mask, degrees, scales)
        return np.ascontiguousarray(values), np.ascontiguousarray(mask)


MIRROR = PictureAugmentation(("columns",), 0.0, 1.0, 0.0)
"""The recipe of TMUnet."""


def _warp(values: np.ndarray, mask: np.ndarray, degrees: float, scales: np.ndarray) -> Item:
    matrix = turned_about_the_middle(mask.shape, degrees, scales)
    options: dict[str, Any] = {"dsize": mask.shape[::-1], "borderMode": cv2.BORDER_REFLECT_101}
    layers = [cv2.warpAffine(np.ascontiguousarray(v), matrix, flags=cv2.INTER_LINEAR, **options) for v in values]
    moved = cv2.warpAffine(np.ascontiguousarray(mask, dtype=np.uint8), matrix, flags=cv2.INTER_NEAREST, **options)
    return np.stack(layers), moved != 0


class PictureDataset(Dataset):
    """Pictures for training or validation.

    Args:
        cases: (picture (H, W, 3) uint8, mask (H, W) bool), resized by ``form``.
        form: What the network sees.
        crop: (h, w) cut out at random; smaller pictures are mirrored to that size. None takes them whole.
        augmentation: None for none.
        seed: Draw k of case i depends on (seed, k, i) alone.
    """

    def __init__(
        self,
        cases: Sequence[Item],
        form: PictureForm,
        crop: Size | None = None,
        augmentation: PictureAugmentation | None = None,
        seed: int = 0,
    ) -> None:
        self.cases, self.form, self.crop = list(cases), form, crop
        self.augmentation, self.seed = augmentation, seed

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, index: int | tuple[int, int]) -> Item:
        """(3, h, w) float32 values and (1, h, w) float32 mask for (epoch, case)."""
        epoch, case = index if isinstance(index, tuple) else (0, index)
        rng = np.random.default_rng([self.seed, epoch, case])
        picture, mask = self.cases[case]
        values = self.form.values(picture)
        if self.crop is not None:
            values, mask = _cut(values, mask, self.crop, rng)
        if self.augmentation is not None:
            values, mask = self.augmentation(values, mask, rng)
        return values, mask[None].astype(np.float32)


def _cut(values: np.ndarray, mask: np.ndarray, size: Size, rng: np.random.Generator) -> Item:
    missing = [max(0, n - m) for n, m in zip(size, mask.shape, strict=True)]
    if any(missing):
        width = [(0, n) for n in missing]
        values, mask = np.pad(values, [(0, 0), *width], "symmetric"), np.pad(mask, width, "symmetric")
    y, x = (int(rng.integers(m - n + 1)) for n, m in zip(size, mask.shape, strict=True))
    place = (slice(y, y + size[0]), slice(x, x + size[1]))
    return values[(slice(None), *place)], mask[place]


MOST_OPENING_PX = 256


@dataclass(frozen=True)
class CleanUp:
    """From probability to mask.

    Attributes:
        threshold: Probability from which a pixel belongs to the mask.
        opening_px: Side of the square of a binary opening, and of the structure with which holes are filled; 0 for
            neither. In pixels of the network's picture.

    Raises:
        InputError: A threshold that is no probability, or a side that is no length.
    """

    threshold: float = 0.5
    opening_px: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.threshold, int | float) or not 0 <= self.threshold <= 1:
            raise InputError(f"threshold {self.threshold!r}", "is not in 0..1", "TMUnet as published takes 0.43")
        if not isinstance(self.opening_px, int) or not 0 <= self.opening_px <= MOST_OPENING_PX:
            remedy = f"give px from 0 (none) to {MOST_OPENING_PX}"
            raise InputError(f"opening {self.opening_px!r}", "is no side of a square", remedy)

    def __call__(self, probability: np.ndarray) -> np.ndarray:
        """(H, W) in 0..1 to bool."""
        mask = probability >= self.threshold
        if self.opening_px:
            from scipy.ndimage import binary_fill_holes, binary_opening

            structure = np.ones((self.opening_px, self.opening_px), bool)
            mask = binary_fill_holes(binary_opening(mask, structure), structure)
        return mask


class PicturePredictor:
    """Segments colour pictures.

    Args:
        network: (N, 3, H, W) to logits.
        form: Of its training.
        device: Where it runs, in half precision where the hardware computes it.
        clean_up: From probability to mask.
        flips: Axes whose flipped copies are averaged too: ``rows``, ``columns``. Logits are averaged.
    """

    def __init__(
        self,
        network: nn.Module,
        form: PictureForm,
        device: torch.device | str = "cpu",
        clean_up: CleanUp = CleanUp(),
        flips: Sequence[str] = (),
    ) -> None:
        self.device = torch.device(device)
        self.network = channels_last(network.to(self.device)).eval()
        self.form, self.clean_up = form, clean_up
        self.flips = [{"rows": 2, "columns": 3}[axis] for axis in flips]
        self.half = half_type(self.device)

    @torch.inference_mode()
    def probability(self, picture: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 to (h, w) float32 in 0..1 at the network's size."""
        x = torch.from_numpy(self.form.values(self.form.resize(picture)))[None].to(self.device)
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, self.half, enabled=self.half is not None):
            logits = [logit_of(self.network(x)).float()]
            logits += [logit_of(self.network(x.flip(axis))).float().flip(axis) for axis in self.flips]
        return torch.stack(logits).mean(0).sigmoid()[0, 0].cpu().numpy()

    def predict(self, picture: np.ndarray) -> np.ndarray:
        """(H, W) bool mask of a picture of any size, at that size.

        Without an opening the probability is enlarged and cut off there, which keeps contours smooth; with one, the
        clean mask is enlarged.
        """
        found, size = self.probability(picture), picture.shape[:2]
        if self.clean_up.opening_px:
            return resize(self.clean_up(found).astype(np.float32), size) >= 0.5
        return self.clean_up(resize(found, size))
