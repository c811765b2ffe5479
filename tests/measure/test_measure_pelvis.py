"""Pelvic angles worked out by hand, and the identity PI = PT + SS."""

import numpy as np
import pytest

from spinetk.geometry import Frame
from spinetk.landmark import Landmark
from spinetk.measure import measure
from spinetk.measure.pelvis import Pelvis, front_of, pelvis_of
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA4
from spinetk.vertebra import Vertebra

ONES = np.ones(2)


def pelvis(side="right", slope=(40, 30), axis=(35.0, 115.0)):
    """S1 endplate 50 long from (0, 0) to `slope` (3-4-5), hip axis at `axis`, all facing right."""
    sign = 1.0 if side == "right" else -1.0
    back, front, hip = np.zeros(2), np.array(slope, float), np.array(axis)
    ends = [front, back] if side == "left" else [back, front]
    marks = [Landmark("s1", np.array(ends) * (sign, 1)), Landmark("femoral_head", np.array([hip]) * (sign, 1), 24.0)]
    return pelvis_of(marks, side, ONES)


@pytest.mark.parametrize("side", ["left", "right"])
def test_angles_by_hand(side):
    """Slope: atan(30/40) = 36.87. Middle (20, 15); the axis lies 15 in front and 100 below: PT = atan(0.15) = 8.53.

    The perpendicular into the sacrum is (-3, 4)/5; its angle to (15, 100)/101.12 has the cosine (-45 + 400)/505.6.
    """
    found = pelvis(side)
    assert found.heads == 1
    assert found.sacral_slope_deg() == pytest.approx(36.870, abs=1e-3)
    assert found.pelvic_tilt_deg() == pytest.approx(8.531, abs=1e-3)
    assert found.pelvic_incidence_deg() == pytest.approx(np.degrees(np.arccos(355 / 505.594)), abs=1e-3)


def test_hip_axis_behind_the_endplate_is_a_negative_tilt():
    found = pelvis(axis=(10.0, 115.0))
    assert found.pelvic_tilt_deg() == pytest.approx(-np.degrees(np.arctan(0.1)))


def test_incidence_is_tilt_plus_slope_for_any_pelvis_and_does_not_change_when_the_film_is_turned():
    random = np.random.default_rng(0)
    for _ in range(50):
        slope, tilt, reach = random.uniform(-5, 75), random.uniform(-25, 45), random.uniform(80, 130)
        plate = 25 * np.array([np.cos(np.radians(slope)), np.sin(np.radians(slope))])
        axis = reach * np.array([np.sin(np.radians(tilt)), np.cos(np.radians(tilt))])
        found = Pelvis(plate, -plate, axis, 2)
        assert found.sacral_slope_deg() == pytest.approx(slope)
        assert found.pelvic_tilt_deg() == pytest.approx(tilt)
        assert found.pelvic_incidence_deg() == pytest.approx(slope + tilt)
        turn = np.radians(random.uniform(-10, 10))
        matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        turned = Pelvis(matrix @ plate, matrix @ -plate, matrix @ axis, 2)
        assert turned.pelvic_incidence_deg() == pytest.approx(slope + tilt)


def test_hip_axis_is_midway_between_the_heads_and_oblong_pixels_are_put_right():
    marks = [
        Landmark("s1", np.array([[0.0, 0.0], [40.0, 15.0]])),
        Landmark("femoral_head", np.array([[30.0, 50.0]]), 20.0),
        Landmark("femoral_head", np.array([[40.0, 65.0]]), 20.0),
    ]
    found = pelvis_of(marks, "right", np.array([1.0, 2.0]))  # rows are 2 mm high
    np.testing.assert_allclose(found.axis, (35, 115))
    assert found.sacral_slope_deg() == pytest.approx(36.870, abs=1e-3)


def test_without_heads_there_is_a_slope_and_no_tilt_and_without_the_sacrum_nothing():
    plate = Landmark("s1", np.array([[0.0, 0.0], [40.0, 30.0]]))
    found = pelvis_of([plate], "right", ONES)
    assert found.pelvic_tilt_deg() is None
    assert found.pelvic_incidence_deg() is None
    assert pelvis_of([Landmark("femoral_head", np.zeros((1, 2)), 20.0)], "right", ONES) is None


