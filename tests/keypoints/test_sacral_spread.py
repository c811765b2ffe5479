"""Factors for intervals that rest on the S1 endplate: by hand, on endplates that err by a known angle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.keypoints.sacral_spread import FEWEST, Off, SacralSpread, coverage, errors_of, fit_sacral, with_plate
from spinetk.landmark import Landmark
from spinetk.measure.uncertainty import SACRAL
from spinetk.phantoms import lateral_radiograph
from spinetk.reading import Vertebra
from spinetk.validation import validated

BANDS = (0.4, 0.6, 0.8)
SIGMA_PX = 0.5


def film():
    """A phantom whose lowest body is L5, with S1 and both heads, front to the right: truth and a prediction alike."""
    truth = lateral_radiograph(5, region="lumbar", spacing_mm=1.2, facing="right").reading
    assert truth.vertebrae[-1].label == "L5"
    assert [own.kind for own in truth.landmarks] == ["s1", "femoral_head", "femoral_head"]
    bodies = [Vertebra.from_points(own.points, point_sigma_px=np.full(6, SIGMA_PX)) for own in truth.vertebrae]
    marks = [replace(own, score=0.7, sigma_px=SIGMA_PX) for own in truth.landmarks]
    return truth, replace(truth, vertebrae=bodies, landmarks=marks)


def turned(mark: Landmark, angle_deg: float) -> Landmark:
    middle, angle = mark.points.mean(0), np.radians(angle_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return replace(mark, points=(mark.points - middle) @ turn.T + middle)


@pytest.mark.parametrize(
    ("score", "factor"), [(0.1, 3.0), (0.4, 3.0), (0.5999, 3.0), (0.6, 2.0), (0.8, 1.5), (1.0, 1.5)]
)
def test_a_reading_gets_the_factors_of_its_endplates_band(score, factor):
    known = SacralSpread(BANDS, {"sacral_slope": (3.0, 2.0, 1.5)})
    head = Landmark("femoral_head", np.zeros((1, 2)), 9.0, 0.9)
    assert known.of([head, Landmark("s1", np.zeros((2, 2)), None, score)], {}) == {"sacral_slope": factor}
    assert known.of([head], {}) == known.of([Landmark("s1", np.zeros((2, 2)))], {}) == {}


def test_phantoms_make_no_interval_narrower_than_patients_do():
    plate = Landmark("s1", np.zeros((2, 2)), None, 0.7)
    known = SacralSpread((0.4,), {"sacral_slope": (0.3,), "lumbosacral_slip": (0.3,), "lumbosacral_angle": (2.0,)})
    found = known.of([plate], {"listhesis": 0.8, "disc_angle": 0.7, "height": 5.0})
    assert found == {"sacral_slope": 1.0, "lumbosacral_slip": 0.8, "lumbosacral_angle": 2.0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"least": [0.6, 0.4, 0.8]},
        {"least": [0.4, 0.4, 0.8]},
        {"scales": {"sacral_slope": [2.0, 1.5]}},
        {"least": []},
        {"scales": {"tilt": [3.0, 2.0, 1.5]}},
    ],
)
def test_a_card_whose_bands_and_factors_do_not_match_is_refused(wrong):
    content = {"least": list(BANDS), "scales": {"sacral_slope": [3.0, 2.0, 1.5]}}
    assert validated(SacralSpread, content, "card").scales["sacral_slope"] == (3.0, 2.0, 1.5)
    with pytest.raises(InputError):
        validated(SacralSpread, content | wrong, "card")


def test_the_factor_of_a_band_is_what_19_of_20_errors_stay_below():
    """Of 39 errors 1 to 39 the 38th, ceil(0.95 * 40); the surest band, better than all, holds no error above 2."""
    rows = [Off(name, 0.5, float(k)) for name in SACRAL for k in range(1, 40)]
    rows += [Off(name, 0.7, float(k) * 2) for name in SACRAL for k in range(1, 40)]  # worse than what is less sure
    rows += [Off(name, 0.9, 2.0) for name in SACRAL for _ in range(FEWEST)]
    known = fit_sacral(rows, BANDS, "by hand")
    assert known.scales == dict.fromkeys(SACRAL, (76.0, 76.0, 2.0))
    assert known.fitted_on == "by hand"
    inside = coverage(rows, known, {"listhesis": 4.0})
    assert inside["sacral_slope", 0] == (39, pytest.approx(1 / 39), 1.0)
    assert inside["sacral_slope", 1] == (39, 0.0, pytest.approx(38 / 39))
    assert inside["lumbosacral_slip", 0] == (39, pytest.approx(4 / 39), 1.0)
    assert inside["lumbosacral_slip", 2] == (FEWEST, 1.0, 1.0)
    assert fit_sacral(rows[:-1], BANDS) is None


def test_a_band_of_few_takes_the_surer_ones_and_no_less_than_the_slope():
    rows = [Off("sacral_slope", score, factor) for score, factor in ((0.5, 3.0), (0.7, 2.0), (0.9, 1.0))] * FEWEST
    rows += [Off(name, score, 1.5) for name in list(SACRAL)[1:] for score in (0.5, 0.7, 0.9) for _ in range(FEWEST)]
    rows = [one for one in rows if one.name != "pelvic_tilt" or one.score == 0.9]
    rows += [Off("pelvic_tilt", 0.7, 9.0), Off("pelvic_tilt", 0.7, 9.0)]  # 2 of 22: more than one in twenty
    known = fit_sacral(rows, BANDS)
    assert known.scales["pelvic_incidence"] == (1.5, 1.5, 1.5)
    assert known.scales["pelvic_tilt"] == (9.0, 9.0, 1.5)
    known = fit_sacral([one for one in rows if one.off != 9.0], BANDS)
    assert known.scales["pelvic_tilt"] == (3.0, 2.0, 1.5)
    assert fit_sacral([one for one in rows if one.name != "sacral_slope" or one.score > 0.6], BANDS) is None


def test_errors_are_counted_in_half_intervals():
    """The slope of an endplate whose ends move by s has a standard deviation of s * sqrt(2) / length."""
    truth, found = film()
    assert {one.name for one in errors_of(found, truth)} == set(SACRAL)
    assert max(one.off for one in errors_of(found, truth)) < 1e-9
    s1 = truth.landmarks[0]
    half = 1.96 * np.degrees(SIGMA_PX * np.sqrt(2) / np.linalg.norm(s1.points[1] - s1.points[0]))
    marks = [turned(found.landmarks[0], 8.0), *found.landmarks[1:]]
    off = {one.name: one for one in errors_of(replace(found, landmarks=marks), truth)}
    assert off["sacral_slope"].off == pytest.approx(8.0 / half, rel=0.1)
    assert off["sacral_slope"].score == 0.7
    assert off["pelvic_tilt"].off < 1e-9
    assert off["pelvic_incidence"].off > 1
    assert off["lumbosacral_angle"].off > 1
    # Its own factors are left aside, and a body missed leaves the disc above S1 without a truth.
    widened = replace(found, landmarks=marks, interval_scale={"sacral_slope": 9.0, "lumbosacral_angle": 9.0})
    assert {one.name: one for one in errors_of(widened, truth)} == off
    missed = {one.name for one in errors_of(replace(found, vertebrae=found.vertebrae[:-1]), truth)}
    assert missed == set(list(SACRAL)[:4])
    assert not list(errors_of(replace(found, landmarks=marks[1:]), truth))


def test_an_endplate_beyond_the_edge_is_known_by_the_extras():
    truth, found = film()
    cut = replace(truth, landmarks=truth.landmarks[1:])
    assert "sacral_slope" not in {one.name for one in errors_of(found, cut)}
    known = replace(cut, extras={"s1": truth.landmarks[0].points})
    assert "sacral_slope" in {one.name for one in errors_of(found, known)}
    assert with_plate(truth) is truth
