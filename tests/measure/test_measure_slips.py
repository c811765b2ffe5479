"""Slips that spines hardly have: no grade, and a remark that an outline is probably misplaced."""

from dataclasses import replace

import numpy as np
import pytest

from spinetk.formats.table import rows
from spinetk.landmark import Landmark
from spinetk.measure import measure
from spinetk.measure.slips import doubt, grade_in_words

FULL = (30.0, 30.0, 30.0)
SIZE = "short of a fracture-dislocation, slips of more than {} are hardly seen there"


@pytest.mark.parametrize(
    ("percent", "upper", "lower", "lengths", "angle", "said"),
    [
        (-25.1, "L4", "L5", (30, 30), 5, SIZE.format("25 % backward")),
        (-25.0, "L4", "L5", (30, 30), 5, None),
        (-37.0, "T11", "T12", (30, 30), 5, SIZE.format("25 % backward")),
        (-26.0, "L5", "S1", (30, 30), 5, SIZE.format("25 % backward")),
        (25.1, "L2", "L3", (30, 30), 5, SIZE.format("25 % forward")),
        (26.0, "T12", "L1", (30, 30), 5, SIZE.format("25 % forward")),
        # A broken or dysplastic arch lets L3 and L4 slip further, L5 from the sacrum altogether.
        (49.0, "L4", "L5", (30, 30), 5, None),
        (50.1, "L3", "L4", (30, 30), 5, SIZE.format("50 % forward")),
        (49.0, None, None, (30, 30), 5, None),
        (110.0, "L5", "S1", (30, 30), 5, None),
        # One of the two endplates is 1.2 times as long as the other; S1 may be the shorter one.
        (10.0, "L3", "L4", (36, 30), 5, "one of the two facing endplates is 1.20 times as long as the other"),
        (-10.0, "L3", "L4", (30, 36), 5, "one of the two facing endplates is 1.20 times as long as the other"),
        (10.0, "L5", "S1", (30, 36), 5, "one of the two facing endplates is 1.20 times as long as the other"),
        (10.0, "L5", "S1", (36, 30), 5, None),
        (10.0, "L3", "L4", (35, 30), 5, None),
        (10.0, "L5", "S1", (30, 30), 31, "the disc opens by 31 degrees"),
        (10.0, "L4", "L5", (30, 30), 31, None),
        # No slip is claimed, so none is doubted.
        (7.9, "L3", "L4", (60, 30), 5, None),
        (np.nan, "L3", "L4", (30, np.nan), None, None),
    ],
)
def test_what_speaks_against_a_slip(percent, upper, lower, lengths, angle, said):
    assert doubt(percent, upper, lower, *lengths, angle) == said


def found(spine, shift_mm, **more):
    """T10 to L2, front to the left, T11 and all above it moved on T12 by so much, as a model might find them."""
    labels = ["T10", "T11", "T12", "L1", "L2"]
    reading = spine([FULL] * 5, labels=labels, shifts=[shift_mm, shift_mm, 0, 0, 0], **more)
    reading.model = "net"
    for vertebra in reading.vertebrae:
        vertebra.score = 0.9
    return reading


def test_a_backward_slip_of_a_third_is_no_finding_where_a_model_found_it(spine):
    """11.84 mm of 32: 37 %. The front lies to the left, so that backward is to the right."""
    measured = measure(found(spine, 11.84))
    disc = measured.vertebrae[1].measures["disc_below"]
    assert disc["listhesis_percent"] == pytest.approx(-37, abs=1e-3)
    assert (disc["meyerding"], disc["meyerding_interval"]) == (None, None)
    assert disc["meyerding_reason"] == SIZE.format("25 % backward")
    assert grade_in_words(disc) == "doubtful"
    said = [own for own in measured.remarks if " on T12" in own]
    assert said == [
        f"Measurement: T11 seems to lie 37 % backward on T12, but {SIZE.format('25 % backward')}: an outline is "
        "probably misplaced, and no slip is graded."
    ]
    assert not any("retrolisthesis" in own for own in measured.remarks)
    cells = rows(measured)[1]
    assert (cells["meyerding"], cells["listhesis_percent"]) == (None, disc["listhesis_percent"])
    assert cells["meyerding_reason"] == disc["meyerding_reason"]
    # Of 5 mm (15.6 %) it is one.
    measured = measure(found(spine, 5.0))
    assert measured.vertebrae[1].measures["disc_below"]["meyerding"] == 1
    assert any("T11 lies 16 % backward on T12 (retrolisthesis" in own for own in measured.remarks)


def test_what_a_person_has_placed_is_a_finding(spine):
    marked = found(spine, 11.84)
    moved = [replace(own, score=None) if own.label in ("T11", "T12") else own for own in marked.vertebrae]
    for reading in (replace(marked, model=None), replace(marked, vertebrae=moved)):
        measured = measure(reading)
        assert measured.vertebrae[1].measures["disc_below"]["meyerding"] == 2
        assert any("37 % backward on T12 (retrolisthesis, Meyerding grade 2)" in own for own in measured.remarks)


def test_an_interval_that_reaches_zero_leaves_nothing_to_doubt_in_words(spine):
    measured = measure(found(spine, 11.84, sigma=14.0))
    low, high = measured.vertebrae[1].measures["disc_below"]["listhesis_percent_interval"]
    assert low < 0 < high
    assert measured.vertebrae[1].measures["disc_below"]["meyerding"] is None
    assert not any(" on T12" in own for own in measured.remarks)


def test_an_endplate_of_the_sacrum_that_is_too_long_for_l5_gives_no_grade(spine):
    """S1 40 mm long, its front below that of L5, its back 8 mm behind it: 20 % of 40. Of L5 the endplate has 32."""
    labels = ["L1", "L2", "L3", "L4", "L5"]
    reading = spine([FULL] * 5, labels=labels)
    reading.model = "net"
    below = reading.vertebrae[-1].point(reading.schema, "bottom_left") + (0, 10 / 0.5)
    for vertebra in reading.vertebrae:
        vertebra.score = 0.9
    for length, grade in ((40.0, None), (36.0, 1)):
        line = np.array([below, below + (length / 0.5, 0)])
        measured = measure(replace(reading, landmarks=[Landmark("s1", line, score=0.95)]))
        disc = measured.vertebrae[-1].measures["disc_below"]
        assert disc["listhesis_percent"] == pytest.approx(100 * (length - 32) / length, abs=1e-3)
        assert disc["meyerding"] == grade
        assert any("L5 seems to lie 20 % forward on S1" in own for own in measured.remarks) is (grade is None)
