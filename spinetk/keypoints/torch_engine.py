"""TorchEngine: a network in PyTorch, as the predictor asks it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from spinetk.keypoints.card import KeypointCard, load_network
from spinetk.keypoints.centre.decoding import CentreDecoder, Found, Worth
from spinetk.keypoints.d2.checkpoint import is_detectron2
from spinetk.keypoints.d2.conversion import load_detectron2
from spinetk.keypoints.registry import Network, kind_of
from spinetk.training.device import pick_device, pick_precision

if TYPE_CHECKING:
    from spinetk.keypoints.centre.network import CentreNet


class TorchEngine:
    """Any keypoint network, computed by PyTorch on any device.

    Args:
        network: In any mode; put on ``device`` and into evaluation mode.
        device: ``auto``, ``cpu``, ``cuda``.
    """

    runtime = "torch"

    def __init__(self, network: Network, device: str = "auto") -> None:
        chosen = pick_device(device)
        self.network = network.to(chosen).eval()
        self.preset, self.schema, self.device = network.preset, network.schema, str(chosen)
        self.mixed = pick_precision(chosen.type) == "bf16-mixed"
        self._decoder: CentreDecoder | None = None
        if kind_of(network.preset).maps:
            self._decoder = cast("CentreNet", network).decoder()

    def fingerprint(self) -> str:
        """SHA-256 of the weights."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.network.state_dict().items()):
            digest.update(name.encode() + tensor.detach().cpu().float().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def detect(self, picture: np.ndarray, least: float, worth: Worth | None = None) -> Found:
        """Detections in a (3, H, W) picture in 0..1, best first; a Keypoint R-CNN leaves out scores below ``least``."""
        if self._decoder is not None:
            return self._mixed(self._decoder.detect, picture, None, worth)
        self.network.score_threshold = max(0.01, least)
        tensor = torch.from_numpy(picture).to(self.device)
        return {k: v.float().cpu().numpy() for k, v in self._mixed(self.network.detect, [tensor])[0].items()}

    def look(self, picture: np.ndarray, points: np.ndarray) -> Found:
        """Refine rough points of bodies; for networks that name levels."""
        assert self._decoder is not None  # only centre networks name levels
        return self._mixed(self._decoder.look, picture, points)

    def votes(
        self, picture: np.ndarray, centres: np.ndarray, line: np.ndarray, lowest: int | None = None
    ) -> np.ndarray:
        """Votes for the levels of bodies; for networks that name levels."""
        assert self._decoder is not None
        return self._mixed(self._decoder.votes, picture, centres, line, lowest)

    def l5_chances(self, picture: np.ndarray, points: np.ndarray) -> np.ndarray:
        """How probable it is by their surroundings that bodies are L5; for centre networks that look for it."""
        assert self._decoder is not None
        return self._mixed(self._decoder.l5_chances, picture, points)

    def _mixed(self, function: Callable[..., Any], *arguments: Any) -> Any:
        with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.mixed):
            return function(*arguments)


def open_network(path: Path) -> tuple[Network, KeypointCard | None]:
    """The network of a weights file, and its card (None for a file of Detectron2).

    Raises:
        InputError: The file holds no keypoint network of spinetk or Detectron2.
    """
    if is_detectron2(path):
        return load_detectron2(path), None
    return load_network(path)[:2]
