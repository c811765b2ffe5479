"""Losses against worked figures and formulas written out."""

import numpy as np
import pytest
import torch

from spinetk.errors import InputError
from spinetk.segmentation.losses.boundary import SCHEDULES, Boundary, Hybrid
from spinetk.segmentation.losses.choose import LOSSES, make_loss
from spinetk.segmentation.losses.contextual import Contextual, boundary_target, region_target
from spinetk.segmentation.losses.cross_entropy import CrossEntropy
from spinetk.segmentation.losses.distance import signed_distance
from spinetk.segmentation.losses.focal import EnhancedMixing, Focal
from spinetk.segmentation.losses.overlap import CrossEntropyDice, Dice
from spinetk.segmentation.networks.spin import SpinOutput
from spinetk.segmentation.networks.tmunet import TMUnetOutput

CERTAIN = 100.0


@pytest.fixture
def cube():
    """A 3x3x3 cube in the middle of 7x7x7."""
    mask = np.zeros((7, 7, 7), bool)
    mask[2:5, 2:5, 2:5] = True
    return mask


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(0)
    logit = torch.randn(2, 1, 6, 5, 4, generator=generator)
    mask = (torch.rand(2, 1, 6, 5, 4, generator=generator) > 0.6).float()
    return logit, mask


def entropy(p, g):
    return -(g * p.log() + (1 - g) * (1 - p).log())


def test_dice_is_the_formula_over_the_whole_batch(pair):
    logit, g = pair
    p = logit.sigmoid()
    torch.testing.assert_close(Dice()(logit, g), 1 - 2 * (p * g).sum() / (p.sum() + g.sum()))
    each = torch.stack([Dice()(logit[i : i + 1], g[i : i + 1]) for i in range(2)])
    assert not torch.isclose(each.mean(), Dice()(logit, g), atol=1e-5)
    assert Dice()(CERTAIN * (2 * g - 1), g) < 1e-6
    assert torch.isfinite(Dice()(torch.full_like(g, -200.0), torch.zeros_like(g)))
    smooth = 1 - (2 * (p * g).sum() + 1) / (p.sum() + g.sum() + 1)
    torch.testing.assert_close(Dice(smooth=1.0)(logit, g), smooth)
    squared = 1 - (2 * (p * g).sum() + 1) / ((p**2).sum() + (g**2).sum() + 1)
    torch.testing.assert_close(Dice(smooth=1.0, squared=True)(logit, g), squared)
    torch.testing.assert_close(CrossEntropyDice()(logit, g), entropy(p, g).mean() + smooth)


def test_focal_is_the_formula(pair):
    logit, g = pair
    p = logit.sigmoid()
    right = torch.where(g == 1, p, 1 - p)
    wanted = ((1 + 199 * g) * (1 - right) ** 2 * entropy(p, g)).mean()
    torch.testing.assert_close(Focal()(logit, g), wanted)


def test_enhanced_mixing_is_the_formula(pair):
    logit, g = pair
    p = logit.sigmoid()
    focal = -(0.48 * g * (1 - p) ** 1.1 * p.log() + 0.52 * (1 - g) * p**1.1 * (1 - p).log()).mean()
    dice = (2 * (p * g).sum() + 1) / ((p**2).sum() + g.sum() + 1)
    torch.testing.assert_close(EnhancedMixing()(logit, g), focal - dice.log())


def test_cross_entropy_of_spin_is_on_its_last_output():
    logit, mask = torch.tensor([[[[0.0, 2.0]]]]), torch.tensor([[[[1.0, 0.0]]]])
    output = SpinOutput(torch.full((1, 1, 2, 4), 7.0), logit)
    wanted = (1.5 * np.log(2) + np.log(1 + np.exp(2))) / 2
    assert make_loss("cross-entropy-1.5")(output, mask).item() == pytest.approx(wanted, rel=1e-6)
    enlarged = torch.tensor([[[[1.0, 1.0, 0.0, 0.0]] * 2]]).reshape(1, 1, 2, 4)
    fine = torch.randn(1, 1, 2, 4)
    assert torch.equal(CrossEntropy()(fine, mask), CrossEntropy()(fine, enlarged))


def test_published_distance_map(cube):
    phi = signed_distance(cube).astype(np.int16)  # as the published code stores it
    assert (phi[3, 3, 3], phi[2, 3, 3], phi[2, 2, 2]) == (-1, 0, 0)
    assert (phi[1, 3, 3], phi[1, 1, 3], phi[1, 1, 1], phi[0, 0, 0]) == (1, 1, 1, 3)
    assert phi.mean() == pytest.approx(1.6472, abs=5e-5)
    logit = torch.from_numpy(np.where(cube, CERTAIN, -CERTAIN))[None, None]
    loss = Boundary()(logit, None, torch.from_numpy(phi)[None, None].float())
    assert loss.item() == pytest.approx(-0.0029155, abs=5e-8)


