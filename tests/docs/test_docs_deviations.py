"""The table of deviations names every network and counts its parameters rightly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from spinetk.discs import registry as discs
from spinetk.keypoints import registry as keypoints
from spinetk.schema import VERTEBRA6
from spinetk.segmentation.registry import REGISTRY

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
