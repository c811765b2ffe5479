import json
from dataclasses import replace

import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.measure import measure
from spinetk.measure.deformity import NO_HEIGHT, judge_unsided
from spinetk.measure.levels import places as places_of
from spinetk.phantoms import lateral_radiograph

FULL = (27.0, 27.0, 27.0)
LABELS = ["L1", "L2", "L3", "L4", "L5"]
GRADES = [(0.0, 0), (19.9, 0), (20.1, 1), (24.9, 1), (25.1, 2), (39.9, 2), (40.1, 3), (60.0, 3)]


def with_loss(kind, loss, facing="left"):
    low = 27.0 * (1 - loss / 100)
    shape = {"wedge": (low, 27 * (1 - loss / 200), 27.0), "biconcave": (27.0, low, 27.0), "crush": (low, low, low)}[
        kind
    ]
    return shape if facing == "left" else shape[::-1]


@pytest.mark.parametrize(("loss", "grade"), GRADES)
@pytest.mark.parametrize("kind", ["wedge", "biconcave", "crush"])
@pytest.mark.parametrize(
    ("facing", "turned", "spacing"),
    [("left", 0.0, (0.5, 0.5)), ("right", 33.0, (0.5, 0.5)), ("left", -60.0, (0.3, 0.8)), ("right", 90.0, None)],
)
def test_type_and_grade_at_the_thresholds(spine, kind, loss, grade, facing, turned, spacing):
    heights = [FULL, FULL, with_loss(kind, loss, facing), FULL, FULL]
    measured = measure(spine(heights, labels=LABELS, facing=facing, turned=turned, spacing=spacing))
    answer = measured.vertebrae[2].measures["deformity"]
    assert answer["grade"] == grade
    assert answer["type"] == (kind if grade else "normal")
    assert answer["loss_percent"] == pytest.approx(loss, abs=1e-3)
    assert all(measured.vertebrae[k].measures["deformity"]["grade"] == 0 for k in (0, 1, 3, 4))


@pytest.mark.parametrize(("kind", "column"), [("wedge", "anterior"), ("biconcave", "middle"), ("crush", "posterior")])
def test_the_reduced_column_is_named(spine, kind, column):
    measured = measure(spine([FULL, with_loss(kind, 30.0), FULL], labels=["L2", "L3", "L4"]))
    losses = measured.vertebrae[1].measures["deformity"]["losses_percent"]
    assert losses[column] == pytest.approx(30.0)


def test_a_body_as_low_in_the_middle_as_in_front_is_a_wedge(spine):
    """27 behind, 18 before: a loss of a third; one of 17.9 in the middle is more, and biconcave."""
    for middle, kind in ((18.0, "wedge"), (17.9, "biconcave"), (18.1, "wedge")):
        measured = measure(spine([FULL, (18.0, middle, 27.0), FULL], labels=["L2", "L3", "L4"]))
        assert measured.vertebrae[1].measures["deformity"]["type"] == kind


def test_posterior_loss_is_judged_against_the_interpolated_neighbours(spine):
    measured = measure(spine([(24,) * 3, (20,) * 3, (30,) * 3], labels=["T11", "T12", "L1"]))
    answer = measured.vertebrae[1].measures["deformity"]
    # (24 + 30) / 2 = 27, and 1 - 20 / 27 = 25.926 %.
    assert answer["losses_percent"]["posterior"] == pytest.approx(25.926, abs=1e-3)
    assert (answer["type"], answer["grade"]) == ("crush", 2)
    assert answer["posterior_reference"] == "posterior height of T11 and L1"
    assert measured.vertebrae[1].measures["ratios"]["crush"] == pytest.approx(20 / 27, abs=1e-4)


def test_a_crushed_body_that_is_also_wedged_is_graded_by_its_lowest_height(spine):
    measured = measure(spine([FULL, (27 * 0.55, 27 * 0.6, 27 * 0.75), FULL], labels=["L1", "L2", "L3"]))
    answer = measured.vertebrae[1].measures["deformity"]
    assert (answer["type"], answer["grade"]) == ("crush", 3)
    assert answer["loss_percent"] == pytest.approx(45.0)


def test_thresholds_can_be_set(spine):
    reading = spine([FULL, with_loss("wedge", 18.0), FULL], labels=["L1", "L2", "L3"])
    assert measure(reading).vertebrae[1].measures["deformity"]["grade"] == 0
    assert measure(reading, thresholds=(15, 17, 40)).vertebrae[1].measures["deformity"]["grade"] == 2


@pytest.mark.parametrize("thresholds", [(25, 20, 40), (0, 20, 40), (20, 25), ("a", 2, 3), (20, 25, 140), None])
def test_bad_thresholds_are_refused(spine, thresholds):
    with pytest.raises(InputError, match="thresholds"):
        measure(spine([FULL]), thresholds=thresholds)


