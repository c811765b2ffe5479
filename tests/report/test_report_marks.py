"""What is drawn beside the bodies: rulers with their texts, femoral heads, edges, margins; by plain geometry."""

import numpy as np
import pytest

from spinetk.geometry import Frame
from spinetk.landmark import Landmark
from spinetk.measure import words
from spinetk.reading import Reading
from spinetk.report.lettering import text_width
from spinetk.report.overlay import BACKGROUND, draw, outline
from spinetk.report.placement import placement
from spinetk.ruler import Ruler
from spinetk.schema import VERTEBRA6

GREY = np.full((300, 400), 140, np.uint8)
KINDS = {
    "length": [[100.5, 60.5], [100.5, 240.5]],
    "angle": [[60.5, 60.5], [60.5, 220.5], [300.5, 220.5]],
    "cobb": [[60.5, 60.5], [300.5, 60.5], [60.5, 220.5], [300.5, 220.5]],
}
JOINED = {"length": [(0, 1)], "angle": [(0, 1), (1, 2)], "cobb": [(0, 1), (2, 3)]}


def reading(**fields):
    return Reading("x.png", 300, 400, VERTEBRA6, [], Frame((0.5, 0.5), "user"), **fields)


def like(drawn, colour, within=40):
    return (np.abs(drawn.astype(int) - colour) <= within).all(axis=-1)


def far(drawn, points):
    """Distance of every pixel from the nearest of some points, in px."""
    rows, columns = np.indices(drawn.shape[:2])
    return np.min([np.hypot(columns + 0.5 - x, rows + 0.5 - y) for x, y in points], axis=0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_ruler_is_its_lines_in_its_colour_with_dark_edges_and_dots_at_its_points(kind):
    points = np.array(KINDS[kind])
    drawn = outline(GREY, reading(rulers=[Ruler(kind, points)]), scale=1.0)
    coloured, changed = like(drawn, words.RULER_COLOUR), (drawn != 140).any(axis=-1)
    along = [points[a] + share * (points[b] - points[a]) for a, b in JOINED[kind] for share in np.linspace(0, 1, 400)]
    near, aside = far(drawn, points), far(drawn, along)
    assert coloured[aside < 0.4].all()
    assert not changed[(near > 5.5) & (aside > 3.6)].any()
    # Lines of 1 px with an edge of 1 px, smoothed; dots of 2 px with an edge of 2.
    assert not coloured[(near > 6) & (aside > 0.9)].any()
    assert like(drawn, (0, 0, 0))[(near > 6) & (aside > 1.8) & (aside < 2.2)].all()
    assert coloured[near < 1.6].all()
    assert not coloured[(near > 3.1) & (aside > 0.9)].any()
    assert like(drawn, (0, 0, 0))[(near > 3.5) & (near < 4) & (aside > 0.9)].all()


def test_the_figure_of_a_ruler_stands_right_of_its_middle_and_above_it():
    with_ruler = reading(rulers=[Ruler("length", np.array([[100.0, 150.0], [180.0, 150.0]]))])
    place = placement(with_ruler)
    x, y = place.of(np.array([140.0, 150.0]))
    drawn = draw(np.full((300, 400), 255, np.uint8), with_ruler)
    dark = like(drawn, BACKGROUND, 3)
    rows, columns = np.nonzero(
        dark[: place.top + round(300 * place.scale_y), : place.left + round(400 * place.scale_x)]
    )
    inside = (rows > place.top) & (columns > place.left)
    rows, columns = rows[inside], columns[inside]
    assert x < columns.min() < columns.max() < x + 200
    assert y - 60 < rows.min() < rows.max() < y
    text = drawn[rows.min() : rows.max(), columns.min() : columns.max()]
    assert like(text, words.RULER_COLOUR).any()


def test_a_femoral_head_is_a_circle_with_a_dot_at_its_centre():
    head = Landmark("femoral_head", np.array([[200.0, 150.0]]), radius_px=80.0)
    drawn = outline(GREY, reading(landmarks=[head]), scale=1.0)
    green, away = like(drawn, words.LANDMARK_COLOUR), far(drawn, [(200.0, 150.0)])
    assert green[away < 1.5].all()
    assert not green[(away > 3) & (away < 77)].any()
    assert not green[away > 83].any()
    assert (green & (away > 78) & (away < 82)).sum() > 2 * np.pi * 80


def test_a_landmark_has_an_edge_of_a_pixel_on_each_side():
    plate = Landmark("s1", np.array([[20.5, 150.5], [380.5, 150.5]]))
    drawn = outline(GREY, reading(landmarks=[plate]), scale=1.0)
    rows = np.flatnonzero((drawn[:, 200] != 140).any(axis=-1))
    assert rows.tolist() == list(range(147, 154))
    assert like(drawn[147:154, 200], words.LANDMARK_COLOUR).tolist() == [False, False, True, True, True, False, False]


@pytest.mark.parametrize(("height", "width"), [(3000, 5), (1600, 100)])
def test_the_lines_below_a_narrow_picture_are_whole(height, width):
    """What stands at the right margin, research use only, begins right of the left one."""
    drawn = draw(np.zeros((height, width), np.uint8), Reading("x.png", height, width, VERTEBRA6, []))
    place = placement(Reading("x.png", height, width, VERTEBRA6, []))
    text_px = min(max(round(max(height * place.scale_y, width * place.scale_x) / 66), 12), 26)
    assert drawn.shape[1] >= text_width(words.RESEARCH_USE, text_px) + 2 * place.left
