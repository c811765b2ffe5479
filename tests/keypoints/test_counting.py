"""How sure counts are: hand-worked numbers, and weights fitted to outcomes of a known logistic function."""

import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.keypoints.calibration import Counted, fit_counting
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.counting import Count, Counting, evidence
from spinetk.keypoints.level_decoding import shifted

LEVELS = [*(f"T{n}" for n in range(1, 13)), *(f"L{n}" for n in range(1, 6))]


def test_votes_are_compared_with_both_neighbours():
    """Two bodies, levels 1 and 2 of 4: higher means levels 0 and 1, lower 2 and 3; -100 counts as the floor, -8."""
    votes = np.array([[-1.0, 0.0, -2.0, -3.0], [-4.0, -100.0, -0.5, 0.0]])
    assert shifted(votes, np.array([1, 2])) == pytest.approx((-0.5 - (-1 - 8), -0.5 - (-2 + 0)))


def test_beyond_the_last_level_lies_the_floor():
    votes = np.array([[-8.0, 0.0]])
    assert shifted(votes, np.array([1])) == pytest.approx((8.0, 8.0))


def test_evidence_is_that_of_the_weaker_side_and_the_weakest_body():
    seen = evidence((36.0, 18.0), np.array([0.9, 0.4, 0.8]), np.array([0.5, 0.7]))
    assert seen == pytest.approx((0.25, 0.4, 0.6))


def test_probability_is_logistic():
    counting = Counting((2.0, 1.0, 0.0), -1.0)
    assert counting.probability((0.5, 1.0, 0.3)) == pytest.approx(1 / (1 + np.exp(-1)))


@pytest.mark.parametrize(
    ("levels", "foot", "said"),
    [
        (LEVELS, (3.0, 9.0), "T1 to L5 (probability 0.71) or C7 to L4"),
        (LEVELS, (9.0, 3.0), "T1 to L5 (probability 0.71) or T2 to S1"),
        (LEVELS[:16], (9.0, 3.0), "T1 to L4 (probability 0.71) or T2 to L5"),
    ],
)
def test_the_remark_names_the_two_likeliest_counts(levels, foot, said):
    assert said in Count(levels, foot, (0.1, 0.1, 0.1)).remark(0.71)


def films(weights, intercept, count, seed=0):
    """Outcomes drawn with the probability of a logistic function."""
    chance = np.random.default_rng(seed)
    seen = chance.uniform(0, 1, (count, 3))
    sure = 1 / (1 + np.exp(-(seen @ weights + intercept)))
    right = chance.uniform(size=count) < sure
    return [
        Counted(str(k), str(k), "as it is", tuple(own), 17, 17 if good else 0, 0 if good else 1, 17, 0, True)
        for k, (own, good) in enumerate(zip(seen, right, strict=True))
    ]


def test_a_network_may_count_necks():
    """C1 to C7, which was none of the levels that counts know: a gap between neighbours skips one, and the remark holds
    that nothing lies above C1 but the occiput."""
    neck = Count([f"C{n}" for n in range(1, 8)], (1.0, 2.0), (0.5, 0.5, 0.5))
    assert neck.skips([2])
    assert not Count(["C3", "C5"]).skips([0])
    assert "C1 to C7 (not calibrated) or occiput to C6" in neck.remark(None)


def test_a_network_may_know_transitional_levels():
    """They were none of the levels that counts know. T12 and L1 are neighbours where T13 is not counted."""
    known = [*LEVELS[:12], "T13", *LEVELS[12:], "L6"]
    count = Count(known, (9.0, 3.0), (0.5, 0.5, 0.5), known)
    assert "T1 to L6 (not calibrated) or T2 to S1" in count.remark(None)
    assert count.skips([12])
    thoracic = Count(known[:13], (9.0, 3.0), (0.5, 0.5, 0.5), known)
    assert "T1 to T13 (not calibrated) or T2 to L1" in thoracic.remark(None)
    assert not Count(["T12", "L1"], known=known).skips([0])
    assert Count(["T12", "L1"], known=LEVELS).skips([0])


@pytest.mark.parametrize(
    "levels", [("Th12", "L1"), ("L1", "T12"), ("T11", "L1"), ("L1", "L1"), ("L4", "L5", "L6", "S2"), ("L1", "Th12")]
)
def test_levels_that_no_spine_has_in_this_order_are_refused(levels):
    with pytest.raises(InputError, match="do not follow each other along a spine"):
        CentrePreset("own", (128,), 128, levels=levels)
    for own in ((), ("L5", "S1"), ("T12", "T13", "L1"), ("T12", "L1"), ("L5", "L6", "S1"), ("C1", "C2")):
        assert CentrePreset("own", (128,), 128, levels=own).levels == own


def test_fitted_weights_are_those_that_made_the_outcomes():
    fitted = fit_counting(films([6.0, 2.0, 0.0], -3.0, 20_000))
    assert fitted.weights == pytest.approx((6.0, 2.0, 0.0), abs=0.25)
    assert fitted.intercept == pytest.approx(-3.0, abs=0.2)


def test_evidence_never_counts_against_a_name():
    fitted = fit_counting(films([6.0, -4.0, 0.0], -1.0, 2_000))
    assert fitted.weights[0] > 0
    assert fitted.weights[1] == 0


def test_a_few_films_or_one_kind_of_outcome_fit_nothing():
    assert fit_counting(films([6.0, 2.0, 0.0], -3.0, 19)) is None
    assert fit_counting(films([0.0, 0.0, 0.0], 99.0, 100)) is None
