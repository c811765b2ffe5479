"""What SPiN is for: a lesion of one pixel survives, at twice the resolution and back.

The weights are set by hand: the embedding hands the picture to the last decoder, each pixel as four.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from spinetk.segmentation.networks.spin import LearnableDownsampler, SPiN

SHARES = torch.tensor([1.0, 2.0, 3.0, 4.0])  # of a pixel: above left, above right, below left, below right


def pass_on(layer: nn.Conv2d, channels: dict[int, tuple[int, float]]) -> None:
    """A convolution that gives channel ``k`` as ``factor`` times channel ``source`` of the same place; others zero."""
    nn.init.zeros_(layer.weight)
    middle = layer.kernel_size[0] // 2
    with torch.no_grad():
        for k, (source, factor) in channels.items():
            layer.weight[k, source, middle, middle] = factor


@pytest.fixture
def network():
    """SPiN whose only open way leads through the embedding: the picture times ``SHARES`` in the fine map."""
    network = SPiN(1).eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.zeros_(module.weight)
        elif isinstance(module, nn.BatchNorm2d):
            module.eps = 0.0
    same = {0: (0, 1.0)}
    pass_on(network.embedding.first[0], same)
    pass_on(network.embedding.grow[0][0], {k: (0, float(share)) for k, share in enumerate(SHARES)})
    pass_on(network.embedding.grow[2], same)
    pass_on(network.guide_fine[0], same)
    pass_on(network.decoder[-1].join[0], {0: (16, 1.0)})  # the first channel of what skips
    pass_on(network.last, same)
    return network


def lesions() -> torch.Tensor:
    """(4, 1, 32, 48): nothing but a bright pixel each, in the corners and within."""
    values = torch.zeros(4, 1, 32, 48)
    for k, (row, column) in enumerate([(0, 0), (31, 47), (7, 20), (18, 33)]):
        values[k, 0, row, column] = 2.0
    return values


def test_a_pixel_becomes_four_of_the_same_place_and_one_again(network):
    values = lesions()
    with torch.no_grad():
        fine, logit = network(values)
    torch.testing.assert_close(F.pixel_unshuffle(fine, 2), values * SHARES[:, None, None])
    torch.testing.assert_close(logit, values * SHARES.mean())  # weights of nothing mix evenly


def test_without_the_embedding_nothing_is_left_of_it(network):
    network.embedding.register_forward_hook(lambda module, given, output: output * 0)
    with torch.no_grad():
        fine, logit = network(lesions())
    assert not fine.any()
    assert not logit.any()


def test_the_mix_can_keep_the_likeliest_of_the_four(network):
    """With weights that lean to one of the four, the lesion keeps its full height."""
    first, second, last = (network.downsampler.layers[k] for k in range(3))
    pass_on(first[0], {0: (3, 1.0)})  # channel 0 of the latent, below right
    pass_on(second[0], {0: (0, 1.0)})
    pass_on(last, {3: (0, 50.0)})
    values = lesions()
    with torch.no_grad():
        torch.testing.assert_close(network(values).logit, values * SHARES[3])


def test_the_mix_lies_between_the_four_it_is_made_of():
    torch.manual_seed(0)
    mixer, latent, fine = LearnableDownsampler(), torch.randn(2, 16, 8, 10), torch.randn(2, 1, 8, 10)
    mixed = mixer(latent, fine)
    least, most = -F.max_pool2d(-fine, 2), F.max_pool2d(fine, 2)
    assert ((least < mixed) & (mixed < most)).all()
    with torch.no_grad():
        mixer.layers[-1].weight.zero_()
    assert not torch.allclose(mixed, mixer(latent, fine)), "the weights are learnt from the latent"
