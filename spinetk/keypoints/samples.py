"""Samples of a keypoint training for TensorBoard: outlines found (solid) and true (dashed)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from spinetk.reading import Reading
from spinetk.report.overlay import outline
from spinetk.training.samples import Samples
from spinetk.vertebra import Vertebra

SURE = 0.5


class KeypointSamples(Samples):
    """Pictures at the size of the network's input."""

    def draw(self, module: Any, index: int) -> np.ndarray:
        """What is found with a confidence of one half and more, beside the truth."""
        network = module.network
        picture, target = self.dataset[index]
        device = next(network.parameters()).device
        with torch.autocast(device.type, torch.bfloat16, enabled="bf16" in str(module.trainer.precision)):
            found = network.detect([picture.to(device, next(network.parameters()).dtype)])[0]
        sure = found["scores"].float() >= SURE
        grey = (picture[0].float().numpy() * 255).astype(np.uint8)
        readings = [
            Reading("", len(grey), len(grey[0]), network.schema, [Vertebra.from_points(body) for body in bodies])
            for bodies in (
                found["points"][sure].double().cpu().numpy(), target["keypoints"][..., :2].double().numpy()
            )
        ]  # fmt: skip
        return outline(grey, readings[0], truth=readings[1], scale=1.0)
