"""What speaks for names counted up from the sacrum, by hand-made columns, and the probability that it becomes."""

import numpy as np
import pytest

from spinetk.keypoints.calibration import fit_naming
from spinetk.keypoints.naming import UNSEEN_HIPS, Evidence, Naming, evidence, seat_of
from spinetk.landmark import Landmark
from spinetk.measure.lumbar_shape import log_odds
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

LOWEST = np.array([[80, 125], [100, 125], [120, 125], [120, 100], [100, 100], [80, 100]], float)  # 40 wide, 25 high


def film(
    turn_deg: float = 14.0, down: float = 9.0, aside: float = 0.0, hips: tuple = (), score: float = 0.8
) -> Reading:
    """A body whose lower side ends at y = 125, an endplate 36 px wide turned and moved from it, and femoral heads."""
    angle = np.radians(turn_deg)
    half = 18 * np.array([np.cos(angle), np.sin(angle)])
    middle = np.array([100 + aside, 125 + down])
    landmarks = [Landmark("s1", np.stack([middle - half, middle + half]), None, 0.7)]
    landmarks += [Landmark("femoral_head", middle[None] + own, 22.0, 0.9) for own in hips]
    body = Vertebra.from_points(LOWEST, score=score)
    return Reading("film.png", 400, 200, VERTEBRA6, [body], view="lateral", landmarks=landmarks)


def test_the_seat_is_measured_along_and_across_the_body():
    """9 px below a body 25 px high: 0.36 of it; 6 px aside of 40: 0.15; turned by 14 degrees."""
    reading = film(aside=6)
    seat = seat_of(reading, reading.landmarks[0])
    assert (seat.along, seat.sideways, seat.wedge_deg) == pytest.approx((0.36, 0.15, 14.0))


@pytest.mark.parametrize(
    ("changed", "usual"),
    [
        ({}, 1.0),
        ({"aside": 6}, np.exp(-0.5)),  # one standard deviation
        ({"down": 14}, np.exp(-0.5)),
        ({"turn_deg": 38}, np.exp(-2)),  # two
        ({"turn_deg": -10, "down": 4}, np.exp(-5 / 9)),  # the angle has no sign: a third of one, and one
    ],
)
def test_an_unusual_seat_speaks_less_for_the_names(changed, usual):
    reading = film(**changed)
    assert evidence(reading, reading.landmarks[0])[:3] == pytest.approx((0.7, 0.8, usual))


def test_femoral_heads_speak_by_their_distance_from_the_endplate():
    """3.05 widths of 36 px are 109.8; 18 px farther are a standard deviation. Two heads count by their middle."""
    for hips, expected in (
        ((), UNSEEN_HIPS),
        (((0, 109.8),), 1.0),
        (((-20, 109.8), (20, 109.8)), 1.0),
        (((0, 127.8),), np.exp(-0.5)),
        (((0, 55.8),), np.exp(-4.5)),
    ):
        reading = film(hips=hips)
        assert evidence(reading, reading.landmarks[0]).hips == pytest.approx(expected)


def test_evidence_becomes_a_probability():
    assert Naming((2.0, 1.0, 0.0, 1.0), -1.5).chance(Evidence(0.7, 0.8, 1.0)) == pytest.approx(1 / (1 + np.exp(-1.2)))


def test_a_card_of_fewer_weights_weighs_the_first_of_the_evidence():
    seen = Evidence(0.7, 0.8, 1.0, 0.5, 0.1, 0.0)
    for weights, logit in (
        ((2.0, 1.0, 0.0, 1.0), 1.2),
        ((2.0, 1.0, 0.0, 1.0, 1.0, 1.0), 1.3),
    ):
        assert Naming(weights, -1.5).chance(seen) == pytest.approx(1 / (1 + np.exp(-logit)))


def test_a_body_below_the_endplate_speaks_against_its_names():
    """36 px wide and level: a body whose upper side it is has its centre 3.6 to 39.6 px below, 21.6 aside at most."""
    reading = film(turn_deg=0)
    sacral = reading.landmarks[0]
    middle = sacral.points.mean(axis=0)

    def alone(*others: tuple[float, float, float]) -> float:
        points = np.array([np.tile(middle + (x, y), (6, 1)) for x, y, _ in others]).reshape(-1, 6, 2)
        return evidence(reading, sacral, {"points": points, "scores": np.array([own[2] for own in others])}).free

    assert evidence(reading, sacral).free == 1
    assert alone() == 1
    assert alone((0, 20, 0.3), (10, 30, 0.1)) == pytest.approx(0.7)
    assert alone((0, -20, 0.9), (0, 2, 0.9), (0, 41, 0.9), (23, 20, 0.9), (20, 38, 0.25)) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("slope_deg", "bend", "agreement"), [(20, 1, 0.95), (-20, 1, 0.05), (20, -1, 0.05), (3, 1, 0.5)]
)
def test_an_endplate_that_hangs_to_where_the_spine_bends_speaks_for_its_names(slope_deg, bend, agreement):
    """Five bodies from -15 to 15 degrees: a full lordosis, believed with 0.9 on a film; its front is where they dip."""
    reading = film(turn_deg=slope_deg)
    middle = LOWEST.mean(axis=0)
    for k, tilt in enumerate(np.radians([-15, -7.5, 0, 7.5, 15]) * bend):
        turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
        points = (LOWEST - middle) @ turn + middle - [0, 35 * (4 - k)]
        reading.vertebrae[-1:] = [Vertebra.from_points(points, score=0.8), reading.vertebrae[-1]]
    del reading.vertebrae[-1]
    assert evidence(reading, reading.landmarks[0]).front == pytest.approx(agreement, abs=1e-6)


