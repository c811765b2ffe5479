"""Engine: what a predictor asks of whatever computes its network."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from spinetk.keypoints.centre.decoding import Found, Worth
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.preset import Preset
from spinetk.schema import KeypointSchema


class Engine(Protocol):
    """What computes a network: :class:`spinetk.keypoints.torch_engine.TorchEngine`, or exported graphs without torch
    (:class:`spinetk.keypoints.centre.runtime.GraphEngine`).

    Attributes:
        preset, schema: Of the network.
        device: ``cpu``, ``cuda:0``.
        runtime: ``torch``, ``openvino``, ``onnxruntime``.
    """

    @property
    def preset(self) -> Preset | CentrePreset: ...

    schema: KeypointSchema
    device: str
    runtime: str

    def fingerprint(self) -> str:
        """SHA-256 of the weights."""

    def detect(self, picture: np.ndarray, least: float, worth: Worth | None = None) -> Found:
        """Detections in a (3, H, W) picture in 0..1 at network size, best first: ``points``, ``scores``, ``sigma``; not
        those that are not ``worth`` it, as :meth:`spinetk.keypoints.centre.decoding.CentreDecoder.detect` asks it.
        """

    def look(self, picture: np.ndarray, points: np.ndarray) -> Found:
        """Refine (N, K, 2) rough points; asked of networks that name levels."""

    def votes(
        self, picture: np.ndarray, centres: np.ndarray, line: np.ndarray, lowest: int | None = None
    ) -> np.ndarray:
        """(N, L) votes for the levels of bodies, from the line's ``lowest`` alone or all of them; asked of networks
        that name levels."""
