"""What a keypoint training is told: its settings, and the cases of its version."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Discriminator, StrictStr, Tag

from spinetk.cases.catalog import DatasetCatalog, MetadataCatalog
from spinetk.errors import InputError
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.preset import Preset, Recipe
from spinetk.schema import KeypointSchema
from spinetk.training.settings import Batch, Iterations, Rate, Settings
from spinetk.validation import by_names

# The losses of the registered networks, and their sum.
Logged = Literal[
    "val_loss", "val/classifier", "val/box_reg", "val/keypoint", "val/objectness", "val/rpn_box_reg",
    "val/centre", "val/s1", "val/femoral_head", "val/offset", "val/refine", "val/level",
]  # fmt: skip


@dataclass(frozen=True)
class KeypointSettings(Settings):
    """Settings of :func:`spinetk.keypoints.trainer.train`.

    Attributes:
        preset: ``r50`` (the original's network), ``fast``, ``centre``, ...; by default ``r50`` on a GPU and ``fast``
            on a CPU. ``network`` is the same, as it is called for the other networks.
        recipe: ``default`` or ``original`` (solver of the original: SGD 2.5e-4, warm-up 1000, batch 2, flips only).
        start: ``random``, ``imagenet``, ``coco``, or weights by name or path
            (:func:`spinetk.keypoints.pretrained.load_start`).
        batch, rate: Override the recipe's pictures per iteration and peak learning rate.
        best_by: ``val_loss``, or one of the network's losses (``val/keypoint``, ``val/centre``, ...).
        stratify: Field of ``metadata.json`` that ``spinetk train`` stratified the split by.
        only: Train these parts alone (``column``, or ``refine,column`` of a centre network); the rest stays as it was;
            empty: all.
    """

    also = MappingProxyType({"network": "preset"})

    iterations: Iterations = 1300
    best_by: Logged = "val_loss"
    preset: (
        Annotated[
            Annotated[StrictStr, Tag("str")]
            | Annotated[Preset, Tag("Preset")]
            | Annotated[CentrePreset, Tag("CentrePreset")],
            Discriminator(by_names(str, CentrePreset, Preset)),
        ]
        | None
    ) = None
    recipe: StrictStr | Recipe | None = None
    start: StrictStr = "random"
    batch: Batch | None = None
    rate: Rate | None = None
    stratify: StrictStr | None = None
    only: StrictStr = ""


def load_split(version: str, part: str) -> tuple[list[dict[str, Any]], KeypointSchema]:
    """Records and schema of ``vert{version}_{part}``; raises ``InputError`` when it was not set up."""
    name = f"vert{version}_{part}"
    if name not in DatasetCatalog.list():
        raise InputError(f"version {version!r}", "has no catalogs", f"call setup_catalogs({version!r}, ...) first")
    return DatasetCatalog.get(name), MetadataCatalog.get(name).schema
