"""Columns with levels: hand-made spines."""

import numpy as np
import pytest

from spinetk.keypoints.level_decoding import contenders, find_sequence, fits_between, missing_levels, rough_points
from spinetk.schema import VERTEBRA4

LEVELS = 17


def spine(count=LEVELS, bend=0.0):
    """(count, 4, 2) bodies 30 px high, 50 px wide, 40 px apart, on a line that leans by ``bend`` px a step."""
    corners = np.array([[-25, -15], [25, -15], [-25, 15], [25, 15]], dtype=float)
    return np.stack([corners + (100 + bend * k, 40 + 40 * k) for k in range(count)])


def votes(levels, sharp=1.4):
    """(N, 17) log-probabilities that fall off from the given levels."""
    logits = -sharp * (np.arange(LEVELS) - np.asarray(levels, dtype=float)[:, None]) ** 2
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def test_a_whole_spine_in_any_order():
    shuffled = np.random.default_rng(0).permutation(LEVELS)
    found = find_sequence(spine(bend=4.0)[shuffled], np.full(LEVELS, 0.9), votes(shuffled), VERTEBRA4)
    assert shuffled[found.order].tolist() == list(range(LEVELS))
    assert found.levels.tolist() == list(range(LEVELS))
    assert found.margin > 20


def test_the_column_outvotes_single_mistakes():
    said = np.arange(LEVELS)
    said[[3, 8, 9]] += 1
    found = find_sequence(spine(), np.full(LEVELS, 0.9), votes(said), VERTEBRA4)
    assert found.levels.tolist() == list(range(LEVELS))


def test_a_missing_body_leaves_its_level_free():
    rows = [k for k in range(LEVELS) if k != 6]
    found = find_sequence(spine()[rows], np.full(16, 0.9), votes(rows), VERTEBRA4)
    assert found.levels.tolist() == rows
    assert missing_levels(list(found.levels), LEVELS) == [6]
    rough = rough_points(spine()[rows], found.levels, 6)
    np.testing.assert_allclose(rough, spine()[6])


def test_what_is_beside_the_column_or_twice_is_left_out():
    beside = spine(2) + (120, 200)
    twice = spine()[5:6] + (2, 8)
    points = np.concatenate([spine(), beside, twice])
    scores = np.r_[np.full(LEVELS, 0.8), 0.9, 0.9, 0.6]
    found = find_sequence(points, scores, votes([*range(LEVELS), 4, 5, 5]), VERTEBRA4)
    assert found.order.tolist() == list(range(LEVELS))


def test_a_neighbour_of_the_spine_that_looks_like_its_end_is_left_out():
    """Eighteen bodies for seventeen levels: the votes say which end is too much."""
    points = spine(LEVELS + 1)
    found = find_sequence(points, np.full(LEVELS + 1, 0.8), votes([*range(LEVELS), LEVELS - 1]), VERTEBRA4)
    assert found.order.tolist() == list(range(LEVELS))


def test_votes_that_say_nothing_give_no_margin():
    flat = np.full((5, LEVELS), -np.log(LEVELS))
    assert find_sequence(spine(5), np.full(5, 0.9), flat, VERTEBRA4).margin == pytest.approx(0)
    assert len(find_sequence(spine(0 + 1)[:0], np.zeros(0), np.zeros((0, LEVELS)), VERTEBRA4).order) == 0


def test_ends_are_extrapolated_outwards():
    assert missing_levels([2, 3, 5], 7) == [4, 1, 0, 6]
    rough = rough_points(spine()[2:4], np.array([2, 3]), 1)
    np.testing.assert_allclose(rough, spine()[1])
    rough = rough_points(spine()[2:4], np.array([2, 3]), 4)
    np.testing.assert_allclose(rough, spine()[4])


def test_a_body_must_have_the_size_and_distance_of_its_neighbours():
    bodies = spine(3)
    assert fits_between(bodies[1], bodies[[0, 2]], VERTEBRA4)
    assert not fits_between(bodies[1] + (0, 30), bodies[[0, 2]], VERTEBRA4)
    tiny = bodies[1].mean(0) + 0.5 * (bodies[1] - bodies[1].mean(0))
    assert not fits_between(tiny, bodies[[0, 2]], VERTEBRA4)


def test_a_weak_detection_is_looked_at_where_it_may_fill_a_gap():
    """One between two neighbours (a disc) is not, nor one beyond an end; the same score in a gap is."""
    rows = [0, 1, 2, 4, 5]
    disc, missing, beyond = spine(1) + (0, 20), spine(4)[3:], spine(7)[6:]
    points = np.concatenate([spine(6)[rows], disc, missing, beyond])
    scores = np.array([0.9] * 5 + [0.2] * 3)
    assert contenders(points, scores, VERTEBRA4).tolist() == [True] * 5 + [False, True, False]
    found = find_sequence(points, scores, np.zeros((8, LEVELS)), VERTEBRA4)
    assert set(found.order.tolist()) <= set(np.flatnonzero(contenders(points, scores, VERTEBRA4)).tolist())
    assert contenders(points, np.full(8, 0.2), VERTEBRA4).all()  # nothing is sure: all are looked at


@pytest.mark.parametrize("seed", range(20))
def test_what_is_not_looked_at_would_not_have_been_chosen(seed):
    """Spines with bodies missing, doubled and invented, of any scores."""
    rng = np.random.default_rng(seed)
    bodies = spine(bend=3.0)[rng.random(LEVELS) < 0.85]
    others = spine(1) + np.stack([rng.uniform(0, 160, 12), rng.uniform(-40, 700, 12)], -1)[:, None]
    points = np.concatenate([bodies, others]) + rng.normal(0, 1, (len(bodies) + 12, 4, 2))
    scores = np.concatenate([rng.uniform(0.15, 1, len(bodies)), rng.uniform(0.02, 0.5, 12)])
    kept = np.flatnonzero(contenders(points, scores, VERTEBRA4))
    nothing = np.zeros((len(points), LEVELS))
    whole = find_sequence(points, scores, nothing, VERTEBRA4)
    part = find_sequence(points[kept], scores[kept], nothing[kept], VERTEBRA4)
    assert kept[part.order].tolist() == whole.order.tolist()
