import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from spinetk.measure import measure

ROOT = Path(__file__).parents[2]
AASCE = ROOT.parent / "shared" / "data" / "aasce2019"
FULL = (27.0, 27.0, 27.0)
TILTS = [-3, -10, 25, 5, -15, 8, 0]
ONE_SIDE = [0, 20, 30, 30, 20, 10, 0]
BOTH_SIDES = [0, 20, 10, 0, -10, -20, 0]


def three(measured):
    return [measured.angles[name] for name in ("cobb_max", "cobb_upper", "cobb_lower")]


def test_c_form_by_hand(spine):
    measured = measure(spine([FULL] * 7, tilts=TILTS, shifts=ONE_SIDE, view="ap"))
    assert measured.angles["cobb_form"] == "C"
    # Ends are the third (25) and the fifth (-15); to the first (-3) and the last (0).
    assert three(measured) == pytest.approx([40, 28, 15], abs=1e-3)
    assert measured.angles["cobb_max_ends"] == [2, 4]
    assert measured.angles["cobb_upper_ends"] == [0, 2]
    assert measured.angles["cobb_lower_ends"] == [4, 6]


def test_s_form_in_the_upper_half_by_hand(spine):
    measured = measure(spine([FULL] * 7, tilts=TILTS, shifts=BOTH_SIDES, view="ap"))
    assert measured.angles["cobb_form"] == "S"
    assert three(measured) == pytest.approx([40, 35, 23], abs=1e-3)
    assert measured.angles["cobb_upper_ends"] == [1, 2]
    assert measured.angles["cobb_lower_ends"] == [4, 5]


def test_the_lowest_vertebra_does_not_decide_the_form(spine):
    # Only the upper endplate of the last body (tilted by -20) lies on the other side of the end-to-end line.
    tilts, shifts = [-5, 0, 12, 0, -8, 0, -20], [0, 20, 30, 30, 20, 10, 0]
    assert measure(spine([FULL] * 7, tilts=tilts, shifts=shifts, view="ap")).angles["cobb_form"] == "C"


def test_s_form_in_the_lower_half_by_hand(spine):
    reading = spine([FULL] * 7, tilts=TILTS, shifts=BOTH_SIDES, view="ap")
    reading.height = 1400
    measured = measure(reading)
    assert three(measured) == pytest.approx([40, 35, 7], abs=1e-3)
    assert measured.angles["cobb_lower_ends"] == [0, 1]


def test_ends_are_named_by_label(spine):
    labels = ["T10", "T11", "T12", "L1", "L2", "L3", "L4"]
    measured = measure(spine([FULL] * 7, tilts=TILTS, shifts=ONE_SIDE, labels=labels, view="ap"))
    assert measured.angles["cobb_max_ends"] == ["T12", "L2"]


def test_endplate_angle_counts_the_wedging_of_the_ends(spine):
    # 32 mm wide, 8 mm higher on the right: the endplates of one body meet at 2 atan(4 / 32) = 14.25 degrees.
    measured = measure(spine([(22, 26, 30), (22, 26, 30)], tilts=[0, 0]))
    wedge = np.degrees(2 * np.arctan(4 / 32))
    assert measured.angles["cobb_max"] == pytest.approx(0, abs=1e-6)
    assert measured.angles["cobb_max_endplates"] == pytest.approx(wedge, abs=1e-3)


@pytest.mark.parametrize("spacing", [(0.5, 0.5), (0.3, 0.9), (1.1, 0.4)])
@pytest.mark.parametrize("turned", [0, 25, 180])
def test_angles_do_not_depend_on_spacing_or_rotation(spine, spacing, turned):
    labels = ["L1", "L2", "L3", "L4", "L5"]
    measured = measure(spine([FULL] * 5, tilts=[20, 12, 4, -6, -18], labels=labels, spacing=spacing, turned=turned))
    assert measured.angles["cobb_max"] == pytest.approx(38, abs=1e-3)
    assert measured.angles["cobb_max_ends"] == ["L1", "L5"]
    assert measured.angles["lordosis_l1_l5"] == pytest.approx(38, abs=1e-3)