def test_without_a_known_side_no_wedge_is_claimed(spine):
    measured = measure(spine([FULL, with_loss("wedge", 30.0), FULL], labels=["L1", "L2", "L3"], facing=None))
    wedge, whole = measured.vertebrae[1].measures, measured.vertebrae[0].measures
    assert wedge["deformity"] is None
    assert "anterior side is unknown" in wedge["deformity_reason"]
    assert wedge["ratios"]["wedge"] is None
    assert wedge["ratios"]["left_right"] == pytest.approx(0.7)
    assert "anterior" not in wedge["heights_mm"]
    assert (whole["deformity"]["type"], whole["deformity"]["grade"]) == ("normal", 0)
    assert any("anterior side is unknown" in remark for remark in measured.remarks)


@pytest.mark.parametrize("flip", [False, True], ids=["as it is", "turned round"])
def test_the_worse_of_both_sides_counts_where_the_front_is_unknown(flip):
    """22.5 of its own 27 are lost by 16.7 % if that is the front; of the 24 of its neighbours, as a back, by 6.3 %."""
    around = (24.0, 27.0, 27.0)
    values = np.array([around, (22.5, 26.0, 27.0), around])
    draws = np.repeat(values[None], 10, axis=0)
    draws[:5, 1, 0] = 20.0  # 25.9 % as a front, 16.7 % as a back
    if flip:
        values, draws = values[..., ::-1], draws[..., ::-1]
    known = {"names": ("L1", "L2", "L3"), "thresholds": (20.0, 25.0, 40.0)}
    answer, reason = judge_unsided(values, 1, (0, 2), **known)
    assert reason is None
    assert (answer["type"], answer["grade"], answer["losses_percent"]) == ("normal", 0, None)
    assert answer["loss_percent"] == pytest.approx(100 / 6, abs=1e-3)
    assert answer["notes"] == ["the anterior side is unknown: normal whichever side it is"]
    answer, reason = judge_unsided(values, 1, (0, 2), draws=draws, **known)
    assert reason is None
    assert (answer["type"], answer["grade_probability"]) == ("uncertain", [0.5, 0.0, 0.5, 0.0])
    assert answer["notes"] == ["the anterior side is unknown: uncertain, whichever side it is"]
    # Reduced if one side is the front: no answer, and why.
    values = np.where(values == 22.5, 20.0, values)
    reason = "a height is reduced, but the anterior side is unknown, so neither type nor direction can be told"
    assert judge_unsided(values, 1, (0, 2), **known) == (None, reason)
    # One outer height is not there: as the back of a body whose middle has lost half, nothing can be said.
    values = np.where(values == 20.0, np.nan, np.where(values == 26.0, 13.0, values))
    assert judge_unsided(values, 1, (0, 2), **known) == (None, NO_HEIGHT)


def test_ap_pictures_have_no_genant_grade(spine):
    measured = measure(spine([FULL, with_loss("wedge", 30.0), FULL], view="ap", corners=True))
    for vertebra in measured.vertebrae:
        assert vertebra.measures["deformity"] is None
        assert "AP" in vertebra.measures["deformity_reason"]
        assert vertebra.measures["heights_mm"]["left"] is not None


@pytest.mark.parametrize("label", ["S1", "C4", "C2"])
def test_levels_without_genant_grade(spine, label):
    vertebra = measure(spine([FULL], labels=[label])).vertebrae[0]
    assert vertebra.measures["deformity"] is None
    assert label in vertebra.measures["deformity_reason"]


def test_the_sacrum_is_no_reference(spine):
    measured = measure(spine([FULL, (27, 27, 26), (12, 12, 12)], labels=["L4", "L5", "S1"]))
    assert measured.vertebrae[1].measures["deformity"]["posterior_reference"] == "posterior height of L4"


def test_single_vertebra_is_judged_by_itself_and_says_what_was_not(spine):
    answer = measure(spine([with_loss("wedge", 30.0)], labels=["L1"])).vertebrae[0].measures["deformity"]
    assert (answer["type"], answer["grade"]) == ("wedge", 2)
    assert answer["not_judged"] == ["crush"]
    assert answer["losses_percent"]["posterior"] is None


def test_two_vertebrae_judge_each_other(spine):
    measured = measure(spine([FULL, with_loss("crush", 30.0)], labels=["L1", "L2"]))
    assert measured.vertebrae[1].measures["deformity"]["type"] == "crush"
    assert measured.vertebrae[0].measures["deformity"]["type"] == "normal"


