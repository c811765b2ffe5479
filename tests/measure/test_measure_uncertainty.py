import numpy as np
import pytest

from spinetk.measure import measure
from spinetk.measure.uncertainty import KINDS, TAILS_PERCENT, intervals, not_fitted, tails
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6
from spinetk.vertebra import Vertebra

FULL = (30.0, 30.0, 30.0)


def test_height_interval_has_the_analytic_width(spine):
    # Top and bottom move independently with 1 px: the height by sqrt(2) px; +/- 1.96 sd cover 95 %.
    vertebra = measure(spine([FULL] * 3, sigma=1.0, spacing=(0.5, 0.25))).vertebrae[1].measures
    low, high = vertebra["heights_px_interval"]["middle"]
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(2), rel=0.08)
    assert low < vertebra["heights_px"]["middle"] < high
    low, high = vertebra["heights_mm_interval"]["anterior"]
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(2) * 0.5, rel=0.08)


@pytest.mark.parametrize("count", [1, 2, 3, 39, 40, 41, 999, 1000])
def test_tails_are_percentiles(count):
    columns = np.random.default_rng(count).normal(size=(count, 5)).round(1)
    np.testing.assert_array_equal(tails(columns), np.percentile(columns, TAILS_PERCENT, axis=0))


def test_tilt_interval_has_the_analytic_width(spine):
    # The mid-line runs over 32 mm = 64 px between means of two points: sd of its tilt is 1 px / 64 px.
    vertebra = measure(spine([FULL], sigma=1.0, tilts=[20])).vertebrae[0].measures
    low, high = vertebra["tilt_deg_interval"]
    assert high - low == pytest.approx(2 * 1.96 * np.degrees(1 / 64), rel=0.08)
    assert (low + high) / 2 == pytest.approx(20, abs=0.1)


def test_interval_of_the_loss_reaches_over_the_grade_it_may_be(spine):
    heights = [FULL, (30 * 0.78, 26, 30.0), FULL]
    answer = measure(spine(heights, labels=["L1", "L2", "L3"], sigma=1.0)).vertebrae[1].measures["deformity"]
    low, high = answer["loss_percent_interval"]
    # 1 - a / p with a = 46.8 px, p = 60 px: sd = sqrt(2) / 60 * sqrt(1 + 0.78 ** 2).
    sd = 100 * np.sqrt(2) / 60 * np.sqrt(1 + 0.78**2)
    assert high - low == pytest.approx(2 * 1.96 * sd, rel=0.1)
    assert answer["grade"] == 1
    assert answer["grade_interval"] == [0, 2]


def test_angle_interval_is_given_for_the_same_end_vertebrae(spine):
    labels = ["L1", "L2", "L3", "L4", "L5"]
    angles = measure(spine([FULL] * 5, labels=labels, tilts=[20, 10, 0, -10, -20], sigma=1.0)).angles
    low, high = angles["lordosis_l1_l5_interval"]
    # Two endplates of 64 px between single points.
    assert high - low == pytest.approx(2 * 1.96 * np.degrees(np.sqrt(2 * 2) / 64), rel=0.1)
    assert low < 40 < high
    assert angles["cobb_max_interval"][0] < 40 < angles["cobb_max_interval"][1]


def test_same_reading_same_interval(spine):
    reading = spine([FULL] * 2, sigma=0.7)
    assert measure(reading).to_json() == measure(reading).to_json()


def test_no_sigma_no_interval(spine):
    measured = measure(spine([FULL] * 2))
    assert measured.vertebrae[0].measures["heights_px_interval"] is None
    assert measured.vertebrae[0].measures["deformity"]["loss_percent_interval"] is None
    assert measured.angles["cobb_max_interval"] is None


def test_only_vertebrae_with_sigma_get_an_interval(spine):
    reading = spine([FULL] * 2, sigma=0.7)
    reading.vertebrae[0].point_sigma_px = None
    first, second = (v.measures for v in measure(reading).vertebrae)
    assert (first["heights_px_interval"], first["tilt_deg_interval"]) == (None, None)
    assert first["deformity"]["loss_percent_interval"] is None
    assert second["heights_px_interval"]["left"] is not None
    assert None not in (second["tilt_deg_interval"], second["deformity"]["loss_percent_interval"])


