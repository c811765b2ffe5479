"""Left atrium in a volume of any size and spacing: locator, segmenter, and back.

1. The volume is turned to axial slices, whatever order it is stored in (``AXIAL``: slices from foot to head, rows from
   front to back, columns from right to left), and brought to the spacing the networks were trained at.
2. The locator looks at a coarse copy; its largest component with a margin is the crop.
3. The segmenter looks at the crop, and at four more moved by ``SHIFT`` voxels to opposite corners of a cube: its
   strides meet other voxels there, and the mean is better than any one of them. Several segmenters, and flipped copies,
   are averaged as probabilities too.
4. Probabilities go back to the grid of the volume; 0.5 and more is atrium, of which the largest component stays.

Grey values are standardised within each volume (locator) and each crop (segmenter), where the original takes the
statistics of all training crops and none for the locator: one number set of one scanner is no good on another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from spinetk.images.grid import AXIAL
from spinetk.images.volume import Volume
from spinetk.segmentation.atrium.crop import LOCATOR_MM, Box, crop_box, found_box, locator_shape, shrink
from spinetk.segmentation.losses.output import logit_of
from spinetk.segmentation.metrics import largest_component
from spinetk.validation import STRICT, above, between, validated

Mm = Annotated[float, above(0, 100)]
Triple = tuple[Mm, Mm, Mm]
Side = Annotated[int, between(1, 1024)]
SHIFT = 2
CORNERS = ((1, 1, 1), (-1, 1, -1), (1, -1, -1), (-1, -1, 1))
AXES = {"slices": 2, "rows": 3, "columns": 4}
"""Of the tensors (N, 1, D, H, W)."""


@dataclass(frozen=True)
class Geometry:
    """What has to be the same in training and prediction. Array order: slices, rows, columns.

    Attributes:
        grid_mm: Spacing the segmenter works at.
        patch: Smallest crop of the segmenter in voxels, that of its training.
        locator_mm: Spacing the locator works at.
        margin_mm: Around what the locator found.
    """

    __pydantic_config__ = STRICT

    grid_mm: Triple
    patch: tuple[Side, Side, Side]
    locator_mm: Triple = LOCATOR_MM
    margin_mm: Annotated[float, between(0, 500)] = 10.0

    def to_json(self) -> dict[str, Any]:
        """For the model card."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Any, source: str | Path = "geometry") -> Geometry:
        """Inverse of :meth:`to_json`; raises ``InputError`` naming ``source`` and the field."""
        return validated(cls, content, source)

    def shape(self, shape: Sequence[int], spacing_mm: Sequence[float]) -> tuple[int, ...]:
        """Size of a volume at ``grid_mm``; its own size where the spacings agree within 1 %."""
        return tuple(
            n if abs(s / g - 1) < 0.01 else max(1, round(round(n * s / g, 3)))
            for n, s, g in zip(shape, spacing_mm, self.grid_mm, strict=True)
        )

    def box(self, coarse: np.ndarray, shape: Sequence[int]) -> Box | None:
        """Crop at ``grid_mm`` for the coarse probabilities (or mask shares) of an atrium; None where there is none."""
        found = found_box(coarse)
        if found is None:
            return None
        return crop_box(found, coarse.shape, shape, self.grid_mm, margin_mm=self.margin_mm, least=self.patch)


