"""Weights: what a release keeps."""

import pytest
import torch

from spinetk import filling, zoo
from spinetk.errors import InputError


def test_numbers_beyond_half_precision_survive_a_release(tmp_path):
    weights = {"variance": torch.tensor([7.1e7, 1e-3]), "kernel": torch.tensor([0.5, -2.0]), "steps": torch.tensor(9)}
    zoo.save(tmp_path / "model.safetensors", weights, {"config": {"task": "x"}})
    found, card, name = zoo.load(tmp_path / "model.safetensors")
    assert name == "model"
    assert card["config"] == {"task": "x"}
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[key], weights[key]) for key in weights)
    size = (tmp_path / "model.safetensors").stat().st_size
    zoo.save(tmp_path / "all.safetensors", {**weights, "variance": torch.tensor([7.0, 1e-3])}, {"config": {}})
    assert size - (tmp_path / "all.safetensors").stat().st_size == 4  # two numbers, two bytes more each


def test_a_release_has_at_most_25_megabytes():
    """12.5 million half-precision numbers are exactly 25 MB."""
    zoo.check_size("model.pth", {"kernel": torch.empty(12_500_000, device="meta")})
    with pytest.raises(InputError, match=r"model\.pth: would be 28 MB, more than 25 \(a remedy\)"):
        zoo.check_size("model.pth", {"kernel": torch.empty(14_000_000, device="meta")}, "a remedy")


def test_without_released_weights_the_error_says_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(zoo, "folders", lambda: [tmp_path])
    with pytest.raises(InputError, match=r"no released weights here .*SPINETK_HOME"):
        zoo.find("xray-ap")


def test_a_network_is_opened_without_drawing():
    """Another thread that trains draws from the same generator."""
    from torch import nn

    def make():
        parts = nn.Conv2d(3, 4, 3), nn.Linear(3, 4), nn.GRU(3, 4), nn.BatchNorm2d(3), nn.Embedding(3, 4), nn.PReLU()
        network = nn.Sequential(*parts)
        for draw in (nn.init.trunc_normal_, nn.init.xavier_uniform_, nn.init.kaiming_normal_, nn.init.orthogonal_):
            draw(network[1].weight)
        return network

    weights = make().state_dict()
    before = torch.get_rng_state()
    network = filling.fill(make, weights, "net")
    assert torch.equal(torch.get_rng_state(), before)
    opened = network.state_dict()
    assert all(torch.equal(opened[name], value) for name, value in weights.items())
    assert len(opened) == len(weights)
    make()
    assert not torch.equal(torch.get_rng_state(), before)