SPAN = [1.0, 2.0]
OF_BODY = {
    "height": {"heights_px_interval": {"left": SPAN}},
    "tilt": {"tilt_deg_interval": SPAN},
    "loss": {"deformity": {"loss_percent_interval": SPAN}},
    "disc_height": {"disc_below": {"heights_px_interval": {"left": SPAN}}},
    "disc_angle": {"disc_below": {"angle_deg_interval": SPAN}},
    "listhesis": {"disc_below": {"listhesis_px_interval": SPAN}},
}
NO_SPAN = {"tilt_deg_interval": None, "deformity": None, "disc_below": None}
OF_SPINE = {"cobb_max": "cobb_max", "curve": "kyphosis_t4_t12", "pelvic": "sacral_slope"}


@pytest.mark.parametrize("kind", [*OF_BODY, *OF_SPINE])
def test_what_has_an_interval_that_nobody_fitted_is_known_by_its_kind(kind):
    """Of any body, not of the first alone; of the angles, of those that the view shows."""
    bodies = [Vertebra.from_points(np.eye(6, 2), measures=own) for own in (NO_SPAN, OF_BODY.get(kind, {}))]
    angles = {"cobb_max_interval": None, "kyphosis_t4_t12": 4.0}
    if kind in OF_SPINE:
        angles[f"{OF_SPINE[kind]}_interval"] = SPAN
    reading = Reading("film.png", 9, 9, VERTEBRA6, bodies, view="unknown", angles=angles)
    assert not_fitted(reading) == [kind]
    reading.interval_scale = {other: 1.5 for other in KINDS if other != kind}
    assert not_fitted(reading) == [kind]
    reading.interval_scale = {kind: 1.5}
    assert not_fitted(reading) == []
    reading.interval_scale, reading.view = {}, "ap"
    assert not_fitted(reading) == ([] if kind in ("curve", "pelvic") else [kind])


def test_intervals_of_columns_leave_out_what_is_not_finite():
    draws = np.random.default_rng(0).normal(size=(1000, 2, 3))
    draws[:400, 0, 1] = np.nan
    draws[:501, 1, 2] = np.nan  # fewer than half are left
    found = intervals(draws)
    assert found[1, 2] is None
    for row, column in ((0, 0), (0, 1), (1, 0)):
        left = np.sort(draws[np.isfinite(draws[:, row, column]), row, column])
        # Linear between the order statistics, as numpy's percentiles are.
        wanted = np.interp([0.025, 0.975], np.linspace(0, 1, len(left)), left)
        assert found[row, column] == pytest.approx(list(wanted), abs=1e-4)


def test_a_curve_without_two_ends_has_no_interval(spine):
    """Bent to one side only, the curve above ends where the film does: 0 degrees, of which points say nothing."""
    angles = measure(spine([FULL] * 5, tilts=[20, 10, 0, -10, -20], sigma=1.0)).angles
    ends = {name: angles[f"{name}_ends"] for name in ("cobb_max", "cobb_upper", "cobb_lower")}
    alone = [name for name, (top, bottom) in ends.items() if top == bottom]
    assert alone
    assert [(angles[name], angles[f"{name}_interval"]) for name in alone] == [(0.0, None)] * len(alone)
    assert angles["cobb_max_interval"] is not None


@pytest.mark.parametrize("column", ["left", "middle", "right"])
def test_a_column_that_cannot_be_measured_has_no_interval(spine, column):
    """Its top lies on its bottom, so that half of its draws, some more or some less, have a height."""
    reading = spine([(27.0, 27.0, 27.0)] * 3, sigma=0.5)
    top, bottom = (reading.schema.index(f"{end}_{column}") for end in ("top", "bottom"))
    for body in reading.vertebrae:
        body.points[top] = body.points[bottom]
    for body in measure(reading).vertebrae:
        for unit in ("px", "mm"):
            assert body.measures[f"heights_{unit}"][column] is None
            assert body.measures[f"heights_{unit}_interval"][column] is None
            others = {"left", "middle", "right"} - {column}
            assert all(body.measures[f"heights_{unit}_interval"][name] for name in others)
