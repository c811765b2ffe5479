import json
from itertools import permutations

import numpy as np
import pytest

from spinetk.measure import measure
from spinetk.measure.heights import expected, references

HEIGHTS = [(24.0, 23.0, 26.0), (25.0, 24.0, 27.0), (26.0, 25.0, 28.0)]


@pytest.mark.parametrize("spacing", [(0.5, 0.5), (0.3, 0.9), (1.2, 0.4)])
@pytest.mark.parametrize("turned", [0.0, 17.0, -40.0, 90.0])
def test_heights_in_mm_from_true_points(spine, spacing, turned):
    measured = measure(spine(HEIGHTS, spacing=spacing, turned=turned))
    for vertebra, (left, middle, right) in zip(measured.vertebrae, HEIGHTS, strict=True):
        got = vertebra.measures["heights_mm"]
        assert got["left"] == pytest.approx(left, rel=1e-5)
        assert got["middle"] == pytest.approx(middle, rel=1e-5)
        assert got["right"] == pytest.approx(right, rel=1e-5)
        assert (got["anterior"], got["posterior"]) == (got["left"], got["right"])
        assert vertebra.measures["ratios"]["wedge"] == pytest.approx(left / right, abs=1e-4)


def test_px_heights_are_plain_px_distances(spine):
    upright = measure(spine(HEIGHTS[:1], spacing=(0.25, 1.0))).vertebrae[0].measures
    assert upright["heights_px"]["left"] == pytest.approx(24.0 / 0.25)
    lying = measure(spine(HEIGHTS[:1], spacing=(0.25, 1.0), turned=90.0)).vertebrae[0].measures
    assert lying["heights_px"]["left"] == pytest.approx(24.0)


def test_rounding_to_whole_pixels_stays_within_half_a_percent_of_a_large_body(spine):
    reading = spine(HEIGHTS, spacing=(0.05, 0.05))
    for vertebra in reading.vertebrae:
        vertebra.points = np.round(vertebra.points)
    for vertebra, true in zip(measure(reading).vertebrae, HEIGHTS, strict=True):
        got = [vertebra.measures["heights_mm"][c] for c in ("left", "middle", "right")]
        assert np.allclose(got, true, rtol=0.005)


def test_unknown_spacing_gives_px_only(spine):
    measured = measure(spine(HEIGHTS, spacing=None))
    assert measured.vertebrae[0].measures["heights_mm"] is None
    assert measured.vertebrae[0].measures["area_mm2"] is None
    assert measured.vertebrae[0].measures["heights_px"]["right"] == pytest.approx(26.0)
    assert any("spacing is unknown" in remark for remark in measured.remarks)


def test_mirror_with_swapped_names_keeps_anterior_and_posterior(spine):
    reading = spine(HEIGHTS, tilts=[5, 3, -4], facing="left")
    before = [v.measures for v in measure(reading).vertebrae]
    for vertebra in reading.vertebrae:
        vertebra.points = reading.schema.mirror(vertebra.points, reading.width)
    reading.frame = reading.frame.mirrored()
    for old, new in zip(before, (v.measures for v in measure(reading).vertebrae), strict=True):
        for name in ("anterior", "middle", "posterior"):
            assert new["heights_mm"][name] == pytest.approx(old["heights_mm"][name])
        assert new["heights_mm"]["left"] == pytest.approx(old["heights_mm"]["right"])
        assert new["tilt_deg"] == pytest.approx(-old["tilt_deg"])
        assert new["ratios"]["wedge"] == pytest.approx(old["ratios"]["wedge"])


def test_area_and_tilt_of_a_rectangle(spine):
    vertebra = measure(spine([(20, 20, 20)], tilts=[12.0], spacing=(0.5, 0.25))).vertebrae[0]
    assert vertebra.measures["area_mm2"] == pytest.approx(20 * 32)
    assert vertebra.measures["area_px2"] == pytest.approx(20 * 32 / (0.5 * 0.25))
    assert vertebra.measures["tilt_deg"] == pytest.approx(12.0)


def test_corners_only_have_no_middle(spine):
    vertebra = measure(spine(HEIGHTS, corners=True)).vertebrae[1].measures
    assert vertebra["heights_mm"]["middle"] is None
    assert vertebra["ratios"]["biconcavity"] is None
    assert vertebra["heights_mm"]["anterior"] == pytest.approx(25.0)
    assert vertebra["deformity"]["not_judged"] == ["biconcave"]


