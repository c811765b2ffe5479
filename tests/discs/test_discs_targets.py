"""Targets, losses and PCK against hand-worked numbers of the published description."""

import numpy as np
import pytest
import torch
from gradients import assert_falls_along_its_gradient

from spinetk.discs.loss import (
    hca_loss,
    joints_mse,
    pairwise_distances,
    skeletal_loss,
    soft_argmax,
    stacked_mse,
)
from spinetk.discs.pck import pck, peaks, soft_dice
from spinetk.discs.target import legacy_map, level_heatmaps, ordinal_heatmaps


def test_golden_numbers_of_one_disc():
    merged = legacy_map([(60.5, 40.5)], (100, 120))
    assert [round(float(merged[40, 60 + d]), 4) for d in range(4)] == [1, 0.9020, 0.6667, 0.4039]
    rows, columns = np.nonzero(merged)
    assert len(rows) == 177
    assert np.hypot(rows - 40, columns - 60).max() == pytest.approx(7.28, abs=0.005)
    maps, present = ordinal_heatmaps([(60.5, 40.5)], (100, 120))
    kept = maps[0][maps[0] > 0]
    assert len(kept) == 45
    rows, columns = np.nonzero(maps[0])
    assert np.hypot(rows - 40, columns - 60).max() == pytest.approx(3.606, abs=5e-4)
    assert kept.sum() == pytest.approx(23.855, abs=1e-3)
    assert np.square(kept).sum() == pytest.approx(14.713, abs=1e-3)
    assert present.tolist() == [1] + [0] * 10


def test_ordinal_channels_shift_when_the_first_label_goes_and_levels_do_not():
    points = {3: (30.5, 20.5), 4: (32.5, 40.5), 5: (33.5, 60.5)}
    full, _ = ordinal_heatmaps(points.values(), (80, 64))
    less, present = ordinal_heatmaps([points[4], points[5]], (80, 64))
    assert np.array_equal(less[0], full[1])
    assert present[:3].tolist() == [1, 1, 0]
    levels = (3, 4, 5)
    whole, _ = level_heatmaps(points, levels, (80, 64))
    rest, there = level_heatmaps({4: points[4], 5: points[5]}, levels, (80, 64))
    assert np.array_equal(rest[1:], whole[1:])
    assert there.tolist() == [0, 1, 1]
    assert rest[0].max() == 0


def test_ordinal_channels_beyond_the_last_are_dropped():
    maps, present = ordinal_heatmaps([(10.5, 12.5 + 20 * i) for i in range(13)], (300, 40))
    assert maps.shape == (11, 300, 40)
    assert present.sum() == 11


def test_points_outside_the_picture_have_no_target():
    maps, present = level_heatmaps({3: (70.0, 5.0)}, (3,), (20, 30))
    assert maps.max() == 0
    assert present[0] == 0


def test_loss_check_of_the_description():
    target = torch.zeros(3, 11, 256, 256)
    target[:, :, 100:104, 50:54] = 1
    present = torch.ones(3, 11)
    present[:, 8:] = 0
    loss = joints_mse(torch.zeros_like(target), target, present)
    assert float(loss) == pytest.approx(8.8778e-5, rel=1e-5)
    assert float(loss) == pytest.approx(0.5 * 16 / 65536 * 8 / 11, rel=1e-6)
    both = stacked_mse([torch.zeros_like(target)] * 2, target, present)
    assert float(both) == pytest.approx(2 * float(loss), rel=1e-6)


def test_weight_on_the_peaks_counts_what_is_missed_there_more():
    """1 px of a peak missed and 1 px of ground wrongly lit, both by 1, of 4 px: 0.5 (101 + 1) / 4."""
    target = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    found = torch.tensor([[[[0.0, 1.0], [0.0, 0.0]]]])
    assert float(joints_mse(found, target, peak=100.0)) == pytest.approx(0.5 * 102 / 4)
    assert float(joints_mse(found, target)) == pytest.approx(0.5 * 2 / 4)


