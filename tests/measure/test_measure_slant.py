"""The front of a neck by the slant of its bodies: boxes leaning by hand, on a line bent this way or that."""

from dataclasses import replace

import numpy as np
import pytest

from spinetk.geometry import Frame
from spinetk.measure import measure
from spinetk.measure.slant import slant_deg
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6


def neck(slants, leans=None, **frame):
    """Boxes 30 x 24 px, 34 px apart along a line; each box turned by its slant against the square to the line."""
    leans = [0.0] * len(slants) if leans is None else leans
    box = np.array([[-15, 12], [0, 12], [15, 12], [15, -12], [0, -12], [-15, -12]], float)
    centre, vertebrae = np.array([150.0, 40.0]), []
    for slant, lean in zip(slants, leans, strict=True):
        angle = np.radians(slant - lean)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        vertebrae.append(Vertebra.from_points(box @ turn + centre, score=0.9))
        centre = centre + 34 * np.array([np.sin(np.radians(lean)), np.cos(np.radians(lean))])
    return Reading("n.png", 320, 300, VERTEBRA6, vertebrae, Frame(**frame), "cervical", "m")


def test_the_mean_slant_against_the_line_of_centres():
    assert slant_deg(neck([8, 8, 8, 8, 8])) == pytest.approx(8)
    assert slant_deg(neck([-6, -8, -10])) == pytest.approx(-8)
    # A head held forward turns line and bodies alike.
    assert slant_deg(neck([7] * 5, [-20] * 5)) == pytest.approx(7)


def test_the_slant_is_that_of_the_patient_where_pixels_are_oblong():
    """The same neck in px of 1 mm, and in px half as high as wide."""
    reading = neck([8] * 5, [10] * 5)
    oblong = [replace(v, points=v.points / (1.0, 0.5)) for v in reading.vertebrae]
    reading = replace(reading, height=640, vertebrae=oblong, frame=Frame((0.5, 1.0), "user"))
    assert slant_deg(reading) == pytest.approx(8)


def test_too_few_bodies_tell_nothing():
    assert slant_deg(neck([])) is None
    assert slant_deg(neck([8, 8])) is None
    cut = neck([8, 8, 8])
    cut.vertebrae[0].visible[:] = False
    assert slant_deg(cut) is None


@pytest.mark.parametrize("bend", [1, -1])
@pytest.mark.parametrize(("slant", "front"), [(8, "right"), (-8, "left")])
def test_front_of_lordotic_and_kyphotic_necks(bend, slant, front):
    reading = measure(neck([slant] * 5, [bend * own for own in (20, 10, 0, -10, -20)]))
    assert (reading.facing.side, reading.facing.source) == (front, "slant")


def test_upright_boxes_have_no_front():
    assert measure(neck([1, -1, 1, -1, 1])).facing is None


def test_a_front_against_the_slant_is_said():
    def said(side):
        reading = measure(neck([8] * 5), facing=side)
        assert reading.facing.side == side
        return any("the endplates slant as if the front were on the right" in own for own in reading.remarks)

    assert said("left")
    assert not said("right")


def test_a_neck_has_no_grades_and_says_what_is_not_measured():
    reading = measure(neck([8] * 5, toward_right="A", toward_bottom="F"))
    assert all(own.measures["deformity"] is None for own in reading.vertebrae)
    assert all("Genant grades are defined for" in own.measures["deformity_reason"] for own in reading.vertebrae)
    disc = reading.vertebrae[0].measures["disc_below"]
    # Turned by 8 degrees, corners of boxes 34 px apart lie 34 sin 8 px back along the endplate of 30 px.
    assert disc["listhesis_percent"] == pytest.approx(-100 * 34 * np.sin(np.radians(8)) / 30, abs=0.01)
    assert disc["meyerding"] is disc["meyerding_interval"] is None
    assert any("lordosis C2 to C7 is not measured" in own for own in reading.remarks)
    assert any("C3=first" in own for own in reading.remarks)
    named = measure(neck([8] * 5), anchor="C3=first")
    assert [own.label for own in named.vertebrae] == ["C3", "C4", "C5", "C6", "C7"]
    assert not any("C3=first" in own for own in named.remarks)
