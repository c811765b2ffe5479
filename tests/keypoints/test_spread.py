"""Spread: intervals that hold what they promise, on points whose errors are known."""

from __future__ import annotations

import numpy as np
import pytest
from erring import SCALE, patients

from spinetk.geometry import Frame
from spinetk.keypoints.quantities import scaled
from spinetk.keypoints.spread import FEWEST, crossed, crossed_scales, errors, fit, folds, spread_of
from spinetk.measure import measure
from spinetk.measure.uncertainty import not_fitted, scale_angles
from spinetk.measure.uncertainty import scaled as scaled_span
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
    pairs = patients(8)
    parts = crossed(pairs, VERTEBRA6)
    assert sorted(name for own, _ in parts for name in own) == sorted(name for name, *_ in pairs)
    own, factors = parts[0]
    again = fit(errors([(f, t) for name, f, t in pairs if name not in own], VERTEBRA6))
    np.testing.assert_array_equal(factors, again)
    assert folds(["a", "b", "a"]) == folds(["b", "a"])
    card = spread_of(pairs, VERTEBRA6, "drawn")
    assert card.coverage["patients"] == 8
    assert card.coverage["heights"] == 8 * 5 * 3
    assert 90 <= card.coverage["inside_percent"][1] <= 99 < card.coverage["inside_percent"][0]
    wide, narrow = card.coverage["half_width_percent"]
    assert 1 < narrow < wide < 100


def test_what_two_bodies_share_is_widened_until_it_holds():
    """Every body lies a little too low by an amount of its own, which heights do not feel and discs do."""
    pairs = shifted(patients(45), 3.0)
    thirds = folds((name for name, *_ in pairs), 3)
    card = spread_of(pairs, VERTEBRA6, "drawn", crossed_scales(pairs, VERTEBRA6, thirds))
    assert set(card.scales) >= {"disc_height", "disc_angle", "listhesis", "cobb_max"}
    assert card.scales["disc_height"] > 1.2
    before, after = card.kinds["disc_height"]["inside_percent"]
    assert before < 90
    assert 93 <= after <= 97
    assert card.kinds["height"]["inside_percent"] == [pytest.approx(95, abs=2)]  # the points alone do it
    # Through ``measure``, on others, with nothing but what the card says; and it says of what it knows nothing.
    held = []
    known = {kind: scale for kind, scale in card.scales_of_all.items() if not kind.startswith("cobb")}
    for _, own, true in shifted(patients(30, seed=1), 3.0, seed=1):
        reading = scaled(own, np.array(card.points), known)
        again = Reading.from_json(measure(reading).to_json())
        assert again.interval_scale == known
        assert {kind.partition("_")[0] for kind in not_fitted(again)} == {"cobb"}
        for got, right in zip(again.vertebrae, measure(true).vertebrae, strict=True):
            disc, other = got.measures["disc_below"], right.measures["disc_below"]
            if disc is not None:
                spans = disc["heights_px_interval"]
                held += [low <= other["heights_px"][side] <= high for side, (low, high) in spans.items()]
                assert all(low >= 0 for low, _ in spans.values())
    assert 0.93 <= np.mean(held) <= 0.98


def shifted(pairs, by: float, seed: int = 0):
    random = np.random.default_rng(seed)
    for _, own, true in pairs:
        own.frame = true.frame = Frame(toward_right="P", toward_bottom="F")
        for vertebra in own.vertebrae:
            vertebra.points = vertebra.points + (0, random.normal(0, by))
    return pairs


def test_intervals_are_scaled_about_the_value():
    assert scaled_span([8.0, 11.0], 10.0, 2.0) == [6.0, 12.0]
    assert scaled_span([1.0, 4.0], 2.0, 3.0, 0.0) == [0.0, 8.0]
    assert scaled_span(None, 2.0, 3.0) is None
    angles = {"cobb_max": 20.0, "cobb_max_interval": [18.0, 21.0], "cobb_form": "C", "pelvic_tilt_interval": None}
    angles |= {"pelvic_tilt": None}
    assert scale_angles(angles, {"cobb_max": 2.0}) == angles | {"cobb_max_interval": [16.0, 22.0]}


def test_no_interval_of_a_cobb_angle_which_has_no_sign_goes_below_zero():
    angles = {"cobb_lower": 4.0, "cobb_lower_interval": [1.0, 9.0], "lordosis_l1_l5": 4.0}
    angles["lordosis_l1_l5_interval"] = [1.0, 9.0]
    found = scale_angles(angles, {"cobb_lower": 2.0, "curve": 2.0})
    assert found["cobb_lower_interval"] == [0.0, 14.0]  # 4 - 2 x 3 = -2, 4 + 2 x 5
    assert found["lordosis_l1_l5_interval"] == [-2.0, 14.0]


def test_too_few_patients_give_no_scale():
    few = spread_of(shifted(patients(4, bodies=12), 1.0), VERTEBRA6, "drawn")
    assert few.scales == {}
    assert "disc_height" in few.kinds


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
