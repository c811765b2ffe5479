"""What the shape of the lowest bodies says of their level, by bodies drawn by hand and by phantoms."""

from dataclasses import replace

import numpy as np
import pytest

from spinetk.geometry import Frame
from spinetk.measure.lumbar_shape import MOST, features, log_odds
from spinetk.phantoms import lateral_radiograph
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

WIDE, HIGH, STEP = 40.0, 30.0, 44.0
BODY = np.array([[-20, 15], [0, 15], [20, 15], [20, -15], [0, -15], [-20, -15]])


def column_of(bends, square=(1.0, 1.0)):
    """Bodies 40 wide and 30 high, 44 apart on a straight line, each turned so much more than the one above it, in px
    of a picture whose pixels are so large; the front is on the right."""
    tilts = np.radians(np.concatenate([[0.0], np.cumsum(bends)]))
    vertebrae = []
    for k, tilt in enumerate(tilts):
        spin = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
        points = (BODY @ spin + (100, 50 + STEP * k)) / square
        vertebrae.append(Vertebra.from_points(points))
    frame = Frame((square[1], square[0]), "made up")
    return Reading("film.png", 300, 200, VERTEBRA6, vertebrae, frame, view="lateral")


@pytest.mark.parametrize("square", [(1.0, 1.0), (0.5, 1.0)])
def test_angles_heights_widths_and_steps_of_a_column_made_by_hand(square):
    """Front heights 30 / 40, widths 1, steps 44 / 40; the fifth body from below has no part in it."""
    wanted = [5, -3, 12, *[0.75] * 4, *[1] * 4, *[1.1] * 3]
    np.testing.assert_allclose(features(column_of((40, 5, -3, 12), square), "right"), wanted, atol=1e-9)
    np.testing.assert_allclose(features(column_of((5, -3, 12), square), "right"), wanted, atol=1e-9)


def test_the_front_height_is_that_of_the_front():
    reading = column_of((5, 10, 15))
    lowest = reading.vertebrae[-1]
    points = lowest.points.copy()
    top, bottom = (VERTEBRA6.index(f"{end}_right") for end in ("top", "bottom"))
    points[[top, bottom]] += (points[top] - points[bottom]) * np.array([[-0.1], [0.1]])  # 30 becomes 24
    changed = replace(reading, vertebrae=[*reading.vertebrae[:-1], replace(lowest, points=points)])
    assert features(changed, "right")[6] == pytest.approx(24 / 40, abs=0.01)
    assert features(changed, "left")[6] == pytest.approx(30 / 40, abs=0.01)


def test_neither_a_mirror_nor_a_turn_nor_size_changes_what_is_said():
    reading = column_of((5, 10, 14))
    said = features(reading, "right")
    np.testing.assert_allclose(features(reading.flipped(), "left"), said, atol=1e-9)
    spin = np.array([[np.cos(0.2), np.sin(0.2)], [-np.sin(0.2), np.cos(0.2)]]) * 2
    turned = replace(reading, vertebrae=[replace(v, points=v.points @ spin) for v in reading.vertebrae])
    np.testing.assert_allclose(features(turned, "right"), said, atol=1e-9)


def test_the_more_the_lowest_bodies_bend_the_rather_they_are_the_lowest():
    """Means of annotated films: 5.8, 9.8, 13.5 degrees from L2 to L5 and 1.4, 5.8, 9.8 from L1 to L4."""
    lower, upper = log_odds(column_of((5.8, 9.8, 13.5)), "right"), log_odds(column_of((1.4, 5.8, 9.8)), "right")
    assert lower > upper + 1
    assert log_odds(column_of((30, 30, 30)), "right") == MOST
    assert log_odds(column_of((-30, -30, -30)), "right") == -MOST


def test_nothing_is_said_without_a_front_or_with_too_little_of_a_column():
    reading = column_of((5, 10, 14))
    assert log_odds(reading, "right") != 0
    assert log_odds(reading, None) == 0
    assert log_odds(replace(reading, vertebrae=reading.vertebrae[1:]), "right") == 0
    cut = reading.vertebrae[0].visible.copy()
    cut[[VERTEBRA6.index(name) for name in ("top_right", "top_left")]] = False
    assert (
        log_odds(
            replace(reading, vertebrae=[replace(reading.vertebrae[0], visible=cut), *reading.vertebrae[1:]]), "right"
        )
        == 0
    )


def test_on_phantoms_l2_to_l5_are_told_from_l1_to_l4():
    """Their shapes follow other figures than the annotated films that the weights are of."""
    apart = 0
    for seed in range(300, 312):
        reading = lateral_radiograph(seed, region="lumbar", spacing_mm=1.2, hardware=False).reading
        labels = [vertebra.label for vertebra in reading.vertebrae]
        end = labels.index("L5") + 1
        lower, upper = (
            log_odds(replace(reading, vertebrae=reading.vertebrae[:last]), reading.frame.anterior)
            for last in (end, end - 1)
        )
        apart += lower > upper
    assert apart >= 11
