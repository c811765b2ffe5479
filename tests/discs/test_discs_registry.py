"""Every registered network of the discs passes the same tests."""

import pytest
import torch

from spinetk.discs.registry import ENTRIES, JOINTS, build

PUBLISHED = {("hourglass", False): 6_727_062, ("hourglass", True): 6_795_086, ("lookonce-published", False): 1_669_037}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.name}{entry.chosen_by or ''}")
def test_parameter_count(entry):
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in entry.build().parameters())
    assert count == entry.parameters
    assert count == PUBLISHED.get((entry.name, entry.options.get("attention", False)), count)


@pytest.mark.parametrize("name", ["hourglass", "shapeunet", "unet"])
def test_maps_of_the_size_of_the_picture(name):
    with torch.device("meta"):
        network = build(name, {"joints": JOINTS})
        maps = network(torch.empty(1, 3, 128, 64))
    assert maps[-1].shape == (1, JOINTS, 128, 64)
