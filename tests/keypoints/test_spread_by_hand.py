"""What intervals are fitted on, worked by hand: how far a truth lies out, quantiles, errors of one body, factors."""

import numpy as np
import pytest

from spinetk.keypoints.quantities import Quantity, fit_scales, measured_truth, quantile, quantities
from spinetk.keypoints.spread import Errors, _kinds, coverage, errors, fit
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

BODY = np.array([[0, 30], [10, 30], [20, 30], [20, 10], [10, 10], [0, 10]], float) + (40, 20)


def reading(*bodies: np.ndarray, sigma: float | None = None) -> Reading:
    spread = None if sigma is None else np.full(6, sigma)
    vertebrae = [Vertebra.from_points(points, point_sigma_px=spread) for points in bodies]
    return Reading("film.png", 200, 100, VERTEBRA6, vertebrae, view="lateral")


@pytest.mark.parametrize(
    ("true", "off"), [(10.0, 0.0), (11.5, 0.5), (13.0, 1.0), (14.5, 1.5), (9.0, 0.5), (8.0, 1.0), (6.0, 2.0)]
)
def test_a_truth_lies_out_by_half_intervals_of_its_side(true, off):
    assert Quantity("a", "height", 10.0, 8.0, 13.0, true).off == off


def test_an_interval_without_width_holds_its_value_alone():
    assert Quantity("a", "height", 10.0, 10.0, 10.0, 10.0).off == 0
    assert Quantity("a", "height", 10.0, 8.0, 10.0, 10.1).off == np.inf


@pytest.mark.parametrize(("count", "rank"), [(10, 10), (19, 19), (20, 20), (39, 38), (40, 39), (100, 96)])
def test_the_quantile_is_that_of_split_conformal_prediction(count, rank):
    """The ceil(0.95 (n + 1))-th of n values, or the greatest."""
    values = np.random.default_rng(0).permutation(np.arange(1, count + 1))
    assert quantile(values) == rank


def test_a_scale_needs_forty_values_of_five_patients():
    """Values 0.1, 0.2 ... 4.0, of which the 39th counts; one without width says nothing."""

    def seen(count: int, patients: int, kind: str = "disc_height") -> list:
        return [(f"p{k % patients}", Quantity("a", kind, 0.0, -1.0, 1.0, 0.1 * (k + 1))) for k in range(count)] + [
            ("p0", Quantity("a", kind, 0.0, 0.0, 0.0, 1.0))
        ]

    assert fit_scales(seen(40, 5)) == {"disc_height": 3.9}
    assert fit_scales(seen(39, 5)) == {}
    assert fit_scales(seen(40, 4)) == {}
    both = seen(40, 5) + seen(40, 5, "cobb_max")
    assert fit_scales(both) == {"disc_height": 3.9, "cobb_max": 3.9}


def test_errors_of_one_body():
    """Columns of 24, 20 and 20 px beside 20 each: shares of their mean, 64 / 3 px. The corner lies 4 px too low."""
    found = BODY.copy()
    found[0, 1] += 4
    seen = errors([(reading(found, sigma=2.0), reading(BODY))], VERTEBRA6)
    size = 64 / 3
    np.testing.assert_allclose(seen.along, [[-4 / size, 0, 0, 0, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(seen.sigma, [[2 / size] * 6])
    names = list(VERTEBRA6.columns)
    np.testing.assert_allclose(seen.height[0], [4 / size if name == "left" else 0 for name in names], atol=1e-12)
    left = names.index("left")
    factors = np.array([3.0, 1, 1, 1, 1, 1])
    assert seen.height_sigma(factors)[0, left] == pytest.approx(2 / size * np.sqrt(10))
    # Half intervals of 1.96 sqrt(2) 2 = 5.54 px hold 4, those of half as much do not.
    assert coverage(seen) == pytest.approx((1.0, 1.96 * np.sqrt(2) * 2 / size))
    assert coverage(seen, np.full(6, 0.5)) == pytest.approx((2 / 3, 1.96 * np.sqrt(2) / size))


@pytest.mark.parametrize(("count", "known"), [(30, True), (29, False)])
def test_factors_are_the_points_errors_and_then_what_the_heights_ask(count, known):
    """Points off by once (the first by twice) what was said, heights by 0.5 of their 95 % intervals made of that."""
    sign = np.where(np.arange(count) % 2, 1.0, -1.0)[:, None]
    columns = np.array([[5, 0], [4, 1], [3, 2]])
    sigma = np.full((count, 6), 0.1)
    along = 0.1 * sign * np.array([2.0, 1, 1, 1, 1, 1])
    height = 0.5 * 1.96 * 0.1 * np.sqrt([1 + 4, 2, 2]) * np.ones((count, 1))
    factors = fit(Errors(along, sigma, height, columns))
    assert (factors is not None) == known
    if known:
        np.testing.assert_allclose(factors, [1.0, 0.5, 0.5, 0.5, 0.5, 0.5])


def test_quantities_are_shares_of_the_true_body():
    """Bodies 22 px high where 20 are true, 30 px from one another: discs of 8 px for 10, that is 40 % for 50 %."""
    truth = [BODY + (0, 30 * k) for k in range(4)]
    found = [(body - body.mean(axis=0)) * (1, 1.1) + body.mean(axis=0) for body in truth]
    rows = list(quantities(reading(*found, sigma=0.5), reading(*truth)))
    for name in ("left", "middle", "right"):
        heights = [one for one in rows if one.name == f"height {name}, %"]
        assert [(one.value, one.true, one.kind) for one in heights] == [(pytest.approx(110), 100, "height")] * 4
        # 1.96 sqrt(2) 0.5 px of 20 are 6.9 %.
        assert all(one.high - one.value == pytest.approx(6.93, abs=0.7) for one in heights)
    discs = [one for one in rows if one.kind == "disc_height"]
    assert [one.name for one in discs] == ["disc height, % of the body's"] * 9
    assert {(round(one.value, 6), round(one.true, 6)) for one in discs} == {(40.0, 50.0)}
    assert all(one.low < 40 < one.high for one in discs)
    assert {one.true for one in rows if one.kind in ("tilt", "disc_angle", "listhesis")} == {0.0}


def test_shares_inside_by_the_points_alone_and_with_a_scale():
    """10 % off where half intervals are 7 %: none of 12 heights; discs 10 % off, all within twenty times theirs."""
    truth = [BODY + (0, 30 * k) for k in range(4)]
    found = [(body - body.mean(axis=0)) * (1, 1.1) + body.mean(axis=0) for body in truth]
    own, true = reading(*found, sigma=0.5), reading(*truth)
    parts = [({"a"}, None, {"disc_height": 20.0}), ({"b"}, None, {})]
    kinds = _kinds([("a", own, true, measured_truth(true))], parts)
    assert kinds["height"] == {"n": 12, "inside_percent": [0.0]}
    assert kinds["tilt"] == {"n": 4, "inside_percent": [100.0]}
    assert (kinds["disc_height"]["n"], kinds["disc_height"]["inside_percent"][1:]) == (9, [100.0])
