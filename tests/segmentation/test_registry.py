"""Every registered network passes the same tests."""

import pytest
import torch
from torchvision.models.resnet import Bottleneck, ResNet

from spinetk.errors import InputError
from spinetk.segmentation.losses.choose import make_loss
from spinetk.segmentation.losses.output import logit_of
from spinetk.segmentation.networks import tmunet
from spinetk.segmentation.registry import REGISTRY, Entry, get_entry

PUBLISHED = {
    "vnet": 10_759_306, "vnet-2": 16_200_266, "vnet-attention": 10_759_306 + 91_083, "spin": 5_263_808,
    "unet-half": 19_586_688, "kiunet": 290_658, "tmunet": 165_165_953, "tmunet-shifted": 165_165_953,
}  # fmt: skip
PUBLISHED_MILLIONS = {"dunet": 8.63, "xnet": 15.07}


class Thin(Bottleneck):
    """Of ResNet-50, with a quarter of the channels."""

    expansion = 1


@pytest.fixture(scope="module", params=REGISTRY)
def built(request):
    torch.manual_seed(0)
    entry = REGISTRY[request.param]
    with pytest.MonkeyPatch.context() as patch:
        # TMUnet with a quarter of the channels and an eighth of the tokens' width: 165 million parameters take seconds.
        patch.setattr(tmunet, "resnet50", lambda: ResNet(Thin, [3, 4, 6, 3], width_per_group=16))
        patch.setattr(tmunet, "WIDTH", 64)
        return entry, entry.build()


def batch(entry: Entry, sides: tuple[int, ...], count: int = 2) -> torch.Tensor:
    noise = torch.randn(count, entry.form.channels, *sides, generator=torch.Generator().manual_seed(1))
    return (noise * 40 + 128).clip(0, 255) if entry.form.scale == "0-255" else noise


@pytest.mark.parametrize("name", REGISTRY)
def test_parameter_count(name):
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in REGISTRY[name].build().parameters())
    assert count == REGISTRY[name].parameters
    assert count == PUBLISHED.get(name, count)
    assert round(count / 1e6, 2) == PUBLISHED_MILLIONS.get(name, round(count / 1e6, 2))


def test_learns_from_full_and_empty_masks(built):
    entry, network = built
    network.train()
    sides = (entry.form.smallest,) * entry.form.axes
    x = batch(entry, sides)
    assert entry.optimiser.build(network.parameters()).param_groups
    loss_of, output = make_loss(entry.loss), network(x)
    losses = [loss_of(output, mask.float()) for mask in (torch.rand(2, 1, *sides) > 0.7, torch.zeros(2, 1, *sides))]
    assert all(map(torch.isfinite, losses))
    sum(losses).backward()  # where the gradient of either is not finite, that of the sum is not
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name
    assert any(parameter.grad.any() for parameter in network.parameters() if parameter.requires_grad)


@pytest.mark.parametrize("name", REGISTRY)
def test_any_size_gives_its_own_size_and_no_step_depends_on_values(name):
    """Tensors without content pass: no branch of Python asks what a picture shows, so a network can be exported."""
    entry = REGISTRY[name]
    low = max(entry.form.smallest, 17)
    sides = tuple(low + extra for extra in (0, 5, 2)[: entry.form.axes])
    with torch.device("meta"):
        logit = logit_of(entry.build().eval()(torch.empty(1, entry.form.channels, *sides)))
    assert (logit.shape, logit.device.type) == ((1, 1, *sides), "meta")


def test_smallest_volume_alone_in_a_batch():
    """Batch norm of the attention has no variance to take from a batch of one."""
    network = get_entry("vnet-attention").build().train()
    assert torch.isfinite(network(torch.randn(1, 1, 32, 16, 16))).all()


@pytest.mark.parametrize(("channels", "count"), [(5, 5_263_808), (3, 5_259_872), (1, 5_255_936)])
def test_spin_counts_by_channels(channels, count):
    with torch.device("meta"):
        assert sum(p.numel() for p in get_entry("spin").build(channels).parameters()) == count


def test_faults_are_named():
    with pytest.raises(InputError, match="vnet-2"):
        get_entry("vnet3")
    with pytest.raises(InputError, match="4 or more"):
        get_entry("dunet").build(1)
    with pytest.raises(InputError, match="exactly 3"):
        get_entry("tmunet").build(5)
    with pytest.raises(InputError, match="attention"):
        get_entry("spin").build(attention=True)


def test_recipes():
    rates = [get_entry("spin").optimiser.rate_at(epoch) for epoch in (0, 399, 400, 1399, 1400, 1599)]
    assert rates == [3e-4, 3e-4, 1e-4, 1e-4, 5e-5, 5e-5]
    layer = torch.nn.Linear(2, 2)
    layer.bias.requires_grad_(False)
    optimiser = get_entry("unet-half").optimiser.build(layer.parameters())
    (group,) = optimiser.param_groups
    assert isinstance(optimiser, torch.optim.Adam)
    assert group["fused"] is True
    assert (group["lr"], group["weight_decay"], len(group["params"])) == (3e-4, 1e-7, 1)


@pytest.mark.parametrize(("name", "plain"), [("xnet", torch.optim.Adam), ("dunet", torch.optim.SGD)])
def test_one_pass_over_the_parameters_moves_them_as_many_do(name, plain):
    recipe = get_entry(name).optimiser
    ends = []
    for one_pass in (True, False):
        weight = torch.nn.Parameter(torch.linspace(-1, 1, 50))
        if one_pass:
            optimiser = recipe.build([weight])
        else:
            optimiser = plain([weight], lr=recipe.rate, weight_decay=recipe.weight_decay, foreach=False, fused=False)
        for step in range(5):
            optimiser.zero_grad()
            (weight * torch.linspace(0.5, -2 + step, 50)).sum().backward()
            optimiser.step()
        ends.append(weight.detach())
    assert not torch.equal(ends[0], torch.linspace(-1, 1, 50))
    torch.testing.assert_close(*ends, rtol=1e-6, atol=1e-7)