def test_front_is_where_the_endplate_hangs_lower():
    def of(points):
        return front_of([Landmark("s1", np.array(points, float))], ONES)

    assert of([(0, 0), (40, 30)]) == "right"
    assert of([(0, 30), (40, 0)]) == "left"
    assert of([(0, 0), (40, 3)]) is None
    assert front_of([], ONES) is None


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("bodies", [0, 2])
def test_the_ends_of_s1_are_those_of_its_sides_whichever_was_clicked_first(turn, bodies):
    """Facing right, the endplate falls by atan(30 / 40) = 36.87 degrees to the front; the hips 15 in front of it."""
    vertebrae = [
        Vertebra.from_points([[30.0, y], [70, y], [30, y + 20], [70, y + 20]], label=label)
        for y, label in ((20, "L4"), (60, "L5"))
    ]
    marks = [
        Landmark("s1", np.array([[80.0, 130], [40, 100]])),
        Landmark("femoral_head", np.array([[75.0, 215]]), 24.0),
    ]
    frame = Frame((1.0, 1.0), "user", toward_right="A", toward_bottom="F")
    reading = Reading("a.png", 300, 200, VERTEBRA4, vertebrae[:bodies], frame=frame, view="lateral", landmarks=marks)
    measured = measure(reading.turned(turn))
    for one in (measure(reading), measured, measure(measured)):
        angles = [round(one.angles[name], 2) for name in ("sacral_slope", "pelvic_tilt", "pelvic_incidence")]
        assert angles == [36.87, 8.53, 45.4]
        assert bodies == 0 or one.angles["lordosis_l1_s1"] is None


def test_a_second_endplate_and_a_third_head_are_said_and_no_hip_axis_is_taken_from_three():
    plates = [Landmark("s1", np.array([[40.0, 100], [80, 130]])), Landmark("s1", np.array([[40.0, 90], [80, 90]]))]
    heads = [Landmark("femoral_head", np.array([[x, 215.0]]), 24.0) for x in (75.0, 75.0, 20.0)]
    frame = Frame((1.0, 1.0), "user", toward_right="A", toward_bottom="F")
    bodies = [Vertebra.from_points([[30.0, 60], [70, 60], [30, 80], [70, 80]])]
    marked = Reading("a.png", 300, 200, VERTEBRA4, bodies, frame=frame, view="lateral", landmarks=[*plates, *heads])
    found = measure(marked)
    assert found.angles["sacral_slope"] == pytest.approx(36.870, abs=1e-3)
    assert (found.angles["pelvic_tilt"], found.angles["pelvic_incidence"]) == (None, None)
    said = " ".join(found.remarks)
    assert "2 S1 endplates are marked" in said
    assert "3 femoral heads are marked" in said
    sound = measure(
        Reading("a.png", 300, 200, VERTEBRA4, bodies, frame=frame, view="lateral", landmarks=[plates[0], *heads[:2]])
    )
    assert sound.angles["pelvic_tilt"] == pytest.approx(8.531, abs=1e-3)
    assert not any("are marked" in remark for remark in sound.remarks)


def test_s1_as_a_vertebra_and_as_an_endplate_is_said():
    """The vertebra lies level, as L1 does; the endplate slopes by 36.87 degrees (40 across, 30 down)."""
    frame = Frame((1.0, 1.0), "user", toward_right="A", toward_bottom="F")
    plate = Landmark("s1", np.array([[40.0, 100], [80, 130]]))
    bodies = [
        Vertebra.from_points([[30.0, top], [70, top], [30, top + 20], [70, top + 20]], label=name)
        for name, top in (("L1", 10), ("L2", 35), ("L3", 60), ("L4", 85), ("L5", 110), ("S1", 135))
    ]
    for count, said in ((6, True), (5, False)):
        marked = Reading("a.png", 300, 200, VERTEBRA4, bodies[:count], frame=frame, view="lateral", landmarks=[plate])
        found = measure(marked)
        assert found.angles["sacral_slope"] == pytest.approx(36.870, abs=1e-3)
        assert abs(found.angles["lordosis_l1_s1"]) == pytest.approx(0.0 if said else 36.870, abs=1e-3)
        assert any("S1 is marked as a vertebra" in remark for remark in found.remarks) == said
