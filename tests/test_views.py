"""The table of views: complete, asked by all, and nothing about views is decided elsewhere."""

import re
from pathlib import Path
from typing import get_args

import pytest

import spinetk
from spinetk.errors import InputError
from spinetk.views import OFFERED, TABLE, VIEWS, View, checked_view, usual_view

PACKAGE = Path(spinetk.__file__).parent


def test_every_view_has_its_rules():
    assert set(get_args(View)) == set(VIEWS)
    assert OFFERED == ("lateral", "ap", "sagittal", "cervical")
    for rules in TABLE.values():
        assert rules.title
        # What is offered can be read; what is refused says why.
        assert not (rules.offered and rules.refused)


@pytest.mark.parametrize(
    ("view", "graded", "front", "angles"),
    [
        ("lateral", True, True, {"lordosis", "kyphosis"}),
        ("sagittal", True, True, {"lordosis", "kyphosis"}),
        ("ap", False, False, {"cobb"}),
        ("cervical", False, True, set()),
        ("coronal", False, False, {"cobb"}),
        ("axial", False, False, set()),
        ("unknown", True, True, {"cobb", "lordosis", "kyphosis"}),
    ],
)
def test_what_follows_from_a_view(view, graded, front, angles):
    rules = TABLE[view]
    families = set(rules.angles) & {"cobb", "lordosis", "kyphosis"}
    assert ((rules.not_graded is None), rules.front, families) == (graded, front, angles)


def test_mr_is_taken_for_sagittal_and_nothing_else_is_taken_for_anything():
    assert usual_view("MR") == "sagittal"
    assert {usual_view(modality) for modality in ("CT", "CR", "DX", "XA", None)} == {"unknown"}


@pytest.mark.parametrize("name", ["AP", "oblique", "", None, 3])
def test_a_name_of_no_view_is_bad_input(name):
    with pytest.raises(InputError, match="is not a view"):
        checked_view(name, "a.json")


def test_what_is_no_view_is_told_only_what_can_be_asked_for():
    """``unknown`` is no answer to what a picture shows: the next try with it was refused."""
    with pytest.raises(InputError) as caught:
        checked_view("oblique", "--view oblique")
    assert str(caught.value) == "--view oblique: 'oblique' is not a view (use lateral, ap, sagittal or cervical)"


def test_what_is_offered_is_listed_in_the_table_alone():
    """A second list of the views that can be named would have to be found by whoever adds one."""
    found = [
        f"{path.relative_to(PACKAGE)}: {line.strip()}"
        for path in sorted((*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.js")))
        if path.name != "views.py"
        for line in path.read_text(encoding="utf-8").splitlines()
        for listed in re.findall(r'"\w+"(?:, "\w+")+', line)
        if set(OFFERED) <= set(re.findall(r"\w+", listed))
    ]
    assert found == []


def test_views_are_told_apart_in_the_table_alone():
    """``view == "ap"`` anywhere else, in Python or JavaScript, would be a second opinion. Unknown is no view."""
    name = rf"""["']({"|".join(view for view in VIEWS if view != "unknown")})["']"""
    named = re.compile(
        rf"""view\b\W{{0,2}}\s*[!=]==?\s*{name}|{name}\s*[!=]==?[\w\s.]*view|\bview\s+(not\s+)?in\s*[(\[{{]"""
    )
    found = [
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in sorted((*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.js")))
        if path.name != "views.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if named.search(line)
    ]
    assert found == []
