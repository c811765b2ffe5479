"""Metrics against numbers worked by hand and against MONAI's own functions."""

import numpy as np
import pytest
import torch
from monai.metrics import (
    compute_average_surface_distance,
    compute_confusion_matrix_metric,
    compute_dice,
    compute_hausdorff_distance,
    compute_iou,
    get_confusion_matrix,
)

from spinetk.segmentation.metrics import (
    Counts,
    count,
    largest_component,
    lesions,
    small_lesion_slices,
    summarise,
    surface_distances,
)


def cube(low: int, shape=(20, 20, 20), side: int = 4) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[low : low + side, 3 : 3 + side, 3 : 3 + side] = True
    return mask


def test_by_hand():
    scores = Counts(tp=6, fp=2, fn=4, tn=88).scores()
    assert scores == pytest.approx(
        {"dice": 12 / 18, "iou": 6 / 12, "precision": 6 / 8, "recall": 6 / 10, "specificity": 88 / 90}
    )


def test_as_monai():
    random = np.random.default_rng(0)
    predicted, truth = random.random((2, 7, 8, 9)) > 0.6
    own, both = count(predicted, truth), [torch.from_numpy(m)[None, None].float() for m in (predicted, truth)]
    matrix = get_confusion_matrix(*both)
    assert matrix.flatten().tolist() == [own.tp, own.fp, own.tn, own.fn]
    scores = own.scores()
    assert scores["dice"] == pytest.approx(compute_dice(*both).item())
    assert scores["iou"] == pytest.approx(compute_iou(*both).item())
    for name in ("precision", "recall", "specificity"):
        assert scores[name] == pytest.approx(compute_confusion_matrix_metric(name, matrix).item())


def test_counts_are_exact_beyond_float32():
    mask = np.ones((20_000_001,), bool)
    assert count(mask, mask).tp == 20_000_001


@pytest.mark.parametrize("seed", range(20))
def test_identities(seed):
    random = np.random.default_rng(seed)
    cases = []
    for share in random.uniform(0.05, 0.9, 5):
        truth = random.random((6, 6)) < share
        cases.append(count(truth ^ (random.random((6, 6)) < 0.3), truth))
    summary = summarise(cases)
    mean, pooled = summary["mean"], summary["pooled"]
    d = pooled["dice"]
    assert pooled["iou"] == pytest.approx(d / (2 - d))
    assert d == pytest.approx(2 * pooled["precision"] * pooled["recall"] / (pooled["precision"] + pooled["recall"]))
    assert mean["iou"] >= mean["dice"] / (2 - mean["dice"]) - 1e-12
    assert all(case.scores()["iou"] <= case.scores()["dice"] for case in cases)


def test_mean_and_pooled_by_hand():
    """Dice 1 of 1 voxel and 0.5 of 200: mean 0.75, pooled 2 * 51 / (2 * 51 + 100)."""
    summary = summarise([Counts(1, 0, 0, 9), Counts(50, 50, 50, 0)])
    assert summary["mean"]["dice"] == pytest.approx(0.75)
    assert summary["sd"]["dice"] == pytest.approx(0.5 / 2**0.5)
    assert summary["pooled"]["dice"] == pytest.approx(102 / 202)
    assert summary["mean"]["specificity"] == pytest.approx(0.5)


def test_published_rows_follow_the_identities():
    """The pooled rows of SPiN and U-Net on small lesions, from the precision and recall that were printed."""
    for precision, recall, dice, iou in ((0.546, 0.347, 0.424, 0.269), (0.440, 0.316, 0.368, 0.225)):
        tp = 1_000_000
        pooled = Counts(tp, round(tp / precision) - tp, round(tp / recall) - tp, 0).scores()
        assert pooled["dice"] == pytest.approx(dice, abs=1e-3)
        assert pooled["iou"] == pytest.approx(iou, abs=1e-3)


def test_empty_masks():
    nothing, something = np.zeros((3, 4, 5)), np.zeros((3, 4, 5))
    something[1, 1, 1] = 1
    names = ("dice", "iou", "precision", "recall")
    agreed = count(nothing, nothing)
    assert [agreed.scores()[name] for name in names] == [1, 1, 1, 1]
    assert [agreed.scores(empty=0.0)[name] for name in names] == [0, 0, 0, 0]
    for pair in ((nothing, something), (something, nothing)):
        assert [count(*pair).scores()[name] for name in names] == [0, 0, 0, 0]
        assert list(surface_distances(*pair, (1, 2, 3)).values()) == pytest.approx([(9 + 64 + 225) ** 0.5] * 3)
    assert set(surface_distances(nothing, nothing).values()) == {0.0}
    full = np.ones((2, 2))
    assert count(full, full).scores()["specificity"] == 1


