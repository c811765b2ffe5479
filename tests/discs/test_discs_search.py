"""Searches against brute force; peaks against Gaussians; the clean-up against its conditions."""

import itertools

import numpy as np
import pytest

from spinetk.discs.candidates import Candidates, find_peaks
from spinetk.discs.cleanup import clean
from spinetk.discs.search import Column, best_chain
from spinetk.discs.skeleton import mean_skeleton, nearest_to_skeleton, normalised
from spinetk.discs.target import level_heatmaps
from spinetk.errors import InputError

LEVELS = tuple(range(3, 14))
COLUMN = Column(LEVELS, np.tile([1.0, 16.0], (10, 1)), np.tile([4.0, 3.0], (10, 1)))


def mean_points(count=11, scale=1.0, at=(40.0, 20.0)):
    return {n: (at[0] + i * scale, at[1] + 16 * i * scale) for i, n in enumerate(LEVELS[:count])}


# The published search.


def random_columns(random, count=20):
    y = np.cumsum(random.uniform(12, 20, (count, 11)), axis=1)
    return [np.column_stack([40 + 5 * np.sin(row / 50) + random.normal(0, 1, 11), row]) for row in y]


def test_mean_skeleton_by_hand():
    first = np.array([[0.0, 0], [0, 2], [0, 4], [0, 6], [0, 8], [0, 12]])
    second = np.array([[5.0, 5], [5, 6], [5, 7], [5, 8], [5, 9]])
    mean = mean_skeleton([first, second, first[:3]])
    assert mean[:, 1].tolist()[:6] == [0, 0.25, 0.5, 0.75, 1, 1.5]
    assert np.isnan(mean[6:]).all()


@pytest.mark.parametrize("seed", range(8))
def test_published_search_has_the_optimum_of_brute_force(seed):
    random = np.random.default_rng(seed)
    mean = mean_skeleton(random_columns(random))
    truth = random_columns(random, 1)[0][: random.integers(5, 8)]
    candidates = [
        np.concatenate([truth[k : k + 1] + random.normal(0, 2, 2), random.uniform(0, 120, (random.integers(0, 4), 2))])
        for k in range(len(truth))
    ]
    costs = {
        choice: np.linalg.norm(mean[: len(truth)] - normalised([c[i] for c, i in zip(candidates, choice, strict=True)]))
        for choice in itertools.product(*(range(len(c)) for c in candidates))
    }
    best = min(costs, key=costs.get)
    chosen, cost = nearest_to_skeleton(candidates, mean)
    assert tuple(chosen) == best
    assert cost == pytest.approx(costs[best])


# The search of this toolkit.


def worth_of(chain, candidates, column, threshold, scale):
    """Recomputed from the definition, step by step."""
    total = sum(10 * (candidates.scores[i] - threshold) for i in chain) - 0.5 * (np.log(scale) / 0.15) ** 2
    for i, j in itertools.pairwise(chain):
        a, b = candidates.channel[i], candidates.channel[j]
        if b <= a:
            return -np.inf
        wanted = scale * column.steps_mm[a:b].sum(axis=0)
        variance = (scale**2 * column.spread_mm[a:b] ** 2).sum(axis=0)
        unlike = candidates.points[j] - candidates.points[i] - wanted
        total -= 0.5 * (unlike**2 / variance).sum() + 2.0 * (b - a - 1)
    return total


@pytest.mark.parametrize("seed", range(10))
def test_chain_has_the_optimum_of_brute_force(seed):
    random = np.random.default_rng(seed)
    count = 9
    channel = np.sort(random.integers(0, 6, count))
    points = np.array(list(mean_points().values()))[channel] + random.normal(0, 6, (count, 2))
    candidates = Candidates(channel, points, random.uniform(0.1, 1, count))
    scales = (0.9, 1.0, 1.2)
    best = max(
        worth_of(chain, candidates, COLUMN, 0.3, scale)
        for scale in scales
        for size in range(1, count + 1)
        for chain in itertools.combinations(range(count), size)
    )
    chain, worth = best_chain(candidates, COLUMN, threshold=0.3, scales=scales)
    assert worth == pytest.approx(max(best, 0))
    if len(chain):
        assert max(worth_of(chain, candidates, COLUMN, 0.3, s) for s in scales) == pytest.approx(best)


def test_column_costs_nothing_itself_wherever_it_is_and_at_its_scale():
    assert COLUMN.cost(mean_points()) == pytest.approx(0)
    assert COLUMN.cost(mean_points(at=(-9.0, 300.0))) == pytest.approx(0)
    assert COLUMN.cost(mean_points(scale=1.2), 1.2) == pytest.approx(0)
    assert COLUMN.cost(mean_points(scale=1.2)) > 1


@pytest.mark.parametrize("present", [11, 8, 3, 1])
def test_a_hundred_false_positives_are_left_aside(present):
    """No number of discs is given, and the first and fifth disc may be out of the picture."""
    random = np.random.default_rng(present)
    shown = list(mean_points().items())[-present:]
    true = np.array([p for _, p in shown])
    channel = np.array([LEVELS.index(n) for n, _ in shown])
    false = random.uniform((0, 0), (80, 200), (100, 2))
    candidates = Candidates(
        np.concatenate([channel, random.integers(0, 11, 100)]),
        np.concatenate([true, false]),
        np.concatenate([np.full(present, 0.9), random.uniform(0.1, 0.4, 100)]),
    )
    chain, _ = best_chain(candidates, COLUMN, threshold=0.45)
    assert chain.tolist() == list(range(present))


