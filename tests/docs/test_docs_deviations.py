"""The table of deviations names every network and counts its parameters rightly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from spinetk.discs import registry as discs
from spinetk.discs.data import LARGEST
from spinetk.discs.hourglass import MULTIPLE
from spinetk.discs.module import Recipe
from spinetk.discs.preparation import GRID_MM, SHARES
from spinetk.discs.slab import SLAB_MM, SLICES
from spinetk.discs.trainer import DiscSettings, PointSettings
from spinetk.keypoints import registry as keypoints
from spinetk.schema import VERTEBRA6
from spinetk.segmentation.atrium.augmentation import Augmentation
from spinetk.segmentation.atrium.commands import AtriumTraining
from spinetk.segmentation.atrium.crop import LOCATOR_MM
from spinetk.segmentation.atrium.trainer import EPOCH_DRAWS, AtriumSettings
from spinetk.segmentation.registry import REGISTRY
from spinetk.segmentation.slices.lesion_trainer import SliceSettings
from spinetk.segmentation.slices.picture_trainer import TASKS, PictureSettings
from spinetk.segmentation.slices.pictures import MIRROR
from spinetk.segmentation.slices.predictor import SliceAugmentation

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "deviations.md"
ROWS = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
]


def network(title: str, name: str) -> nn.Module:
    """What a row is about; "`unet` of discs" and its like are told apart by the words around the name."""
    with torch.device("meta"):
        if name in REGISTRY and "of discs" not in title:
            return REGISTRY[name].build()
        for entry in discs.ENTRIES:
            if entry.name == name and ("plain" in title) == (entry.chosen_by == "--no-attention"):
                return entry.build()
    return keypoints.build(name, VERTEBRA6)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_counts(row):
    title, paper, there, here, why = row
    names = [name for name in re.findall(r"`([A-Za-z0-9-]+)`", title) if not name.startswith("--")]
    counts = [int(count.replace(",", "")) for count in re.findall(r"\d[\d,]{5,}", here)]
    assert len(names) == len(counts)
    for name, count in zip(names, counts, strict=True):
        assert sum(p.numel() for p in network(title, name).parameters()) == count
    if re.fullmatch(r"[\d,]+", there):
        assert there == here
    if counts[0] != 36_850_017 and (millions := re.fullmatch(r"([\d.]+) M", there)):
        assert abs(counts[0] / 1e6 - float(millions[1])) < 0.01
    assert paper
    assert why.endswith(".")


def test_no_network_is_missing():
    named = {name for row in ROWS for name in re.findall(r"`([A-Za-z0-9-]+)`", row[0])}
    assert {*REGISTRY, *discs.FACTORIES, *keypoints.REGISTRY} <= named


def trained(title: str) -> str:
    """What the second table says of ours."""
    (row,) = (line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {title}"))
    return row.strip("|").split("|")[2]


def numbers(*values: object) -> list[str]:
    return [f"{value:g}" if isinstance(value, float) else str(value) for value in values]


def test_defaults_of_training_are_those_of_the_code():
    """Every number of the column "here" that a default gives."""
    discs_recipe, atria, slices = Recipe(), Augmentation(), SliceAugmentation()
    vnet, spin, tmunet = (REGISTRY[name] for name in ("vnet", "spin", "tmunet"))
    rows = {
        "hourglass, `shapeunet`: solver": (discs_recipe.solver, discs_recipe.rate, discs_recipe.batch),
        "epochs, drops": (discs_recipe.epochs, discs_recipe.gamma, *discs_recipe.schedule),
        "loss | half": (discs_recipe.loss,),
        "picture | z-score, padded": (*LARGEST, MULTIPLE, f"{GRID_MM:g} mm"),
        "slices averaged": (f"{SLAB_MM:g} mm", SLICES),
        "best weights by | PCK": (DiscSettings().best_by,),
        "parts": (" / ".join(f"{100 * share:g}" for share in SHARES),),
        "look once, stage B": (PointSettings().iterations, PointSettings().best_by),
        "V-Net: solver": (
            *(REGISTRY[name].optimiser.rate for name in ("vnet", "vnet-attention", "vnet-2")), vnet.optimiser.batch,
        ),
        "plateau of the rate": (*vnet.optimiser.plateau, AtriumSettings().check_every),
        "length | 200 epochs": (AtriumSettings().iterations, f"{EPOCH_DRAWS} draws"),
        "locator": (
            vnet.locator.rate, vnet.locator.batch, *vnet.locator.plateau, " x ".join(f"{mm:g}" for mm in LOCATOR_MM),
        ),
        "crop | the largest": (f"{AtriumTraining().margin:g} mm",),
        "augmentation | 480": (
            f"flip {atria.flip:g}", f"noise {atria.noise:g}", f"turn {atria.rotate:g}", f"{atria.rotate_degrees:g} deg",
            f"shift {atria.shift:g}", f"{atria.shift_px} px",
        ),
        "SPiN: solver": (
            spin.optimiser.rate, *(f"{rate:g} from {epoch}" for epoch, rate in spin.optimiser.later[:1]),
            f"{spin.optimiser.later[1][1]:g} from {spin.optimiser.later[1][0]}", spin.optimiser.batch, spin.loss,
        ),
        "length | 1600": (SliceSettings().iterations,),
        "slices drawn": (spin.form.channels, SliceSettings().positive_rate),
        "augmentation | noise 0.01": (slices.noise_sd, slices.rotate_degrees, slices.enlarge, slices.late),
        "best weights by | two of": (SliceSettings().best_by, SliceSettings().check_every),
        "D-UNet, CLCI": [
            number
            for name in ("dunet", "clcinet", "kiunet", "xnet")
            for number in (REGISTRY[name].optimiser.rate, REGISTRY[name].optimiser.batch)
        ] + [f"decay {REGISTRY['xnet'].optimiser.weight_decay:g}"],
        "their plateaus": [number for name in ("clcinet", "xnet") for number in REGISTRY[name].optimiser.plateau],
        "U-Net of SPiN": (f"decay {REGISTRY['unet-half'].optimiser.weight_decay:g}",),
        "TMUnet: solver": (tmunet.optimiser.rate, tmunet.optimiser.batch, *tmunet.optimiser.plateau),
        "length | 50 epochs": (PictureSettings().iterations,),
        "picture, augmentation, loss": (
            " x ".join(map(str, TASKS["skin"][1])), tmunet.form.scale, *MIRROR.flips, tmunet.loss,
        ),
        "glands and vessels": (PictureSettings().iterations,),
    }  # fmt: skip
    for title, values in rows.items():
        said = trained(title)
        for number in numbers(*values):
            assert re.search(rf"(?<![\d.]){re.escape(number)}(?![\d]|\.\d)", said), (title, number, said)
    assert REGISTRY["kiunet"].optimiser.plateau is REGISTRY["dunet"].optimiser.plateau is None
    assert MIRROR.rotate_degrees == MIRROR.noise == 0
    assert PictureSettings().start is None
