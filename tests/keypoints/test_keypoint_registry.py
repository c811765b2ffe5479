"""Every registered keypoint network passes the same tests."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch

from spinetk import zoo
from spinetk.errors import InputError
from spinetk.keypoints.card import KeypointCard, from_config
from spinetk.keypoints.registry import KINDS, REGISTRY, build, get_preset, is_registered, kind_of
from spinetk.keypoints.settings import Logged
from spinetk.keypoints.torch_engine import TorchEngine
from spinetk.schema import VERTEBRA4, VERTEBRA6


def small(name):
    """The preset on thumbnails: the same network, less to compute."""
    preset = get_preset(name)
    less = {"crops": 2} if kind_of(preset).maps else {"proposals": (60, 30)}
    return replace(preset, short_px=(64,), long_px=96, **less)


@pytest.fixture(scope="module", params=REGISTRY)
def built(request, thin_r50):
    torch.manual_seed(0)
    return request.param, build(small(request.param), VERTEBRA6)


def truth(count: int) -> dict[str, torch.Tensor]:
    """Boxes one below the other, with their six points, of the levels L1, L2, ..."""
    boxes = torch.tensor([[20.0, 8 + 28.0 * i, 52.0, 28 + 28.0 * i] for i in range(count)]).reshape(count, 4)
    x0, y0, x1, y1 = boxes.unbind(1)
    middle = (x0 + x1) / 2
    points = [(x0, y1), (middle, y1), (x1, y1), (x1, y0), (middle, y0), (x0, y0)]
    seen = torch.stack([torch.stack([x, y, torch.ones(count)], -1) for x, y in points], 1).reshape(count, 6, 3)
    return {"boxes": boxes, "labels": torch.ones(count, dtype=torch.int64), "keypoints": seen,
            "levels": torch.arange(12, 12 + count)}  # fmt: skip


def test_the_best_may_be_chosen_by_any_loss():
    assert {*get_args(Logged)} == {"val_loss", *(f"val/{name}" for kind in KINDS.values() for name in kind.losses)}


@pytest.mark.parametrize("name", REGISTRY)
def test_parameter_count(name):
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in REGISTRY[name].build(VERTEBRA6).parameters())
    assert count == REGISTRY[name].parameters


def test_learns_from_pictures_with_and_without_bodies(built):
    name, network = built
    network.train()
    for count in (3, 0):
        network.zero_grad()
        losses = network.losses([torch.rand(3, 96, 72)], [truth(count)])
        assert all(torch.isfinite(loss) for loss in losses.values()), name
        assert {loss.removeprefix("loss_") for loss in losses} <= {*kind_of(get_preset(name)).losses}
        sum(losses.values()).backward()
        gradients = [p.grad for p in network.parameters() if p.requires_grad and p.grad is not None]
        assert gradients
        assert all(torch.isfinite(gradient).all() for gradient in gradients)


def test_detections_have_points_of_the_schema(built):
    name, network = built
    found = TorchEngine(network, "cpu").detect(np.random.default_rng(0).random((3, 96, 72), dtype=np.float32), 0.0)
    count = len(found["scores"])
    assert found["points"].shape[:2] == (count, len(VERTEBRA6)), name
    assert found["boxes"].shape == (count, 4)
    assert np.all((found["scores"] >= 0) & (found["scores"] <= 1))


def test_a_card_says_all_of_a_network(built, tmp_path):
    _, network = built
    zoo.save(tmp_path / "net.pth", network.state_dict(), {"config": network.config()})
    weights, card, _ = zoo.load(tmp_path / "net.pth", KeypointCard)
    with torch.device("meta"):
        twin = from_config(network.config())
    assert type(twin) is type(network)
    assert (twin.preset, twin.schema) == (network.preset, network.schema) == (card.config.preset, card.config.schema)
    assert twin.state_dict().keys() == weights.keys()


@pytest.mark.parametrize("name", REGISTRY)
def test_what_a_kind_promises(name):
    kind = kind_of(get_preset(name))
    with torch.device("meta"):
        network = build(name, VERTEBRA4)
    assert hasattr(network, "decoder") is kind.maps
    assert bool(getattr(network.preset, "levels", ())) <= kind.maps
    assert kind.calibrated == kind.maps  # scores that are read off a map are no probabilities


def test_names():
    assert {entry.preset.kind for entry in REGISTRY.values()} == set(KINDS)
    assert all(is_registered(get_preset(name)) for name in REGISTRY)
    assert not is_registered(small("fast"))
    with pytest.raises(InputError, match="centre-ap"):
        get_preset("resnet")
