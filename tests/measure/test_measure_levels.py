from dataclasses import replace

import pytest

from spinetk.anchor import SEQUENCE
from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.measure import measure
from spinetk.measure.levels import (
    SYSTEMS,
    TABLE,
    _evened,
    _is_gap,
    faults,
    head_to_foot,
    name_of,
    order_faults,
)

FULL = (27.0, 27.0, 27.0)


def test_measure_takes_an_anchor(spine):
    reading = spine([FULL] * 5, tilts=[10, 5, 0, -10, -20])
    measured = measure(reading, anchor="L5=last")
    assert [v.label for v in measured.vertebrae] == ["L1", "L2", "L3", "L4", "L5"]
    assert measured.angles["lordosis_l1_l5"] == pytest.approx(30, abs=1e-3)
    assert [v.label for v in reading.vertebrae] == [None] * 5


def test_faults_of_names(spine):
    assert faults(["L1", None, "L3"]) == []
    assert faults(["L1", "L1"]) == ["L1 appears twice."]
    assert faults(["L2", "L1"]) == ["The level names are not in order from head to foot."]
    assert faults([None, "L5", None, None, None, None]) == [
        "L5 cannot be right, or bodies are marked twice: 4 bodies lie below it."
    ]
    assert faults([None, "L5", None, None]) == []  # L6 and S1
    assert faults([None, None, "C2"]) == ["C2 cannot be right, or bodies are marked twice: 2 bodies lie above it."]
    assert faults(["L1", None, None, "L3"]) == ["L1 and L3 cannot both be right: 2 bodies between them."]
    assert faults(["T12", None, "L1"]) == []  # T13
    assert faults(["L1", None, "L2"]) == ["L1 and L2 cannot both be right: a body between them."]
    assert faults(["Q9"]) == ["'Q9' is not a level name."]
    remarks = measure(spine([FULL] * 2, labels=["L2", "L1"])).remarks
    assert any("not in order" in remark for remark in remarks)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["T12", "L1", None, None], ["a vertebra may be missing between L1 and vertebra #3."]),
        ([None, "L1", "L2", None], ["a vertebra may be missing between L1 and L2."]),
        ([None, "L1", "L3", None], []),  # the names leave one out
    ],
)
def test_a_wide_step_is_remarked_unless_the_names_beside_it_explain_it(spine, labels, said):
    """Steps of 34, 74 and 34 mm; px of 0.5 mm."""
    reading = spine([FULL] * 4, labels=labels)
    below = [replace(v, points=v.points + (0, 80)) for v in reading.vertebrae[2:]]
    assert order_faults(replace(reading, vertebrae=[*reading.vertebrae[:2], *below])) == said


@pytest.mark.parametrize("turned", [0, 90, 180, -45])
def test_order_follows_the_bodies_not_the_picture(spine, turned):
    reading = spine([FULL] * 5, turned=turned)
    reading.vertebrae = [reading.vertebrae[k] for k in (3, 0, 4, 1, 2)]
    assert head_to_foot(reading) == [1, 3, 4, 0, 2]
    assert any("ordered" in remark for remark in measure(reading).remarks)


def test_a_gap_is_remarked_unless_the_names_leave_room(spine):
    reading = spine([FULL] * 6)
    del reading.vertebrae[3]
    assert any("may be missing between vertebra #3 and vertebra #4" in r for r in measure(reading).remarks)
    for vertebra, label in zip(reading.vertebrae, ["T12", "L1", "L2", "L4", "L5"], strict=True):
        vertebra.label = label
    assert not any("may be missing" in r for r in measure(reading).remarks)
    assert not any("may be missing" in r for r in measure(spine([FULL] * 6)).remarks)


@pytest.mark.parametrize(
    ("steps", "gaps"),
    [
        ([20, 20, 38, 27, 26], []),  # thoracic to lumbar: 1.65 of the usual around it, 1.4 of the larger beside it
        ([20, 20, 32, 20, 20], [2]),  # 1.6 of both
        ([20, 29, 20, 20], []),
        ([31, 20, 20, 20], [0]),  # at the end
        ([20, 20, 40, 40, 20, 20], [2, 3]),  # a body missing on either side of one
        ([40, 40, 20, 20, 20], [0, 1]),  # the same at the end of the column
        ([20, 20, 20, 28, 28], [3, 4]),  # both 1.4 of the two before them
        ([20, 20, 20, 27, 27], []),
        ([40, 20], [0]),  # two steps are judged by the heights of 20
        ([30, 20], []),
    ],
)
def test_steps_that_have_room_for_one_more_body(steps, gaps):
    found = [k for k, step in enumerate(steps) if _is_gap(steps, k, round(step / 20 - 0.1))]
    assert found == gaps


