"""Pelvic angles, discs and slips of whole readings."""

import json
from dataclasses import replace

import numpy as np
import pytest

from spinetk.landmark import Landmark
from spinetk.measure import measure
from spinetk.measure.discs import meyerding_interval
from spinetk.measure.slips import grade_in_words
from spinetk.phantoms import lateral_radiograph
from spinetk.phantoms.choose import stream
from spinetk.phantoms.spine import draw_spine


def lateral(seed, **fields):
    """The true reading of a phantom film that shows the femoral heads."""
    while True:
        reading = lateral_radiograph(seed, region="lumbar", spacing_mm=1.2, **fields).reading
        if len(reading.landmarks) == 3:
            return reading
        seed += 1


def with_sigma(reading, sigma_px):
    """A copy whose bodies' points have this standard deviation."""
    bodies = [replace(own, point_sigma_px=np.full(6, sigma_px)) for own in reading.vertebrae]
    return replace(reading, vertebrae=bodies)


def slipped(percent, *, from_zero=False):
    """A film with its front to the right, on which L4 and all above it are moved forward on L5.

    By this much more than they lie there, or, ``from_zero``, to this much.

    Returns:
        (reading, index of L4, length of the upper endplate of L5 in px, slip before in percent).
    """
    reading = lateral(5, facing="right")
    index = next(k for k, v in enumerate(reading.vertebrae) if v.label == "L4")
    left, right = (reading.vertebrae[index + 1].point(reading.schema, f"top_{side}") for side in ("left", "right"))
    before = measure(reading).vertebrae[index].measures["disc_below"]["listhesis_percent"]
    for vertebra in reading.vertebrae[: index + 1]:
        vertebra.points += (percent - before * from_zero) / 100 * (right - left)
    return reading, index, float(np.hypot(*(right - left))), before


@pytest.mark.parametrize("facing", ["left", "right"])
def test_pelvic_angles_of_a_phantom_and_their_identity(facing):
    reading = lateral(3, facing=facing)
    angles = measure(reading).angles
    assert angles["pelvic_incidence"] == pytest.approx(angles["pelvic_tilt"] + angles["sacral_slope"], abs=1e-3)
    assert 5 < angles["sacral_slope"] < 70
    assert 20 < angles["pelvic_incidence"] < 95
    assert angles["hip_axis_heads"] == 2
    assert angles["sacral_slope_interval"] is None
    last = measure(reading).vertebrae[-1]
    assert last.label == "L5"
    assert last.measures["disc_below"]["name"] == "L5-S1"
    assert last.measures["disc_below"]["meyerding"] == 0


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (("s1", "femoral_head"), True),
        (("s1", "femoral_head", "femoral_head"), False),
        (("s1",), False),
        (("femoral_head",), False),  # no angle rests on it
    ],
)
def test_one_femoral_head_for_the_hip_axis_is_a_remark(kinds, said):
    reading = lateral(3)
    marks = {kind: [own for own in reading.landmarks if own.kind == kind] for kind in ("s1", "femoral_head")}
    seen = [marks[kind][kinds[:k].count(kind)] for k, kind in enumerate(kinds)]
    remarks = measure(replace(reading, landmarks=seen)).remarks
    assert any("one femoral head is seen" in remark for remark in remarks) is said


@pytest.mark.parametrize(("score", "said"), [(None, 0), (0.79, 1), (0.8, 0)])
def test_an_endplate_hardly_seen_is_a_remark_where_it_is_measured(score, said):
    reading = lateral(5, facing="right")
    marks = [replace(own, score=score) for own in reading.landmarks]

    def remarks(**changes):
        found = measure(replace(reading, **({"landmarks": marks} | changes))).remarks
        return [remark for remark in found if "the endplate of S1 was seen with a confidence of 0.79 only" in remark]

    assert len(remarks()) == said
    assert not remarks(view="ap")
    level = [replace(own, points=own.points * (1, 0)) for own in marks if own.kind == "s1"]
    blind = replace(reading.frame, toward_right=None)
    assert not remarks(vertebrae=reading.vertebrae[:1], frame=blind, landmarks=level)


