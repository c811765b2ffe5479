import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from spinetk.report.layout import nice_length, spread

boxes = st.lists(st.tuples(st.floats(-50, 1200), st.floats(1, 60)), min_size=1, max_size=30)


@settings(max_examples=200, deadline=None)
@given(boxes)
def test_boxes_never_overlap_and_keep_their_order(entries):
    wished, sizes = np.array([e[0] for e in entries]), np.array([e[1] for e in entries])
    placed = spread(wished, sizes, 0, 1000)
    order = np.argsort(placed, kind="stable")
    assert (np.diff(wished[order]) >= 0).all()
    edges = np.diff(placed[order]) - (sizes[order][1:] + sizes[order][:-1]) / 2
    assert (edges >= -1e-6).all()
    assert (placed - sizes / 2).min() >= -1e-6
    if sizes.sum() <= 1000:
        assert (placed + sizes / 2).max() <= 1000 + 1e-6


def test_boxes_with_room_stay_where_they_were_wished():
    assert spread([100, 300, 200], [20, 20, 20], 0, 400).tolist() == [100, 300, 200]


def test_displacement_is_least():
    wished, sizes = np.array([50.0, 52, 55, 120]), np.full(4, 20.0)
    placed = spread(wished, sizes, 0, 400)
    best = minimize(
        lambda y: ((y - wished) ** 2).sum(),
        x0=[0, 50, 100, 150],
        constraints={"type": "ineq", "fun": lambda y: np.diff(y) - 20},
    )
    assert placed == pytest.approx(best.x, abs=1e-3)


def test_nothing_to_place():
    assert len(spread([], [], 0, 10)) == 0


@pytest.mark.parametrize(("longest", "length"), [(7, 5), (10, 10), (49.9, 20), (0.3, 0.2), (1999, 1000)])
def test_nice_length(longest, length):
    assert nice_length(longest) == pytest.approx(length)
