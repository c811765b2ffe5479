import json

import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6


def one() -> Reading:
    points = np.array([[10, 30], [20, 30], [30, 30], [30, 10], [20, 11], [10, 10.125]], float)
    vertebra = Vertebra.from_points(
        points, np.array([1, 1, 1, 1, 0, 1], bool), label="L3", score=0.98, point_sigma_px=np.full(6, 0.5),
        measures={"heights_px": {"left": 20.0}},
    )  # fmt: skip
    return Reading(
        "a.dcm", 100, 80, VERTEBRA6, [vertebra], Frame((0.5, 0.5), "user"), "lateral", "m", {"cobb_max": 3.0}
    )


def test_json_round_trip():
    content = json.loads(json.dumps(one().to_json(), allow_nan=False))
    assert content["vertebrae"][0]["keypoints"]["top_left"] == [10.0, 10.125]
    assert content["vertebrae"][0]["visible"]["top_middle"] is False
    back = Reading.from_json(content)
    assert back.to_json() == content
    np.testing.assert_array_equal(back.vertebrae[0].points, one().vertebrae[0].points)


def test_box_and_centre_are_those_of_the_visible_points():
    vertebra = one().vertebrae[0]
    assert vertebra.bbox == (10, 10, 30, 30)
    np.testing.assert_allclose(vertebra.centre, [20, (30 * 3 + 10 + 10.125) / 5])
    assert vertebra.point(VERTEBRA6, "top_middle") is None


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda c: c.pop("vertebrae"), "vertebrae"),
        (lambda c: c.pop("height"), "height"),
        (lambda c: c["vertebrae"][0].pop("bbox"), "bbox"),
        (lambda c: c["vertebrae"][0]["keypoints"].update(top_left=[1, float("nan")]), "finite"),
        (lambda c: c["vertebrae"][0].update(keypoints=3), "not a spinetk result"),
        (lambda c: c.update(spacing_mm=[1]), "spacing_mm"),
    ],
)
def test_a_damaged_result_is_named(change, fault):
    content = one().to_json()
    change(content)
    with pytest.raises(InputError, match=fault):
        Reading.from_json(content, "r.json")
