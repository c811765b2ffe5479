"""Samples of a segmentation training for TensorBoard: true outline green, found outline yellow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from spinetk.segmentation.losses.output import logit_of
from spinetk.training.samples import Samples

TRUE, FOUND = (80, 200, 120), (250, 210, 60)
SHORT_PX = 320


class SegmentationSamples(Samples):
    """Items in the middle of the validation part; of a volume the slice with most of the truth.

    Args:
        dataset: Validation items.
        collate: Makes a batch of them.
        count: How many.
    """

    def __init__(self, dataset: Dataset, collate: Callable[[list[Any]], Any], count: int = 2) -> None:
        super().__init__(dataset, count)
        self.collate = collate

    def draw(self, module: Any, index: int) -> np.ndarray:
        """Outlines on grey values between their 1st and 99th percentile."""
        middle = (len(self.dataset) - self.count) // 2  # type: ignore[arg-type]
        values, mask, _ = self.collate([self.dataset[middle + index]])
        first = next(module.network.parameters())
        with torch.autocast(first.device.type, torch.bfloat16, enabled="bf16" in str(module.trainer.precision)):
            logit = logit_of(module.network(values.to(first.device, first.dtype)))
        found = (logit >= 0)[0, 0].cpu().numpy()
        truth = mask[0, 0].numpy() > 0.5
        picture = values[0].float().numpy()
        grey = picture[0] if truth.ndim == 3 else picture[len(picture) // 2]
        if truth.ndim == 3:
            level = int(truth.sum((1, 2)).argmax())
            grey, truth, found = grey[level], truth[level], found[level]
        low, high = np.percentile(grey, (1, 99))
        grey = ((grey - low) / max(high - low, 1e-6)).clip(0, 1) * 255
        scale = max(1, round(SHORT_PX / min(grey.shape)))
        canvas = cv2.cvtColor(_larger(grey.astype(np.uint8), scale), cv2.COLOR_GRAY2RGB)
        for own, colour in ((truth, TRUE), (found, FOUND)):
            contours, _ = cv2.findContours(_larger(own.astype(np.uint8), scale), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(canvas, contours, -1, colour, 1, cv2.LINE_AA)
        return canvas


def _larger(values: np.ndarray, scale: int) -> np.ndarray:
    return values.repeat(scale, axis=0).repeat(scale, axis=1)
