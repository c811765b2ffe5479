"""The model card of the network that tells the view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, StrictStr

from spinetk import zoo
from spinetk.keypoints.viewing.kinds import KINDS
from spinetk.validation import OPEN, STRICT, between

Temperature = Annotated[float, between(0.01, 100)]


@dataclass(frozen=True)
class ViewConfig:
    """What the network is built from; ``side_px`` is the side of the square that a picture is laid on for it."""

    __pydantic_config__ = STRICT

    task: Literal["view"]
    widths: Annotated[tuple[Annotated[int, between(1, 1024)], ...], Field(min_length=1, max_length=8)]
    kinds: Annotated[tuple[StrictStr, ...], Field(min_length=2, max_length=len(KINDS))]
    side_px: Annotated[int, between(64, 512)]

    def __post_init__(self) -> None:
        unknown = set(self.kinds) - set(KINDS)
        if unknown:
            raise ValueError(f"kinds hold {min(unknown)!r}, which is none of {', '.join(KINDS)}")


@dataclass(frozen=True)
class ViewCard(zoo.Card):
    """Card of the view network.

    Attributes:
        temperatures: That the logits of kind, quarter turn and front are divided by.
    """

    __pydantic_config__ = OPEN
    tasks = ("view",)
    wanted = "the released model `view`"

    config: ViewConfig  # type: ignore[assignment]
    temperatures: tuple[Temperature, Temperature, Temperature] = (1.0, 1.0, 1.0)
