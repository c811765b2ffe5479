"""Volumes slice by slice: neighbouring slices as channels, sampling, augmentation and whole-volume prediction.

Arrays are (D, H, W); a network sees C neighbouring slices (C, H, W) and answers for the middle one. Grey values are
standardised with the statistics of the training part, so that 0 is its mean; slices beyond the volume are 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from spinetk.segmentation.data.contrast import contrast_of
from spinetk.segmentation.losses.output import logit_of
from spinetk.training.device import channels_last, lay_out
from spinetk.validation import STRICT, Share, between

OTHER_SD, OTHER_MEAN = 4.0, 3.0
"""SDs of a volume and of the training part by so many times apart, or means by so many SDs: another grey scale."""
OTHER_SPACING = 1.25
"""Voxels so many times smaller or larger than any of the training part: what is seen has another size."""

Spacings = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
"""Least and largest mm between voxels along slices, rows and columns of axial slices."""


@dataclass(frozen=True)
class Statistics:
    """What volumes of the training part are like.

    Attributes:
        mean, sd: Of all their voxels.
        spacing_mm: Of those whose files say it; None where none does, or a card of before does not know.
        contrast: Of MR, where the names of all say the same.
    """

    mean: float
    sd: float
    spacing_mm: Spacings | None = None
    contrast: str | None = None

    @classmethod
    def of(cls, volumes: Iterable[np.ndarray]) -> Statistics:
        """Of several arrays, read one at a time; the SD of equal values is given as 1."""
        n, total, squares = 0, 0.0, 0.0
        for values in volumes:
            values = np.asarray(values, np.float64)
            n, total, squares = n + values.size, total + values.sum(), squares + np.square(values).sum()
        if n == 0:
            raise ValueError("no voxels to take statistics of")
        mean = total / n
        return cls(float(mean), float(max(squares / n - mean**2, 0) ** 0.5) or 1.0)

    def standardise(self, values: np.ndarray) -> np.ndarray:
        """float32 z-scores."""
        return (np.asarray(values, np.float32) - np.float32(self.mean)) / np.float32(self.sd)

    def remarks(self, image: Path, values: np.ndarray, spacing_mm: Sequence[float] | None) -> list[str]:
        """What is said of a volume that is not like those of the training part, in three ways.

        Args:
            image: Its file.
            values: (D, H, W).
            spacing_mm: Along slices, rows, columns of axial slices; None where its file does not say it.
        """
        found = [self.remark(values), self.remark_contrast(image)]
        found += [] if spacing_mm is None else [self.remark_spacing(spacing_mm)]
        return [one for one in found if one is not None]

    def remark_contrast(self, image: Path) -> str | None:
        """What is said of a file whose name says another contrast than those of the training part."""
        own = contrast_of(image)
        if own is None or self.contrast is None or own == self.contrast:
            return None
        return f"the file is called {own}, the model was trained on {self.contrast}: the mask may be wrong"

    def remark(self, values: np.ndarray) -> str | None:
        """What is said of a volume on another grey scale than the training part: the network has not seen its like."""
        if values.min() == values.max():
            return "all voxels are alike: there is nothing to see"
        own = Statistics.of([values])
        wider, apart = own.sd / self.sd, abs(own.mean - self.mean) / self.sd
        if 1 / OTHER_SD < wider < OTHER_SD and apart < OTHER_MEAN:
            return None
        here, there = (f"mean {one.mean:.4g}, SD {one.sd:.4g}" for one in (own, self))
        return f"grey values are on another scale ({here}) than in training ({there}): the mask may be wrong"

    def remark_spacing(self, spacing_mm: Sequence[float]) -> str | None:
        """What is said of voxels of another size than in training: the network sees px, and knows no mm.

        Args:
            spacing_mm: Along slices, rows, columns of axial slices.
        """
        here = " x ".join(f"{own:.3g}" for own in spacing_mm)
        if self.spacing_mm is None:
            return f"voxels are {here} mm (slices, rows, columns), in training nobody knows: the mask may be wrong"
        pairs = list(zip(spacing_mm, self.spacing_mm, strict=True))
        if all(low / OTHER_SPACING < own < high * OTHER_SPACING for own, (low, high) in pairs):
            return None
        there = " x ".join(
            f"{low:.3g}" if high < 1.005 * low else f"{low:.3g}-{high:.3g}" for low, high in self.spacing_mm
        )
        return f"voxels are {here} mm (slices, rows, columns), in training {there} mm: the mask may be wrong"


def spacings_of(known: Sequence[tuple[float, float, float]]) -> Spacings | None:
    """Least and largest of some spacings, mm along slices, rows and columns; None of none."""
    if not known:
        return None
    slices, rows, columns = ((min(own), max(own)) for own in zip(*known, strict=True))
    return slices, rows, columns


def neighbours(values: np.ndarray, index: int, channels: int) -> np.ndarray:
    """(C, H, W): the slice of that index in the middle, its neighbours around it, 0 beyond the volume.

    For an even number of channels the middle is the one after it, as in D-UNet: of four, the third.
    """
    wanted = np.arange(channels) + index - channels // 2
    inside = (wanted >= 0) & (wanted < len(values))
    chosen = np.zeros((channels, *values.shape[1:]), values.dtype)
    chosen[inside] = values[wanted[inside]]
    return chosen


@dataclass(frozen=True)
class SliceAugmentation:
    """The recipe of SPiN; each change is drawn with probability ``rate`` (all of them) times 0.5 (each).

    Attributes:
        rate: Share of the samples that are changed at all.
        late_rate: The same from epoch ``late`` on.
        late: That epoch.
        noise_sd: Of the noise, beside standardised values.
        rotate_degrees: Largest angle either way.
        enlarge: Largest factor of height and of width, drawn apart; the middle is kept.
    """

    __pydantic_config__ = STRICT

    rate: Share = 1.0
    late_rate: Share = 0.5
    late: Annotated[int, between(0, 100_000_000)] = 1400
    noise_sd: Annotated[float, between(0, 100)] = 0.01
    rotate_degrees: Annotated[float, between(0, 180)] = 30.0
    enlarge: Annotated[float, between(1, 4)] = 1.1

    def __call__(
        self, values: np.ndarray, mask: np.ndarray, rng: np.random.Generator, epoch: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Changed (C, H, W) float32 values and (H, W) bool mask; what comes in is the smallest value, background."""
        if rng.random() >= (self.rate if epoch < self.late else self.late_rate):
            return values, mask
        noisy, across, down, turned, larger = rng.random(5) < 0.5
        if noisy:
            values = values + np.float32(self.noise_sd) * rng.standard_normal(values.shape, dtype=np.float32)
        if across:
            values, mask = values[..., ::-1], mask[..., ::-1]
        if down:
            values, mask = values[..., ::-1, :], mask[..., ::-1, :]
        if turned or larger:
            degrees = rng.uniform(-1, 1) * self.rotate_degrees if turned else 0.0
            scales = rng.uniform(1, self.enlarge, 2) if larger else np.ones(2)
            values, mask = _warp(values, mask, degrees, scales)
        return np.ascontiguousarray(values), np.ascontiguousarray(mask)


