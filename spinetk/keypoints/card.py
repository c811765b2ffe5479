"""The model card of a keypoint network, and the network it describes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, StrictBool, StrictStr

from spinetk import filling, zoo
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.counting import Counting
from spinetk.keypoints.naming import Naming
from spinetk.keypoints.preset import Preset
from spinetk.keypoints.registry import Network, build
from spinetk.keypoints.sacral_spread import SacralSpread
from spinetk.keypoints.spread import PointSpread
from spinetk.schema import KeypointSchema
from spinetk.validation import OPEN, STRICT, validated


@dataclass(frozen=True)
class RcnnConfig:
    """What a Keypoint R-CNN is built from."""

    __pydantic_config__ = STRICT

    architecture: Literal["keypoint-rcnn"]
    preset: Preset
    schema: KeypointSchema
    frozen_norm: StrictBool = False


@dataclass(frozen=True)
class CentreConfig:
    """What a centre network is built from."""

    __pydantic_config__ = STRICT

    architecture: Literal["centre"]
    preset: CentrePreset
    schema: KeypointSchema
    frozen_norm: StrictBool = False


Config = Annotated[RcnnConfig | CentreConfig, Discriminator("architecture")]


@dataclass(frozen=True)
class KeypointCard(zoo.Card):
    """Card of a keypoint network.

    Attributes:
        spread: What makes the heatmaps' blur the standard deviation of a point; None: it is taken as it is.
        sacral_spread: How much wider intervals are that rest on the S1 endplate, by its score; None: not wider.
        naming: What makes the evidence for names counted up from the sacrum a probability; None: none are given.
        counting: What makes the evidence for counted levels a probability; None: counted levels are not named.
        unmeasured: Kinds of landmark that serve the names alone: too inexact to measure from, no reading holds them.
        on_square: Whether narrow pictures are shown to it on a black square (:mod:`spinetk.keypoints.canvas`).
        smaller_look: Whether what hardly shows a body is shown to it once more, smaller (ibid.).
        caution: What every reading by the model says among its remarks; nothing where it is empty.
    """

    __pydantic_config__ = OPEN
    tasks = ("keypoints",)
    wanted = "a keypoint network of `spinetk train`"

    config: Config  # type: ignore[assignment]
    spread: PointSpread | None = None
    sacral_spread: SacralSpread | None = None
    naming: Naming | None = None
    counting: Counting | None = None
    unmeasured: tuple[StrictStr, ...] = ()
    on_square: StrictBool = False
    smaller_look: StrictBool = False
    caution: StrictStr = ""


@dataclass(frozen=True)
class _Built:
    __pydantic_config__ = STRICT

    config: Config


def from_config(config: dict[str, Any], source: str | Path = "model") -> Network:
    """The network a model card's ``config`` describes, with random weights; raises ``InputError`` naming ``source``."""
    return _build(validated(_Built, {"config": config}, source).config)


def read_card(weights: Path) -> KeypointCard:
    """The card of released weights, without the weights.

    Raises:
        InputError: It is wrong, or of another task.
    """
    path = weights.with_suffix(".json")
    return zoo.checked(zoo.read_card(path), KeypointCard, weights, path)


def load_network(model: str | Path) -> tuple[Network, KeypointCard, str]:
    """A keypoint network with its weights, its card and its name.

    Raises:
        InputError: The model is not found, its card is wrong, it is of another task, or the weights are not the
            network's own.
    """
    weights, card, name = zoo.load(model, KeypointCard)
    return filling.fill(lambda: _build(card.config), weights, model), card, name


def _build(config: RcnnConfig | CentreConfig) -> Network:
    network = build(config.preset, config.schema)
    network.frozen_norm = config.frozen_norm
    return network
