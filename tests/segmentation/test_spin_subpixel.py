"""What SPiN is for: a lesion of one pixel survives, at twice the resolution and back."""

import torch
from torch.nn import functional as F

from spinetk.segmentation.losses.choose import make_loss
from spinetk.segmentation.networks.spin import LearnableDownsampler, SPiN


def pictures(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, 1, 32, 32) noise with one bright pixel each, and its mask."""
    drawn = torch.Generator().manual_seed(seed)
    values, masks = torch.randn(count, 1, 32, 32, generator=drawn) * 0.2, torch.zeros(count, 1, 32, 32)
    for k, (row, column) in enumerate(torch.randint(2, 30, (count, 2), generator=drawn).tolist()):
        masks[k, 0, row, column] = 1
    return values + 3 * masks, masks


def test_a_one_pixel_lesion_survives():
    """A toy training; the lesions of unseen pictures are found to the pixel, and by way of the embedding."""
    torch.manual_seed(0)
    network, loss = SPiN(1), make_loss("cross-entropy-dice")
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    for step in range(45):
        values, masks = pictures(8, step)
        optimiser.zero_grad()
        loss(network(values), masks).backward()
        optimiser.step()
    values, masks = pictures(16, 10**6)
    with torch.no_grad():
        output = network.eval()(values)
        network.embedding.register_forward_hook(lambda module, given, output: output * 0)
        without = network(values)
    places = masks.flatten(1).argmax(1)
    assert torch.equal(output.logit.flatten(1).argmax(1), places)
    assert ((output.logit > 0) & (masks > 0)).sum() >= 15
    # At 2x the likeliest place is one of the four that the pixel became.
    assert torch.equal(F.max_pool2d(output.fine, 2).flatten(1).argmax(1), places)
    assert not ((without.logit > 0) & (masks > 0)).any()


def test_the_mix_lies_between_the_four_it_is_made_of():
    torch.manual_seed(0)
    mixer, latent, fine = LearnableDownsampler(), torch.randn(2, 16, 8, 10), torch.randn(2, 1, 8, 10)
    mixed = mixer(latent, fine)
    least, most = -F.max_pool2d(-fine, 2), F.max_pool2d(fine, 2)
    assert ((least < mixed) & (mixed < most)).all()
    with torch.no_grad():
        mixer.layers[-1].weight.zero_()
    assert not torch.allclose(mixed, mixer(latent, fine)), "the weights are learnt from the latent"
