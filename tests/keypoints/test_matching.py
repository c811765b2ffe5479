import numpy as np
import pytest

from spinetk.geometry import Frame
from spinetk.keypoints.evaluation import coco_scores
from spinetk.keypoints.matching import match, mean_height, point_errors
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6


def body(x: float, y: float, width: float = 40, height: float = 20) -> np.ndarray:
    w, h = width / 2, height / 2
    return np.array([[x - w, y + h], [x, y + h], [x + w, y + h], [x + w, y - h], [x, y - h], [x - w, y - h]])


def reading(bodies: list[np.ndarray], spacing=None, score: float | None = None) -> Reading:
    vertebrae = [Vertebra.from_points(points, score=score) for points in bodies]
    return Reading("a.png", 400, 300, VERTEBRA6, vertebrae, Frame(spacing, "user" if spacing else None))


COLUMN = [body(100, 50 + 30 * i) for i in range(5)]


def test_errors_by_hand():
    """Every point 3 px right and 4 px down: 5 px; with 0.5 x 2 mm pixels sqrt(6^2 + 2^2); 5 / 20 of the height."""
    scores = point_errors([reading([b + (3, 4) for b in COLUMN])], [reading(COLUMN, (0.5, 2.0))])
    assert scores["median_px"] == pytest.approx(5)
    assert scores["mean_mm"] == pytest.approx(np.sqrt(40), abs=1e-4)
    assert scores["median_percent"] == pytest.approx(25)
    assert (scores["missed"], scores["duplicated"], scores["false"]) == (0, 0, 0)
    assert scores["pictures_complete"] == 1


def test_missed_duplicated_and_false_are_told_apart():
    found = reading([COLUMN[0], COLUMN[1], COLUMN[1] + (0, 5), COLUMN[3], body(250, 300)])
    pairs, duplicates, false = match(found, reading(COLUMN))
    assert sorted(pairs) == [(0, 0), (1, 1), (3, 3)]
    assert (duplicates, false) == (1, 1)
    assert point_errors([found], [reading(COLUMN)])["missed"] == 2


def test_unknown_spacing_gives_no_mm_and_nothing_found_gives_no_error():
    scores = point_errors([reading([])], [reading(COLUMN)])
    assert scores["missed"] == 5
    assert scores["median_px"] is None
    assert scores["mean_mm"] is None


def test_pictures_behind_millimetres_are_counted():
    truths = [reading(COLUMN, (0.5, 2.0)), reading(COLUMN), reading([])]
    scores = point_errors([reading([b + (3, 4) for b in COLUMN]), reading(COLUMN), reading([])], truths)
    assert (scores["pictures"], scores["pictures_mm"]) == (3, 1)
    assert scores["mean_mm"] == pytest.approx(np.sqrt(40), abs=1e-4)


def test_the_whole_table_of_three_pictures():
    """Five bodies 5 px off (25 % of 20); three exact of five, one twice and one invented; none and none found."""
    found = [
        reading([b + (3, 4) for b in COLUMN]),
        reading([COLUMN[0], COLUMN[1], COLUMN[1] + (0, 5), COLUMN[3], body(250, 300)]),
        reading([]),
    ]
    case = {"file": "a.png", "missed": 0, "duplicated": 0, "false": 0}
    assert point_errors(found, [reading(COLUMN, (0.5, 2.0)), reading(COLUMN), reading([])]) == {
        "pictures": 3, "vertebrae": 10, "missed": 2, "duplicated": 1, "false": 1, "pictures_complete": 2,
        "pictures_mm": 1, "mean_px": 3.125, "median_px": 5.0, "mean_mm": 6.3246, "median_mm": 6.3246,
        "mean_percent": 15.625, "median_percent": 25.0,
        "cases": [
            case | {"mean_percent": 25.0},
            case | {"missed": 2, "duplicated": 1, "false": 1, "mean_percent": 0.0},
            case | {"mean_percent": None},
        ],
    }  # fmt: skip


def test_height_needs_both_ends():
    vertebra = Vertebra.from_points(body(0, 0, height=20), np.array([1, 1, 0, 1, 1, 0], bool))
    assert mean_height(vertebra, VERTEBRA6) == pytest.approx(20)


def test_ap_of_perfect_absent_and_shifted_predictions():
    truth = [reading(COLUMN)]
    perfect = coco_scores([reading(COLUMN, score=0.9)], truth)
    assert perfect["keypoints_AP"] == pytest.approx(1.0)
    assert perfect["bbox_AP75"] == pytest.approx(1.0)
    assert coco_scores([reading([])], truth)["keypoints_AP"] == 0
    shifted = coco_scores([reading([b + (0, 3) for b in COLUMN], score=0.9)], truth)
    similarity = np.exp(-(3**2) / (2 * 800 * (2 * np.array(VERTEBRA6.sigmas)) ** 2)).mean()  # OKS of COCO
    passed = np.mean([similarity >= t for t in np.arange(0.5, 1.0, 0.05)])
    assert shifted["keypoints_AP"] == pytest.approx(passed, abs=1e-6)