def test_l5_may_be_lower_behind_but_not_in_front_as_well(spine):
    natural = measure(spine([FULL, FULL, (28, 25, 20)], labels=["L3", "L4", "L5"])).vertebrae[2].measures["deformity"]
    assert natural["grade"] == 0
    assert any("not counted" in note for note in natural["notes"])
    crushed = measure(spine([FULL, FULL, (20, 20, 20)], labels=["L3", "L4", "L5"])).vertebrae[2].measures["deformity"]
    assert (crushed["type"], crushed["grade"]) == ("crush", 2)
    same_at_l4 = measure(spine([FULL, (28, 25, 20), FULL], labels=["L3", "L4", "L5"])).vertebrae[1]
    assert same_at_l4.measures["deformity"]["type"] == "crush"


def test_physiological_wedging_is_noted(spine):
    measured = measure(spine([FULL, with_loss("wedge", 14.0), FULL], labels=["T11", "T12", "L1"]))
    assert any("wedged by nature" in note for note in measured.vertebrae[1].measures["deformity"]["notes"])
    measured = measure(spine([FULL, with_loss("wedge", 14.0), FULL], labels=["L2", "L3", "L4"]))
    assert measured.vertebrae[1].measures["deformity"]["notes"] == []


def test_crossed_endplates_and_swapped_names_are_not_graded(spine):
    reading = spine([FULL, FULL, FULL], labels=["L1", "L2", "L3"])
    order = [reading.schema.index(n) for n in ("top_left", "bottom_left")]
    reading.vertebrae[0].points[order] = reading.vertebrae[0].points[order[::-1]]
    reading.vertebrae[2].points = reading.vertebrae[2].points[list(reading.schema.flip_indices)]
    measured = measure(reading)
    first, last = (measured.vertebrae[k].measures for k in (0, 2))
    assert first["deformity"] is None
    assert "cross" in first["deformity_reason"]
    assert first["heights_mm"]["left"] is None
    assert first["heights_mm"]["right"] == pytest.approx(27.0)
    assert first["area_mm2"] is None
    assert last["deformity"] is None
    assert "swapped" in last["deformity_reason"]
    assert measured.vertebrae[1].measures["deformity"]["grade"] == 0
    json.dumps(measured.to_json(), allow_nan=False)


def test_none_at_all(spine):
    measured = measure(spine([]))
    assert measured.vertebrae == []
    assert measured.angles["cobb_max"] is None
    assert any("no vertebra" in remark for remark in measured.remarks)
    assert json.loads(json.dumps(measured.to_json(), allow_nan=False))["angles"]["lordosis_l1_l5"] is None


def part_of_a_spine(kept, named):
    """Bodies that were marked alone, of a healthy lateral spine: the others are there and not marked."""
    reading = lateral_radiograph(3, region="whole").reading
    chosen = [v for v in reading.vertebrae if v.label in kept]
    assert [v.label for v in chosen] == kept
    side = reading.facing.side if reading.facing else reading.frame.anterior
    bodies = [replace(v, measures={}, label=v.label if named else None) for v in chosen]
    return measure(replace(reading, vertebrae=bodies, landmarks=[], angles={}), facing=side or "right")


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("kept", [["T1", "L5"], ["T5", "T12", "L4"], ["T2", "T3", "L4", "L5"]])
def test_bodies_marked_alone_are_no_reference_for_one_another(kept, named):
    """Behind, T1 is 42 % lower than L5 by nature: it was a crush of grade 3, and slipped by twice its length."""
    measured = part_of_a_spine(kept, named)
    places = {"T1": 1, "T2": 2, "T3": 3, "T5": 5, "T12": 12, "L4": 16, "L5": 17}
    for k, (name, body) in enumerate(zip(kept, measured.vertebrae, strict=True)):
        answer = body.measures["deformity"]
        assert (answer["type"], answer["grade"]) == ("normal", 0)
        beside = [other for other in kept if other != name and abs(places[other] - places[name]) <= 3]
        assert ("crush" in answer["not_judged"]) == (not beside)
        follows = k + 1 < len(kept) and places[kept[k + 1]] == places[name] + 1
        assert (body.measures["disc_below"] is not None) == follows
    assert not any("listhesis" in remark for remark in measured.remarks)


def test_the_expected_height_of_a_body_counts_the_levels_between(spine):
    """T12 one level below T11 and two above L2: 24 + (30 - 24) / 3 = 26, and 1 - 19.5 / 26 = 25 %."""
    measured = measure(spine([(24,) * 3, (19.5,) * 3, (30,) * 3], labels=["T11", "T12", "L2"]))
    answer = measured.vertebrae[1].measures["deformity"]
    assert answer["losses_percent"]["posterior"] == pytest.approx(25.0)


@pytest.mark.parametrize("labels", [["T11", "T12", "L1"], ["L5", "L6", "S1"]])
def test_transitional_levels_are_no_gap(spine, labels):
    assert places_of(spine([FULL] * 3, labels=labels)).tolist() == [0, 1, 2]
    assert places_of(spine([FULL] * 3, labels=["L4", "L6", "S1"])).tolist() == [0, 2, 3]