@pytest.mark.parametrize(
    ("incidence", "score", "said"),
    [
        (19.96, 0.9, "19.96 degrees"),
        (-5.0, 0.9, "-5 degrees"),
        (20.04, 0.9, None),
        (114.9, 0.9, None),
        (131.0, 0.9, "131 degrees"),
        (-5.0, None, None),  # what a person has marked is not doubted
    ],
)
def test_an_incidence_that_no_pelvis_has_is_a_remark(incidence, score, said):
    """The hips are put where the incidence is this: tilt is its difference from the slope of the endplate."""
    reading = lateral(5, facing="right")
    plate = next(own for own in reading.landmarks if own.kind == "s1")
    (x0, y0), (x1, y1) = plate.points
    tilt = np.radians(incidence) - np.arctan2(y1 - y0, x1 - x0)
    axis = plate.points.mean(axis=0) + 150 * np.array([np.sin(tilt), np.cos(tilt)])
    marks = [replace(plate, score=score), Landmark("femoral_head", axis[None], 30.0, score)]
    measured = measure(replace(reading, landmarks=marks))
    assert measured.angles["pelvic_incidence"] == pytest.approx(incidence, abs=1e-3)
    found = [remark for remark in measured.remarks if "hardly seen (adults: 20 to 115)" in remark]
    assert [f"a pelvic incidence of {said} is" in remark for remark in found] == ([True] if said else [])


def test_what_is_measured_twice_is_the_same_to_the_order_of_its_fields():
    reading = with_sigma(lateral(5, facing="right"), 0.5)
    reading.threshold, reading.vertebrae[0].score = 0.6, 0.4
    once = measure(reading)
    assert once.vertebrae[0].measures["below_threshold"] is True
    assert json.dumps(measure(once).to_json()) == json.dumps(once.to_json())


def test_what_rests_on_the_endplate_of_s1_is_widened_by_its_own_factors():
    """Three times as wide about the value; the other discs keep the factor of their kind, tilt its own width."""
    reading = with_sigma(lateral(5, facing="right"), 0.5)
    marks = [replace(own, score=0.7, sigma_px=0.5) for own in reading.landmarks]
    plain = replace(reading, landmarks=marks)
    own = dict.fromkeys(("sacral_slope", "lordosis_l1_s1", "lumbosacral_height", "lumbosacral_angle"), 3.0)
    wide = replace(plain, interval_scale={"disc_angle": 2.0, "listhesis": 2.0} | own)
    placed = measure(replace(wide, landmarks=[replace(mark, score=None) for mark in marks]))
    wide, plain = measure(wide), measure(plain)

    def widths(measured):
        discs = [vertebra.measures["disc_below"] for vertebra in measured.vertebrae[-2:]]
        spans = [measured.angles[f"{name}_interval"] for name in ("sacral_slope", "lordosis_l1_s1", "pelvic_tilt")]
        for disc in discs:
            spans += [
                disc["angle_deg_interval"],
                disc["heights_px_interval"]["anterior"],
                disc["listhesis_px_interval"],
            ]
        return np.diff(spans).ravel()

    np.testing.assert_allclose(widths(wide) / widths(plain), [3, 3, 1, 2, 1, 2, 3, 3, 2], rtol=1e-3)
    by_person = (widths(placed) / widths(plain))[-3:]  # its score is gone, and with it what was due to that
    np.testing.assert_allclose(by_person, [2, 1, 2], rtol=1e-3)
    said = [[remark for remark in one.remarks if "the endplate of S1 was seen" in remark] for one in (plain, wide)]
    assert ["may be off by more than their intervals say" in remark[0] for remark in said] == [True, False]
    assert "as wide as films of phantoms ask for" in said[1][0]


