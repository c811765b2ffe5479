"""Worked figures of the atrium network that no other file of this folder has."""

import numpy as np
import pytest
import torch
from torch import nn

from spinetk.segmentation.atrium.predictor import AtriumPredictor, Geometry
from spinetk.segmentation.networks.attention import BottleneckAttention
from spinetk.segmentation.networks.vnet import VNet


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(("layers", "published"), [(1, 10_759_306), (2, 16_200_266), (3, 21_641_226)])
def test_parameters_by_layers(layers, published):
    with torch.device("meta"):
        assert parameters(VNet(layers)) == published
        assert parameters(VNet(layers, attention=True)) == published + 91_083


def test_attention_of_all_levels():
    assert sum(parameters(BottleneckAttention(channels)) for channels in (8, 16, 32, 64, 128)) == 91_083


def test_sizes_inside_for_the_published_crop():
    """96 x 144 x 224: channels and sizes of the table of blocks, without computing a voxel."""
    with torch.device("meta"):
        network = VNet()
    sizes = []
    blocks = [*(block["body"] for block in network.down), *(block["body"] for block in network.up), network.last]
    for block in blocks:
        block.register_forward_hook(lambda _, given, out: sizes.append(tuple(out.shape[1:])))
    out = network(torch.empty(1, 1, 96, 144, 224, device="meta"))
    half = [tuple(side // 2**k for side in (96, 144, 224)) for k in range(5)]
    assert half[4] == (6, 9, 14)
    assert sizes == [
        (16, *half[1]), (32, *half[2]), (64, *half[3]), (128, *half[4]),
        (128, *half[3]), (64, *half[2]), (32, *half[1]), (16, *half[0]), (1, *half[0]),
    ]  # fmt: skip
    assert out.shape == (1, 1, 96, 144, 224)


class Logit(nn.Module):
    """Grey values are the logits."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def test_one_half_is_atrium():
    """The released program kept a voxel only where the sigmoid was exactly 1, from a logit of 16.64 on."""
    assert torch.tensor(16.64).sigmoid() == 1 > torch.tensor(16.5).sigmoid()
    values = np.zeros((16, 16, 16), np.float32)
    values[4:8, 4:8, 4:8] = 1
    slider = AtriumPredictor([Logit()], Geometry((1.0, 1.0, 1.0), (16, 16, 16)))
    assert slider.probability(values, (1, 1, 1), "slide").max() < 1
    assert np.array_equal(slider.predict(values, (1, 1, 1), "slide"), values == 1)


def test_stray_components_are_not_kept():
    """Distances of 17 to 22 mm in the published table are those of stray voxels."""
    values = np.zeros((16, 32, 32), np.float32)
    values[4:8, 4:8, 4:8] = values[12, 28, 28] = 1
    slider = AtriumPredictor([Logit()], Geometry((1.0, 1.0, 1.0), (16, 32, 32)))
    assert slider.probability(values, (1, 1, 1), "slide")[12, 28, 28] > 0.5
    found = slider.predict(values, (1, 1, 1), "slide")
    assert found.sum() == 64
    assert not found[12, 28, 28]


@pytest.mark.parametrize("axis", ["slices", "rows", "columns"])
def test_flips_come_back(axis):
    """A network without place gives the same with any flip."""
    values = np.random.default_rng(0).normal(size=(16, 16, 32)).astype(np.float32)
    geometry = Geometry((1.0, 1.0, 1.0), (16, 16, 32))
    plain, flipped = (AtriumPredictor([Logit()], geometry, flips=f) for f in ((), (axis,)))
    both = [p.probability(values, (1, 1, 1), "slide") for p in (plain, flipped)]
    np.testing.assert_allclose(*both, atol=1e-6)