def test_distance_map_in_mm(cube):
    phi = signed_distance(cube, 0.625)
    assert phi.dtype == np.float32
    assert phi[0, 0, 0] == pytest.approx(0.625 * 12**0.5)
    assert phi[1, 1, 3] == pytest.approx(0.625 * 2**0.5)
    assert phi[3, 3, 3] == pytest.approx(-0.625)
    assert (phi[cube] <= 0).all()
    assert (phi[~cube] > 0).all()
    tall = signed_distance(cube, (5, 1, 2))
    assert (tall[1, 3, 3], tall[3, 1, 3], tall[3, 3, 1]) == (5, 1, 2)
    assert tall[0, 0, 0] == pytest.approx((10**2 + 2**2 + 4**2) ** 0.5)
    assert tall[3, 3, 3] == pytest.approx(1 - 2)


@pytest.mark.parametrize("fill", [0, 1])
def test_distance_map_without_a_boundary_is_zero(fill):
    assert not signed_distance(np.full((3, 4, 5), fill)).any()


def test_boundary_loss_prefers_the_truth(cube):
    phi = torch.from_numpy(signed_distance(cube))[None, None]
    truth = np.where(cube, CERTAIN, -CERTAIN)
    near, far = np.roll(truth, 1, 0), np.roll(truth, 2, 0)
    losses = [Boundary()(torch.from_numpy(x)[None, None], None, phi).item() for x in (truth, near, far)]
    assert losses == sorted(losses)
    assert losses[0] < 0


def test_falling_schedule_is_the_coded_one():
    loss, alphas = Hybrid(), []
    for _ in range(201):
        alphas.append(loss.alpha)
        loss.end_epoch()
    assert alphas[:3] == [1.0, 0.99, 0.98]
    assert alphas[84] == 0.16
    assert alphas[85] == 0.15
    assert set(alphas[85:]) == {0.15}


def test_other_schedules():
    assert Hybrid("constant").weights == (1.0, 0.01)
    for name, first, second, last in (
        ("increase", (1.0, 0.01), (1.0, 0.02), (1.0, 1.0)),
        ("rebalance", (0.99, 0.01), (0.98, 0.02), (0.01, 0.99)),
    ):
        loss = Hybrid(name)
        assert loss.weights == pytest.approx(first)
        loss.end_epoch()
        assert loss.weights == pytest.approx(second)
        for _ in range(200):
            loss.end_epoch()
        assert loss.weights == pytest.approx(last)


def test_threshold_schedule_waits_for_dice():
    loss = Hybrid("threshold-dice")
    for dice in (None, 0.5, 0.799):
        loss.end_epoch(dice)
    assert loss.alpha == 1.0
    loss.end_epoch(0.8)
    assert loss.alpha == 0.99


def test_hybrid_mixes_and_resumes(pair, tmp_path):
    logit, mask = pair
    distance = torch.from_numpy(np.stack([signed_distance(m) for m in mask[:, 0].numpy()]))[:, None]
    loss = Hybrid()
    for _ in range(40):
        loss.end_epoch()
    wanted = 0.6 * Dice()(logit, mask) + 0.4 * (logit.sigmoid() * distance).mean()
    torch.testing.assert_close(loss(logit, mask, distance), wanted)
    torch.save(loss.state_dict(), tmp_path / "state.pt")
    again = Hybrid()
    again.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert again.alpha == 0.6


def test_targets_of_tmunet():
    mask = torch.zeros(2, 1, 32, 40)
    mask[0, 0, 10, 10] = 1
    mask[0, 0, :16, 16:24] = 1
    regions = region_target(mask)
    assert regions.shape == (2, 1, 2, 3)
    assert regions[0, 0].tolist() == [[1 / 128, 1, 0], [0, 0, 0]]
    assert not regions[1].any()
    lone = torch.zeros(1, 1, 20, 20)
    lone[0, 0, 9, 9] = 1
    band = boundary_target(lone)
    assert band.sum() == 48
    assert band[0, 0, 6:13, 6:13].sum() == 48
    assert band[0, 0, 9, 9] == 0


def test_contextual_weights():
    """Logits 0: both entropies are ln 2; regions of 0.5 against 1 and 0: mean square 0.25."""
    mask = torch.zeros(1, 1, 16, 32)
    mask[..., :16] = 1
    zeros = torch.zeros(1, 1, 16, 32)
    loss = Contextual()(TMUnetOutput(zeros, zeros, torch.full((1, 1, 1, 2), 0.5)), mask)
    assert loss.item() == pytest.approx(0.9 * np.log(2) + 0.1 * 0.25, rel=1e-6)


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "contextual"])
@pytest.mark.parametrize("fill", [0.0, 1.0])
def test_losses_on_empty_and_full_masks(name, fill):
    loss = make_loss(name)
    logit = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0), requires_grad=True)
    mask = torch.full((2, 1, 8, 8), fill)
    extra = (torch.zeros_like(mask),) if loss.needs_distance else ()
    value = loss(logit, mask, *extra)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(logit.grad).all()


def test_names():
    assert make_loss("hybrid", "rebalance").schedule is SCHEDULES["rebalance"]
    with pytest.raises(InputError, match="dice-squared"):
        make_loss("jaccard")
    with pytest.raises(InputError, match="no schedule"):
        make_loss("dice", "falling")
    with pytest.raises(InputError, match="rebalance"):
        make_loss("hybrid", "rising")
