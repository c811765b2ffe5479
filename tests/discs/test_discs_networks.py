"""Networks against the counts, shapes and identities of the published description."""

import pytest
import torch
from torch import nn

from spinetk.discs.hourglass import StackedHourglass
from spinetk.discs.lookonce import PointNet20, PointSet, point_features
from spinetk.discs.module import PointTraining
from spinetk.discs.shapeunet import ShapeUNet, gradient_magnitude


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("stacks", "plain", "attended"),
    [
        (1, 3_585_675, 3_620_931),
        (2, 6_727_062, 6_795_086),
        (3, 9_868_449, 9_969_241),
        (4, 13_009_836, 13_143_396),
        (8, 25_575_384, 25_840_016),
    ],
)
def test_parameters_of_the_hourglass(stacks, plain, attended):
    with torch.device("meta"):
        assert count(StackedHourglass(11, stacks)) == plain
        assert count(StackedHourglass(11, stacks, attention=True)) == attended


def test_parameters_by_part():
    with torch.device("meta"):
        net = StackedHourglass(11, 2, attention=True)
    parts = {name: count(module) for name, module in net.named_children()}
    assert parts == {
        "stem": 9_472 + 128 + 58_112 + 230_912 + 214_528,
        "hourglasses": 5_577_728,
        "residuals": 429_056,
        "features": 132_608,
        "scores": 5_654,
        "remix_features": 65_792,
        "remix_scores": 3_072,
        "attention": 68_024,
    }


def test_output_is_a_map_per_stack_at_the_size_of_the_input():
    net = StackedHourglass(7, 2, attention=True).eval()
    with torch.no_grad():
        maps, gate = net.with_attention(torch.rand(1, 3, 128, 64))
    assert [m.shape for m in maps] == [(1, 7, 128, 64)] * 2
    assert gate.shape == (1, 1, 32, 16)
    assert 0 < gate.min() < gate.max() < 1


def test_attention_forced_to_one_is_the_plain_network():
    torch.manual_seed(0)
    attended, plain = StackedHourglass(5, 2, attention=True).eval(), StackedHourglass(5, 2).eval()
    plain.load_state_dict({k: v for k, v in attended.state_dict().items() if not k.startswith("attention")})
    picture = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        before, expected = attended(picture), plain(picture)
        attended.attention.forward = lambda kept: torch.ones_like(kept[0][:, :1])
        forced = attended(picture)
    assert not torch.equal(before[1], expected[1])
    assert torch.equal(before[0], expected[0])
    assert torch.equal(forced[1], expected[1])


def test_parameters_of_the_published_point_network():
    assert count(PointNet20()) == 1_669_037


def test_the_published_point_network_depends_on_order_and_size():
    torch.manual_seed(0)
    net = PointNet20().eval()
    points, order = torch.randn(1, 2, 20), torch.randperm(20)
    with torch.no_grad():
        out = net(points)
        assert out.shape == (1, 20, 2)
        torch.testing.assert_close(out.exp().sum(2), torch.ones(1, 20))
        assert (net(points[:, :, order]) - out[:, order]).abs().max() > 1e-4
        with pytest.raises(RuntimeError):
            net(points[:, :, :15])


@pytest.mark.parametrize("size", [1, 15, 111])
def test_the_point_set_takes_any_size_in_any_order(size):
    torch.manual_seed(size)
    net = PointSet().eval()
    features, order = torch.randn(1, size, 4), torch.randperm(size)
    with torch.no_grad():
        out = net(features)
        torch.testing.assert_close(net(features[:, order]), out[:, order], rtol=1e-4, atol=1e-5)
        padded = torch.cat([features, torch.randn(1, 3, 4)], dim=1)
        padding = torch.tensor([[False] * size + [True] * 3])
        torch.testing.assert_close(net(padded, padding)[:, :size], out, rtol=1e-4, atol=1e-5)


def test_point_features_do_not_depend_on_where_the_picture_starts():
    points, scores, channels = torch.rand(5, 2) * 100, torch.rand(5), torch.arange(5)
    here = point_features(points, scores, channels, 5)
    there = point_features(points + torch.tensor([30.0, -12.0]), scores, channels, 5)
    torch.testing.assert_close(here, there)
    assert point_features(points[:0], scores[:0], channels[:0], 5).shape == (0, 4)


def test_shape_unet_maps_and_gradients():
    net = ShapeUNet(4)
    picture = torch.rand(1, 1, 32, 48)
    (maps,) = net(picture)
    assert maps.shape == (1, 4, 32, 48)
    assert 0 < maps.min() < maps.max() < 1
    maps.mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_gradient_magnitude_of_a_ramp_is_constant_inside():
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    torch.testing.assert_close(gradient_magnitude(ramp)[..., 1:-1], torch.ones(1, 1, 8, 6))
    assert gradient_magnitude(torch.full((1, 1, 8, 8), 3.0)).abs().max() == 0


def test_a_batch_without_candidates_teaches_nothing():
    """A first stage that finds nothing on any picture of a batch: no gradient, and no weight that is no number."""
    module = PointTraining(PointSet(), 10)
    module.log = lambda *_, **__: None
    empty = torch.zeros(2, 1, 4), torch.zeros(2, 1), torch.ones(2, 1, dtype=torch.bool)
    loss = module.training_step(empty, 0)
    loss.backward()
    assert loss == 0
    assert all(p.grad is None or not p.grad.any() for p in module.network.parameters())
