"""Figures beside what was decided from them, around the thresholds of Genant, Meyerding and the naming of levels."""

from __future__ import annotations

import pytest

from spinetk.keypoints.counting import _two_decimals
from spinetk.measure.deformity import grade
from spinetk.measure.discs import meyerding
from spinetk.measure.plausibility import _beyond
from spinetk.measure.rounding import beside

GENANT = (20.0, 25.0, 40.0)


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (19.4, "19"), (19.6, "19.6"), (19.96, "19.96"), (19.9996, "19.9996"), (20.0, "20"), (20.4, "20"),
        (24.5, "24"), (24.51, "24.5"), (39.96, "39.96"), (40.2, "40"), (0.3, "0"), (-0.2, "0"),
    ],
)  # fmt: skip
def test_a_loss_beside_its_grade(loss, said):
    """Grades of Genant begin at 20, 25 and 40 %, the limits included."""
    assert beside(loss, lambda value: sum(value >= limit for limit in GENANT)) == said


@pytest.mark.parametrize(
    ("slip", "said"),
    [(7.6, "7.6"), (7.96, "7.96"), (8.0, "8"), (25.0, "25"), (25.3, "25.3"), (25.6, "26"), (100.04, "100.04")],
)
def test_a_slip_beside_its_grade(slip, said):
    """No slip is claimed below 8 %; grades of Meyerding end at 25, 50, 75 and 100 %, the limits included."""
    assert beside(slip, meyerding) == said


def test_a_loss_that_the_file_says_to_be_20_has_its_grade():
    assert [int(grade(loss, GENANT)) for loss in (19.9998, 19.99996, 20.0)] == [0, 1, 1]


def test_what_lies_nearer_to_a_threshold_than_four_decimals_tell_stays_on_its_side():
    assert beside(19.99996, lambda value: sum(value >= limit for limit in GENANT)) == "19.9999"
    assert beside(0.8999996, lambda value: value >= 0.9, 2) == "0.8999"
    assert beside(-7.99996, meyerding) == "-7.9999"


def test_a_probability_too_small_for_names_and_a_size_too_large_for_a_body():
    assert [_two_decimals(value) for value in (0.9496, 0.943, 0.95, 0.001)] == ["0.9496", "0.94", "0.95", "below 0.01"]
    assert _beyond(60.0) is None
    assert _beyond(60.01) == "60.0100 mm high, where vertebral bodies are 4 to 60 mm"
    assert _beyond(75.0) == "75 mm high, where vertebral bodies are 4 to 60 mm"
