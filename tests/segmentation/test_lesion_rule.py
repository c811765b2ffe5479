"""When a lesion counts as found: lines of pixels whose overlaps can be counted by hand."""

import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.images.grid import Grid
from spinetk.images.volume import Volume
from spinetk.segmentation.lesion_rule import LesionRule
from spinetk.segmentation.metrics import lesions
from spinetk.segmentation.slices.scores import score


def line(*runs, length=60):
    """(1, length) mask of runs (first, number of pixels)."""
    mask = np.zeros((1, length), bool)
    for first, count in runs:
        mask[0, first : first + count] = True
    return mask


# Of the true lesions the first (10 px) is met in 1 px by 2, the second (4) exactly, the third (4) by 8 that hold it.
TRUE, OWN = line((0, 10), (20, 4), (40, 4)), line((9, 2), (20, 4), (40, 8))


@pytest.mark.parametrize(
    ("rule", "found", "confirmed"),
    [
        ("touch", 3, 3),
        ("cover:0.1", 3, 3),
        ("cover:0.11", 2, 3),
        ("cover:0.5", 2, 3),  # shares of the predicted: 1 / 2, 1, 4 / 8
        ("cover:0.51", 2, 1),
        ("cover:1", 2, 1),
        ("iou:0.09", 3, 3),  # 1 / 11, 1, 4 / 8
        ("iou:0.1", 2, 2),
        ("iou:0.5", 2, 2),
        ("iou:0.51", 1, 1),
        ("iou:1", 1, 1),
    ],
)
def test_rules_by_hand(rule, found, confirmed):
    result = lesions(OWN, TRUE, rule=LesionRule.of(rule))
    assert (result.found, result.confirmed) == (found, confirmed)
    assert (result.true, result.predicted) == (3, 3)
    back = lesions(TRUE, OWN, rule=LesionRule.of(rule))
    assert (back.found, back.confirmed) == (confirmed, found)


def test_merged_lesions_count_once_by_iou():
    """4 and 4 pixels joined by 9: both are touched and covered, each has an IoU of 4 / 9, and one has no partner."""
    two, joined = line((0, 4), (5, 4)), line((0, 9))
    met = {rule: lesions(joined, two, rule=LesionRule.of(rule)) for rule in ("touch", "cover:0.8", "iou:0.4")}
    assert {rule: (r.found, r.confirmed) for rule, r in met.items()} == {
        "touch": (2, 1), "cover:0.8": (2, 1), "iou:0.4": (1, 1)
    }  # fmt: skip
    assert met["iou:0.4"].f1 == pytest.approx(2 / 3)  # recall 1 / 2, precision 1


def test_as_many_pairs_as_can_be_had():
    """The first true lesion could take either of two; taking the one that the second needs would lose a pair."""
    true, own = line((0, 10), (12, 4)), line((0, 5), (8, 6))
    assert lesions(own, true, rule=LesionRule.of("iou:0.1")).found == 2  # IoU 5 / 10, 2 / 14, 2 / 8
    assert lesions(own, true, rule=LesionRule.of("iou:0.2")).found == 2
    assert lesions(own, true, rule=LesionRule.of("iou:0.26")).found == 1


@pytest.mark.parametrize("rule", ["touch", "cover:0.3", "iou:0.3"])
def test_nothing_and_something(rule):
    nothing, one, rule = line(), line((3, 4)), LesionRule.of(rule)
    assert [lesions(a, b, rule=rule).f1 for a, b in ((nothing, nothing), (one, nothing), (nothing, one))] == [1, 0, 0]
    assert lesions(one, one, rule=rule).f1 == 1
    assert lesions(line((20, 4)), one, rule=rule).f1 == 0


def test_names():
    assert [str(LesionRule.of(name)) for name in ("touch", "cover:0.10", "iou:0.5")] == [
        "touch",
        "cover:0.1",
        "iou:0.5",
    ]
    for wrong in ("", "dice:0.5", "touch:0.1", "iou", "cover:", "iou:half", "iou:0", "iou:1.5", "iou:nan"):
        with pytest.raises(InputError, match="lesion rule"):
            LesionRule.of(wrong)


@pytest.mark.parametrize(("rule", "f1"), [("touch", 1.0), ("iou:0.5", 2 / 3), ("cover:0.51", 2 * (2 / 3) * (1 / 3))])
def test_the_rule_reaches_every_figure_of_lesions(rule, f1, tmp_path):
    class Case:
        name = "a"

        def read(self):
            return Volume(np.zeros((1, 1, 60), np.float32), Grid((1, 1, 60), np.eye(4))), TRUE[None]

    class Model:
        def predict(self, values):
            return OWN[None]

    content, _ = score(Model(), [Case()], tmp_path, "lesion", False, 100, LesionRule.of(rule))
    assert content["lesion_rule"] == rule
    assert content["mean"]["lesion_f1"] == pytest.approx(f1)
    assert content["small_lesions"]["lesion_f1"] == pytest.approx(f1)
