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
    return _rcnn(preset)(preset, schema)


def from_config(config: dict[str, Any]) -> Network:
    """The network a model card's ``config`` describes, with random weights."""
    if config.get("architecture") == "centre":
        from spinetk.keypoints.centre.network import CentreNet

        return CentreNet.from_config(config)
    return _rcnn(Preset.from_json(config["preset"])).from_config(config)


def _rcnn(preset: Preset) -> type[VertebraRCNN]:
    if preset.layout == "detectron2":
        from spinetk.keypoints.d2.network import Detectron2RCNN

        return Detectron2RCNN
    from spinetk.keypoints.network import VertebraRCNN

    return VertebraRCNN
