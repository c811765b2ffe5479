import json

import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.measure.agreement import bland_altman, icc, matched, weighted_kappa
from spinetk.reading import Vertebra

# Shrout and Fleiss 1979, table 2: six targets, four judges; ICC(2,1) = 0.29, ICC(3,1) = 0.71.
SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
FULL = (27.0, 27.0, 27.0)


def test_icc_of_the_published_example():
    result = icc(SHROUT_FLEISS)
    assert (result["n"], result["k"]) == (6, 4)
    assert result["icc_2_1"] == pytest.approx(0.2898, abs=1e-4)
    assert result["icc_3_1"] == pytest.approx(0.7148, abs=1e-4)
    assert result["icc_2_1_interval"] == pytest.approx([0.019, 0.761], abs=6e-4)
    assert result["icc_3_1_interval"] == pytest.approx([0.342, 0.946], abs=6e-4)


def test_icc_equals_pingouin():
    pingouin = pytest.importorskip("pingouin", reason="pingouin is not installed")
    import pandas

    rng = np.random.default_rng(3)
    values = rng.normal(20, 4, (30, 1)) + rng.normal(0, 1.5, (30, 3)) + [0, 0.8, -0.5]
    rows = [(i, j, values[i, j]) for i in range(30) for j in range(3)]
    table = pandas.DataFrame(rows, columns=["target", "reader", "value"])
    truth = pingouin.intraclass_corr(table, targets="target", raters="reader", ratings="value")
    name = next(column for column in truth.columns if "95" in column)
    ours = icc(values)
    for row, key in ((1, "icc_2_1"), (2, "icc_3_1")):
        assert ours[key] == pytest.approx(truth["ICC"].iloc[row], abs=1e-5)
        assert ours[f"{key}_interval"] == pytest.approx(list(truth[name].iloc[row]), abs=0.006)


def test_icc_where_nothing_can_be_said():
    assert icc(np.ones((5, 2)))["icc_2_1"] is None
    assert icc(np.ones((1, 2)))["icc_3_1"] is None
    perfect = icc(np.array([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]]))
    assert perfect["icc_2_1"] == 1.0
    assert perfect["icc_3_1_interval"] == [1.0, 1.0]
    json.dumps([perfect, icc(np.empty((0, 2)))], allow_nan=False)
    with pytest.raises(InputError, match="table"):
        icc(np.ones(4))


def test_bland_altman_by_hand():
    result = bland_altman([10, 20, 30, 40, None], [11, 22, 30, 43, 5])
    # Differences 1, 2, 0, 3: mean 1.5, sd sqrt(5 / 3).
    assert result["n"] == 4
    assert result["bias"] == pytest.approx(1.5)
    assert result["sd"] == pytest.approx(np.sqrt(5 / 3), abs=1e-6)
    assert result["upper"] == pytest.approx(1.5 + 1.96 * np.sqrt(5 / 3), abs=1e-5)
    # t(0.975, 3 df) = 3.18245.
    half = 3.18245 * np.sqrt(5 / 3) / 2
    assert result["bias_interval"] == pytest.approx([1.5 - half, 1.5 + half], abs=1e-4)
    # Bland and Altman 1999: a limit's variance is sd^2 (1 / n + 1.96^2 / (2 (n - 1))).
    half = 3.18245 * np.sqrt(5 / 3 * (1 / 4 + 3.8416 / 6))
    upper = 1.5 + 1.96 * np.sqrt(5 / 3)
    assert result["upper_interval"] == pytest.approx([upper - half, upper + half], abs=1e-4)


def test_bland_altman_of_too_few():
    assert bland_altman([], [])["bias"] is None
    one = bland_altman([1.0], [2.0])
    assert (one["bias"], one["sd"]) == (1.0, None)
    with pytest.raises(InputError, match="paired"):
        bland_altman([1], [1, 2])


def test_weighted_kappa_by_hand():
    # Observed (0,0) x2, (1,1), (2,1): linear disagreement 1/4 observed; expected from the margins
    # (2, 1, 1) / 4 x (2, 2, 0) / 4: (2*2*1 + 1*2*1 + 1*2*2 + 1*2*1) / 16 = 12 / 16, so kappa = 1 - 0.25 / 0.75.
    assert weighted_kappa([0, 0, 1, 2], [0, 0, 1, 1], "linear") == pytest.approx(1 - 0.25 / 0.75, abs=1e-6)
    assert weighted_kappa([0, 1, 2, 3, None], [0, 1, 2, 3, 1]) == 1.0
    assert weighted_kappa([], []) is None
    with pytest.raises(InputError, match="0, 1, 2 or 3"):
        weighted_kappa([0, 4], [0, 1])
    assert weighted_kappa([0, 0], [0, 0]) is None


@pytest.mark.parametrize("absent", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("weights", ["linear", "quadratic"])
def test_a_step_of_kappa_is_one_grade_whatever_grades_occur(absent, weights):
    from sklearn.metrics import cohen_kappa_score

    grades = [grade for grade in range(4) if grade != absent]
    random = np.random.default_rng(3)
    first = random.choice(grades, 80)
    second = np.where(random.random(80) < 0.7, first, random.choice(grades, 80))
    # Cohen 1968: one minus the weighted disagreement seen, over that of readers who share nothing but the margins.
    power = 1 if weights == "linear" else 2
    seen = np.mean(np.abs(first - second) ** power)
    chance = np.mean(np.abs(first[:, None] - second[None]) ** power)
    found = weighted_kappa(first.tolist(), second.tolist(), weights)
    assert found == pytest.approx(1 - seen / chance, abs=1e-6)
    assert found == pytest.approx(cohen_kappa_score(first, second, labels=[0, 1, 2, 3], weights=weights), abs=1e-6)
    if absent in (1, 2):
        assert abs(found - cohen_kappa_score(first, second, weights=weights)) > 0.005


def test_vertebrae_are_matched_by_name(spine):
    first = spine([FULL] * 3, labels=["L1", "L2", "L3"])
    second = spine([FULL] * 3, labels=["L2", "L3", "L4"])
    assert matched(first, second) == [(1, 0), (2, 1)]


def test_vertebrae_without_names_are_matched_by_overlap(spine):
    first, second = spine([FULL] * 4), spine([FULL] * 4, labels=["L1", "L2", "L3", "L4"])
    del second.vertebrae[1]
    assert matched(first, second) == [(0, 0), (2, 1), (3, 2)]
    for vertebra in second.vertebrae:
        vertebra.bbox = tuple(v + 5000 for v in vertebra.bbox)
    assert matched(first, second) == []
    second.vertebrae = [Vertebra.from_points(np.zeros((6, 2)))]
    assert matched(first, second) == []
    assert matched(spine([]), spine([])) == []


@pytest.mark.parametrize("swapped", [False, True])
def test_a_name_given_twice_pairs_no_body_twice(spine, swapped):
    """L2 stands twice in one reading; the bodies lie at the same places, so the places say who is who."""
    readings = spine([FULL] * 4, labels=["L1", "L2", "L2", "L3"]), spine([FULL] * 4, labels=["L1", "L2", "L3", "L4"])
    assert matched(*(readings[::-1] if swapped else readings)) == [(0, 0), (1, 1), (2, 2), (3, 3)]


def test_grades_are_0_to_3():
    with pytest.raises(InputError) as error:
        weighted_kappa([0, 1, 4], [0, 1, 2])
    assert str(error.value) == "grades: are not all 0, 1, 2 or 3 (correct the tables)"