def test_published_search_asks_for_one_nearest_candidate_per_pair_and_disc(monkeypatch):
    """Ten false positives a disc: 121 pairs of a first and a fifth, nine discs, where trying everything is 11^11."""
    import scipy.spatial

    asked = []

    class Counting(scipy.spatial.KDTree):
        def query(self, x, *args, **kwargs):
            asked.append(len(x))
            return super().query(x, *args, **kwargs)

    monkeypatch.setattr(scipy.spatial, "KDTree", Counting)
    random = np.random.default_rng(0)
    mean = mean_skeleton(random_columns(random))
    truth = random_columns(random, 1)[0]
    candidates = [np.concatenate([truth[k : k + 1], random.uniform(0, 200, (10, 2))]) for k in range(11)]
    nearest_to_skeleton(candidates, mean)
    assert asked == [121] * 9


def test_a_shifted_disc_is_replaced_by_a_plausible_weaker_one():
    points = mean_points(6)
    channel = np.array([0, 1, 2, 2, 3, 4, 5])
    wrong = (points[5][0], points[5][1] + 40)
    xy = np.array([points[3], points[4], wrong, points[5], points[6], points[7], points[8]])
    chain, _ = best_chain(Candidates(channel, xy, np.array([0.9, 0.9, 0.9, 0.5, 0.9, 0.9, 0.9])), COLUMN)
    assert chain.tolist() == [0, 1, 3, 4, 5, 6]


def test_a_missing_level_is_leapt_over():
    points = [p for n, p in mean_points(6).items() if n != 5]
    channel = np.array([0, 1, 3, 4, 5])
    chain, _ = best_chain(Candidates(channel, np.array(points), np.full(5, 0.8)), COLUMN)
    assert chain.tolist() == [0, 1, 2, 3, 4]


def test_no_candidate_and_no_worthy_candidate_give_no_disc():
    nothing = find_peaks(np.zeros((11, 20, 20)))
    assert len(best_chain(nothing, COLUMN)[0]) == 0
    weak = Candidates(np.array([2]), np.array([[5.0, 5.0]]), np.array([0.2]))
    assert len(best_chain(weak, COLUMN)[0]) == 0


def test_column_is_learnt_from_those_who_have_both_discs():
    subjects = [
        {20: (0.0, 0.0), 21: (1.0, 30.0)},
        {21: (0.0, 0.0), 22: (2.0, 36.0)},
        {21: (5.0, 5.0), 22: (23.0, 41.0)},
    ]
    column = Column.learn(subjects, (22, 20, 21, 23))
    assert column.levels == (20, 21, 22, 23)
    assert column.steps_mm.tolist()[:2] == [[1, 30], [10, 36]]
    assert column.steps_mm[2].tolist() == [5.5, 33]
    assert column.spread_mm.tolist()[:2] == [[4, 3], [8, 3]]
    again = Column.from_json(column.to_json())
    assert np.allclose(again.steps_mm, column.steps_mm)
    with pytest.raises(InputError, match="malformed"):
        Column.from_json({**column.to_json(), "levels": [1]})


# Peaks.


def test_peaks_of_gaussians_are_found_between_pixels():
    truth = {3: (20.3, 40.8), 4: (31.5, 70.1), 6: (12.05, 12.45)}
    maps, _ = level_heatmaps(truth, (3, 4, 5, 6), (100, 64))
    found = find_peaks(maps)
    assert found.channel.tolist() == [0, 1, 3]
    assert np.allclose(found.points, list(truth.values()), atol=0.01)


def test_equal_neighbours_are_one_peak_and_weak_ones_none():
    heat = np.zeros((1, 30, 30), np.float32)
    heat[0, 10:12, 5:7] = 0.8
    heat[0, 25, 25] = 0.05
    found = find_peaks(heat)
    assert found.points.tolist() == [[6.0, 11.0]]
    assert find_peaks(np.zeros((2, 8, 8))).points.shape == (0, 2)


def test_strongest_of_each_channel():
    candidates = Candidates(np.array([0, 0, 2]), np.zeros((3, 2)), np.array([0.3, 0.7, 0.5]))
    assert candidates.strongest().tolist() == [1, 2]


# The clean-up.


def test_clean_up_conditions():
    column = [(50.0, 20.0 * i) for i in range(1, 8)]
    kept = clean(np.array([*column, (70.0, 50.0)]))  # 20 mm beside the column
    assert [k.tolist() for k in kept] == [[i] for i in range(7)]
    kept = clean(np.array([*column, (52.0, 64.0)]))  # 4 mm below the third: the same disc
    assert [k.tolist() for k in kept][2] == [2, 7]
    # Gaps of 35 before and 12 after the fourth, where 42.5 is usual.
    kept = clean(np.array([(50, 0), (50, 50), (50, 100), (50, 135), (50, 147), (50, 200), (50, 250.0)]))
    assert [int(k[0]) for k in kept] == [0, 1, 2, 4, 5, 6]
    assert clean(np.zeros((0, 2))) == []


def test_clean_up_merges_runs_of_twenty_at_most():
    heights = [0, 9, 18, 27]
    assert [k.tolist() for k in clean(np.array([(5.0, h) for h in heights]))] == [[0, 1, 2], [3]]