def test_absent_discs_are_supervised_unless_told_otherwise():
    maps = torch.full((1, 2, 8, 8), 0.5, requires_grad=True)
    target, present = torch.zeros(1, 2, 8, 8), torch.tensor([[1.0, 0.0]])
    joints_mse(maps, target).backward()
    assert maps.grad[0, 1].abs().min() > 0
    maps.grad = None
    joints_mse(maps, target, present).backward()
    assert maps.grad[0, 0].abs().min() > 0
    assert maps.grad[0, 1].abs().max() == 0


def test_soft_argmax_finds_the_peak():
    target, _ = level_heatmaps({3: (20.5, 40.5), 4: (30.0, 70.0)}, (3, 4), (128, 64))
    found = soft_argmax(torch.tensor(target)[None])[0] * torch.tensor([64, 128])
    torch.testing.assert_close(found, torch.tensor([[20.5, 40.5], [30.0, 70.0]]), atol=0.05, rtol=0)


def test_skeletal_loss_teaches_every_value_of_the_maps():
    """Its gradient is that of finite differences and reaches every pixel, as through an argmax it could not."""
    torch.manual_seed(0)
    maps = (0.05 * torch.randn(1, 2, 12, 10, dtype=torch.float64)).requires_grad_()
    truth, present = torch.tensor([[[0.5, 0.4], [0.4, 0.7]]], dtype=torch.float64), torch.ones(1, 2)
    assert torch.autograd.gradcheck(lambda maps: skeletal_loss(maps, truth, present), (maps,))
    assert_falls_along_its_gradient(lambda: skeletal_loss(maps, truth, present), [maps])


def test_skeletal_loss_is_nothing_at_the_truth_and_counts_present_discs_only():
    truth = torch.tensor([[[0.2, 0.2], [0.5, 0.6]]])
    moved = truth.clone()
    moved[:, 1] += 0.3
    assert float(pairwise_distances(truth, truth, torch.ones(1, 2))) < 1e-9
    assert float(pairwise_distances(moved, truth, torch.tensor([[1.0, 0.0]]))) == 0
    # |m0 - m1| = hypot(0.6, 0.7), |g0 - g1| = 0.5
    expected = 0.8 * (np.hypot(0.6, 0.7) - 0.5) ** 2
    assert float(pairwise_distances(moved, truth, torch.ones(1, 2))) == pytest.approx(expected, rel=1e-5)


def test_hca_loss_adds_its_parts_with_the_published_weights():
    torch.manual_seed(0)
    first, last = torch.rand(2, 1, 2, 16, 16)
    target, truth, present = torch.rand(1, 2, 16, 16), torch.rand(1, 2, 2), torch.ones(1, 2)

    def one(maps):
        heat = 0.5 * (maps - target).square().mean()
        return 0.5 * 5e4 * heat + 0.5 * 10 * skeletal_loss(maps, truth, present)

    total = hca_loss([first, last], target, truth, present)
    torch.testing.assert_close(total, (one(first) + one(last)) / 2)


def test_pck_is_right_within_a_twentieth_of_the_width():
    target = torch.zeros(1, 3, 256, 256)
    predicted = torch.zeros_like(target)
    target[0, 0, 100, 100] = target[0, 1, 50, 50] = 1
    target[0, 2, 0, 40] = 1  # first row: not counted
    predicted[0, 0, 100, 112] = 1  # 12 px: right
    predicted[0, 1, 50, 63] = 1  # 13 px: wrong
    assert pck(predicted, target) == 0.5
    predicted[0, 1] = 0
    predicted[0, 1, 59, 59] = 1  # 12.73 px
    assert pck(predicted, target) == 1.0
    assert pck(predicted, torch.zeros_like(target)) is None
    assert peaks(torch.full((1, 1, 4, 4), -1.0)).tolist() == [[[0, 0]]]


def test_soft_dice():
    ones = torch.ones(1, 1, 2, 2)
    assert soft_dice(ones, ones) == 1.0
    assert soft_dice(ones, torch.zeros_like(ones)) == pytest.approx(1 / 5)
