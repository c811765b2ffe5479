"""Spread: intervals that hold what they promise, on points whose errors are known."""

from __future__ import annotations

import numpy as np
import pytest
from erring import SCALE, patients

from spinetk.keypoints.spread import FEWEST, crossed, errors, fit, folds, spread_of
from spinetk.measure import measure
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6


def test_the_scale_of_each_point_is_found():
    factors = fit(errors([(f, t) for _, f, t in patients(120)], VERTEBRA6))
    np.testing.assert_allclose(factors, SCALE, rtol=0.12)


def test_intervals_of_measured_heights_hold_95_percent_of_other_patients():
    """Through ``measure`` itself: nothing but the standard deviations is taken over."""
    factors = fit(errors([(f, t) for _, f, t in patients(60)], VERTEBRA6))
    inside, before = [], []
    for _, own, true in patients(40, seed=1):
        truth = measure(true)
        for scale, kept in ((factors, inside), (np.ones(6), before)):
            scaled = Reading(own.file, own.height, own.width, own.schema, [
                Vertebra.from_points(v.points, point_sigma_px=v.point_sigma_px * scale) for v in own.vertebrae
            ])  # fmt: skip
            for got, right in zip(measure(scaled).vertebrae, truth.vertebrae, strict=True):
                for side, (low, high) in got.measures["heights_px_interval"].items():
                    kept.append(low <= right.measures["heights_px"][side] <= high)
    assert 0.93 <= np.mean(inside) <= 0.97
    assert np.mean(before) > 0.99


def test_each_patient_is_judged_by_factors_of_others():
    pairs = patients(12)
    parts = crossed(pairs, VERTEBRA6)
    assert sorted(name for own, _ in parts for name in own) == sorted(name for name, *_ in pairs)
    own, factors = parts[0]
    again = fit(errors([(f, t) for name, f, t in pairs if name not in own], VERTEBRA6))
    np.testing.assert_array_equal(factors, again)
    assert folds(["a", "b", "a"]) == folds(["b", "a"])
    card = spread_of(pairs, VERTEBRA6, "drawn")
    assert card.coverage["patients"] == 12
    assert card.coverage["heights"] == 12 * 5 * 3
    assert 90 <= card.coverage["inside_percent"][1] <= 99 < card.coverage["inside_percent"][0]


def test_too_little_to_fit_on_and_points_that_are_not_seen():
    few = patients((FEWEST - 1) // 5)
    assert fit(errors([(f, t) for _, f, t in few], VERTEBRA6)) is None
    assert spread_of(few, VERTEBRA6, "drawn") is None
    _, own, true = patients(1)[0]
    own.vertebrae[0].visible[0] = False
    own.vertebrae[1].point_sigma_px = None  # placed by a person
    found = errors([(own, true)], VERTEBRA6)
    assert found.along.shape == (4, 6)
    assert np.isnan(found.along[0]).tolist() == [True] + [False] * 5
    assert np.isfinite(found.height[0]).tolist() == [False, True, True]


@pytest.mark.parametrize("points", [[0.5] * 5 + [0.0], [0.5] * 5 + [float("nan")], ["0.5"] * 6, []])
def test_a_card_with_factors_that_cannot_be(points):
    from spinetk.errors import InputError
    from spinetk.keypoints.spread import PointSpread
    from spinetk.validation import validated

    with pytest.raises(InputError, match="points"):
        validated(PointSpread, {"points": points}, "card")
