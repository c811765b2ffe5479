"""The model cards of the discs: heatmap networks and the point network of "look once"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictStr
from typing_extensions import TypedDict

from spinetk import zoo
from spinetk.discs.levels import NUMBERS
from spinetk.errors import InputError
from spinetk.validation import OPEN, STRICT, above, between

NetworkName = Literal["hourglass", "shapeunet", "unet"]
MOST_LEVELS = 64
Level = Annotated[int, between(min(NUMBERS), max(NUMBERS))]
Mm = Annotated[float, between(-1000, 1000)]
Spread = Annotated[float, above(0, 1000)]
Levels = Annotated[tuple[Level, ...], Field(min_length=1, max_length=MOST_LEVELS)]


class Arguments(TypedDict, total=False):
    """Of a network's constructor; ``stacks``, ``attention`` and ``blocks`` are the hourglass's."""

    __pydantic_config__ = STRICT  # type: ignore[misc]

    joints: Annotated[int, between(1, MOST_LEVELS)]
    stacks: Annotated[int, between(1, 8)]
    attention: StrictBool
    blocks: Annotated[int, between(1, 8)]


@dataclass(frozen=True)
class ColumnForm:
    """Content of :class:`spinetk.discs.search.Column`."""

    __pydantic_config__ = STRICT

    levels: Levels
    steps_mm: Annotated[tuple[tuple[Mm, Mm], ...], Field(max_length=MOST_LEVELS)]
    spread_mm: Annotated[tuple[tuple[Spread, Spread], ...], Field(max_length=MOST_LEVELS)]

    def __post_init__(self) -> None:
        if not len(self.steps_mm) == len(self.spread_mm) == len(self.levels) - 1:
            fault = f"has {len(self.steps_mm)} steps and {len(self.spread_mm)} spreads for {len(self.levels)} levels"
            raise InputError("column", fault, "give one fewer than levels")


@dataclass(frozen=True)
class DiscConfig:
    """What a heatmap network is built from, and what its searches need.

    Attributes:
        network, arguments: Class and arguments of the network.
        grid_mm: Side of a pixel it works at.
        levels: Disc numbers of the channels; None for legacy ordinal ones.
        modalities: Contrasts it was trained on.
        column: Steps between levels.
        skeleton: (K, 2) mean of the legacy mode; None for discs no column had.
    """

    __pydantic_config__ = STRICT

    task: Literal["discs"]
    network: NetworkName
    arguments: Arguments
    grid_mm: Annotated[float, between(0.2, 4)]
    levels: Levels | None
    modalities: Annotated[tuple[StrictStr, ...], Field(max_length=8)] = ()
    column: ColumnForm | None = None
    skeleton: (
        Annotated[
            tuple[tuple[Annotated[float, between(-1e6, 1e6)] | None, Annotated[float, between(-1e6, 1e6)] | None], ...],
            Field(max_length=MOST_LEVELS),
        ]
        | None
    ) = None

    def __post_init__(self) -> None:
        if self.levels is None:
            return
        joints = self.arguments.get("joints", len(self.levels))
        if joints != len(self.levels):
            raise InputError("config", f"has {len(self.levels)} levels for {joints} channels", "train it again")
        if self.column is None or self.column.levels != self.levels:
            raise InputError("config", "has levels without the steps between them", "train it again")


@dataclass(frozen=True)
class DiscCard(zoo.Card):
    """Card of a heatmap network."""

    __pydantic_config__ = OPEN
    tasks = ("discs",)
    wanted = "weights of `spinetk discs train`"

    config: DiscConfig  # type: ignore[assignment]


@dataclass(frozen=True)
class PointConfig:
    """Of a point network: the name of the heatmap network it was trained behind, and that one's levels."""

    __pydantic_config__ = STRICT

    task: Literal["disc-points"]
    first_stage: StrictStr = ""
    levels: Levels | None = None


@dataclass(frozen=True)
class PointCard(zoo.Card):
    """Card of a point network."""

    __pydantic_config__ = OPEN
    tasks = ("disc-points",)
    wanted = "weights of `spinetk discs train --points-of`"

    config: PointConfig  # type: ignore[assignment]


def plain(config: DiscConfig) -> dict[str, Any]:
    """The configuration as :class:`spinetk.discs.predictor.DiscPredictor` takes it."""
    column = config.column and {
        "levels": config.column.levels,
        "steps_mm": config.column.steps_mm,
        "spread_mm": config.column.spread_mm,
    }
    return {"grid_mm": config.grid_mm, "levels": config.levels, "column": column, "skeleton": config.skeleton}
