"""The spine goes on above the highest sure body and down to the sacrum: what is hardly seen counts there alone."""

from dataclasses import replace

import numpy as np
import pytest

from spinetk.keypoints.ends import follows, hangs, near_edge, with_ends, with_lower_end, with_upper_end, worth_beyond
from spinetk.landmark import Landmark
from spinetk.schema import VERTEBRA6


def body(x: float, y: float, height: float = 18.0, width: float = 30.0, tilt_deg: float = 0.0) -> np.ndarray:
    """Six points of a rectangle about (x, y), its upper side leaning to the right by the tilt."""
    w, h, angle = width / 2, height / 2, np.radians(tilt_deg)
    local = np.array([[-w, h], [0, h], [w, h], [w, -h], [0, -h], [-w, -h]])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return local @ turn.T + (x, y)


COLUMN = [body(100, y) for y in (70, 95, 120, 145)]


def seen(*others: tuple[np.ndarray, float]) -> tuple[np.ndarray, np.ndarray]:
    """The column with 0.9 each, then others with their scores."""
    points = np.stack([*COLUMN, *(own for own, _ in others)])
    return points, np.array([0.9] * len(COLUMN) + [score for _, score in others])


def test_the_next_body_up_is_kept_however_unsure_and_the_one_above_it():
    points, scores = seen((body(101, 46), 0.05), (body(102, 22), 0.02), (body(103, -2), 0.2))
    # Two at most: each rests on the one below.
    assert with_upper_end(points, scores, [0, 1, 2, 3], VERTEBRA6) == [5, 4, 0, 1, 2, 3]


def test_of_two_that_may_go_on_above_the_surer_one_does():
    for scores in ((0.3, 0.1), (0.1, 0.3)):
        points, sure = seen((body(100, 45), scores[0]), (body(102, 44), scores[1]))
        assert with_upper_end(points, sure, [0, 1, 2, 3], VERTEBRA6)[-5:] == [4 + (scores[1] > scores[0]), 0, 1, 2, 3]


@pytest.mark.parametrize(
    "other",
    [
        body(100, 20),  # two steps up: what lies between is not seen, and a body may be missing
        body(125, 48),  # beside the column: a rib or the arm's shadow
        body(100, 46, height=26),  # a third higher
        body(100, 46, width=20),
        body(100, 54),  # 2 px into the highest body
        body(100, 46, tilt_deg=30),
        body(100, 39.5),  # 12.5 px above: a disc of 0.7 heights
        body(100, 170),  # below: there the column ends at the sacrum
    ],
)
def test_what_cannot_be_the_next_body_is_left(other):
    points, scores = seen((other, 0.3))
    assert with_upper_end(points, scores, [0, 1, 2, 3], VERTEBRA6) == [0, 1, 2, 3]


def test_the_surest_of_several_is_taken():
    points, scores = seen((body(101, 47), 0.1), (body(100, 45), 0.3))
    assert with_upper_end(points, scores, [0, 1, 2, 3], VERTEBRA6)[0] == 5


def test_two_sure_bodies_do_not_say_where_the_next_lies():
    points, scores = seen((body(100, 45), 0.3))
    assert with_upper_end(points, scores, [0, 1], VERTEBRA6) == [0, 1]


def test_a_kyphotic_column_goes_on_along_its_curve():
    """Steps of 24 px that turn by 12 degrees from body to body: so must the next."""
    bodies, place = [], np.array([100.0, 110.0])
    for k in range(5):
        tilt = 12.0 * k
        bodies.append(body(*place, tilt_deg=tilt))
        half = np.radians(tilt + 6)
        place = place + 24 * np.array([np.sin(half), -np.cos(half)])
    points = np.stack(bodies[::-1])
    assert with_upper_end(points, np.array([0.1, 0.9, 0.9, 0.9, 0.9]), [1, 2, 3, 4], VERTEBRA6) == [0, 1, 2, 3, 4]
    assert follows(points[0], points[1], VERTEBRA6)


def test_only_what_goes_on_from_the_column_is_looked_at_beside_what_is_likely():
    """The column ends at y = 70 and 145: within 3.6 heights of 18 px above, 2.2 below, and not far aside."""
    aside, beyond = [(140, 30), (100, 190)], [(100, -10), (130, 160)]
    points, scores = seen((body(101, 46), 0.02), (body(100, 170), 0.02), *((body(*at), 0.02) for at in aside + beyond))
    assert worth_beyond(points, scores, 0.24, VERTEBRA6).tolist() == [True] * 6 + [False] * 4


