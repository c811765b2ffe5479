"""Small lesions, pictures, and the published double ground truth, against numbers worked by hand."""

import numpy as np
import pytest

from spinetk.segmentation.metrics import Counts, Lesions
from spinetk.segmentation.slices.evaluation import (
    LegacyDoubleTruth,
    PictureEvaluation,
    SmallLesions,
    accuracy,
    pooled_lesions,
)


def test_small_lesions_by_hand():
    """Slice 0 large, 1 small and half found, 2 healthy with a false alarm, 3 small and missed."""
    truth, predicted = np.zeros((4, 20, 20), bool), np.zeros((4, 20, 20), bool)
    truth[0, :11, :10] = True
    truth[1, 2, 2:6] = predicted[1, 2, 4:8] = True
    predicted[2, 9, 9] = True
    truth[3, 5, 5] = True
    small = SmallLesions()
    assert small.add(predicted, truth) == [1, 3]
    assert small.add(truth, truth) == [1, 3]
    assert small.add(predicted[2:3], truth[2:3]) == []
    summary = small.summary()
    assert (summary["slices"], summary["cases"]) == (4, 2)
    # First case: 2 of 4 predicted and of 5 true pixels agree; second: all 5.
    assert summary["mean"]["dice"] == pytest.approx((4 / 9 + 1) / 2)
    assert summary["pooled"]["dice"] == pytest.approx(2 * 7 / (9 + 10))
    # Lesions: 3 of 4 found, 3 of 3 confirmed.
    assert summary["lesion_f1"] == pytest.approx(2 * 0.75 / 1.75)
    assert SmallLesions().summary() == {"largest_px": 100, "slices": 0, "cases": 0}


def test_mean_and_pooled_of_small_lesions_keep_the_identities():
    """The published table could have been told by these: its rows are of two kinds."""
    random, small = np.random.default_rng(0), SmallLesions()
    for _ in range(6):
        truth = np.zeros((5, 24, 24), bool)
        for number in range(5):
            y, x = random.integers(0, 18, 2)
            truth[number, y : y + 5, x : x + 5] = True
        small.add(np.roll(truth, int(random.integers(0, 4)), 2), truth)
    summary = small.summary()
    pooled, mean = summary["pooled"], summary["mean"]
    assert pooled["iou"] == pytest.approx(pooled["dice"] / (2 - pooled["dice"]))
    assert mean["iou"] > mean["dice"] / (2 - mean["dice"])
    assert mean["iou"] <= mean["dice"]


def test_lesions_are_counted_together():
    both = pooled_lesions([Lesions(3, 2, 2, 1, 4.0), Lesions(1, 0, 0, 0, -1.0)])
    assert both == Lesions(4, 2, 2, 1, 3.0)


def test_pictures_have_pixels_and_accuracy():
    truth, predicted = np.zeros((10, 10), bool), np.zeros((10, 10), bool)
    truth[2, 2], predicted[2, 5] = True, True
    result = PictureEvaluation(lesion_wise=True)
    result.add("one", predicted, truth)
    result.add("two", truth, truth)
    assert result.rows[0]["hd_px"] == 3
    assert result.rows[0]["accuracy"] == pytest.approx(0.98)
    assert not any("mm" in name for name in result.columns)
    summary = result.summary()
    assert summary["pooled"]["accuracy"] == pytest.approx(0.99)
    assert set(summary["mean"]) == set(result.columns) == set(result.rows[0]) - {"name"}


def test_printed_confusion_matrix_of_isic_2018():
    """Its F1 is 0.9011; the notebook prints 0.9060 beside it, of the other ground truth."""
    printed = Counts(tp=6_228_619, fp=733_619, fn=633_762, tn=26_482_720)
    assert printed.scores()["dice"] == pytest.approx(0.9011, abs=5e-5)
    assert accuracy(printed) == pytest.approx(0.95988, abs=5e-6)
    assert printed.scores()["recall"] == pytest.approx(0.90765, abs=5e-6)
    assert printed.scores()["specificity"] == pytest.approx(0.97304, abs=5e-6)


def test_two_ground_truths_in_one_report():
    """512 x 512 to half: a border column that is covered by three quarters counts in one truth and not in the other."""
    truth = np.zeros((512, 512), bool)
    truth[:, :101] = True
    truth[::2, 101] = True
    legacy = LegacyDoubleTruth()
    legacy.add(truth, truth)
    summary = legacy.summary()
    assert summary["f1_of_half"] == 1
    assert summary["sensitivity_of_whole"] == 1
    assert summary["specificity_of_whole"] == pytest.approx(205 / 206)
    assert summary["f1_of_whole"] == pytest.approx(2 * 50 / (50 + 51))
