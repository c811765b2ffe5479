"""Disc heights, angles and slips worked out by hand."""

import numpy as np
import pytest

from spinetk.measure.discs import Endplate, angle_deg, heights, meyerding, slip


def plate(back, front):
    back, front = np.array(back, float), np.array(front, float)
    return Endplate(front, (back + front) / 2, back)


def test_heights_and_angle_of_a_wedge_shaped_disc():
    """Facing right: the upper body's lower endplate is level, the lower one hangs at the front by 40 in 30 (3-4-5)."""
    upper, lower = plate((0, 0), (40, 0)), plate((0, 5), (40, 35))
    np.testing.assert_allclose(heights(upper, lower), (35, 20, 5))
    assert angle_deg(upper, lower, "right") == pytest.approx(np.degrees(np.arctan(0.75)))


def test_a_mirrored_disc_is_the_same_disc():
    upper, lower = plate((0, 0), (-40, 0)), plate((0, 5), (-40, 35))
    np.testing.assert_allclose(heights(upper, lower), (35, 20, 5))
    assert angle_deg(upper, lower, "left") == pytest.approx(np.degrees(np.arctan(0.75)))


def test_slip_is_counted_along_the_endplate_below():
    """The lower endplate runs from (0, 0) to (40, 30), length 50. The corner at (10, 0) lies 8 along it: 16 %."""
    lower = plate((0, 0), (40, 30))
    along, percent = slip(plate((10, 0), (50, 0)), lower)
    assert along == pytest.approx(8)
    assert percent == pytest.approx(16)
    back, behind = slip(plate((-10, 0), (30, 0)), lower)
    assert back == pytest.approx(-8)
    assert behind == pytest.approx(-16)


def test_many_disturbed_discs_at_once():
    shift = np.linspace(-1, 1, 7)[:, None]
    upper, lower = plate((0, 0), (40, 0)), plate((0, 10), (40, 10))
    moved = Endplate(upper.anterior + shift * (1, 0), upper.middle + shift * (1, 0), upper.posterior + shift * (1, 0))
    assert heights(moved, lower).shape == (7, 3)
    np.testing.assert_allclose(slip(moved, lower)[0], shift[:, 0])


@pytest.mark.parametrize(
    ("percent", "grade"),
    [
        (0, 0),
        (7.9, 0),
        (-7.9, 0),
        (8, 1),
        (25, 1),
        (25.1, 2),
        (50, 2),
        (-60, 3),
        (75.1, 4),
        (100, 4),
        (101, 5),
        (np.nan, None),
    ],
)
def test_meyerding(percent, grade):
    assert meyerding(percent) == grade


def test_an_endplate_without_length_has_no_slip():
    assert np.isnan(slip(plate((0, 0), (1, 0)), plate((3, 3), (3, 3)))).all()