def test_two_sure_bodies_say_not_where_to_look_and_what_lies_aside_is_no_way_on():
    """From y = 70 on, 25 px up and 12 px aside goes on (0.48 of the way), 13 px aside does not (0.52)."""
    points, scores = seen((body(112, 45), 0.02), (body(113, 45), 0.02))
    assert worth_beyond(points, scores, 0.24, VERTEBRA6).tolist() == [True] * 5 + [False]
    scores[2:4] = 0.02
    assert worth_beyond(points, scores, 0.24, VERTEBRA6).tolist() == [True] * 2 + [False] * 4


def test_a_leaning_column_has_farther_to_go_to_the_edge():
    """Steps of 15 px aside and 20 up: from y = 60 it is 75 px to the edge, from 56 70; four heights of 18 are 72."""
    for y, near in ((60, False), (56, True)):
        assert near_edge(body(100, y), body(115, y + 20), VERTEBRA6) is near


def test_a_body_wider_above_than_below_is_none_like_the_next():
    """35 px above and 26 below are as wide in the middle as the others, yet no body tapers so."""
    wide = body(100, 45)
    wide[:3, 0], wide[3:, 0] = [87, 100, 113], [117.5, 100, 82.5]
    assert not follows(wide, COLUMN[0], VERTEBRA6)


def plate(y: float, x: float = 100.0, turn_deg: float = 14.0) -> Landmark:
    """An S1 endplate, 28 px wide."""
    half = 14 * np.array([np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))])
    return Landmark("s1", np.stack([[x, y] - half, [x, y] + half]), None, 0.8)


def test_of_landmarks_the_endplate_tells_where_the_column_ends():
    """A femoral head comes first, and an unsurer endplate beside the column; of two bodies the surer is added."""
    head = Landmark("femoral_head", np.array([[60.0, 230]]), 12.0, 0.95)
    points, scores = seen((body(101, 170), 0.03), (body(100, 171), 0.05), (body(100, 169), 0.02))
    found = with_ends(points, scores, LEFT, [head, replace(plate(186, x=150), score=0.3), plate(186)], VERTEBRA6, 0.24)
    assert found == [*LEFT, 5]
    assert with_ends(points, scores, LEFT, [head], VERTEBRA6, 0.24) == LEFT


LEFT, WITH_L5 = [0, 1, 2, 3], [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("sacral", "expected"),
    [
        (plate(186), WITH_L5),  # 7 px below a body that ends at y = 179
        (None, LEFT),  # no sacrum is seen: too little to say that the spine goes on
        (plate(161), LEFT),  # it lies under the lowest sure body, which is L5 then
        (plate(215), LEFT),  # too far below: two bodies would have to be missing
        (plate(186, x=125), LEFT),
        (plate(186, turn_deg=50), LEFT),  # no disc is such a wedge
    ],
)
def test_a_body_that_is_hardly_seen_counts_between_the_column_and_the_sacrum(sacral, expected):
    points, scores = seen((body(101, 170), 0.03))
    assert with_lower_end(points, scores, LEFT, sacral, VERTEBRA6, 0.24) == expected


@pytest.mark.parametrize(
    "other", [body(118, 170), body(100, 170, height=26), body(100, 172, tilt_deg=40), body(100, 161)]
)
def test_what_is_no_body_like_those_above_is_not_taken_for_l5(other):
    points, scores = seen((other, 0.3))
    assert with_lower_end(points, scores, LEFT, plate(186), VERTEBRA6, 0.24) == LEFT
    assert with_lower_end(points, scores, LEFT, None, VERTEBRA6, 0.24) == LEFT


@pytest.mark.parametrize(
    ("sacral", "expected"),
    [
        (None, WITH_L5),
        (plate(161), LEFT),  # the endplate of 0.8 lies where the body of 0.3 would begin
        (replace(plate(161), score=0.2), WITH_L5),  # here it is the body that is seen better
        (plate(215), WITH_L5),  # the sacrum leaves room for two, of which one is seen
    ],
)
def test_a_body_that_is_half_seen_counts_unless_a_surer_endplate_of_s1_lies_there(sacral, expected):
    """What would fill a gap, 0.24 of a threshold of 0.6, goes on at the lower end; L5 leans against L4 by up to 35."""
    for tilt in (0, 30):
        points, scores = seen((body(101, 172, tilt_deg=tilt), 0.3))
        assert with_lower_end(points, scores, LEFT, sacral, VERTEBRA6, 0.24) == expected
        assert with_lower_end(points, scores, LEFT, sacral, VERTEBRA6, 0.31) == LEFT