def test_missing_points_cost_only_what_needs_them(spine):
    reading = spine(HEIGHTS)
    reading.vertebrae[1].visible[reading.schema.index("top_left")] = False
    measured = measure(reading)
    vertebra = measured.vertebrae[1].measures
    assert vertebra["heights_mm"]["left"] is None
    assert vertebra["heights_mm"]["right"] == pytest.approx(27.0)
    assert vertebra["deformity"] is None
    assert "cannot be measured" in vertebra["deformity_reason"]
    assert measured.angles["cobb_max"] is not None
    json.dumps(measured.to_json(), allow_nan=False)


def test_nothing_visible_and_collapsed_points_are_null(spine):
    reading = spine(HEIGHTS)
    reading.vertebrae[0].visible[:] = False
    reading.vertebrae[1].points[:] = 5.0
    measured = measure(reading)
    json.dumps(measured.to_json(), allow_nan=False)
    for k in (0, 1):
        assert measured.vertebrae[k].measures["deformity"] is None
        assert measured.vertebrae[k].measures["area_mm2"] is None
        assert measured.vertebrae[k].measures["deformity_reason"]


def test_expected_height_is_interpolated_by_level():
    values = np.array([20.0, 1.0, 26.0])
    assert expected(values, 1, (0, 2)) == pytest.approx(23.0)
    assert expected(np.array([20.0, 1.0, 1.0, 26.0]), 1, (0, 3)) == pytest.approx(22.0)
    assert expected(values, 0, (2,)) == 26.0
    assert np.isnan(expected(values, 0, ()))


def test_two_collapsed_neighbours_do_not_excuse_each_other():
    found = references(np.array([27.0, 27.0, 19.0, 19.0, 27.0, 27.0]), np.ones(6, bool))
    assert found[2] == (1, 4)
    assert found[3] == (1, 4)


def test_neighbours_more_than_three_levels_away_are_no_reference():
    usable = np.array([True, False, False, False, True, False, False, False, False, True])
    found = references(np.full(10, 27.0), usable)
    assert found[0] == ()  # the next is four below
    assert found[1] == (0, 4)
    assert found[3] == (0, 4)
    assert found[5] == (4,)  # four below is no longer asked
    assert found[8] == (9,)  # nor four above


def test_the_given_reading_is_not_changed(spine):
    reading = spine(HEIGHTS)
    content = json.dumps(reading.to_json())
    measured = measure(reading, anchor="L3=last")
    assert json.dumps(reading.to_json()) == content
    again = measure(measured)
    assert again.remarks == measured.remarks
    assert [v.label for v in again.vertebrae] == ["L1", "L2", "L3"]


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_corners_in_any_order_give_true_heights_or_a_word(spine, order):
    """Of the 24 orders in which four corners can be set under four names, one is right and one stands on its head."""
    reading = spine(HEIGHTS, tilts=[3, 1, -2], corners=True)
    for vertebra in reading.vertebrae:
        vertebra.points = vertebra.points[list(order)]
    measured = measure(reading)
    named = [vertebra.measures["deformity_reason"] for vertebra in measured.vertebrae]
    if order == (0, 1, 2, 3):
        assert named == [None] * 3
    elif order == (3, 2, 1, 0):
        assert any("head at the bottom" in remark for remark in measured.remarks)
    else:
        assert all(named), named
        for vertebra, (left, _, right) in zip(measured.vertebrae, HEIGHTS, strict=True):
            given = [h for h in vertebra.measures["heights_mm"].values() if h is not None]
            walls = np.hypot(32.0, right - left)
            assert max(given, default=0) < walls  # never a diagonal; an endplate with a reason


@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 2), (3, 4), (4, 5)])
def test_a_middle_set_for_a_corner_is_said(spine, one, other):
    reading = spine(HEIGHTS)
    points = reading.vertebrae[1].points
    points[[one, other]] = points[[other, one]]
    first, wrong, last = (vertebra.measures for vertebra in measure(reading).vertebrae)
    assert "order of their names" in wrong["deformity_reason"]
    assert set(wrong["heights_mm"].values()) == {None}
    assert first["deformity_reason"] is last["deformity_reason"] is None


def test_bodies_lying_with_the_picture_are_no_fault(spine):
    """A film that lies on its side has its column across, and its bodies with it."""
    for corners in (True, False):
        measured = measure(spine(HEIGHTS, turned=90.0, corners=corners))
        assert [vertebra.measures["deformity_reason"] for vertebra in measured.vertebrae] == [None] * 3
