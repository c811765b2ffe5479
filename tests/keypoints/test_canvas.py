"""Narrow pictures on a black square: what the network is shown, and the way back to the picture."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import center_of_mass

from spinetk.keypoints import further_look
from spinetk.keypoints.canvas import Canvas
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.predictor import Predictor
from spinetk.schema import VERTEBRA6

PRESET = CentrePreset("square", short_px=(256,), long_px=256, local_contrast=False)
BODY = np.array([[2, 10], [12, 10], [22, 10], [22, 0], [12, 0], [2, 0]], float)
"""Six points of a body whose middle is at (12, 5)."""


def spot(height: int, width: int, x: int, y: int) -> np.ndarray:
    picture = np.zeros((height, width), np.uint8)
    picture[y - 2 : y + 3, x - 2 : x + 3] = 250
    return picture


@pytest.mark.parametrize(
    ("size", "square", "share", "shown"),
    [
        ((200, 60), True, 1.0, (256, 256)),  # a narrow slice
        ((200, 60), False, 1.0, (256, 77)),  # for a network that is shown pictures as they are
        ((200, 140), True, 1.0, (256, 179)),  # 0.7: not narrow
        ((200, 139), True, 1.0, (256, 256)),
        ((61, 200), True, 1.0, (78, 256)),  # wide: a slice with half a spine across it is no column
        ((120, 110), True, 0.5, (256, 256)),  # half as large
    ],
)
def test_a_place_in_what_is_shown_is_the_same_place_in_the_picture(size, square, share, shown):
    """Of a bright spot: its centre in the network's input (by scipy) is brought back to where it was drawn."""
    x, y = size[1] // 3, size[0] // 4
    canvas = Canvas(spot(*size, x, y), PRESET, square=square, share=share)
    assert canvas.pixels.shape == (3, *shown)
    row, column = center_of_mass(canvas.pixels[0])
    np.testing.assert_allclose(canvas.to_picture(np.array([column + 0.5, row + 0.5])), (x + 0.5, y + 0.5), atol=0.15)


def test_a_square_shows_a_piece_as_much_smaller_as_it_is_told_to():
    """A picture of 120 x 100 is enlarged by 256 / 120; at half the square's side by half of that."""
    picture = np.zeros((120, 100), np.uint8)
    assert Canvas(picture, PRESET, square=True).factors == pytest.approx(256 / 120, abs=0.01)
    assert Canvas(picture, PRESET, square=True, share=0.5).factors == pytest.approx(256 / 240, abs=0.01)


class Shown:
    """Stands for an engine that finds so many bodies, and so sure, in a picture as large or half as large."""

    device = runtime = "none"
    schema, preset = VERTEBRA6, PRESET

    def __init__(self, whole: tuple[int, float], half: tuple[int, float]):
        self.whole, self.half, self.looks = whole, half, 0

    def detect(self, picture, least, worth=None):
        self.looks += 1
        # The half-size square leaves a quarter of black at the top.
        (count, score), start, factor = (self.half, 64, 1.0) if picture[0, 30].max() == 0 else (self.whole, 0, 2.0)
        bodies = np.array([BODY * factor + (start, start + (8 + 14 * k) * factor) for k in range(count)])
        bodies = bodies.reshape(-1, 6, 2)
        return {"points": bodies, "scores": np.full(count, score), "sigma": np.ones((count, 6))}


@pytest.mark.parametrize(
    ("whole", "half", "looks", "found"),
    [
        ((3, 0.9), (4, 0.9), 1, 3),  # a column: no second look
        ((2, 0.9), (4, 0.9), 2, 4),
        ((0, 0.9), (3, 0.9), 2, 3),
        ((2, 0.9), (2, 0.9), 2, 2),  # too few, smaller, too: what was found first stays
        ((0, 0.9), (4, 0.79), 2, 0),  # not sure enough: of things without a spine some look like bodies
        ((1, 0.9), (4, 0.81), 2, 4),
        ((0, 0.9), (0, 0.9), 2, 0),
    ],
)
def test_a_piece_in_which_hardly_a_body_is_found_is_shown_once_more_and_smaller(whole, half, looks, found):
    picture = np.full((128, 128), 90, np.uint8)
    engine = Shown(whole, half)
    predictor = Predictor(engine, "square")
    predictor.smaller_look = True
    reading = predictor.read(picture)
    assert (engine.looks, len(reading.vertebrae)) == (looks, found)
    assert (further_look.REMARK in reading.remarks) is (found != whole[0])
    plain = Shown(whole, half)
    first = Predictor(plain, "square").read(picture)
    assert len(first.vertebrae) == whole[0]
    assert further_look.REMARK not in first.remarks
    assert plain.looks == 1


def test_what_is_found_in_the_smaller_look_lies_where_it_is_in_the_picture():
    """The square of 256 px holds the picture of 128 px from (64, 64) on: 64 px less are px of the picture."""
    predictor = Predictor(Shown((0, 0.9), (3, 0.9)), "square")
    predictor.smaller_look = True
    vertebrae = predictor.read(np.full((128, 128), 90, np.uint8)).vertebrae
    for k, vertebra in enumerate(vertebrae):
        np.testing.assert_allclose(vertebra.points, BODY + (0, 8 + 14 * k), atol=0.01)
        np.testing.assert_allclose(vertebra.point_sigma_px, 1.0)


class Unsure(Shown):
    """Three bodies in the first look of which two are sure, four sure ones in the second."""

    def detect(self, picture, least, worth=None):
        found = super().detect(picture, least, worth)
        if len(found["scores"]) == self.whole[0]:
            found["scores"][-1] = 0.2
        return found


def test_a_threshold_finds_the_same_whatever_else_is_asked_for_beside_it():
    """At 0.1 the first look shows three bodies and stands; at 0.6 it shows two, and the second look's four stand."""
    picture = np.full((128, 128), 90, np.uint8)
    predictor = Predictor(Unsure((3, 0.9), (4, 0.9)), "square")
    predictor.smaller_look = True
    alone = [len(predictor.read_at(picture, (own,))[0].vertebrae) for own in (0.1, 0.6)]
    assert alone == [3, 4]
    both = predictor.read_at(picture, (0.1, 0.6))
    assert [len(own.vertebrae) for own in both] == alone
    assert [further_look.REMARK in own.remarks for own in both] == [False, True]
    assert [len(own.vertebrae) for own in predictor.read_at(picture, (0.6, 0.1))] == alone[::-1]


def test_a_strip_is_laid_on_no_square_that_is_larger_than_any_picture_may_be():
    """20 x 12,000 px are a small picture; a square of 12,000 px are 144 million, at half the size 576."""
    strip = np.zeros((12_000, 20), np.uint8)
    for share in (1.0, 0.5):
        assert Canvas(strip, PRESET, square=True, share=share).pixels.shape == (3, 256, 1)
