"""Every network of the discs by name. Light to import: a network's own module is loaded when it is built."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

JOINTS = 11
"""Channels that the numbers of parameters are for: C2/3 to T7/8 and the like, as published."""


@dataclass(frozen=True)
class Entry:
    """A network.

    Attributes:
        name: Of the network; several entries may have it, with other options.
        source: Paper.
        parameters: With these options, and :data:`JOINTS` channels where it gives heatmaps.
        factory: ``module:class`` under ``spinetk.discs``.
        options: Keyword arguments of the factory.
        chosen_by: Options of ``spinetk discs train`` that choose it; None where it is only there to compare with.
    """

    name: str
    source: str
    parameters: int
    factory: str
    options: dict[str, Any] = field(default_factory=dict)
    chosen_by: str | None = ""

    def build(self) -> nn.Module:
        """The network with random weights."""
        network: nn.Module = network_class(self.factory)(**self.options)
        return network


_HOURGLASS = "Newell et al. 2016, for discs Azad et al. 2021"
_LOOK_ONCE = "Azad et al. 2022, arXiv 2204.02943"

ENTRIES = (
    Entry(
        "hourglass", _HOURGLASS + ", with attention", 6_795_086, "hourglass:StackedHourglass",
        {"joints": JOINTS, "stacks": 2, "attention": True},
    ),
    Entry(
        "hourglass", _HOURGLASS, 6_727_062, "hourglass:StackedHourglass", {"joints": JOINTS, "stacks": 2},
        "--no-attention",
    ),
    Entry("shapeunet", _LOOK_ONCE, 32_059_985, "shapeunet:ShapeUNet", {"joints": JOINTS}, "--network shapeunet"),
    Entry(
        "unet", _LOOK_ONCE + ", without its shape branch", 31_044_939, "shapeunet:PlainUNet", {"joints": JOINTS},
        "--network unet",
    ),
    Entry("lookonce", _LOOK_ONCE + ", for points in any order", 104_961, "lookonce:PointSet", {}, "--points-of MODEL"),
    Entry("lookonce-published", _LOOK_ONCE, 1_669_037, "lookonce:PointNet20", {}, None),
)  # fmt: skip

FACTORIES = {entry.name: entry.factory for entry in ENTRIES}


def network_class(factory: str) -> type[nn.Module]:
    """The class that ``module:class`` names."""
    module, name = factory.split(":")
    found: type[nn.Module] = getattr(import_module(f"spinetk.discs.{module}"), name)
    return found


def build(name: str, arguments: dict[str, Any]) -> nn.Module:
    """The network of that name, with arguments as on a model card."""
    return network_class(FACTORIES[name])(**arguments)
