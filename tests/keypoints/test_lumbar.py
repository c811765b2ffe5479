"""Which of the lowest bodies is L5 by their looks, and what a network is shown of them."""

import numpy as np
import pytest
import torch

from spinetk.keypoints.centre.lumbar import ANSWERS, LumbarNet
from spinetk.keypoints.centre.surroundings import COLUMNS, LEFT, PX, ROWS, TOP, around, balanced, surroundings
from spinetk.keypoints.lumbar import HIGHER, L4, L5, S1, UNKNOWN, last_is_l5

SURE = np.eye(ANSWERS)


def test_bodies_that_all_look_as_they_should_make_l5_sure():
    column = SURE[[HIGHER, L4, L5]] * 0.97 + 0.01
    assert last_is_l5(column) > 0.999


@pytest.mark.parametrize("answers", [(HIGHER, HIGHER, L4), (HIGHER, HIGHER, HIGHER), (L4, L5, S1)])
def test_a_body_missing_or_too_many_at_the_foot_makes_l5_improbable(answers):
    assert last_is_l5(SURE[list(answers)] * 0.9 + 0.025) < 0.01


def test_what_is_said_of_each_body_is_multiplied():
    """The last is L5 or L4 alike; the one above it is L4 with 0.6, higher with 0.3: 2 to 1 for L5."""
    said = np.array([[0.05, 0.6, 0.3, 0.05], [0.5, 0.5, 0.0, 0.0]])
    assert last_is_l5(said) == pytest.approx(2 / 3, abs=1e-4)
    assert last_is_l5(said[1:]) == pytest.approx(0.5, abs=1e-4)


def test_of_no_body_nothing_is_known():
    assert last_is_l5(np.empty((0, 4))) == UNKNOWN


@pytest.mark.parametrize("turn_deg", [0, 30, -75])
@pytest.mark.parametrize("width", [12.0, 45.0, 90.0])
def test_a_body_is_shown_upright_at_one_size_from_its_centre(turn_deg, width):
    """A bright dot two sizes below a body 1.4 times as wide as high, and one to its right, lie so far in what is shown,
    whether the picture is averaged first or not."""
    angle, centre = np.radians(turn_deg), np.array([402.0, 377.0])
    right, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    y, x = np.mgrid[:800, :800] + 0.5
    for away in ((0.0, 2.0), (1.0, 0.0)):
        place = centre + width * (away[0] * right + away[1] * down)
        picture = 200 * np.exp(-0.5 * ((x - place[0]) ** 2 + (y - place[1]) ** 2) / (width / 8) ** 2)
        grey, inside = around(picture.astype(np.uint8), np.array([*centre, width, width / 1.4, angle]))
        rows, columns = np.mgrid[:ROWS, :COLUMNS] + 0.5
        middle = np.array([(grey * columns).sum(), (grey * rows).sum()]) / grey.sum()
        assert middle == pytest.approx((np.array(away) - (LEFT, TOP)) * PX, abs=0.2)
        assert inside[ROWS // 2, COLUMNS // 2]


def test_what_lies_outside_the_picture_is_told_from_black():
    """A body 32 px wide at the left edge: all left of its centre is outside."""
    grey, inside = around(np.full((400, 300), 90, np.uint8), np.array([0.0, 200.0, 32.0, 32 / 1.4, 0.0]))
    edge = round(-LEFT * PX)
    assert not inside[:, : edge - 1].any()
    assert inside[:, edge + 1 :].all()
    assert (grey[:, edge + 1 :] == 90).all()


def test_slow_shading_is_gone_and_fine_structure_stays():
    y, x = np.mgrid[:ROWS, :COLUMNS]
    fine = 20.0 * ((y // 4 + x // 4) % 2)
    inside = np.ones((ROWS, COLUMNS), bool)
    middle = np.s_[30:-30, 30:-30]
    plain = balanced((100 + fine).astype(np.float32), inside)[0][middle]
    shaded = balanced((40 + x + fine).astype(np.float32), inside)[0][middle]
    assert np.corrcoef(plain.ravel(), shaded.ravel())[0, 1] > 0.95
    flat = balanced(np.full((ROWS, COLUMNS), 77, np.float32), inside)
    assert np.abs(flat[0]).max() < 0.2
    assert (flat[1] == 1).all()


def test_the_network_answers_for_each_body():
    network = LumbarNet().eval()
    shown = surroundings(np.zeros((50, 40), np.uint8), np.tile([20.0, 25.0, 14.0, 10.0, 0.1], (3, 1)))
    assert shown.shape == (3, 2, ROWS, COLUMNS)
    with torch.inference_mode():
        assert network(torch.from_numpy(shown)).shape == (3, ANSWERS)
    assert surroundings(np.zeros((50, 40), np.uint8), np.empty((0, 5))).shape == (0, 2, ROWS, COLUMNS)
