"""The published trio and its blindness, and the metrics that see."""

import numpy as np
import pytest

from spinetk.discs.legacy import trio
from spinetk.discs.metrics import (
    Case,
    bootstrap,
    errors_mm,
    level_accuracy,
    mean_error_mm,
    selection,
    set_counts,
    shift_rate,
    summary,
)

TRUTH = {20: (50.0, 40.0), 21: (52.0, 75.0), 22: (55.0, 110.0), 23: (57.0, 145.0)}


def points(labelled):
    return np.array(list(labelled.values()))


def test_trio_by_hand():
    truth = np.array([[10.0, 20], [10, 60], [10, 100]])
    found = np.array([[13.0, 24], [10, 67.5], [10, 140]])
    scores = trio([(truth, found)])
    # Nearest predictions: 5 away, 7.5 away, and (10, 67.5) again, 32.5 away.

    assert scores["dtt_median"] == 7.5
    assert scores["dtt_mean"] == pytest.approx((5 + 7.5 + 32.5) / 3)
    assert scores["dtt_sd"] == pytest.approx(np.std([5, 7.5, 32.5]))
    assert scores["along_mean"] == pytest.approx((4 + 7.5 + 32.5) / 3)
    assert scores["fnr_percent"] == pytest.approx(200 / 3)
    assert scores["fpr_percent"] == pytest.approx(100 / 3)


def test_thresholds_are_seven_and_ten():
    def off_by(distance):
        scores = trio([(np.array([[0.0, 0]]), np.array([[0.0, distance]]))])
        return scores["fnr_percent"], scores["fpr_percent"]

    assert [off_by(d) for d in (7, 7.01, 10, 10.01)] == [(0, 0), (100, 0), (100, 0), (100, 100)]


def test_blind_to_labels():
    """Every level wrong by one: the trio is perfect, the others see it."""
    shifted = {number + 1: point for number, point in TRUTH.items()}
    case = Case(TRUTH, shifted)
    scores = trio([(case.true_points, case.found_points)])
    assert (scores["dtt_median"], scores["fnr_percent"], scores["fpr_percent"]) == (0, 0, 0)
    assert level_accuracy([case]) == 0
    assert shift_rate([case]) == 1
    assert mean_error_mm([case]) == pytest.approx(35.1, abs=0.1)
    assert set_counts([case], range(19, 26)) == {"tp": 3, "fp": 1, "fn": 1, "tn": 2, "accuracy": 5 / 7}


def test_blind_to_permuted_labels():
    turned = dict(zip(TRUTH, [TRUTH[n] for n in (22, 23, 20, 21)], strict=True))
    right, wrong = Case(TRUTH, TRUTH), Case(TRUTH, turned)
    assert trio([(right.true_points, right.found_points)]) == trio([(wrong.true_points, wrong.found_points)])
    assert level_accuracy([right]) == 1
    assert level_accuracy([wrong]) == 0
    assert shift_rate([wrong]) == 0


def test_blind_to_duplicates_and_to_sideways_errors():
    truth = points(TRUTH)
    twice = np.concatenate([truth, truth + 1, truth - 1])
    assert trio([(truth, twice)])["fpr_percent"] == 0
    stray = np.concatenate([truth, truth[:1] + (450, 0)])
    assert trio([(truth, stray)])["fpr_percent"] == 0


def test_no_prediction_misses_every_disc():
    scores = trio([(points(TRUTH), np.zeros((0, 2)))])
    assert scores["fnr_percent"] == 100
    assert scores["dtt_median"] is None
    assert level_accuracy([Case(TRUTH, {})]) == 0
    assert shift_rate([Case(TRUTH, {})]) == 0


def test_rates_are_per_true_disc_over_all_images():
    one = (np.array([[0.0, 0]]), np.array([[0.0, 0], [0, 50], [0, 90]]))
    three = (np.array([[0.0, 0], [0, 40], [0, 80]]), np.array([[0.0, 0], [0, 40], [0, 80]]))
    assert trio([one, three])["fpr_percent"] == pytest.approx(50)


def test_errors_are_by_level_and_do_not_need_all_levels():
    found = {20: (53.0, 44.0), 23: (57.0, 146.0), 24: (0.0, 0.0)}
    assert errors_mm([Case(TRUTH, found)]) == {20: [5.0], 23: [1.0]}
    assert level_accuracy([Case(TRUTH, found)]) == 0.5


def test_unknown_levels_are_found_but_not_named():
    case = Case(TRUTH, {}, tuple(TRUTH.values()))
    assert trio([(case.true_points, case.found_points)])["fnr_percent"] == 0
    assert level_accuracy([case]) == 0
    assert set_counts([case], ())["fn"] == 4


def test_bootstrap_covers_the_mean_of_a_known_distribution():
    """Interval of a share of 0.7 over 400 subjects: 0.7 +- 1.96 sqrt(0.21 / 400) = 0.7 +- 0.045."""
    wrong = dict.fromkeys(TRUTH, (0.0, 0.0))
    cases = [Case(TRUTH, TRUTH)] * 280 + [Case(TRUTH, wrong)] * 120
    low, high = bootstrap(cases, level_accuracy, rounds=400)
    assert low == pytest.approx(0.655, abs=0.012)
    assert high == pytest.approx(0.745, abs=0.012)
    assert bootstrap(cases, level_accuracy, rounds=20) == bootstrap(cases, level_accuracy, rounds=20)
    assert bootstrap([Case({}, {})], level_accuracy, rounds=5) is None


def test_summary_is_strict_json():
    import json

    content = summary([Case(TRUTH, TRUTH), Case(TRUTH, {})], (20, 21, 22, 23), rounds=20)
    json.dumps(content, allow_nan=False)
    assert content["level_accuracy"] == 0.5
    assert content["fnr_percent"] == 50
    assert content["levels"]["20"] == {"n": 1, "l2_mean_mm": 0.0, "l2_median_mm": 0.0}
    assert content["discs"] == 8


def test_selection_against_scikit_learn():
    from sklearn.metrics import f1_score, recall_score, roc_auc_score

    random = np.random.default_rng(0)
    judged = [(random.random(20) < 0.4, random.random(20) < 0.5) for _ in range(5)]
    scores = selection(judged)
    assert scores["f1"] == pytest.approx(np.mean([f1_score(t, k) for t, k in judged]))
    assert scores["specificity"] == pytest.approx(np.mean([recall_score(~t, ~k) for t, k in judged]))
    assert scores["auc"] == pytest.approx(np.mean([roc_auc_score(t, k) for t, k in judged]))
    assert scores["accuracy"] == pytest.approx(np.mean([(t == k).mean() for t, k in judged]))
    assert selection([(np.ones(2, bool), np.ones(2, bool))])["specificity"] is None


def test_intervals_of_set_counts():
    """Two subjects, one with both levels found and one with neither: draws give 0, 2 or 4 true positives."""
    cases = [Case({20: (0, 0), 21: (0, 9)}, {20: (0, 0), 21: (0, 9)}), Case({20: (0, 0), 21: (0, 9)}, {})]
    content = summary(cases, (20, 21), rounds=400)
    assert content["sets"] == {"tp": 2, "fp": 0, "fn": 2, "tn": 0, "accuracy": 0.5}
    assert content["sets_ci95"] == {"tp": [0, 4], "fp": [0, 0], "fn": [0, 4], "tn": [0, 0], "accuracy": [0, 1]}
