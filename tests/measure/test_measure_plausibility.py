"""The gate: bodies that no spine has are not graded where a model found them; what people mark is never overruled."""

from dataclasses import replace

import numpy as np
import pytest

from spinetk.facing import Facing
from spinetk.geometry import Frame
from spinetk.measure import measure
from spinetk.measure.again import measure_again
from spinetk.measure.body import stack
from spinetk.measure.plausibility import (
    RULES,
    _overlaps,
    doubts,
    elsewhere,
    impossible_size,
    is_neck,
    other_part,
    too_small,
    too_tall,
    unusual_size,
)
from spinetk.overrides import Overrides
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6


def body(y: float, width: float = 40, height: float = 28, x: float = 100) -> Vertebra:
    left, right = x - width / 2, x + width / 2
    points = [[left, y + height], [x, y + height], [right, y + height], [right, y], [x, y], [left, y]]
    return Vertebra.from_points(np.array(points), score=0.9)


def column(*bodies: Vertebra, mm: float | None = 1.0, **fields) -> Reading:
    frame = Frame() if mm is None else Frame((mm, mm), "PixelSpacing")
    return Reading("a.png", 400, 200, VERTEBRA6, list(bodies), frame, "lateral", "net", **fields)


SOUND = [body(10 + 40 * k) for k in range(5)]


def test_a_sound_column_passes():
    assert doubts(column(*SOUND)) == [None] * 5
    assert impossible_size(column(*SOUND)) is None
    # A crushed one is lower, not narrower: it stays a finding.
    crushed = [*SOUND[:2], body(90, height=9), *SOUND[3:]]
    assert doubts(column(*crushed)) == [None] * 5
    # A sound one between two fractures is the highest, and no more than that; of two bodies nobody can tell.
    beside = [SOUND[0], body(50, height=14), SOUND[2], body(130, height=14), SOUND[4]]
    assert doubts(column(*beside)) == [None] * 5
    assert doubts(column(body(10, height=14), SOUND[1])) == [None] * 2
    # A sixth more is still a body.
    assert doubts(column(*SOUND[:2], body(88, height=33), *SOUND[3:])) == [None] * 5
    # T1 to L5 of one person.
    grown = [body(10 + 20 * k, width=18 + k, height=14 + 0.6 * k) for k in range(17)]
    assert doubts(column(*grown)) == [None] * 17


@pytest.mark.parametrize(
    ("view", "anchor", "mm", "said"),
    [
        ("lateral", "L5=last", 1.0, None),  # 28 mm, as L1 to L5 are
        ("lateral", "L5=last", 0.5, "the lumbar bodies are 14 mm high in the median, where those of adults are 16 to"),
        ("lateral", None, 0.5, None),  # as upper thoracic ones might be
        ("sagittal", None, 0.38, "the bodies are 10.6 mm high in the median, where those of adults are 11 to 42 mm"),
        ("sagittal", "L5=last", 1.6, "the lumbar bodies are 44.8 mm high"),
        ("cervical", None, 0.5, None),  # 14 mm
        ("cervical", None, 1.0, "the bodies are 28 mm high in the median, where those of adults are 7.5 to 24 mm"),
        ("cervical", None, 0.25, "the bodies are 7 mm high"),
        ("lateral", "L5=last", 2.5, None),  # 70 mm: said to be impossible
        ("lateral", "L5=last", None, None),
    ],
)
def test_a_size_that_adults_have_not_is_said(view, anchor, mm, said):
    """A film that was made smaller and kept the spacing of the large one read 14 mm without a word."""
    measured = measure(replace(column(*SOUND, mm=mm), view=view), anchor=anchor)
    found = [remark for remark in measured.remarks if "adults" in remark]
    assert len(found) == (said is not None)
    if said:
        assert found[0].startswith(f"Measurement: {said}")
        assert ("child" in found[0]) is (mm < (0.3 if view == "cervical" else 1))
    # A correction by hand is measured by the same scale, and a crushed body among sound ones changes nothing.
    crushed = replace(column(*SOUND[:2], body(90, height=9), *SOUND[3:], mm=mm), view=view, model=None)
    crushed = measure(crushed, anchor=anchor)
    assert (unusual_size(crushed) is not None) is (said is not None)


