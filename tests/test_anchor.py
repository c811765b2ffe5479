"""Anchors: the names they give, and those that cannot be."""

import pytest

from spinetk.anchor import SEQUENCE, check_anchor, named
from spinetk.errors import InputError


@pytest.mark.parametrize(
    ("count", "anchor", "names"),
    [
        (3, "L5=last", ["L3", "L4", "L5"]),
        (3, "T1=first", ["T1", "T2", "T3"]),
        (4, "L1=3", ["T11", "T12", "L1", "L2"]),
        (3, "s1=LAST", ["L4", "L5", "S1"]),
        (4, "L6=last", ["L3", "L4", "L5", "L6"]),
        (4, "T13=2", ["T12", "T13", "L1", "L2"]),
        (3, "T12=1,T13=2", ["T12", "T13", "L1"]),
        (2, "C7=first, T1=last", ["C7", "T1"]),
        (3, "S1=last,L6=2", ["L5", "L6", "S1"]),
    ],
)
def test_anchor_names_the_chain(count, anchor, names):
    assert named(count, anchor) == names


def test_a_whole_spine():
    names = named(24, "C1=first")
    assert names[0] == "C1"
    assert names[7] == "T1"
    assert names[-1] == "L5"
    assert len(named(17, "T1=first,L5=last")) == 17
    assert named(18, "T1=first,L6=last")[-2:] == ["L5", "L6"]


@pytest.mark.parametrize(
    "anchor", ["", "L5", "L7=last", "X1=first", "T14=first", "L5=0", "L5=9", "L5=middle", "T1=first,L5=last", "C1=last"]
)
def test_anchors_that_cannot_be(anchor):
    with pytest.raises(InputError, match="anchor"):
        named(3, anchor)


@pytest.mark.parametrize(
    ("anchor", "said"),
    [
        ("L5", "anchor 'L5': is not LEVEL=PLACE (give e.g. L5=last, T1=first or L1=3)"),
        ("L5=last, L7=1", "anchor 'L7=1': is not LEVEL=PLACE (give e.g. L5=last, T1=first or L1=3)"),
        (" L5=4 ", "anchor 'L5=4': the picture has 3 vertebrae (count from the head, from 1)"),
        ("L5=0", "anchor 'L5=0': the picture has 3 vertebrae (count from the head, from 1)"),
        (
            "T1=first,L5=last",
            "anchor 'T1=first,L5=last': does not fit 3 vertebrae (name a transitional T13 or L6, or use one anchor)",
        ),
        ("C2=last", "anchor 'C2=last': puts vertebrae above C1 (the picture has 3 vertebrae)"),
        ("S1=2", "anchor 'S1=2': puts vertebrae below S1 (the picture has 3 vertebrae)"),
    ],
)
def test_an_anchor_that_cannot_be_says_which_and_why(anchor, said):
    with pytest.raises(InputError) as caught:
        named(3, anchor)
    assert str(caught.value) == said


def test_anchors_at_both_ends_of_the_spine():
    assert named(3, "C3=last") == ["C1", "C2", "C3"]
    assert named(3, "L4=1") == ["L4", "L5", "S1"]
    assert named(3, "L4=1,L6=3") == ["L4", "L5", "L6"]
    assert named(3, "L5=03") == ["L3", "L4", "L5"]


@pytest.mark.parametrize(
    "anchor",
    ["L5=last", "T13=2,L5=last", "s1=LAST", "L5=last,L5=first", "C7=first,T1=last", "L5=24", "L6=25", "S1=26,L6=25"],
)
def test_an_anchor_that_some_column_has_passes(anchor):
    check_anchor(anchor)
    assert any(fits(count, anchor) for count in range(1, len(SEQUENCE) + 1))


@pytest.mark.parametrize(
    ("anchor", "said"),
    [
        ("L9=last", "'L9=last': is not LEVEL=PLACE"),
        ("", "'': is not LEVEL=PLACE"),
        ("L5=last;L4=4", "'L5=last;L4=4': is not LEVEL=PLACE"),
        ("L5=\u0663", "is not LEVEL=PLACE"),  # a digit, though not one of ours
        ("L5=0", "fits no spine"),
        ("L5=25", "fits no spine"),  # there are 23 above it
        ("L1=2,L2=2", "fits no spine"),
        ("L5=first,L1=last", "fits no spine"),
        ("T12=1,L1=3", "fits no spine"),  # without a T13 nothing lies between
    ],
)
def test_an_anchor_that_no_column_can_have_is_told_without_one(anchor, said):
    with pytest.raises(InputError, match=said):
        check_anchor(anchor)
    assert not any(fits(count, anchor) for count in range(1, 40))


def fits(count, anchor):
    try:
        return len(named(count, anchor)) == count
    except InputError:
        return False
