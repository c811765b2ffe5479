"""What lies about a body: cuts of pictures whose grey values say where they are, and what networks of cuts say."""

import numpy as np
import pytest
import torch

from spinetk.keypoints.centre.decoding import CentreDecoder
from spinetk.keypoints.centre.lumbosacral import LumbosacralNet
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.centre.surroundings import (
    BELOW,
    L5,
    LEVELS,
    REACH,
    SIDE_PX,
    places,
    standardized,
    surroundings,
)
from spinetk.keypoints.naming import NOT_ASKED
from spinetk.keypoints.predictor import Predictor
from spinetk.landmark import Landmark
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

BODY = np.array([[80, 125], [100, 125], [120, 125], [120, 95], [100, 95], [80, 95]], float)  # 40 wide, 30 high


def turned(points, degrees, about=(100, 110)):
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])  # clockwise, as y points down
    return (points - about) @ turn + about


def test_a_place_lies_below_the_body_along_its_own_axis():
    """Size: the mean of 40 and 30. Turned clockwise by 90 degrees, down is to the left."""
    (x, y, reach, angle), sideways = places(np.array([BODY, turned(BODY, 90)]), VERTEBRA6)
    assert (x, y, reach, angle) == pytest.approx((100, 110 + 35 * BELOW, 35 * REACH, 0))
    assert sideways == pytest.approx((100 - 35 * BELOW, 110, 35 * REACH, np.pi / 2))


@pytest.mark.parametrize("degrees", [0, 30, -75])
def test_cells_show_what_lies_at_their_places(degrees):
    """A ramp of grey along x and one along y: a cut of each gives the coordinates of its cells."""
    y, x = np.mgrid[:300, :400].astype(np.float32)
    where = places(turned(BODY, degrees)[None], VERTEBRA6)
    seen = [surroundings(ramp / 400, where)[0, 0] * 400 - 0.5 for ramp in (x + 1, y + 1)]
    step = 2 * where[0, 2] / SIDE_PX
    angle = np.radians(degrees)
    for row, column in ((32, 32), (10, 50), (60, 5)):
        away = (np.array([column, row]) + 0.5 - SIDE_PX / 2) * step
        right, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        # Ramps start at 1 at the first pixel's centre, which is at 0.5 px.
        expected = where[0, :2] + away[0] * right + away[1] * down
        assert [own[row, column] for own in seen] == pytest.approx(expected, abs=0.02)


def test_a_picture_twice_as_large_shows_the_same():
    """Grey values that hardly change from pixel to pixel, so that shrinking loses nothing."""
    y, x = np.mgrid[:900, :900].astype(np.float32)
    large = 0.5 + 0.4 * np.sin(x / 97) * np.cos(y / 71)
    small = large.reshape(225, 4, 225, 4).mean((1, 3))
    one, other = (
        surroundings(picture, places(points[None], VERTEBRA6)) for picture, points in ((large, 4 * BODY), (small, BODY))
    )
    np.testing.assert_allclose(one[0, 0], other[0, 0], atol=0.01)
    assert one[:, 1].all()
    assert other[:, 1].all()


def test_beyond_the_edge_is_nothing_and_does_not_count():
    """A picture that ends 20 px below the body; standardized inside it, whatever the exposure."""
    picture = np.tile(np.linspace(50, 200, 240, dtype=np.float32)[None] / 255, (145, 1))
    (cut,) = surroundings(picture, places(BODY[None], VERTEBRA6))
    rows = np.flatnonzero(cut[1, :, SIDE_PX // 2])
    last = 110 + 35 * BELOW + ((rows.max() + 0.5) / SIDE_PX * 2 - 1) * 35 * REACH
    assert last == pytest.approx(145, abs=2)
    assert rows.min() == 0
    for contrast in (1.0, 0.3):
        own = cut * np.array([contrast, 1], np.float32)[:, None, None]
        told, seen = standardized(own[None])[0]
        inside = told[seen > 0]
        assert inside.mean() == pytest.approx(0, abs=1e-4)
        spread = own[0][seen > 0].std()
        assert inside.std() == pytest.approx(spread / (spread + 0.02), abs=1e-3)  # a flat picture stays flat
        assert not told[seen == 0].any()


def test_a_body_outside_the_picture_has_nothing_about_it():
    assert not surroundings(np.ones((50, 50), np.uint8), np.array([[300.0, 300.0, 20.0, 0.0]])).any()
    assert surroundings(np.ones((50, 50), np.uint8), np.zeros((0, 4))).shape == (0, 2, SIDE_PX, SIDE_PX)


def test_the_chance_of_l5_is_the_mean_of_a_look_and_one_in_the_mirror():
    """Logits by which half is brighter: L5 twice as probable as each of five others from the left, as probable else."""

    def told(cuts):
        left = cuts[:, 0, :, : SIDE_PX // 2].mean((1, 2)) > cuts[:, 0, :, SIDE_PX // 2 :].mean((1, 2))
        logits = np.zeros((len(cuts), len(LEVELS)), np.float32)
        logits[:, L5] = np.where(left, np.log(2), 0)
        return logits

    preset = CentrePreset("x", (128,), 128, lumbosacral_look=True)
    decoder = CentreDecoder(preset, VERTEBRA6, None, None, lumbosacral=told)
    picture = np.tile(np.linspace(200, 50, 240).astype(np.uint8)[None], (240, 1))
    assert decoder.l5_chances(picture, BODY[None]) == pytest.approx([(2 / 7 + 1 / 6) / 2])


def test_the_network_tells_as_many_levels_as_there_are():
    net = LumbosacralNet().eval()
    assert net(torch.zeros(3, 2, SIDE_PX, SIDE_PX)).shape == (3, len(LEVELS))


class Engine:
    """Says of a body how far down it lies."""

    schema, device, runtime = VERTEBRA6, "cpu", "none"

    def __init__(self, looks):
        self.preset, self.asked = CentrePreset("x", (128,), 128, lumbosacral_look=looks), []

    def l5_chances(self, picture, points):
        self.asked.append(points)
        return points[:, :, 1].max(1) / 1000


@pytest.mark.parametrize(
    ("looks", "down", "expected"), [(True, 9, 0.125), (False, 9, NOT_ASKED), (True, 90, NOT_ASKED)]
)
def test_the_lowest_body_is_asked_about_where_it_lies_on_a_sacrum(looks, down, expected):
    """Of two bodies the lower, whose foot is at 125; not by a model without the network, nor far above the sacrum."""
    middle = np.array([100, 125 + down])
    plate = Landmark("s1", np.stack([middle - (18, 0), middle + (18, 0)]), None, 0.9)
    bodies = [Vertebra.from_points(BODY - (0, up), score=0.9) for up in (38, 0)]
    reading = Reading("film.png", 400, 200, VERTEBRA6, bodies, view="lateral", landmarks=[plate])
    engine = Engine(looks)
    assert Predictor(engine, "x")._looks(np.zeros((400, 200), np.uint8), reading) == pytest.approx(expected)
    assert len(engine.asked) == (expected != NOT_ASKED)