def test_a_body_without_height_is_no_neighbour_to_be_taller_than():
    """Of 28, 0 and 40 px the last is 1.4 times as high as the one that is left, and of two nobody can tell."""
    flat = body(50, height=0)
    assert too_tall(column(body(10), flat, body(60, height=40))) == []
    assert too_tall(column(body(-40), body(10), flat, body(60, height=40))) == [3]


@pytest.mark.parametrize(
    ("bodies", "mm", "which", "words"),
    [
        ([body(10)], 1.0, [0], "no other body"),
        ([*SOUND[:4], body(130, 20, 10)], 1.0, [3, 4], "covers"),
        ([*SOUND[:4], body(170, 20)], 1.0, [4], "width of the bodies beside"),
        ([body(10 + 40 * k, 80 * 0.7**k) for k in range(5)], 1.0, [0, 1, 2, 3, 4], "narrowest body of the column"),
        ([*SOUND[:4], body(170, 40, 3)], 1.0, [4], "3 mm high"),
        ([*SOUND[:2], body(86, height=38), *SOUND[3:]], 1.0, [2], "1.4 times as high as any body beside it"),
        ([*SOUND[:4], body(170, height=38)], None, [4], "two may be taken for one, or one missed"),
        ([body(10 + 8 * k, 8, 5) for k in range(4)], None, [0, 1, 2, 3], "px high"),
    ],
)
def test_what_no_spine_looks_like_is_not_graded(bodies, mm, which, words):
    reading = column(*bodies, mm=mm)
    found = doubts(reading)
    assert [k for k, doubt in enumerate(found) if doubt] == which
    assert all(words in found[k] for k in which)
    measured = measure(reading, facing="left")
    for k in which:
        assert measured.vertebrae[k].measures["deformity"] is None
        assert words in measured.vertebrae[k].measures["deformity_reason"]
        assert any(words in remark for remark in measured.remarks)
    # A person's own marks are no guess.
    assert doubts(replace(reading, model=None)) == [None] * len(bodies)


def test_a_body_too_high_for_its_neighbours_tells_no_slip_and_no_disc_and_judges_none():
    tall = [*SOUND[:2], body(86, height=38, x=125), *SOUND[3:]]
    measured = measure(column(*tall), facing="left")
    assert [own.measures["disc_below"] is None for own in measured.vertebrae] == [False, True, True, False, True]
    assert not any("Meyerding" in remark for remark in measured.remarks)
    # One point of a neighbour that is drawn wrongly hides nothing.
    stretched = list(tall)
    stretched[3] = replace(tall[3], points=tall[3].points + np.array([[0, 12], *[[0, 0]] * 5]))
    assert "times as high" in (doubts(column(*stretched))[2] or "")
    # Against the tall body its neighbours would have lost a fifth of their height.
    assert all(measured.vertebrae[k].measures["deformity"]["loss_percent"] == 0 for k in (0, 1, 3, 4))


@pytest.mark.parametrize(("mm", "possible"), [(0.1, False), (0.2, True), (1.0, True), (2.1, True), (2.3, False)])
def test_bodies_are_4_to_60_mm_high(mm, possible):
    assert (impossible_size(column(*SOUND, mm=mm)) is None) == possible


def test_parts_and_sizes():
    assert [other_part(part) for part in ("HIP", "SKULL", "LSPINE", "CHEST", "LWS", None)] == [True] * 2 + [False] * 4
    assert too_small(16, 16)
    assert too_small(400, 31)
    assert not too_small(32, 32)
    assert all(rule.source and rule.effect for rule in RULES.values())


