import json
from dataclasses import replace

import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.facing import Facing
from spinetk.geometry import Frame
from spinetk.measure import measure
from spinetk.measure.body import faults, stack
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6, KeypointSchema
from spinetk.upright import upright


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
        (lambda c: c.update(height=-100), "'height' or 'width' is no size"),
        (lambda c: c.update(pixels_sha256="A" * 64), "'pixels_sha256' is no SHA-256"),
        (lambda c: c.update(stored_sha256="a" * 63), "'stored_sha256' is no SHA-256"),
        (lambda c: c.update(threshold="0.5"), "'threshold' is not a number from 0 to 1"),
        (lambda c: c.update(label_probability=96), "'label_probability' is not a number from 0 to 1"),
        (lambda c: c["vertebrae"][0].update(score=float("nan")), "'score' is not a number from 0 to 1"),
        (lambda c: c["vertebrae"][0].update(label=3), "'label' is not text"),
        (lambda c: c["vertebrae"][0].update(visible={"top_left": "false"}), "'visible' is not true or false"),
        (lambda c: c["vertebrae"][0].update(bbox=[0, 0, float("inf"), 1]), "'bbox' is not four finite"),
        (
            lambda c: c["vertebrae"][0].update(point_sigma_px=dict.fromkeys(VERTEBRA6.keypoints, -1)),
            "'point_sigma_px' is not a length",
        ),
    ],
)
def test_a_damaged_result_is_named(change, fault):
    content = one().to_json()
    change(content)
    with pytest.raises(InputError, match=fault):
        Reading.from_json(content, "r.json")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turn_carries_points_names_and_boxes_along(orientation):
    reading = one()
    turned = reading.turned(orientation)
    assert (turned.height, turned.width) == ((100, 80) if orientation < 5 else (80, 100))
    assert faults(stack(turned), VERTEBRA6) == faults(stack(reading), VERTEBRA6)  # left is left, with the head up
    own = turned.vertebrae[0]
    seen = own.points[own.visible]
    np.testing.assert_allclose(own.bbox, [*seen.min(0), *seen.max(0)])
    assert (own.label, own.measures, turned.angles) == ("L3", {}, {})
    _, way = upright(np.zeros((100, 80)), reading.frame.turned(1))
    back = reading.upright(way).stored(way)
    np.testing.assert_allclose(back.vertebrae[0].points, reading.vertebrae[0].points)


def test_mirrored_twice_is_the_same():
    reading = one()
    once = reading.flipped()
    np.testing.assert_allclose(once.vertebrae[0].points[VERTEBRA6.index("top_right")], [80 - 10, 10.125])
    np.testing.assert_array_equal(once.vertebrae[0].visible, reading.vertebrae[0].visible[list(VERTEBRA6.flip_indices)])
    np.testing.assert_allclose(once.flipped().vertebrae[0].points, reading.vertebrae[0].points)


def test_stored_undoes_upright_in_a_turned_oblong_picture():
    reading = one()
    reading.frame = Frame((1.0, 0.5), "user", "H", "A")
    _, way = upright(np.zeros((100, 80)), reading.frame)
    standing = reading.upright(way)
    assert (standing.height, standing.width) == (way.size) == (80, 200)
    back = standing.stored(way)
    np.testing.assert_allclose(back.vertebrae[0].points, reading.vertebrae[0].points)
    np.testing.assert_allclose(back.vertebrae[0].bbox, reading.vertebrae[0].bbox)
    np.testing.assert_allclose(back.vertebrae[0].point_sigma_px, 0.5)
    assert (back.height, back.width, back.frame) == (100, 80, reading.frame)


def test_resizing_and_cropping():
    half = one().resized(50, 40)
    np.testing.assert_allclose(half.vertebrae[0].points, one().vertebrae[0].points / 2)
    assert half.frame.spacing_mm == (1.0, 1.0)
    part = one().cropped(15, 0, 80, 25)
    own = part.vertebrae[0]
    assert (part.height, part.width) == (25, 65)
    np.testing.assert_array_equal(own.visible, [0, 0, 0, 1, 0, 0])  # top_right alone is inside and was visible
    assert own.bbox == (0, 10, 15, 25)
    assert not one().cropped(40, 40, 80, 100).vertebrae


def test_the_front_changes_sides_with_a_mirror():
    reading = one()
    reading.facing = Facing("left", "user", 1.0)
    assert reading.flipped().facing == Facing("right", "user", 1.0)
    assert reading.turned(3).facing == reading.facing  # seen with the head up


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (["L2", "L3", "L4", "L5"], True),
        (["L3", "L4", "L5"], True),  # the highest body is taken away
        (["L2", "L4", "L5"], True),
        ([None, "L2", "L3", "L4", "L5"], True),  # one is added, without a name
        (["L1", "L2", "L3", "L4", "L5"], False),  # with one
        (["L1", "L2", "L3", "L4"], False),  # all are one off
        (["L3", "L4", "L5", "S1"], False),
        ([None, None, None, None], False),  # the names are taken away, the bodies stay
        ([None, "L3", "L4", "L5"], False),
    ],
)
def test_who_removes_a_body_has_not_named_the_others(names, kept):
    box = np.array([[0, 9], [4, 9], [8, 9], [8, 2], [4, 2], [0, 2]], float)
    before, after = (
        [Vertebra.from_points(box + (0, 12 * k), label=name) for k, name in enumerate(own)]
        for own in (["L2", "L3", "L4", "L5"], names)
    )
    assert Reading("film.png", 90, 40, VERTEBRA6, before).keeps_names(after) == kept


def test_names_that_a_person_gives_end_what_was_said_of_a_networks():
    reading = replace(one(), label_probability=0.97, remarks=["levels: counted", "view: ap", "cut off: levels: none"])
    named = reading.named_by_person()
    assert named.label_probability is None
    assert named.remarks == ["view: ap", "cut off: levels: none"]
    assert len(reading.remarks) == 3


def test_a_schema_of_ones_own_comes_back_whole_and_is_measured_again():
    """Heights hang on its columns: a name alone does not bring them back, and is none of ours."""
    names = ("upper_front", "upper_back", "lower_front", "lower_back")
    columns = {"left": ("upper_front", "lower_front"), "right": ("upper_back", "lower_back")}
    mine = KeypointSchema("mine", names, skeleton=(("upper_front", "upper_back"),), columns=columns)
    points = np.array([[10.0, 10.0], [40.0, 10.0], [10.0, 30.0], [40.0, 35.0]])
    bodies = [Vertebra.from_points(points + (0, 40 * k)) for k in range(3)]
    reading = measure(Reading("a.png", 200, 100, mine, bodies, view="lateral"))
    assert (reading.vertebrae[0].measures["heights_px"]["left"], reading.angles["cobb_max"]) == (20, 0)
    again = Reading.from_json(json.loads(json.dumps(reading.to_json())))
    assert again.schema == mine
    assert measure(again).to_json() == reading.to_json()
    old = reading.to_json() | {"schema": "../mine.json"}  # results of before held the name
    assert Reading.from_json(old).schema.keypoints == names