def test_weights_are_fitted_and_never_below_nothing():
    """Right where the seat is usual; the third of the films with an unusual one half wrong; the endplate's own score
    speaks against its names by chance, which no weight may follow."""
    random = np.random.default_rng(1)
    outcomes = []
    for k in range(240):
        poor = k % 3 == 0
        right = not poor or k % 2 == 0
        outcomes.append((Evidence(0.6 if right else 0.9, float(random.uniform(0.7, 1)), 0.1 if poor else 0.9), right))
    found = fit_naming(outcomes, "made up")
    assert min(found.weights) >= 0
    assert found.weights[0] == 0
    assert found.chance(Evidence(0.7, 0.9, 0.9)) > 0.97
    assert 0.35 < found.chance(Evidence(0.7, 0.9, 0.1)) < 0.65
    assert fit_naming(outcomes[:19]) is None


def test_all_right_is_not_certain():
    """60 of 60: 61 of 62 by Platt's targets."""
    seen = Evidence(0.9, 0.9, 0.9)
    assert fit_naming([(seen, True)] * 60).chance(seen) == pytest.approx(61 / 62, abs=0.002)


def column_on_s1(bends: tuple, view: str = "lateral") -> Reading:
    """Four bodies 40 wide and 30 high, turned against one another, above an endplate that hangs lower on the right."""
    corners = np.array([[-20, 15], [0, 15], [20, 15], [20, -15], [0, -15], [-20, -15]], float)
    vertebrae = []
    for k, tilt in enumerate(np.radians([0, *np.cumsum(bends)])):
        spin = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
        vertebrae.append(Vertebra.from_points(corners @ spin + (100, 50 + 44 * k), score=0.9))
    plate = Landmark("s1", np.array([[84.0, 200.0], [112.0, 222.0]]), None, 0.9)
    return Reading("film.png", 300, 200, VERTEBRA6, vertebrae, view=view, landmarks=[plate])


@pytest.mark.parametrize("bends", [(5.8, 9.8, 13.5), (2.0, 4.0, 8.0)])
def test_the_shape_of_the_lowest_bodies_speaks_by_its_own_odds(bends):
    """In lateral films, from the front that the endplate tells; a probability of p becomes o p / (o p + 1 - p)."""
    reading = column_on_s1(bends)
    seen = evidence(reading, reading.landmarks[0])
    assert seen.shape == log_odds(reading, "right") != 0
    naming = Naming((2.0, 1.0, 0.0, 0.0, 0.0, 0.0), -1.5)
    alone, odds = naming.chance(seen._replace(shape=0.0)), np.exp(seen.shape)
    assert naming.chance(seen) == pytest.approx(odds * alone / (odds * alone + 1 - alone))
    other = column_on_s1(bends, "sagittal")
    assert evidence(other, other.landmarks[0]).shape == 0


def test_weights_are_fitted_beside_the_odds_of_the_shape():
    """Half of the films right whatever was seen, but for the shape, which says 3 to 1 and 1 to 3 and is right so often:
    nothing is left for weights and intercept. Half of its log odds count: of 3 to 1 there remains its root to 1."""
    outcomes = []
    for k in range(240):
        shape = np.log(3) if k % 2 else -np.log(3)
        right = (k // 2) % 4 != 3 if k % 2 else (k // 2) % 4 == 3
        outcomes.append((Evidence(0.9 if k % 3 else 0.6, 0.9, 0.5, shape=shape), right))
    found = fit_naming(outcomes)
    for seen, expected in ((np.log(3), 0.634), (0.0, 0.5), (-np.log(3), 0.366)):
        assert found.chance(Evidence(0.9, 0.9, 0.5, shape=seen)) == pytest.approx(expected, abs=0.02)


def test_confidences_count_by_their_log_odds_where_a_card_says_so():
    """9 to 1 are halfway between even odds and 81 to 1; above 99 to 1 and below 1 to 99 nothing more counts."""
    seen = Evidence(0.9, 0.5, 0.3, 0.4, 0.8, 0.6, 0.1)
    half = np.log(9) / np.log(99) / 2
    assert seen.by_odds == pytest.approx((0.5 + half, 0.5, 0.3, 0.4, 0.8, 0.6, 0.5 - half))
    assert Evidence(0.9999, 0.0, 0.3).by_odds[:2] == pytest.approx((1.0, 0.0))
    weights = (2.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    for odds, first in ((True, 0.5 + half), (False, 0.9)):
        naming = Naming(weights, -1.0, odds=odds)
        assert naming.chance(seen) == pytest.approx(1 / (1 + np.exp(1 - 2 * first)))
