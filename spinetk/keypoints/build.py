"""Build: the network of a preset."""

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


def _rcnn(preset: Preset) -> type[VertebraRCNN]:
    if preset.layout == "detectron2":
        from spinetk.keypoints.d2.network import Detectron2RCNN

        return Detectron2RCNN
    from spinetk.keypoints.network import VertebraRCNN

    return VertebraRCNN
