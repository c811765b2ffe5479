"""Volumes thinner than a kernel under bfloat16 on the CPU."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from spinetk.segmentation.networks.exact import exact_gradients
from spinetk.segmentation.registry import get_entry


def litter():
    """Leave large numbers in the memory that is free."""
    for size in (10_000, 100_000, 1_000_000):
        torch.full((size,), 1e38)


@pytest.mark.parametrize(("kernel", "sides"), [(3, (2, 8, 8)), (5, (3, 5, 7)), (5, (4, 6, 6))])
def test_gradients_are_those_of_float32(kernel, sides):
    torch.manual_seed(0)
    x, weight = torch.randn(1, 32, *sides), torch.randn(32, 32, kernel, kernel, kernel) * 0.05
    wanted = weight.clone().requires_grad_()
    F.conv3d(x, wanted, padding=kernel // 2).square().mean().backward()
    layer = exact_gradients(nn.Sequential(nn.Conv3d(32, 32, kernel, padding=kernel // 2, bias=False)))
    layer[0].weight.data.copy_(weight)
    for _ in range(3):
        layer.zero_grad()
        litter()
        with torch.autocast("cpu", torch.bfloat16):
            out = layer(x)
        out.float().square().mean().backward()
        torch.testing.assert_close(
            layer[0].weight.grad, wanted.grad, rtol=0.05, atol=0.02 * float(wanted.grad.abs().max())
        )


def test_thick_volumes_stay_in_bfloat16():
    layer = exact_gradients(nn.Conv3d(4, 4, 3, padding=1))
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(torch.randn(1, 4, 3, 3, 3)).dtype == torch.bfloat16
        assert layer(torch.randn(1, 4, 2, 3, 3)).dtype == torch.float32


def test_weights_keep_their_names():
    network = get_entry("monai-unet3d").build(width=2)
    names = list(network.state_dict())
    assert list(exact_gradients(network).state_dict()) == names
    network.load_state_dict(get_entry("monai-unet3d").build(width=2).state_dict())
