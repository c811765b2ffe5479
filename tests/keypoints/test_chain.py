import numpy as np
import pytest

from spinetk.keypoints.chain import body_axes, find_chain, find_gaps
from spinetk.schema import VERTEBRA4, VERTEBRA6, schema_for_names


def body(x: float, y: float, width: float = 40, height: float = 30) -> np.ndarray:
    """Six points of an upright body centred at (x, y)."""
    w, h = width / 2, height / 2
    return np.array([[x - w, y + h], [x, y + h], [x + w, y + h], [x + w, y - h], [x, y - h], [x - w, y - h]])


def column(count: int = 8, step: float = 40) -> np.ndarray:
    return np.stack([body(100 + 15 * np.sin(i / 2), 50 + step * i) for i in range(count)])


def test_axis_and_width_of_a_body():
    """Columns of 30, 20 and 40 px, the outer ones' middles at (-20, 0) and (20, 5): a width of sqrt(1625)."""
    points = body(0, 0) + np.array([[0, 0], [0, -5], [0, 10], [0, 0], [0, 5], [0, 0]])
    axes, widths = body_axes(np.stack([points, 2 * points + (100, 7)]), VERTEBRA6)
    np.testing.assert_allclose(axes, [[0, 30], [0, 60]])
    np.testing.assert_allclose(widths, [np.sqrt(1625), 2 * np.sqrt(1625)])
    turned = points @ np.array([[0.0, -1.0], [1.0, 0.0]])  # (x, y) becomes (y, -x)
    axes, widths = body_axes(turned[None], VERTEBRA6)
    np.testing.assert_allclose(axes, [[30, 0]])
    np.testing.assert_allclose(widths, [np.sqrt(1625)])


@pytest.mark.parametrize("angle", [0, 30, -40])
def test_order_is_head_to_foot_whatever_the_tilt(angle):
    turn = np.deg2rad(angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shuffled = np.random.default_rng(1).permutation(8)
    chain = find_chain((column() @ rotation.T)[shuffled], np.full(8, 0.9), VERTEBRA6)
    assert shuffled[chain].tolist() == list(range(8))
    assert find_gaps(column(), VERTEBRA6) == []


def test_no_vertebra_twice_and_the_better_one_stays():
    points = np.concatenate([column(), column()[[2, 5]] + (3, 8)])
    scores = np.r_[np.full(8, 0.8), 0.7, 0.9]
    assert find_chain(points, scores, VERTEBRA6).tolist() == [0, 1, 2, 3, 4, 9, 6, 7]


def test_a_box_beside_the_column_is_left_out():
    points = np.concatenate([column(), [body(260, 190)]])
    assert find_chain(points, np.full(9, 0.9), VERTEBRA6).tolist() == list(range(8))


def test_the_next_body_lies_below_not_far_aside():
    """Half to the side, 200 px of 40 that a body is wide: no step goes there, however sure what is there."""
    points = np.stack([*(body(100, 50 + 40 * k) for k in range(4)), body(300, 370), body(300, 410)])
    assert find_chain(points, np.array([0.6] * 4 + [0.9] * 2), VERTEBRA6).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(("step", "both"), [(16.6, True), (16.4, False)])
def test_a_step_of_less_than_055_heights_is_the_same_body(step, both):
    points = np.stack([body(100, 50), body(100, 50 + step)])
    assert find_chain(points, np.array([0.8, 0.9]), VERTEBRA6).tolist() == ([0, 1] if both else [1])


def test_a_missing_vertebra_is_a_gap():
    points = column()[[0, 1, 2, 4, 5, 6]]
    chain = find_chain(points, np.full(6, 0.9), VERTEBRA6)
    assert chain.tolist() == list(range(6))
    assert find_gaps(points, VERTEBRA6) == [2]


def test_few_or_none():
    assert find_chain(np.zeros((0, 6, 2)), np.zeros(0), VERTEBRA6).tolist() == []
    assert find_chain(column(1), np.array([0.3]), VERTEBRA6).tolist() == [0]
    assert find_gaps(column(1), VERTEBRA6) == []


def test_corner_schema_and_a_schema_without_columns():
    corners = column()[:, [5, 3, 0, 2]]
    assert find_chain(corners[::-1], np.full(8, 0.9), VERTEBRA4).tolist() == list(range(7, -1, -1))
    plain = schema_for_names(["a", "b", "c", "d"])
    assert find_chain(corners[::-1], np.full(8, 0.9), plain).tolist() == list(range(7, -1, -1))


def test_collapsed_points_do_not_crash():
    points = np.zeros((3, 6, 2))
    assert len(find_chain(points, np.array([0.5, 0.6, 0.7]), VERTEBRA6)) == 1
