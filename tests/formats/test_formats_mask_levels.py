"""Levels of masks: which table their values are of, what is no body by it, and what cannot be known."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.formats.masks import mask_items, vertebrae_of

# Of each program's own table: L4, L5, what comes below them, and something else.
VALUES = {
    "totalsegmentator": (28, 27, 26, 25),
    "totalsegmentator_v3": (28, 27, 26, 25),
    "totalspineseg": (44, 45, 50, 91),
    "verse": (23, 24, 25, 26),
    "sct": (23, 24, 25, 99),
}


def spine(values) -> np.ndarray:
    """Bodies of 40 x 30 px below one another."""
    mask = np.zeros((40 + 40 * len(values), 100), np.uint8)
    for number, value in enumerate(values):
        mask[20 + 40 * number : 50 + 40 * number, 30:70] = value
    return mask


def read(folder, values, notes):
    cv2.imwrite(str(folder / "a_label.png"), spine(values))
    cv2.imwrite(str(folder / "a.png"), np.zeros_like(spine(values)))
    (folder / "annotations.json").write_text(json.dumps(notes))
    (item,) = mask_items(folder)
    if isinstance(item, InputError):
        raise item
    return [vertebra.label for vertebra in item.vertebrae], item.remarks


@pytest.mark.parametrize(
    ("table", "levels", "said"),
    [
        ("totalsegmentator", ["L4", "L5"], "value 26 is S1 by totalsegmentator, L6 by totalsegmentator_v3"),
        ("totalsegmentator_v3", ["L4", "L5", "L6"], "value 26 is L6 by totalsegmentator_v3, S1 by totalsegmentator"),
        ("totalspineseg", ["L4", "L5"], "left out: 50 (sacrum), 91 (none)"),
        ("verse", ["L4", "L5", "L6"], "left out: 26 (sacrum)"),
        ("sct", ["L4", "L5"], "left out: 25 (S1), 99 (none)"),
    ],
)
def test_the_table_that_is_named_is_taken(tmp_path, table, levels, said):
    found, remarks = read(tmp_path, VALUES[table], {"levels": table})
    assert found == levels
    assert sum(said in remark for remark in remarks) == 1


@pytest.mark.parametrize("table", ["totalsegmentator", "totalsegmentator_v3"])
def test_where_two_tables_agree_nothing_is_said(tmp_path, table):
    assert read(tmp_path, (29, 28, 27), {"levels": table}) == (["L3", "L4", "L5"], [])


def test_numbers_without_a_table_name_nothing_and_say_so(tmp_path):
    levels, (remark,) = read(tmp_path, (28, 27, 26), {})
    assert levels == [None] * 3
    assert "values 26 to 28 may be numbers of levels, and nothing says whose" in remark
    assert "totalsegmentator_v3" in remark
    assert read(tmp_path, (1, 2, 3), {}) == ([None] * 3, [])
    assert read(tmp_path, (255, 255), {}) == ([None] * 2, [])
    assert read(tmp_path, (28, 27), {"levels": "labels arbitrary; order by position"}) == ([None] * 2, [])


def test_a_subjects_own_table_goes_first(tmp_path):
    (tmp_path / "x").mkdir()
    for folder in (tmp_path, tmp_path / "x"):
        cv2.imwrite(str(folder / "a_label.png"), spine((24, 25)))
        cv2.imwrite(str(folder / "a.png"), np.zeros_like(spine((24, 25))))
    notes = {"levels": "verse", "x": {"levels": "labels 24..25 = T3..T4"}}
    (tmp_path / "annotations.json").write_text(json.dumps(notes))
    found = {item.case: [vertebra.label for vertebra in item.vertebrae] for item in mask_items(tmp_path)}
    assert found == {"a": ["L5", "L6"], "x_a": ["T3", "T4"]}


@pytest.mark.parametrize("table", ["total_v4", "sct_disc_above"])
def test_a_table_that_is_none_is_refused(tmp_path, table):
    with pytest.raises(InputError, match="names no table of levels"):
        read(tmp_path, (28, 27), {"levels": table})


@pytest.mark.parametrize("levels", ["verse", "labels 20..24 = L1..L5"])
def test_the_only_body_of_a_slice_has_its_own_level(tmp_path, levels):
    """Its value says which one it is; counted as the first part it would be C1, or none."""
    assert read(tmp_path, (24,), {"levels": levels})[0] == ["L5"]


def test_parts_of_one_value_have_no_levels():
    """Numbered from the top they would be L1 and L2, whatever they are."""
    vertebrae, _ = vertebrae_of(spine((255, 255)), levels={1: "L1", 2: "L2"})
    assert [vertebra.label for vertebra in vertebrae] == [None, None]