def turned_about_the_middle(shape: Sequence[int], degrees: float, scales: np.ndarray) -> np.ndarray:
    """(2, 3) matrix of OpenCV: a picture (H, W) rotated about its middle, then enlarged by (rows, columns)."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    linear = np.diag(scales[::-1]) @ np.array([[c, s], [-s, c]])
    middle = (np.array(shape[::-1]) - 1) / 2
    return np.hstack([linear, (middle - linear @ middle)[:, None]])


def _warp(values: np.ndarray, mask: np.ndarray, degrees: float, scales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nearest neighbours; what comes in is background."""
    import cv2

    matrix = turned_about_the_middle(mask.shape, degrees, scales)
    options: dict[str, Any] = {"dsize": mask.shape[::-1], "flags": cv2.INTER_NEAREST}
    background = float(values.min())
    layers = [cv2.warpAffine(np.ascontiguousarray(v), matrix, borderValue=background, **options) for v in values]
    moved = cv2.warpAffine(np.ascontiguousarray(mask, dtype=np.uint8), matrix, borderValue=0, **options)
    return np.stack(layers), moved != 0


class SliceDataset(Dataset):
    """One slice a patient and draw: with lesion in most draws, without in the others.

    Args:
        cases: (values (D, H, W) standardised float32, mask (D, H, W) bool) of each patient.
        channels: Slices the network sees.
        positive_rate: Share of draws with a lesion, where the patient has slices of both kinds.
        augmentation: None for none.
        seed: Draw k of case i depends on (seed, k, i) alone.
    """

    def __init__(
        self,
        cases: Sequence[tuple[np.ndarray, np.ndarray]],
        channels: int,
        positive_rate: float = 0.95,
        augmentation: SliceAugmentation | None = None,
        seed: int = 0,
    ) -> None:
        self.cases, self.channels, self.positive_rate = list(cases), channels, positive_rate
        self.augmentation, self.seed = augmentation, seed
        marked = [mask.any((1, 2)) for _, mask in self.cases]
        self.with_lesion = [np.flatnonzero(has) for has in marked]
        self.without = [np.flatnonzero(~has) for has in marked]

    def __len__(self) -> int:
        return len(self.cases)

    def choose(self, case: int, rng: np.random.Generator) -> int:
        """A slice of a patient."""
        wanted = self.with_lesion[case] if rng.random() < self.positive_rate else self.without[case]
        if len(wanted) == 0:
            wanted = np.arange(len(self.cases[case][0]))
        return int(rng.choice(wanted))

    def __getitem__(self, index: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """(C, H, W) float32 values and (1, H, W) float32 mask for (epoch, case)."""
        epoch, case = index
        rng = np.random.default_rng([self.seed, epoch, case])
        number = self.choose(case, rng)
        values, mask = neighbours(self.cases[case][0], number, self.channels), self.cases[case][1][number]
        if self.augmentation is not None:
            values, mask = self.augmentation(values, mask, rng, epoch)
        return values, mask[None].astype(np.float32)


def half_type(device: torch.device) -> torch.dtype | None:
    """The half precision that a device computes in hardware, None where there is none."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    return torch.bfloat16 if device.type == "cpu" and torch.cpu._is_avx512_bf16_supported() else None


class SlicePredictor:
    """Segments a volume slice by slice.

    Args:
        network: (N, C, H, W) to logits.
        channels: C.
        statistics: Of its training part.
        device: Where the network runs, in half precision where the hardware computes it: about three times as fast.
        flips: Axes of the slice whose flipped copies are averaged too: ``rows``, ``columns``. Logits are averaged.
        batch: Slices at a time.
        smallest: Shortest side of a slice that the network takes; smaller ones are enlarged with their last row or
            column, and the mask is cut.
    """

    def __init__(
        self,
        network: nn.Module,
        channels: int,
        statistics: Statistics,
        device: torch.device | str = "cpu",
        flips: Sequence[str] = (),
        batch: int = 4,
        smallest: int = 1,
    ) -> None:
        self.device, self.batch = torch.device(device), batch
        self.network = channels_last(network.to(self.device)).eval()
        self.channels, self.statistics = channels, statistics
        self.flips = [{"rows": 2, "columns": 3}[axis] for axis in flips]
        self.half = half_type(self.device)
        self.smallest = smallest

    @torch.inference_mode()
    def probability(self, values: np.ndarray) -> np.ndarray:
        """(D, H, W) grey values of the scale of the training, to (D, H, W) float32 in 0..1."""
        height, width = values.shape[1:]
        short = [(0, max(0, self.smallest - side)) for side in (height, width)]
        whole = np.pad(self.statistics.standardise(values), [(0, 0), *short], mode="edge")
        found = []
        for start in range(0, len(whole), self.batch):
            numbers = range(start, min(start + self.batch, len(whole)))
            x = torch.from_numpy(np.stack([neighbours(whole, i, self.channels) for i in numbers])).to(self.device)
            x = lay_out(x)
            with torch.autocast(self.device.type, self.half, enabled=self.half is not None):
                logits = [self._logit(x)] + [self._logit(x.flip(axis)).flip(axis) for axis in self.flips]
            found.append(torch.stack(logits).mean(0).sigmoid()[:, 0].cpu().numpy())
        return np.concatenate(found)[:, :height, :width]

    def predict(self, values: np.ndarray) -> np.ndarray:
        """(D, H, W) bool: probability 0.5 and more."""
        return self.probability(values) >= 0.5

    def _logit(self, x: Tensor) -> Tensor:
        return logit_of(self.network(x)).float()
