"""Build: the network of a preset or of a model card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.preset import Preset, get_preset
from spinetk.schema import KeypointSchema

if TYPE_CHECKING:
    from spinetk.keypoints.centre.network import CentreNet
    from spinetk.keypoints.network import VertebraRCNN

    Network = VertebraRCNN | CentreNet
else:
    Network = Any


def build(preset: str | Preset | CentrePreset, schema: KeypointSchema) -> Network:
    """A network with random weights. All networks have ``losses``, ``detect``, ``config``, ``preset``, ``schema``."""
    preset = get_preset(preset)
    if isinstance(preset, CentrePreset):
        from spinetk.keypoints.centre.network import CentreNet

        return CentreNet(preset, schema)
    from spinetk.keypoints.network import VertebraRCNN

    return VertebraRCNN(preset, schema)


def from_config(config: dict[str, Any]) -> Network:
    """The network a model card's ``config`` describes, with random weights."""
    if config.get("architecture") == "centre":
        from spinetk.keypoints.centre.network import CentreNet

        return CentreNet.from_config(config)
    from spinetk.keypoints.network import VertebraRCNN

    return VertebraRCNN.from_config(config)
