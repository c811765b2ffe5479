"""The model cards of segmentation: one stage or both of the atrium, slices of volumes, pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Tag

from spinetk import zoo
from spinetk.segmentation.atrium.predictor import Geometry
from spinetk.segmentation.data.contrast import CONTRASTS
from spinetk.segmentation.registry import ENTRIES, Options
from spinetk.segmentation.slices.pictures import PictureForm
from spinetk.validation import OPEN, STRICT, above, between

if TYPE_CHECKING:
    Name = str
    Contrast = str
else:
    Name = Literal[tuple(entry.name for entry in ENTRIES)]
    Contrast = Literal[CONTRASTS]


@dataclass(frozen=True)
class NetworkConfig:
    """A network of volumes."""

    __pydantic_config__ = STRICT

    network: Name
    options: Options


@dataclass(frozen=True)
class StageConfig(NetworkConfig):
    """One stage of the atrium, as a training leaves it."""

    task: Literal["atrium"]
    stage: Literal["locator", "segmenter"]
    geometry: Geometry


@dataclass(frozen=True)
class BothConfig:
    """Both stages of the atrium, as they are released."""

    __pydantic_config__ = STRICT

    task: Literal["atrium"]
    stage: Literal["both"]
    locator: NetworkConfig
    segmenter: NetworkConfig
    geometry: Geometry


def _stages(value: Any) -> str:
    if isinstance(value, dict):
        return "both" if value.get("stage") == "both" else "stage"
    return "both" if isinstance(value, BothConfig) else "stage"


@dataclass(frozen=True)
class AtriumCard(zoo.Card):
    """Card of the left atrium."""

    __pydantic_config__ = OPEN
    tasks = ("atrium",)
    wanted = "weights of an atrium training"

    config: Annotated[  # type: ignore[assignment]
        Annotated[BothConfig, Tag("both")] | Annotated[StageConfig, Tag("stage")], Discriminator(_stages)
    ]


Length = Annotated[float, above(0, 1e6)]
Range = tuple[Length, Length]


@dataclass(frozen=True)
class SliceConfig:
    """A network of slices, and the grey values and voxels it expects."""

    __pydantic_config__ = STRICT

    task: Literal["lesion"]
    network: Name
    channels: Annotated[int, between(1, 64)]
    mean: Annotated[float, between(-1e9, 1e9)]
    sd: Annotated[float, above(0, 1e9)]
    spacing_mm: tuple[Range, Range, Range] | None = None
    contrast: Contrast | None = None


@dataclass(frozen=True)
class SliceCard(zoo.Card):
    """Card of a network of slices."""

    __pydantic_config__ = OPEN
    tasks = ("lesion",)
    wanted = "weights of a lesion training"

    config: SliceConfig  # type: ignore[assignment]


@dataclass(frozen=True)
class PictureConfig:
    """A network of pictures, and what it sees of them."""

    __pydantic_config__ = STRICT

    task: Literal["skin", "cells", "gland", "vessel"]
    network: Name
    form: PictureForm


@dataclass(frozen=True)
class PictureCard(zoo.Card):
    """Card of a network of pictures."""

    __pydantic_config__ = OPEN
    tasks = ("skin", "cells", "gland", "vessel")
    wanted = "weights of skin, cells, gland or vessel"

    config: PictureConfig  # type: ignore[assignment]