def test_lordosis_is_signed_by_the_anterior_side(spine):
    labels = ["L1", "L2", "L3", "L4", "L5", "S1"]
    tilts = np.array([10, 8, 2, -8, -20, -38])
    facing_left = measure(spine([FULL] * 6, tilts=tilts, labels=labels, facing="left")).angles
    assert facing_left["lordosis_l1_l5"] == pytest.approx(30, abs=1e-3)
    assert facing_left["lordosis_l1_s1"] == pytest.approx(48, abs=1e-3)
    facing_right = measure(spine([FULL] * 6, tilts=-tilts, labels=labels, facing="right")).angles
    assert facing_right["lordosis_l1_s1"] == pytest.approx(48, abs=1e-3)
    reversed_curve = measure(spine([FULL] * 6, tilts=-tilts, labels=labels, facing="left")).angles
    assert reversed_curve["lordosis_l1_s1"] == pytest.approx(-48, abs=1e-3)


def test_kyphosis_is_positive_when_it_opens_to_the_back(spine):
    labels = [f"T{k}" for k in range(1, 13)]
    tilts = np.linspace(-25, 15, 12)
    angles = measure(spine([FULL] * 12, tilts=tilts, labels=labels, facing="left", step=30)).angles
    assert angles["kyphosis_t1_t12"] == pytest.approx(40, abs=1e-3)
    assert angles["kyphosis_t4_t12"] == pytest.approx(15 - tilts[3], abs=1e-3)
    assert angles["lordosis_l1_l5"] is None


def test_ap_pictures_have_no_lordosis(spine):
    labels = ["L1", "L2", "L3", "L4", "L5"]
    angles = measure(spine([FULL] * 5, tilts=[20, 12, 4, -6, -18], labels=labels, view="ap")).angles
    assert angles["lordosis_l1_l5"] is None
    assert angles["cobb_max"] is not None


def test_one_vertebra_has_no_angles_and_two_have(spine):
    assert three(measure(spine([FULL]))) == [None, None, None]
    two = measure(spine([FULL] * 2, tilts=[4, -7]))
    assert three(two) == pytest.approx([11, 0, 0], abs=1e-3)
    assert two.angles["cobb_max_ends"] == [0, 1]


def test_a_vertebra_with_swapped_names_does_not_make_a_giant_curve(spine):
    reading = spine([FULL] * 5, tilts=[5, 3, 0, -3, -5], view="ap")
    reading.vertebrae[2].points = reading.vertebrae[2].points[list(reading.schema.flip_indices)]
    measured = measure(reading)
    assert measured.angles["cobb_max"] == pytest.approx(10, abs=1e-3)
    assert any("swapped" in remark for remark in measured.remarks)
    json.dumps(measured.to_json(), allow_nan=False)


def test_a_missing_corner_leaves_the_other_endplate(spine):
    reading = spine([FULL] * 3, tilts=[12, 0, -9], view="ap")
    reading.vertebrae[0].visible[reading.schema.index("bottom_left")] = False
    assert measure(reading).angles["cobb_max"] == pytest.approx(21, abs=1e-3)


@pytest.mark.parametrize("height", [4000, 1400])
def test_an_end_that_is_cut_below_leaves_the_main_curve_in_its_half(spine, height):
    reading = spine([FULL] * 7, tilts=TILTS, shifts=BOTH_SIDES, view="ap")
    reading.height = height
    whole = three(measure(reading))
    reading.vertebrae[4].visible[reading.schema.index("bottom_left")] = False
    assert three(measure(reading)) == pytest.approx(whole, abs=1e-3)


@pytest.mark.parametrize("cut", [False, True])
def test_an_edge_that_cuts_the_last_body_does_not_decide_the_form(spine, cut):
    """Only the lower endplate of the last body but one lies on the other side."""
    reading = spine([FULL] * 7, tilts=[0, 0, 0, 0, 0, 8, 0], shifts=[0, 20, 30, 30, 20, 0, 0], view="ap")
    reading.vertebrae[6].visible[reading.schema.index("bottom_left")] = not cut
    assert measure(reading).angles["cobb_form"] == "S"


@pytest.mark.data("aasce2019")
def test_aasce_angles_are_reproduced_from_the_landmarks():
    spec = importlib.util.spec_from_file_location("cobb_labels", ROOT / "benchmarks" / "cobb_labels.py")
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    errors, flagged = benchmark.errors_deg(AASCE)
    assert errors.shape == (481, 3)
    assert ((errors[~flagged] <= 1.0).mean(axis=0) >= 0.99).all()
    assert ((errors <= 1.0).mean(axis=0) >= 0.95).all()
