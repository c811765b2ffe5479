"""Preset: the sizes of a Keypoint R-CNN and the recipe it is trained with, as plain data stored beside the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StrictBool, StrictStr

from spinetk.errors import InputError
from spinetk.keypoints.centre.preset import Channels, Px
from spinetk.validation import STRICT, above, between, validated


@dataclass(frozen=True)
class Preset:
    """Architecture of a network.

    Attributes:
        body: ``resnet50`` (torchvision, all four stages) or ``resnet18`` (first three stages, stride 4 to 16).
        channels: Channels of the feature pyramid.
        anchors_px: Anchor side per pyramid level, in px of the network's input.
        ratios: Anchor height / width.
        short_px: Short side of the network's input (training draws from these, prediction takes the last).
        long_px: Long side at most.
        proposals: Kept after non-maximum suppression, (training, prediction).
        box_samples, box_units: Regions sampled per picture for the box head, and the width of its two dense layers.
        point_layers: Channels of the 3x3 convolutions in the keypoint head.
        detections: Vertebrae per picture at most.
        box_margin: Truth boxes are grown by this share of their size per side, so that corners, which lie on the edge
            of a tight box, stay inside imperfect proposals (a point outside its proposal is not trained and cannot be
            decoded).
        local_contrast: Whether two channels hold locally equalised copies of the picture
            (:func:`spinetk.keypoints.pictures.to_tensor`); COCO weights want three equal channels.
        layout: ``torchvision``, or ``detectron2``: details of geometry and resizing as Detectron2 has them
            (:mod:`spinetk.keypoints.d2.network`), for weights trained there.
    """

    __pydantic_config__ = STRICT

    name: StrictStr
    body: Literal["resnet50", "resnet18"]
    channels: Channels
    anchors_px: Annotated[tuple[Annotated[int, between(2, 2048)], ...], Field(min_length=4, max_length=5)]
    ratios: Annotated[tuple[Annotated[float, above(0, 20)], ...], Field(min_length=1, max_length=8)]
    short_px: Annotated[tuple[Px, ...], Field(min_length=1, max_length=16)]
    long_px: Px
    proposals: tuple[Annotated[int, between(1, 5000)], Annotated[int, between(1, 5000)]]
    box_samples: Annotated[int, between(1, 4096)]
    box_units: Annotated[int, between(1, 4096)]
    point_layers: Annotated[tuple[Channels, ...], Field(min_length=1, max_length=16)]
    detections: Annotated[int, between(1, 1000)]
    box_margin: Annotated[float, between(0, 1)]
    local_contrast: StrictBool
    layout: Literal["torchvision", "detectron2"] = "torchvision"
    # What only centre networks choose (CentrePreset).
    mirror: ClassVar[bool] = True
    levels: ClassVar[tuple[str, ...]] = ()
    landmarks: ClassVar[tuple[str, ...]] = ()
    lumbosacral_look: ClassVar[bool] = False

    @property
    def kind(self) -> str:
        """Which of :data:`spinetk.keypoints.registry.KINDS` it is."""
        return "keypoint-rcnn-detectron2" if self.layout == "detectron2" else "keypoint-rcnn"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON content."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any], source: str | Path = "preset") -> Preset:
        """Inverse of :meth:`to_json` (lists become tuples); raises ``InputError`` naming ``source`` and the field."""
        return validated(cls, content, source)

    def __post_init__(self) -> None:
        levels = 5 if self.body == "resnet50" else 4
        if len(self.anchors_px) != levels:
            fault = f"has {len(self.anchors_px)} anchors for the {levels} levels of {self.body}"
            raise InputError(f"preset {self.name!r}", fault, "give anchors_px one side a level")


# Detectron2's COCO-Keypoints/keypoint_rcnn_R_50_FPN_3x, the network of the original.
R50 = Preset(
    name="r50",
    body="resnet50",
    channels=256,
    anchors_px=(32, 64, 128, 256, 512),
    ratios=(0.5, 1.0, 2.0),
    short_px=(640, 672, 704, 736, 768, 800),
    long_px=1333,
    proposals=(1500, 1000),
    box_samples=512,
    box_units=1024,
    point_layers=(512,) * 8,
    detections=100,
    box_margin=0.0,
    local_contrast=False,
)

# The same computing what Detectron2 computes, for its checkpoints.
R50_DETECTRON2 = replace(R50, name="r50-detectron2", layout="detectron2")

# Sized for two CPU cores. Stage 4 of the body is left out: vertebrae are small, so stride 16 sees enough context,
# and it would hold two thirds of the parameters.
FAST = Preset(
    name="fast",
    body="resnet18",
    channels=64,
    anchors_px=(16, 32, 64, 128),
    ratios=(0.5, 0.8, 1.3),
    short_px=(320,),
    long_px=640,
    proposals=(300, 150),
    box_samples=96,
    box_units=256,
    point_layers=(96,) * 4,
    detections=40,
    box_margin=0.15,
    local_contrast=True,
)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        optimiser: ``sgd`` (momentum 0.9) or ``adamw``.
        rate, decay: Peak learning rate and weight decay.
        warmup: Iterations of linear warm-up from rate / 1000.
        cosine: Whether the rate falls to 1 % of its peak along a half cosine over the total iterations.
        batch: Pictures per iteration.
        clip: Gradient norm is clipped to this; 0 leaves it alone.
        augment: Online augmentation: ``flip`` (mirror with probability 0.5, the original's default loader, with names
            put right) or ``full`` (also rotation, zoom, shift, contrast, noise, blur).
    """

    __pydantic_config__ = STRICT

    name: StrictStr
    optimiser: Literal["sgd", "adamw"]
    rate: Annotated[float, above(0, 10)]
    decay: Annotated[float, between(0, 1)]
    warmup: Annotated[int, between(0, 100_000_000)]
    cosine: StrictBool
    batch: Annotated[int, between(1, 4096)]
    clip: Annotated[float, between(0, 1_000_000)]
    augment: Literal["flip", "full"]


# The original's solver, warm-up included: 1000 of its 1300 iterations.
ORIGINAL = Recipe("original", "sgd", 2.5e-4, 1e-4, 1000, False, 2, 0.0, "flip")
DEFAULT = Recipe("default", "adamw", 1e-3, 1e-2, 50, True, 4, 5.0, "full")

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (ORIGINAL, DEFAULT)}


def get_recipe(name: str | Recipe, **changes: Any) -> Recipe:
    """A recipe by name, with changed fields; raises ``InputError`` that lists the names."""
    if not isinstance(name, Recipe):
        if name not in RECIPES:
            raise InputError(f"recipe {name!r}", "is unknown", f"choose from {', '.join(RECIPES)}")
        name = RECIPES[name]
    return replace(name, **{key: value for key, value in changes.items() if value is not None})