@pytest.mark.parametrize(("step", "at", "gap"), [(30.5, 0, True), (29.5, 0, False), (33.2, 4, False), (34, 4, True)])
def test_steps_grow_toward_the_foot(step, at, gap):
    """Beside 20.6 mm 30.5 is the next one up of 20 by 1.53; below 21.9 mm 22.5 is next, of which 33.2 is 1.47."""
    steps = [20 * 1.03**k for k in range(5)]
    steps[at] = step
    assert _is_gap(_evened(steps), at, 1) is gap


def test_numbers_of_other_tools():
    assert [TABLE[n].verse for n in ("C1", "C7", "T1", "T12", "L1", "L5", "L6", "sacrum", "T13")] == [
        1, 7, 8, 19, 20, 24, 25, 26, 28,
    ]  # fmt: skip
    names = ("sacrum", "S1", "L5", "L1", "T12", "T1", "C7", "C1")
    assert [TABLE[n].totalsegmentator for n in names] == [25, 26, 27, 31, 32, 43, 44, 50]
    assert [TABLE[n].totalsegmentator_v3 for n in names] == [25, None, 27, 31, 32, 43, 44, 50]
    assert [TABLE["L6"].totalsegmentator, TABLE["L6"].totalsegmentator_v3] == [None, 26]
    names = ("C1", "C7", "T1", "T12", "L1", "L5", "sacrum")
    assert [TABLE[n].totalspineseg for n in names] == [11, 17, 21, 32, 41, 45, 50]
    assert [TABLE[n].sct for n in ("C1", "C7", "T1", "T12", "L1", "L5", "S1")] == [1, 7, 8, 19, 20, 24, 25]
    # Disc points: 3 = C2/C3, 8 = C7/T1, 21 = L1/L2, 24 = L4/L5, 25 = L5/S1.
    assert [TABLE[n].sct_disc_above for n in ("C3", "T1", "L2", "L5", "S1")] == [3, 8, 21, 24, 25]


@pytest.mark.parametrize("system", SYSTEMS)
def test_numbers_are_unique_and_lead_back(system):
    numbers = {name: getattr(level, system) for name, level in TABLE.items() if getattr(level, system) is not None}
    assert len(set(numbers.values())) == len(numbers)
    assert all(name_of(number, system) == name for name, number in numbers.items())
    assert name_of(999, system) is None


def test_unknown_numbering_is_refused():
    with pytest.raises(InputError, match="numbering"):
        name_of(1, "atlas")


def test_snomed_codes_are_those_of_pydicom():
    from pydicom.sr.codedict import codes

    concepts = codes.SCT
    for name, level in TABLE.items():
        if level.snomed is not None:
            code = getattr(concepts, "Sacrum" if name == "sacrum" else f"{name}Vertebra")
            assert (code.value, code.meaning) == level.snomed
    assert {n for n, level in TABLE.items() if level.snomed is None} == {"T13", "L6", "S1"}
    assert set(TABLE) == {*SEQUENCE, "sacrum"}


@pytest.mark.parametrize(
    ("turned", "frame", "words"),
    [
        (0, Frame((0.5, 0.5)), None),
        (40, Frame((0.5, 0.5)), None),  # a bent or leaning column
        (90, Frame((0.5, 0.5)), None),  # of one who lies
        (180, Frame((0.5, 0.5)), "if it is not, all is upside down"),
        (180, Frame((0.5, 0.5), toward_bottom="F"), "by its file the head is at the top, all is upside down"),
        (180, Frame((0.5, 0.5), toward_bottom="H"), None),
        (180, Frame((0.5, 0.5), exif_orientation=3), None),
    ],
)
def test_a_whole_column_on_its_head_is_said(spine, turned, frame, words):
    """Points and names turned by half a turn agree with each other: nothing but the picture speaks against them."""
    upright = spine([FULL] * 5, labels=["T12", "L1", "L2", "L3", "L4"], turned=turned)
    reading = replace(upright, frame=frame)
    remarks = [remark for remark in measure(reading).remarks if "put the head at the bottom" in remark]
    assert [words in remark for remark in remarks] == ([] if words is None else [True])


@pytest.mark.parametrize(("bodies", "said"), [(2, True), (6, False)])
def test_low_bodies_at_even_steps_lack_none(spine, bodies, said):
    """34 mm from centre to centre of bodies 16 mm high: two such may lack one, a column of them is like that."""
    remarks = measure(spine([(16.0, 16.0, 16.0)] * bodies)).remarks
    assert any("may be missing" in remark for remark in remarks) is said