def test_mirrored_film_gives_the_same_numbers():
    reading = lateral(8, facing="right")
    plain, mirrored = measure(reading), measure(reading.flipped())
    for name in ("sacral_slope", "pelvic_tilt", "pelvic_incidence", "lordosis_l1_s1"):
        assert mirrored.angles[name] == pytest.approx(plain.angles[name], abs=1e-3)
    for own, other in zip(plain.vertebrae, mirrored.vertebrae, strict=True):
        assert other.measures["disc_below"]["heights_mm"] == pytest.approx(own.measures["disc_below"]["heights_mm"])


@pytest.mark.parametrize("aspect", [1.0, 1.6])
def test_lordosis_to_the_sacrum_is_the_turn_between_the_drawn_endplates(aspect):
    """Rows farther apart than columns: in mm the endplates are steeper than in the picture."""
    reading = lateral(12, facing="right")
    reading = replace(reading, frame=replace(reading.frame, spacing_mm=(0.2 * aspect, 0.2)))
    lumbar = next(v for v in reading.vertebrae if v.label == "L1")
    left, right = (lumbar.point(reading.schema, f"top_{side}") for side in ("left", "right"))
    sacral = next(own.points for own in reading.landmarks if own.kind == "s1")
    tilt = [np.degrees(np.arctan2(*((b - a) * (1, aspect))[::-1])) for a, b in ((left, right), sacral)]
    assert measure(reading).angles["lordosis_l1_s1"] == pytest.approx(tilt[1] - tilt[0], abs=1e-3)


def test_the_sacrum_tells_the_front_where_nothing_else_does():
    reading = lateral(5, facing="left")
    silent = replace(reading, frame=replace(reading.frame, toward_right=None, toward_bottom=None))
    found = measure(silent)
    assert found.vertebrae[0].measures["anterior_side"] == "left"
    assert any("from the sacrum" in remark for remark in found.remarks)


def test_numbers_carry_intervals_where_the_points_have_deviations():
    reading = lateral(5)
    for vertebra in reading.vertebrae:
        vertebra.point_sigma_px = np.full(6, 0.5)
    for own in reading.landmarks:
        own.sigma_px = 0.5
    found = measure(reading)
    for name in ("sacral_slope", "pelvic_tilt", "pelvic_incidence", "lordosis_l1_s1"):
        low, high = found.angles[f"{name}_interval"]
        assert low < found.angles[name] < high
    disc = found.vertebrae[-1].measures["disc_below"]
    for name in ("angle_deg", "listhesis_mm", "listhesis_percent"):
        assert disc[f"{name}_interval"][0] < disc[name] < disc[f"{name}_interval"][1]
    assert disc["heights_mm_interval"]["anterior"][0] < disc["heights_mm"]["anterior"]


def test_a_slip_is_named_in_words_and_graded():
    reading, index, _, before = slipped(40)
    found = measure(reading)
    disc = found.vertebrae[index].measures["disc_below"]
    assert disc["listhesis_percent"] == pytest.approx(before + 40, abs=1e-3)
    assert disc["name"] == "L4-L5"
    assert disc["meyerding"] == 2
    assert any("forward on L5 (anterolisthesis, Meyerding grade 2)" in remark for remark in found.remarks)


@pytest.mark.parametrize(("percent", "said"), [(25.3, "25.3 % forward on L5 (anterolisthesis, Meyerding grade 2)"),
                                               (24.6, "25 % forward on L5 (anterolisthesis, Meyerding grade 1)"),
                                               (7.96, None)])  # fmt: skip
def test_the_figure_of_a_slip_lies_on_the_side_of_its_grade(percent, said):
    found = [remark for remark in measure(slipped(percent, from_zero=True)[0]).remarks if "L4 lies" in remark]
    assert found == ([] if said is None else [f"Measurement: L4 lies {said}."])