@pytest.mark.parametrize("shift", [1, 3, 9])
def test_shifted_cube(shift):
    there = surface_distances(cube(2), cube(2 + shift), 0.625)
    assert there["hd_mm"] == pytest.approx(0.625 * shift)
    assert there == pytest.approx(surface_distances(cube(2 + shift), cube(2), 0.625))


def test_surface_by_hand():
    """One pixel at (0, 0) against (0, 0), (0, 1), (0, 2), spacing 1 x 2 mm: distances 0; 0, 2, 4."""
    one, three = np.zeros((4, 6)), np.zeros((4, 6))
    one[0, 0] = 1
    three[0, :3] = 1
    distances = surface_distances(one, three, (1, 2))
    assert distances == pytest.approx({"hd_mm": 4, "hd95_mm": 3.8, "assd_mm": 6 / 4})


def test_border_of_the_volume_is_surface():
    full, corner = np.ones((4, 4)), np.zeros((4, 4))
    corner[0, 0] = 1
    assert surface_distances(full, corner)["hd_mm"] == pytest.approx(18**0.5)
    assert surface_distances(full, full)["assd_mm"] == 0


def test_surfaces_as_monai():
    random = np.random.default_rng(3)
    predicted, truth = random.random((2, 9, 9, 9)) > 0.7
    own = surface_distances(predicted, truth, (2.0, 1.0, 0.5))
    options = {"include_background": True, "spacing": [2.0, 1.0, 0.5]}
    both = [torch.from_numpy(m)[None, None] for m in (predicted, truth)]
    assert own["hd_mm"] == pytest.approx(compute_hausdorff_distance(*both, **options).item())
    assert own["hd95_mm"] == pytest.approx(compute_hausdorff_distance(*both, percentile=95, **options).item())
    assert own["assd_mm"] == pytest.approx(compute_average_surface_distance(*both, symmetric=True, **options).item())


def test_lesions_by_hand():
    """Four true lesions, two of them joined by one predicted lesion, one missed, one touched; one false alarm."""
    truth, predicted = np.zeros((12, 12)), np.zeros((12, 12))
    truth[0, 0], truth[0, 2], truth[5, 5], truth[11, 0] = 1, 1, 1, 1
    predicted[0, 0:3] = 1
    predicted[5, 5], predicted[6, 6] = 1, 1
    predicted[11, 11] = 1
    result = lesions(predicted, truth, (0.5, 2.0))
    assert (result.true, result.found, result.predicted, result.confirmed) == (4, 3, 3, 2)
    assert result.recall == 3 / 4
    assert result.precision == 2 / 3
    assert result.f1 == pytest.approx(12 / 17)
    assert result.count_error == -1
    assert result.volume_error_mm3 == pytest.approx(2.0)


def test_lesions_of_empty_masks():
    nothing, one = np.zeros((3, 3)), np.eye(3)
    assert lesions(nothing, nothing).f1 == 1
    assert lesions(one, nothing).f1 == 0
    assert lesions(nothing, one).f1 == 0
    assert lesions(one, one).true == 1


def test_small_lesion_slices():
    truth = np.zeros((5, 30, 30))
    truth[1, :10, :10] = 1
    truth[2, :10, :10] = 1
    truth[2, 10, 10] = 1
    truth[3, 0, :3] = 1
    truth[3, 5:25, 5:25] = 1
    truth[4, 0, 0] = 1
    assert small_lesion_slices(truth) == [1, 4]
    assert small_lesion_slices(truth, largest_px=101) == [1, 2, 4]


def test_largest_component():
    mask = np.zeros((4, 8))
    mask[0, :2], mask[2:, 4:] = 1, 1
    assert largest_component(mask).sum() == 8
    assert not largest_component(np.zeros((2, 2))).any()
    assert largest_component(np.ones((2, 2))).all()


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="cannot be compared"):
        count(np.zeros((2, 3)), np.zeros((3, 2)))
