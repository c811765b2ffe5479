"""Parts: what BodyPartExamined says of a film, however a device writes it."""

import pytest

from spinetk.measure.plausibility import elsewhere, is_neck, other_part


@pytest.mark.parametrize("written", ["CSPINE", "C SPINE", "C-Spine", "NECK"])
def test_a_neck_is_one_however_it_is_written(written):
    assert is_neck(written)


@pytest.mark.parametrize("written", ["LSPINE", "CTSPINE", "", None])
def test_what_is_no_neck(written):
    assert not is_neck(written)


@pytest.mark.parametrize(
    ("part", "labels", "said"),
    [
        ("L SPINE", ["T4", "T5", "T6"], "levels: named T4 to T6, but BodyPartExamined is L SPINE"),
        ("LSPINE", ["T11", "T12", "L1", "L2"], None),  # half of them are in it
        ("LSPINE", ["T11", "T12", "L1"], "levels: named T11 to L1, but BodyPartExamined is LSPINE"),
        ("T-SPINE", [None, "L1", "L2"], "levels: named L1 to L2, but BodyPartExamined is T-SPINE"),
        ("LSSPINE", ["L5", "S1"], None),
        ("LSPINE", [None, None], None),
        ("SPINE", ["T4"], None),
        (None, ["T4"], None),
    ],
)
def test_names_outside_the_part_examined(part, labels, said):
    assert elsewhere(part, labels) == said


@pytest.mark.parametrize(("written", "other"), [("HIP", True), ("hip", True), ("L-SPINE", False), (None, False)])
def test_parts_that_show_no_spine(written, other):
    assert other_part(written) is other
