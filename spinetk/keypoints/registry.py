"""Every keypoint network by name, and what networks of its kind can do.

Light to import: a network's own module is loaded when it is built. A new network is a module with the interface of
:class:`spinetk.keypoints.network.VertebraRCNN` (``losses``, ``detect``, ``config``, ``preset``, ``schema``), its
preset, and an :class:`Entry` here; one of another architecture also a :class:`Kind`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from spinetk.errors import InputError
from spinetk.keypoints.centre.preset import CENTRE, CENTRE_AP, CENTRE_LATERAL, CENTRE_MR, CentrePreset
from spinetk.keypoints.preset import FAST, R50, R50_DETECTRON2, Preset
from spinetk.schema import KeypointSchema

if TYPE_CHECKING:
    from spinetk.keypoints.centre.network import CentreNet
    from spinetk.keypoints.network import VertebraRCNN


Network: TypeAlias = "VertebraRCNN | CentreNet"
AnyPreset = Preset | CentrePreset


@dataclass(frozen=True)
class Kind:
    """What all networks of an architecture have in common.

    Attributes:
        factory: ``module:class`` under ``spinetk.keypoints``, called with preset and schema.
        maps: Whether it gives maps, which are decoded outside of it: it can then be written as graphs, read without
            PyTorch, and name levels.
        calibrated: Whether its scores become probabilities only by calibration on held-out pictures.
        losses: Names of all that a network of it may be trained by, each with the parts of the network that it changes
            with.
    """

    factory: str
    losses: Mapping[str, frozenset[str]]
    maps: bool = False
    calibrated: bool = False


_FEATURES = frozenset({"body", "context", "lateral", "smooth", "trunk"})
_OF_RCNN = dict.fromkeys(("classifier", "box_reg", "keypoint", "objectness", "rpn_box_reg"), frozenset({"rcnn"}))
KINDS = {
    "keypoint-rcnn": Kind("network:VertebraRCNN", _OF_RCNN),
    "keypoint-rcnn-detectron2": Kind("d2.network:Detectron2RCNN", _OF_RCNN),
    "centre": Kind(
        "centre.network:CentreNet",
        {
            "centre": _FEATURES | {"centre"},
            "s1": _FEATURES | {"centre", "landmarks"},
            "femoral_head": _FEATURES | {"centre", "landmarks"},
            "offset": _FEATURES | {"offset", "landmarks"},
            "refine": frozenset({"refine", "endplate"}),
            "level": frozenset({"column"}),
        },
        maps=True,
        calibrated=True,
    ),
}
"""By the ``kind`` of a preset."""


@dataclass(frozen=True)
class Entry:
    """A registered network.

    Attributes:
        preset: Its sizes; the name is the preset's.
        source: Paper or library.
        parameters: With the six points of ``vertebra6``.
    """

    preset: AnyPreset
    source: str
    parameters: int

    @property
    def name(self) -> str:
        """Its name on the command line."""
        return self.preset.name

    def build(self, schema: KeypointSchema) -> Network:
        """The network with random weights."""
        return build(self.preset, schema)


_RCNN = "He et al. 2017, as in Detectron2's COCO-Keypoints/keypoint_rcnn_R_50_FPN_3x"
_CENTRE = "after Zhou et al. 2019, arXiv 1904.07850, with refining crops"

ENTRIES = (
    Entry(R50, _RCNN, 59_100_255),
    Entry(FAST, _RCNN + ", sized for two CPU cores", 4_145_503),
    Entry(R50_DETECTRON2, _RCNN + ", computing what Detectron2 computes", 59_100_255),
    Entry(CENTRE, _CENTRE, 7_107_715),
    Entry(CENTRE_AP, _CENTRE + ", names T1 to L5", 7_654_680),
    Entry(CENTRE_MR, _CENTRE + ", finds S1 by layers of its own", 7_177_958),
    Entry(CENTRE_LATERAL, _CENTRE + ", finds S1 and the femoral heads", 7_109_801),
)

REGISTRY = {entry.name: entry for entry in ENTRIES}


def get_preset(name: str | AnyPreset) -> AnyPreset:
    """A preset by name; raises ``InputError`` that lists the names."""
    if not isinstance(name, str):
        return name
    if name not in REGISTRY:
        raise InputError(f"preset {name!r}", "is unknown", f"choose from {', '.join(REGISTRY)}")
    return REGISTRY[name].preset


def is_registered(preset: AnyPreset) -> bool:
    """Whether the name of a preset says all of it."""
    return preset.name in REGISTRY and REGISTRY[preset.name].preset == preset


def kind_of(preset: AnyPreset) -> Kind:
    """What the network of a preset can do, registered or not."""
    return KINDS[preset.kind]


def losses_of(preset: AnyPreset, only: str = "") -> list[str]:
    """Losses that a network of a preset is trained by; where some parts of it are trained alone, those that change.

    Args:
        preset: Of the network.
        only: Names of the parts, with commas between them, or nothing: all.
    """
    absent = {"s1", "femoral_head"} - {*preset.landmarks} | (set() if preset.levels else {"level"})
    parts = {part.strip() for part in only.split(",")}
    losses = kind_of(preset).losses.items()
    return [name for name, changes_with in losses if name not in absent and (not only or changes_with & parts)]


def build(preset: str | AnyPreset, schema: KeypointSchema) -> Network:
    """The network of a preset with random weights."""
    preset = get_preset(preset)
    module, name = kind_of(preset).factory.split(":")
    network: Network = getattr(import_module(f"spinetk.keypoints.{module}"), name)(preset, schema)
    return network