def test_a_column_that_ends_well_below_the_picture_s_edge_is_a_neck():
    """Bodies 18 px high; the highest centre 70 px below the edge (3.9 heights), or 74 (4.1): a skull needs room."""
    points, scores = seen((body(101, 46), 0.3))
    for lower, kept in ((0, True), (4, False)):
        moved = points + [0, lower]
        assert (with_upper_end(moved, scores, [0, 1, 2, 3], VERTEBRA6) == [4, 0, 1, 2, 3]) is kept


def test_the_axis_with_its_dens_is_no_body_like_those_below():
    """Widths are those from side to side, wherever between them the middle was marked."""
    axis = body(100, 45)
    for middle in (94, 106):
        aslant = body(100, 45)
        aslant[4, 0] = middle
        assert follows(aslant, COLUMN[0], VERTEBRA6)
    axis[3:, 0] = [109, 100, 91]  # 18 px wide above, 30 below
    assert follows(body(100, 45), COLUMN[0], VERTEBRA6)
    assert not follows(axis, COLUMN[0], VERTEBRA6)


# The highest body's upper endplate lies at y = 21.
LOW = [own - [0, 40] for own in COLUMN]


@pytest.mark.parametrize(
    ("other", "goes_on"),
    [
        (body(100, 6, height=12), True),  # from the edge down to y = 12, 9 px above an endplate at y = 21
        (body(100, 6, height=12, tilt_deg=20), True),
        (body(108, 6, height=12), True),  # 8 px aside: less than half a height of 18 px
        (body(110, 6, height=12), False),
        (body(100, 6, height=12, width=20), False),
        (body(100, 6, height=12, width=42), False),
        (body(100, 6, height=12, tilt_deg=28), False),
        (body(100, 10, height=14), True),  # the lower endplate at y = 17, upper at 3: not on the edge, yet 78 % as high
        (body(100, 12, height=10), False),  # from 7 to 17: whole, and little more than half as high
        (body(100, 2, height=4), False),  # 4 px seen: less than a quarter of 18
        (body(100, -6, height=18), False),  # 3 px
        (body(100, 0, height=24), False),  # a third higher
        (body(100, 12, height=24), False),  # its lower endplate below the other's upper
    ],
)
def test_of_a_body_cut_by_the_edge_the_lower_endplate_tells(other, goes_on):
    points = np.stack([other, *LOW])
    assert (with_upper_end(points, np.array([0.06, 0.9, 0.9, 0.9, 0.9]), [1, 2, 3, 4], VERTEBRA6)[0] == 0) is goes_on


def test_a_cut_body_is_left_where_it_is_hardly_seen_and_a_whole_one_is_not():
    """The same bodies with 0.04: the one of 12 px ends at the edge, the other is 17 px high and 1 px below it."""
    for other, kept in ((body(100, 6, height=12), False), (body(100, 9.5, height=17), True)):
        points = np.stack([other, *LOW])
        assert (with_upper_end(points, np.array([0.04, 0.9, 0.9, 0.9, 0.9]), [1, 2, 3, 4], VERTEBRA6)[0] == 0) is kept


@pytest.mark.parametrize(
    ("top", "bottom", "fits"),
    [(-8.0, 16.0, False), (-7.0, 16.0, True), (0.0, 16.0, True), (1.3, 16.0, True), (1.6, 16.0, False),
     (0.0, 21.1, False), (0.0, 20.9, True), (0.0, 10.3, True), (0.0, 10.1, False)],
)  # fmt: skip
def test_a_body_that_the_edge_cuts_lies_at_the_edge_and_on_a_disc(top, bottom, fits):
    """Above one 18 px high whose upper side is at 21: the edge is as near as 0.08 of that, 1.4 px; it is less than 1.3
    times as high, 23.4 px; and the disc has at most 0.6, 10.8 px."""
    cut = body(100, (top + bottom) / 2, height=bottom - top)
    assert hangs(cut, body(100, 30), VERTEBRA6) == fits


def test_the_way_to_the_edge_goes_on_as_the_two_highest_bodies_lie():
    """From y = 70 along (-10, -25) it is 75.4 px, more than four heights of 18; straight up it would be 70."""
    column = np.stack([body(100, 70), body(110, 95), body(100, 120), body(90, 45)])
    scores = np.array([0.9, 0.9, 0.9, 0.5])
    assert with_upper_end(column, scores, [0, 1, 2], VERTEBRA6) == [0, 1, 2]
    column[1] = body(105, 95)  # 71.4 px
    column[3] = body(95, 45)
    assert with_upper_end(column, scores, [0, 1, 2], VERTEBRA6) == [3, 0, 1, 2]
