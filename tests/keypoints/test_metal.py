"""Metal on painted films: rods and screws are told from bone, from haze and from what is broader than a body."""

import cv2
import numpy as np
import pytest

from spinetk.images.window import to_uint8
from spinetk.keypoints.metal import covered, crossed, remark
from spinetk.phantoms import lateral_radiograph
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


def side(*screws, tilt_deg=0.0):
    """Bodies with bright endplates 2 px thick, with grain, laminae behind; screws 6 px thick in some, from behind."""
    picture = film()
    picture[:, 145:160] = 170  # a row of laminae
    for k in range(8):
        picture[45 + 40 * k : 47 + 40 * k, 75:125] = picture[73 + 40 * k : 75 + 40 * k, 75:125] = 190
    grain = np.random.default_rng(0).normal(0, 6, picture.shape)
    picture = (picture + grain).clip(0, 255).astype(np.uint8)
    for k in screws:
        way = np.array([np.cos(np.radians(tilt_deg)), np.sin(np.radians(tilt_deg))])
        ends = [np.round(np.array([100.0, 60 + 40 * k]) + far * way).astype(int).tolist() for far in (-15, 60)]
        cv2.line(picture, *ends, 230, 6)
    return picture


@pytest.mark.parametrize("tilt_deg", [-28, 0, 28])
def test_bodies_that_screws_cross_are_told(tilt_deg):
    assert np.flatnonzero(crossed(side(2, 3, 6, tilt_deg=tilt_deg), BODIES, VERTEBRA4)).tolist() == [2, 3, 6]


@pytest.mark.parametrize("scale", [0.5, 2, 5])
def test_screws_are_told_at_every_size_exposure_and_lie_of_the_picture(scale):
    picture = cv2.resize(side(2, 3), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    told = [False] * 2 + [True] * 2 + [False] * 4
    assert crossed(picture, BODIES * scale, VERTEBRA4).tolist() == told
    dim = (20 + 0.4 * picture).astype(np.uint8)
    assert crossed(dim, BODIES * scale, VERTEBRA4).tolist() == told
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    across = BODIES[:, [1, 0, 3, 2]] * [-scale, scale] + [picture.shape[1] - 1.0, 0]
    assert crossed(mirrored, across, VERTEBRA4).tolist() == told


def test_a_leaning_column_is_looked_at_along_its_bodies():
    turn = cv2.getRotationMatrix2D((100, 200), 60, 1.0) + [[0, 0, 150], [0, 0, 0]]
    picture = cv2.warpAffine(side(2, 3), turn, (500, 400), borderMode=cv2.BORDER_REPLICATE)
    leaning = BODIES @ turn[:, :2].T + turn[:, 2]
    assert np.flatnonzero(crossed(picture, leaning, VERTEBRA4)).tolist() == [2, 3]


def test_an_outline_drawn_beside_a_screw_is_told_where_another_is_crossed():
    """The body of place 5 is outlined 14 px too low, so that its screw lies on its upper side."""
    wrong = BODIES + np.where(np.arange(8) == 5, 14.0, 0.0)[:, None, None] * [0, 1]
    assert not crossed(side(5), wrong, VERTEBRA4).any()
    assert np.flatnonzero(crossed(side(2, 5), wrong, VERTEBRA4)).tolist() == [2, 5]


def dense(picture):
    picture[125:155, 75:125] = 240  # one body all but white


def dome(picture):
    cv2.ellipse(picture, (60, 260), (90, 60), 0, 0, 360, 200, -1)  # a diaphragm: an edge across bodies


def rods(picture):
    picture[60:300, 130:136] = 240  # behind the bodies


def line(picture):
    cv2.line(picture, (60, 225), (160, 215), 210, 2)  # a wing of the pelvis, edge on


def speck(picture):
    picture[134:146, 93:107] = 255  # as bright and thick as a screw, and no bar


@pytest.mark.parametrize("draw", [dense, dome, rods, line, speck, white, marker, nothing])
def test_what_is_no_screw(draw):
    picture = side()
    draw(picture)
    assert not crossed(picture, BODIES, VERTEBRA4).any()


def test_no_bodies_and_bodies_beyond_the_picture_are_not_crossed():
    assert crossed(side(2), np.zeros((0, 4, 2)), VERTEBRA4).tolist() == []
    assert crossed(side(2), BODIES + [1000.0, 1000.0], VERTEBRA4).tolist() == [False] * 8
    assert crossed(side(2), np.full((3, 4, 2), 50.0), VERTEBRA4).tolist() == [False] * 3  # without height or width


@pytest.mark.parametrize("seed", [3, 6, 8])
def test_of_phantoms_those_with_implants_are_told(seed):
    """Of these the implants are screws."""
    for implants in (True, False):
        phantom = lateral_radiograph(seed, spacing_mm=1.2, hardware=implants)
        bodies = np.array([own.points for own in phantom.reading.vertebrae])
        assert crossed(to_uint8(phantom.pixels), bodies, phantom.reading.schema).any() == implants


def test_one_body_is_worth_a_word_where_that_is_asked():
    said = remark(np.arange(6) == 4, least=1, share=0.0)
    assert said == "metal over at least 1 of 6 bodies, counted from the top: #5; what lies beneath is guessed"
    assert remark(np.zeros(6, bool), least=1, share=0.0) is None