def test_a_slip_whose_interval_reaches_zero_has_every_grade_of_it():
    reading, index, plate, _ = slipped(12, from_zero=True)
    sure, unsure = (with_sigma(reading, share * plate) for share in (0.005, 0.1))
    for own, said, graded in ((sure, "1", [1, 1]), (unsure, "0 to 2", [0, 2])):
        disc = measure(own).vertebrae[index].measures["disc_below"]
        assert disc["listhesis_percent"] == pytest.approx(12, abs=1e-3)
        assert (disc["meyerding"], disc["meyerding_interval"], grade_in_words(disc)) == (1, graded, said)
    assert measure(unsure).vertebrae[index].measures["disc_below"]["listhesis_percent_interval"][0] < 0
    slips = [remark for remark in measure(sure).remarks if "L4 lies" in remark]
    assert slips == ["Measurement: L4 lies 12 % forward on L5 (anterolisthesis, Meyerding grade 1)."]
    assert not [remark for remark in measure(unsure).remarks if "L4 lies" in remark]
    assert grade_in_words({"meyerding": None}) == ""
    assert grade_in_words({"meyerding": 2}) == "2"
    assert grade_in_words({"meyerding": 1, "meyerding_interval": [0, 1]}) == "0 or 1"


@pytest.mark.parametrize(
    ("percent", "grades"),
    [([9, 20], [1, 1]), ([2, 12], [0, 1]), ([-12, -2], [0, 1]), ([-30, 9], [0, 2]), ([-60, -20], [1, 3]), (None, None)],
)
def test_grades_of_an_interval(percent, grades):
    assert meyerding_interval(percent) == grades


def turn_sacrum(reading, degrees):
    """Turn the S1 endplate of a reading about its middle, clockwise as seen, in place."""
    (mark,) = [own for own in reading.landmarks if own.kind == "s1"]
    angle = np.radians(degrees)
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = mark.points.mean(axis=0)
    mark.points = (mark.points - middle) @ turned.T + middle


@pytest.mark.parametrize(("turn", "doubt"), [(0, ""), (30, ", if L5 is right, which the disc below it makes doubtful")])
def test_a_slip_on_a_body_whose_own_disc_is_doubtful_is_said_with_the_doubt(turn, doubt):
    reading, *_ = slipped(12, from_zero=True)
    turn_sacrum(reading, turn)
    slips = [remark for remark in measure(reading).remarks if "L4 lies" in remark]
    assert slips == [f"Measurement: L4 lies 12 % forward on L5 (anterolisthesis, Meyerding grade 1){doubt}."]


@pytest.mark.parametrize(("turn", "doubtful"), [(10, False), (30, True)])
def test_a_disc_over_the_sacrum_that_opens_beyond_what_is_known_is_said_in_place_of_its_slip(turn, doubtful):
    reading = lateral(5, facing="right")
    before = measure(reading).vertebrae[-1].measures["disc_below"]["angle_deg"]
    assert 0 < before < 20
    turn_sacrum(reading, turn)
    found = measure(reading)
    assert found.vertebrae[-1].measures["disc_below"]["angle_deg"] == pytest.approx(before + turn, abs=1e-2)
    said = [remark for remark in found.remarks if "between L5 and S1 opens" in remark]
    assert len(said) == doubtful
    assert not (doubtful and any("L5 lies" in remark for remark in found.remarks))


def test_no_disc_over_a_gap_in_ap_views_and_without_a_front():
    reading = lateral(5, facing="right")
    gone = replace(reading, vertebrae=reading.vertebrae[:2] + reading.vertebrae[3:])
    discs = [v.measures["disc_below"] for v in measure(gone).vertebrae]
    assert discs[1] is None
    assert discs[0] is not None
    assert all(v.measures["disc_below"] is None for v in measure(replace(reading, view="ap")).vertebrae)
    assert "sacral_slope" not in measure(replace(reading, view="ap")).angles
    level = Landmark("s1", np.array([[0.0, 0.0], [40.0, 0.0]]))
    blind = replace(
        reading, landmarks=[level], frame=replace(reading.frame, toward_right=None), vertebrae=reading.vertebrae[:2]
    )
    assert "sacral_slope" not in measure(blind).angles


def test_hips_turn_with_the_spine():
    spine = draw_spine(stream(4, 1), on_film=True)
    middle = np.mean(spine.hips, axis=0)
    endplate = spine.sacrum[0].points()[[5, 3]].mean(axis=0)
    assert 85 < np.hypot(*(middle - endplate)) < 160
    assert middle[1] > endplate[1]
