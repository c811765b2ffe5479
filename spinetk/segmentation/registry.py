"""Every segmentation network by name, with the recipe it was published with.

Light to import: a network's own module is loaded when it is built.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import StrictBool
from typing_extensions import TypedDict

from spinetk.errors import InputError
from spinetk.segmentation.optimiser import Optimiser
from spinetk.validation import STRICT, between

if TYPE_CHECKING:
    from torch import nn

Scale = Literal["z-score", "0-255"]


class Options(TypedDict, total=False):
    """Options of the factories of volumes; which of them takes which is in ``spinetk.segmentation.networks``."""

    __pydantic_config__ = STRICT  # type: ignore[misc]

    layers: Annotated[int, between(1, 8)]
    dilation: Annotated[int, between(1, 16)]
    attention: StrictBool
    reduction: Annotated[int, between(1, 128)]
    attention_dilation: Annotated[int, between(1, 32)]
    activation: Literal["prelu", "elu"]
    width: Annotated[int, between(1, 64)]


@dataclass(frozen=True)
class InputForm:
    """The input a network expects.

    Attributes:
        axes: Spatial axes, 2 or 3.
        channels: Of the input by default: neighbouring slices, colours, or 1.
        least_channels: The fewest it works with.
        most_channels: The most, None for any number.
        scale: ``z-score`` (by the statistics of the training part) or ``0-255``.
        size: (H, W) or (D, H, W) of the published training crops.
        smallest: Shortest side that can be trained on.
    """

    axes: Literal[2, 3]
    channels: int
    size: tuple[int, ...]
    least_channels: int = 1
    most_channels: int | None = None
    scale: Scale = "z-score"
    smallest: int = 16


@dataclass(frozen=True)
class Entry:
    """A registered network.

    Attributes:
        name: Its name on the command line.
        tasks: What it is for; the first is its own.
        source: Paper or library.
        parameters: Of the network with ``form.channels`` channels.
        loss: Name for :func:`spinetk.segmentation.losses.choose.make_loss`.
        optimiser: Published optimiser.
        form: Input form.
        factory: ``module:callable`` under ``spinetk.segmentation.networks``.
        options: Keyword arguments of the factory.
        channels_option: Keyword that takes the number of channels; None where that is fixed.
        locator: Optimiser where it is trained to locate; None for the same.
    """

    name: str
    tasks: tuple[str, ...]
    source: str
    parameters: int
    loss: str
    optimiser: Optimiser
    form: InputForm
    factory: str
    options: dict[str, Any] = field(default_factory=dict)
    channels_option: str | None = "slices"
    locator: Optimiser | None = None

    def recipe(self, stage: str) -> Optimiser:
        """The optimiser of a stage of the atrium task."""
        return self.locator if stage == "locator" and self.locator is not None else self.optimiser

    def build(self, channels: int | None = None, **options: Any) -> nn.Module:
        """The network with random weights.

        Args:
            channels: Of the input; None for ``form.channels``.
            **options: Of the factory, beside those of the entry.

        Raises:
            InputError: A number of channels or an option the network does not take.
        """
        wanted = self.form.channels if channels is None else channels
        low, high = self.form.least_channels, self.form.most_channels
        if wanted < low or (high is not None and wanted > high):
            some = f"exactly {low}" if high == low else f"{low} or more"
            raise InputError(f"network {self.name}", f"cannot take {wanted} channels", f"it takes {some}")
        given = {**self.options, **options}
        if self.channels_option is not None:
            given[self.channels_option] = wanted
        module, function = self.factory.split(":")
        make = getattr(import_module(f"spinetk.segmentation.networks.{module}"), function)
        try:
            return make(**given)
        except (TypeError, ValueError, RuntimeError) as error:  # of its own, of MONAI's, of torch's layers
            raise InputError(f"network {self.name}", str(error), "leave that option out, or change it") from error


_LESION = ("lesion", "gland", "vessel", "skin", "cells")
_ATRIUM_CROP = (96, 144, 224)
_PLATEAU = (0.8, 7)
_SPIN = Optimiser("adam", 3e-4, 8, later=((400, 1e-4), (1400, 5e-5)))
_KERAS_PLATEAU = (0.2, 3)


def _volume(name: str, source: str, parameters: int, rate: float, factory: str, **options: Any) -> Entry:
    form = InputForm(3, 1, _ATRIUM_CROP, most_channels=1)
    optimiser = Optimiser("adam", rate, 3, plateau=_PLATEAU)
    locator = Optimiser("adam", 1e-4, 5, plateau=(0.85, 15)) if name.startswith("vnet") else None
    return Entry(name, ("atrium",), source, parameters, "dice", optimiser, form, factory, options, None, locator)


_VNET = "Milletari et al. 2016, as for the 2018 Atria Segmentation Challenge"
_TMUNET = "Azad et al. 2022, arXiv 2203.01932"

ENTRIES = (
    _volume("vnet", _VNET, 10_759_306, 3e-4, "vnet:VNet"),
    _volume("vnet-2", _VNET + ", one more convolution a block", 16_200_266, 1.5e-4, "vnet:VNet", layers=2),
    _volume("vnet-attention", _VNET + ", with BAM", 10_850_389, 2.5e-4, "vnet:VNet", attention=True),
    _volume("monai-vnet", "MONAI", 45_593_892, 3e-4, "peers:monai_vnet"),
    _volume("monai-segresnet", "MONAI", 4_700_897, 3e-4, "peers:monai_segresnet"),
    _volume("monai-unet3d", "MONAI", 4_807_968, 3e-4, "peers:monai_unet3d"),
    Entry(
        "spin", _LESION, "Wong et al. 2021, arXiv 2109.08791", 5_263_808, "cross-entropy-1.5", _SPIN,
        InputForm(2, 5, (197, 233), smallest=32), "spin:SPiN",
    ),
    Entry(
        "unet", _LESION, "Ronneberger et al. 2015, full resolution", 7_850_177, "cross-entropy-1.5", _SPIN,
        InputForm(2, 5, (197, 233)), "unet:UNet",
    ),
    Entry(
        "unet-half", _LESION, "baseline of Wong et al. 2021, half resolution", 19_586_688, "cross-entropy-1.5",
        Optimiser("adam", 3e-4, 8, 1e-7, later=((400, 1e-4), (1400, 5e-5))),
        InputForm(2, 1, (197, 233), smallest=32), "unet:HalfUNet",
    ),
    Entry(
        "dunet", _LESION, "Zhou et al. 2021", 8_633_379, "enhanced-mixing", Optimiser("sgd", 1e-5, 36),
        InputForm(2, 4, (192, 192), least_channels=4), "dunet:DUNet",
    ),
    Entry(
        "clcinet", _LESION, "Yang et al. 2019", 36_850_017, "dice-squared",
        Optimiser("adam", 1e-4, 8, plateau=_KERAS_PLATEAU), InputForm(2, 1, (224, 176)), "clcinet:CLCINet",
    ),
    Entry(
        "kiunet", _LESION, "Valanarasu et al. 2020", 290_658, "cross-entropy", Optimiser("adam", 1e-4, 4),
        InputForm(2, 1, (128, 128)), "kiunet:KiUNet",
    ),
    Entry(
        "xnet", _LESION, "Qi et al. 2019", 15_073_613, "cross-entropy-dice",
        # Keras' l2(1e-5) adds 1e-5 w^2 to the loss: twice that times w to the gradient.
        Optimiser("adam", 1e-3, 8, 2e-5, plateau=_KERAS_PLATEAU), InputForm(2, 1, (224, 192)), "xnet:XNet",
    ),
    Entry(
        "monai-unet", _LESION, "MONAI", 6_501_886, "cross-entropy-1.5", _SPIN,
        InputForm(2, 5, (197, 233)), "peers:monai_unet",
    ),
    Entry(
        "monai-attention-unet", _LESION, "MONAI", 7_940_897, "cross-entropy-1.5", _SPIN,
        InputForm(2, 5, (197, 233)), "peers:monai_attention_unet",
    ),
    *(
        Entry(
            name, ("skin", "cells"), source, 165_165_953, "contextual", Optimiser("adam", 1e-4, 4, plateau=(0.5, 10)),
            InputForm(2, 3, (256, 256), 3, 3, "0-255", 32), "tmunet:TMUnet", options, None,
        )
        for name, source, options in (
            ("tmunet", _TMUNET, {}),
            ("tmunet-shifted", _TMUNET + ", regions one patch late as released", {"regions": "shifted"}),
        )
    ),
)  # fmt: skip

REGISTRY = {entry.name: entry for entry in ENTRIES}


def get_entry(name: str) -> Entry:
    """The entry of a name; raises ``InputError`` that lists the names."""
    if name not in REGISTRY:
        raise InputError(f"network {name!r}", "is unknown", f"use one of {', '.join(REGISTRY)}")
    return REGISTRY[name]