@pytest.mark.parametrize(
    ("part", "labels", "said"),
    [
        ("CSPINE", ["L1", "L2", None, "L4"], "levels: named L1 to L4, but BodyPartExamined is CSPINE"),
        ("CHEST", ["T12", "L1", "L2", "L3"], "levels: named T12 to L3, but BodyPartExamined is CHEST"),
        ("CHEST", ["T4", "T5", "L1"], None),
        ("LSPINE", ["T11", "T12", "L1", "L2"], None),
        ("LSPINE", ["T5", "T6", "L1"], "named T5 to L1"),
        ("TLSPINE", ["T1", "L5"], None),
        ("CSPINE", [None, None], None),
        ("SPINE", ["L1"], None),
        (None, ["L1"], None),
    ],
)
def test_names_outside_the_part_examined_are_remarked(part, labels, said):
    found = elsewhere(part, labels)
    assert found is None if said is None else said in found
    assert is_neck(part) == (part == "CSPINE")


def test_a_body_of_which_two_points_are_seen_overlaps_nothing():
    """Beside it two bodies that overlap by half, the upper one before and the lower one after it."""

    def _pairs(reading):
        return _overlaps(stack(reading), reading)

    half = body(100)
    half.visible[2:] = False
    assert not _pairs(column(half, body(40), body(160)))
    ((first, second, share),) = _pairs(column(body(40), half, body(54)))
    assert (first, second) == (0, 2)
    assert share == pytest.approx(0.5, abs=0.02)


def test_bodies_below_the_threshold_are_marked():
    bodies = [*SOUND[:2], replace(SOUND[2], score=0.41), *SOUND[3:]]
    measured = measure(column(*bodies, threshold=0.6), facing="left")
    assert [v.measures.get("below_threshold", False) for v in measured.vertebrae] == [False, False, True, False, False]
    assert any("below the threshold of 0.6" in remark and "vertebra #3" in remark for remark in measured.remarks)


def test_what_was_hardly_seen_keeps_its_heights_and_gets_no_grade():
    """0.23 and 0.25 of the 0.6 asked for, on either side of 40 %."""
    bodies = [replace(SOUND[0], score=0.23), replace(SOUND[1], score=0.25), *SOUND[2:]]
    measured = measure(column(*bodies, threshold=0.6), facing="left")
    first, second = (vertebra.measures for vertebra in measured.vertebrae[:2])
    assert first["deformity"] is None
    assert "hardly seen (confidence 0.23)" in first["deformity_reason"]
    assert first["heights_mm"]["anterior"] == 28.0
    assert second["deformity"] is not None


def test_measured_again_keeps_what_is_known_and_says_what_it_drops():
    first = measure(column(*SOUND, facing=Facing("left", "picture", 0.9)), anchor="L5=last")
    again = measure_again(Reading.from_json(first.to_json()))
    assert again.to_json() == first.to_json()
    assert again.facing == Facing("left", "picture", 0.9)
    frontal = measure_again(first, Overrides("ap", (0.5, 0.5), anchor="L4=last"))
    assert (frontal.view, frontal.facing, frontal.frame.spacing_mm) == ("ap", None, (0.5, 0.5))
    assert [v.label for v in frontal.vertebrae] == ["T12", "L1", "L2", "L3", "L4"]
    said = " ".join(frontal.remarks)
    for words in ("view: ap, before lateral", "front: dropped (left)", "replaced 1 x 1 mm", "levels: replaced L1, L2"):
        assert words in said
    two = column(replace(SOUND[0], label="T12"), SOUND[1])
    assert (
        "By the user's word: levels: replaced T12, no name" in measure_again(two, Overrides(anchor="L5=last")).remarks
    )
    turned = measure_again(first, Overrides(facing="right"))
    assert turned.facing == Facing("right", "user", 1.0)
    assert any("front: right, before left" in remark for remark in turned.remarks)


def test_the_order_is_the_patients_not_the_pictures():
    """A film stored feet first: what lies lowest in it is nearest the neck."""
    for frame in (Frame(toward_bottom="H", toward_right="P"), Frame(exif_orientation=3)):
        reading = replace(column(*SOUND), frame=frame).turned(1)
        named = measure(reading, anchor="L5=last")
        assert [v.label for v in named.vertebrae] == ["L5", "L4", "L3", "L2", "L1"]
        assert any("not ordered" in remark for remark in named.remarks)
