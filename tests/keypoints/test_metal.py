"""Metal on painted films: rods are told from bone, from haze and from what is broader than a body."""

import numpy as np
import pytest

from spinetk.keypoints.metal import covered, remark
from spinetk.schema import VERTEBRA4

CORNERS = np.array([[-25.0, -15], [25, -15], [-25, 15], [25, 15]])
BODIES = np.stack([CORNERS + [100.0, 60.0 + 40 * k] for k in range(8)])


def film():
    """Bodies of grey value 130 on 90."""
    picture = np.full((400, 200), 90, np.uint8)
    for k in range(8):
        picture[45 + 40 * k : 75 + 40 * k, 75:125] = 130
    return picture


def test_bodies_beneath_a_rod_are_told_one_by_one():
    picture = film()
    picture[120:275, 80:90] = 255  # bodies 3 to 6, at rows 125 to 275
    assert covered(picture, BODIES, VERTEBRA4).tolist() == [False] * 2 + [True] * 4 + [False] * 2


@pytest.mark.parametrize("scale", [0.5, 2, 5])
def test_it_is_the_same_at_every_size_of_the_picture(scale):
    import cv2

    picture = film()
    picture[120:275, 80:90] = 255
    resized = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    assert covered(resized, BODIES * scale, VERTEBRA4).sum() == 4


def pedicles(picture):
    for k in range(8):  # rings of bright bone, 60 above the body
        for x in (85, 115):
            picture[52 + 40 * k : 64 + 40 * k, x - 4 : x + 4] = 190


def white(picture):
    picture[200:] = 255  # overexposed from a row on, broader than any body


def marker(picture):
    picture[10:30, 20:60] = 255  # a letter beside the spine


def nothing(picture):
    picture[:] = 0


@pytest.mark.parametrize("draw", [pedicles, white, marker, nothing])
def test_what_is_no_metal(draw):
    picture = film()
    draw(picture)
    assert not covered(picture, BODIES, VERTEBRA4).any()


def test_bodies_beyond_the_picture_and_no_bodies():
    assert covered(film(), np.zeros((0, 4, 2)), VERTEBRA4).tolist() == []
    assert covered(film(), BODIES + [1000.0, 1000.0], VERTEBRA4).tolist() == [False] * 8


FEW = [(4, 17, False), (5, 17, True), (1, 3, False), (2, 5, True), (0, 0, False)]


@pytest.mark.parametrize(("count", "of", "said"), FEW)
def test_few_bodies_beneath_metal_are_not_worth_a_word(count, of, said):
    """0.28 of 17 is 4.76."""
    assert (remark(np.arange(of) < count) is not None) == said
