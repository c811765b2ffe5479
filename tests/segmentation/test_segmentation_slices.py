"""Slices of volumes: neighbours, sampling, augmentation, prediction."""

import numpy as np
import pytest
import torch
from torch import nn

from spinetk.phantoms.lesion import lesion_volume
from spinetk.segmentation.metrics import small_lesion_slices
from spinetk.segmentation.networks.spin import SPiN
from spinetk.segmentation.slices.predictor import (
    SliceAugmentation,
    SliceDataset,
    SlicePredictor,
    Statistics,
    neighbours,
    spacings_of,
)


def test_statistics_are_of_all_voxels():
    parts = [np.arange(10.0), np.array([[100.0, -3.0]])]
    found = Statistics.of(parts)
    together = np.concatenate([p.ravel() for p in parts])
    assert (found.mean, found.sd) == pytest.approx((together.mean(), together.std()))
    assert Statistics.of([np.full(4, 7.0)]).standardise(np.array([7.0])).tolist() == [0]


def test_neighbours_beyond_the_volume_are_zero():
    values = np.arange(1, 4, dtype=np.float32)[:, None, None] * np.ones((1, 2, 2), np.float32)
    assert [neighbours(values, i, 5)[:, 0, 0].tolist() for i in (0, 2)] == [[0, 0, 1, 2, 3], [1, 2, 3, 0, 0]]
    assert neighbours(values, 1, 1)[:, 0, 0].tolist() == [2]
    assert neighbours(values, 1, 4)[:, 0, 0].tolist() == [0, 1, 2, 3]


def test_share_of_slices_with_lesion():
    """0.95 within four standard errors of the binomial."""
    mask = np.zeros((10, 3, 3), bool)
    mask[4, 1, 1] = mask[5] = True
    dataset = SliceDataset([(np.zeros((10, 3, 3), np.float32), mask)], 1)
    hits = [dataset[(draw, 0)][1].any() for draw in range(4000)]
    assert abs(np.mean(hits) - 0.95) < 4 * (0.95 * 0.05 / 4000) ** 0.5
    always = SliceDataset(dataset.cases, 1, positive_rate=1.0)
    assert all(always[(draw, 0)][1].any() for draw in range(200))
    healthy = SliceDataset([(np.zeros((3, 2, 2), np.float32), np.zeros((3, 2, 2), bool))], 1)
    assert not healthy[(0, 0)][1].any()


def test_augmentation_keeps_image_and_mask_together():
    mask = np.zeros((60, 80), bool)
    mask[15:30, 20:50] = True
    values = np.where(mask, 2.0, -1.0).astype(np.float32)[None].repeat(3, 0)
    seen = set()
    for seed in range(40):
        out, moved = SliceAugmentation(noise_sd=0.0)(values, mask, np.random.default_rng(seed))
        assert np.array_equal(out, np.where(moved, 2.0, -1.0)[None].repeat(3, 0))
        seen.add(moved.tobytes())
    assert len(seen) > 20
    late = SliceAugmentation(late_rate=0.0, late=3)
    assert late(values, mask, np.random.default_rng(0), epoch=3)[0] is values
    assert late(values, mask, np.random.default_rng(0), epoch=2)[0] is not values
    unchanged, _ = SliceAugmentation(rate=0.0)(values, mask, np.random.default_rng(0))
    assert np.array_equal(unchanged, values)


def test_noise_only_where_drawn():
    values, mask = np.zeros((1, 40, 40), np.float32), np.zeros((40, 40), bool)
    augment = SliceAugmentation(rotate_degrees=0.0, enlarge=1.0)
    spread = [augment(values, mask, np.random.default_rng(seed))[0].std() for seed in range(200)]
    noisy = [sd for sd in spread if sd > 0]
    assert 70 < len(noisy) < 130
    assert np.mean(noisy) == pytest.approx(0.01, rel=0.05)


def test_enlarging_keeps_the_middle():
    values, mask = np.zeros((1, 41, 41), np.float32), np.zeros((41, 41), bool)
    mask[20, 20] = mask[20, 4] = True
    augment = SliceAugmentation(noise_sd=0.0, rotate_degrees=0.0, enlarge=1.3)
    for seed in range(20):
        _, moved = augment(values, mask, np.random.default_rng(seed))
        assert moved[20, 20]