def resample(values: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """(D, H, W) linearly resampled to ``shape``, float32; the same field of view."""
    values = np.ascontiguousarray(values, np.float32)
    if values.shape == tuple(shape):
        return values
    whole = torch.from_numpy(values)[None, None]
    return F.interpolate(whole, size=tuple(shape), mode="trilinear", align_corners=False)[0, 0].numpy()


def standardise(values: np.ndarray) -> np.ndarray:
    """Mean 0, SD 1, float32; all 0 for a volume of one value."""
    values = np.asarray(values, np.float32)
    sd = float(values.std(dtype=np.float64))
    return (values - np.float32(values.mean(dtype=np.float64))) / np.float32(sd if sd > 0 else 1.0)


class AtriumPredictor:
    """Finds and segments the left atrium.

    Args:
        segmenters: Networks (N, 1, D, H, W) to logits, averaged.
        geometry: Of their training.
        locator: Network of the coarse copy; needed for ``how="locate"``.
        device: Where the networks run.
        flips: Axes along each of which a flipped copy is averaged too: ``rows`` (as in training), ``columns``,
            ``slices``.
        shifts: Whether moved crops are averaged too (``how="locate"``): better, for five times the segmenter's work.
        modalities: DICOM modalities that the segmenter was made for; empty where its card says none.
    """

    def __init__(
        self,
        segmenters: Sequence[nn.Module],
        geometry: Geometry,
        locator: nn.Module | None = None,
        device: torch.device | str = "cpu",
        flips: Sequence[str] = (),
        shifts: bool = True,
        modalities: tuple[str, ...] = (),
    ) -> None:
        self.segmenters = [network.to(device).eval() for network in segmenters]
        self.locator = None if locator is None else locator.to(device).eval()
        self.geometry = geometry
        self.modalities = modalities
        self.device = torch.device(device)
        self.flips = [AXES[axis] for axis in flips]
        self.shifts = [tuple(SHIFT * side for side in corner) for corner in CORNERS] if shifts else []

    def predict(
        self, values: np.ndarray, spacing_mm: Sequence[float], how: Literal["locate", "slide"] = "locate"
    ) -> np.ndarray:
        """The atrium of one volume.

        Args:
            values: (D, H, W) in axial slices (``AXIAL``), any size, any grey scale.
            spacing_mm: Along those axes.
            how: ``locate`` and segment a crop, or ``slide`` a window of the training's size over the whole volume.

        Returns:
            (D, H, W) bool on the grid of ``values``; empty where no atrium was found.
        """
        probability = self.probability(values, spacing_mm, how)
        return largest_component(probability >= 0.5)

    def predict_volume(self, volume: Volume, how: Literal["locate", "slide"] = "locate") -> np.ndarray:
        """(D, H, W) bool of a volume as stored: the same atrium in whatever order of axes that is."""
        axial, turn = volume.as_closest(AXIAL)
        return turn.back(self.predict(axial.values, axial.spacing_mm, how))

    @torch.inference_mode()
    def probability(
        self, values: np.ndarray, spacing_mm: Sequence[float], how: Literal["locate", "slide"] = "locate"
    ) -> np.ndarray:
        """As :meth:`predict`, (D, H, W) float32 in 0..1."""
        work = resample(values, self.geometry.shape(values.shape, spacing_mm))
        if how == "slide":
            from monai.inferers import sliding_window_inference

            whole = self._tensor(standardise(work))
            found = sliding_window_inference(
                whole, self.geometry.patch, 1, self._segment, overlap=0.25, mode="gaussian"
            )
            assert isinstance(found, Tensor)
            return resample(found[0, 0].float().cpu().numpy(), values.shape)
        box = self.locate(work)
        if box is None:
            return np.zeros(values.shape, np.float32)
        total, seen = np.zeros(work.shape, np.float32), np.zeros(work.shape, np.float32)
        for one in [box, *map(box.moved, self.shifts)]:
            patch = self._segment(self._tensor(standardise(one.cut(work))))[0, 0].float().cpu().numpy()
            total += one.paste(patch, work.shape)
            seen += one.paste(np.ones_like(patch), work.shape)
        return resample(total / np.maximum(seen, 1), values.shape)

    @torch.inference_mode()
    def locate(self, work: np.ndarray) -> Box | None:
        """Crop for a volume at ``grid_mm``."""
        if self.locator is None:
            raise ValueError("no locator was given")
        coarse = shrink(work, locator_shape(work.shape, self.geometry.grid_mm, self.geometry.locator_mm))
        logit = logit_of(self.locator(self._tensor(standardise(coarse))))
        return self.geometry.box(logit[0, 0].float().sigmoid().cpu().numpy(), work.shape)

    def _segment(self, x: Tensor) -> Tensor:
        """Mean probability over networks and flips."""
        found = []
        for network in self.segmenters:
            found.append(logit_of(network(x)).float().sigmoid())
            found += [logit_of(network(x.flip(axis))).float().sigmoid().flip(axis) for axis in self.flips]
        return torch.stack(found).mean(0)

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, np.float32))[None, None].to(self.device)
