"""Engine: what a predictor asks of whatever computes its network, and the one that a model is opened with."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from spinetk.errors import InputError
from spinetk.keypoints.card import KeypointCard, read_card
from spinetk.keypoints.centre import runtime
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

    def l5_chances(self, picture: np.ndarray, points: np.ndarray) -> np.ndarray:
        """(N,) how probable it is by their surroundings that (N, K, 2) bodies of an upright (H, W) uint8 picture are
        L5; asked where the preset has a ``lumbosacral_look``."""


def open_engine(
    path: Path, device: str = "auto", graphs: bool = True, precision: runtime.Precision = "32-true"
) -> tuple[Engine, KeypointCard | None]:
    """What computes a model, and the model's card (None for a file of Detectron2).

    A release with graphs is read without PyTorch, unless it is asked to run on a GPU.

    Args:
        path: The weights.
        device: ``auto``, ``cpu`` or ``cuda``.
        graphs, precision: Use the graphs of a release where it has any, and what they compute in.

    Raises:
        InputError: The file is not a keypoint network of spinetk, or what computes it is missing.
    """
    if graphs and runtime.reads(path, device):
        card = read_card(path)
        preset = card.config.preset
        if not isinstance(preset, CentrePreset):
            raise InputError(path, "has graphs beside it that are of another network", "remove them")
        return runtime.GraphEngine(path, preset, card.config.schema, precision), card
    if precision != "32-true":
        raise runtime.only_released(precision)
    from spinetk.keypoints.torch_engine import TorchEngine, open_network

    network, told = open_network(path)
    return TorchEngine(network, device), told