class Middle(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, x.shape[1] // 2][:, None] * 10


@pytest.mark.parametrize("channels", [1, 4, 5])
def test_every_slice_is_answered_in_its_place(channels):
    values = np.random.default_rng(0).normal(3, 2, (7, 9, 11))
    predictor = SlicePredictor(Middle(), channels, Statistics(3.0, 2.0), flips=("rows", "columns"), batch=3)
    assert np.array_equal(predictor.predict(values), values >= 3)


def test_slices_smaller_than_the_network_takes_are_enlarged_and_the_mask_is_cut():
    """A network that gives back the middle slice: it sees 16 x 20 px, the answer has 5 x 20 of them."""
    seen = []

    class Middle(torch.nn.Module):
        def forward(self, x):
            seen.append(tuple(x.shape[2:]))
            assert (x[:, :, 4:] == x[:, :, 4:5]).all()
            return x[:, 1:2]

    values = np.random.default_rng(0).normal(7, 2, (3, 5, 20)).astype(np.float32)
    predictor = SlicePredictor(Middle(), 3, Statistics(7.0, 2.0), smallest=16)
    predictor.half = None
    found = predictor.probability(values)
    assert set(seen) == {(16, 20)}
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-(values - 7) / 2)), rtol=1e-5)


@pytest.mark.parametrize(
    ("mean", "sd", "said"),
    [(40, 10, False), (69, 10, False), (71, 10, True), (9, 10, True), (40, 39, False), (40, 41, True), (40, 2.4, True)],
)
def test_another_grey_scale_than_in_training_is_said(mean, sd, said):
    """Half of the voxels lie one SD above the mean and half below."""
    values = np.array([mean - sd, mean + sd], np.float32).repeat(8).reshape(1, 4, 4)
    remark = Statistics(40.0, 10.0).remark(values)
    assert (remark is not None) == said
    if said:
        assert f"(mean {mean:.4g}, SD {sd:.4g}) than in training (mean 40, SD 10)" in remark
    assert Statistics(40.0, 10.0).remark(np.full((1, 4, 4), 40.0)) == "all voxels are alike: there is nothing to see"


@pytest.mark.parametrize(
    ("spacing", "said"),
    [((3, 0.5, 0.5), False), ((2.5, 0.5, 0.6), False), ((4.9, 0.5, 0.5), False), ((5.1, 0.5, 0.5), True),
     ((2.3, 0.5, 0.5), True), ((3, 0.7, 0.5), True), ((3, 0.5, 0.39), True)],
)  # fmt: skip
def test_voxels_of_another_size_than_in_training_are_said(spacing, said):
    """A quarter larger or smaller than any: 3 / 1.25 = 2.4, 4 * 1.25 = 5, 0.5 / 1.25 = 0.4, 0.5 * 1.25 = 0.625."""
    known = Statistics(40.0, 10.0, spacings_of([(3, 0.5, 0.5), (4, 0.5, 0.5)]))
    remark = known.remark_spacing(spacing)
    assert (remark is not None) == said
    if said:
        here = " x ".join(f"{own}" for own in spacing)
        assert remark == (
            f"voxels are {here} mm (slices, rows, columns), in training 3-4 x 0.5 x 0.5 mm: the mask may be wrong"
        )
    # A card of before, or files of training that said nothing.
    unknown = Statistics(40.0, 10.0, spacings_of([])).remark_spacing(spacing)
    assert unknown.endswith("mm (slices, rows, columns), in training nobody knows: the mask may be wrong")


def test_spin_on_a_phantom():
    brain = lesion_volume(1, shape=(6, 45, 52), spacing_mm=(6.0, 4.0, 4.0), contrast="FLAIR")
    predictor = SlicePredictor(SPiN(5), 5, Statistics.of([brain.values]))
    probability = predictor.probability(brain.values)
    assert probability.shape == brain.mask.shape
    assert ((probability >= 0) & (probability <= 1)).all()
    assert set(small_lesion_slices(brain.mask)) <= set(np.flatnonzero(brain.mask.any((1, 2))))
