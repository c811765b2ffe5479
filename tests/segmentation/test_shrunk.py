"""The few pixels of a map that shrinking looks at, against the whole map."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from spinetk.segmentation.networks.shrunk import shrunk


def unit() -> nn.Sequential:
    torch.manual_seed(0)
    made = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU()).double()
    nn.init.uniform_(made[1].weight, 0.5, 1.5)
    nn.init.uniform_(made[1].bias, -0.5, 0.5)
    return made


def both(size: tuple[int, int], train: bool = True):
    """Output, gradients and running statistics of the whole map shrunk by PyTorch, and ours."""
    for take in (lambda layers, x: F.interpolate(layers(x), size=size, mode="bilinear"), lambda *a: shrunk(*a, size)):
        layers = unit().train(train)
        x = torch.randn(2, 3, 16, 24, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
        out = take(layers, x.contiguous(memory_format=torch.channels_last))
        weights = torch.randn(out.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
        yield [out, *torch.autograd.grad((out * weights).sum(), [x, *layers.parameters()]), *layers.buffers()]


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("size", [(8, 12), (4, 6), (2, 3), (16, 24), (4, 12), (5, 7)], ids=str)
def test_shrunk_is_the_whole_map_shrunk(size, train):
    plain, ours = both(size, train)
    for a, b in zip(plain, ours, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-9, atol=1e-12)


def test_shrunk_in_half_precision():
    """As near to float32 as the whole map is."""
    layers, x = unit().float(), torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    exact = shrunk(copy.deepcopy(layers), x, (4, 4))
    with torch.autocast("cpu", torch.bfloat16):
        found = shrunk(copy.deepcopy(layers), x, (4, 4))
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), exact, rtol=0.03, atol=0.03)
