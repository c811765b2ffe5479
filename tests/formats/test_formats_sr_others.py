"""Points, circles and outlines in reports of other programs, as data sets written by hand (PS3.3 C.18.6)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from report_items import group, item, region

from spinetk.errors import InputError
from spinetk.formats.sr.others import drawn_in


def shapes(*groups, key=("1.2.3", None)):
    found = drawn_in(item("CONTAINER", *groups), Path("r.dcm"))
    assert list(found) == [key]
    return found[key]


def test_named_points_of_one_body_come_together():
    """The name stands in the tracking identifier or in the concept of the region."""
    found = shapes(
        group("L3 top_left", region("POINT", [(5, 6)])),
        group("L3", region("POINT", [(9, 6.5)], "top_right")),
        group("L4 top_left", region("POINT", [(5, 26)])),
    )
    assert [(s.label, s.points) for s in found] == [
        ("L3", {"top_left": (5, 6), "top_right": (9, 6.5)}),
        ("L4", {"top_left": (5, 26)}),
    ]


def test_points_without_a_name_stay_loose():
    (found,) = shapes(group("femoral head", region("POINT", [(5, 6)])))
    assert (found.label, found.points, found.loose.tolist()) == ("femoral head", {}, [[5, 6]])


def test_circles_and_ellipses_are_their_middles():
    """A circle is its middle and a point of its edge; an ellipse the four ends of its axes."""
    ends = [(2, 6), (10, 6), (6, 3), (6, 9)]
    circle, ellipse = shapes(
        group("left hip", region("CIRCLE", [(5, 6), (9, 6)])), group("right hip", region("ELLIPSE", ends))
    )
    assert (circle.label, circle.loose.tolist()) == ("left hip", [[5, 6]])
    assert (ellipse.label, ellipse.loose.tolist()) == ("right hip", [[6, 6]])


@pytest.mark.parametrize("kind", ["POLYLINE", "POLYGON"])
def test_a_closed_outline_does_not_count_its_first_corner_twice(kind):
    square = [(1, 1), (9, 1), (9, 7), (1, 7)]
    for corners in (square, [*square, square[0]]):
        (found,) = shapes(group("L2 body", region(kind, corners)))
        np.testing.assert_array_equal(found.outline, square)
    (line,) = shapes(group("plumb line", region(kind, square[:2])))
    assert line.outline is None
    np.testing.assert_array_equal(line.loose, square[:2])


@pytest.mark.parametrize(("number", "frame"), [(3, 2), ([3], 2), (None, None)])
def test_frames_count_from_one_in_dicom(number, frame):
    (found,) = shapes(group("L2 body", region("POINT", [(1, 2)], frame=number)), key=("1.2.3", frame))
    assert found.loose.tolist() == [[1, 2]]


def test_a_report_without_regions_or_pictures_is_named():
    with pytest.raises(InputError, match=r"r\.dcm: has no region of a picture"):
        drawn_in(item("CONTAINER", group("L2")), Path("r.dcm"))
    alone = region("POINT", [(1, 2)])
    del alone.ContentSequence
    with pytest.raises(InputError, match=r"r\.dcm: has a region that names no picture"):
        drawn_in(item("CONTAINER", group("L2", alone)), Path("r.dcm"))
    with pytest.raises(InputError, match=r"r\.dcm: has a coordinate that is no place"):
        drawn_in(item("CONTAINER", group("L2", region("POINT", [(float("nan"), 2)]))), Path("r.dcm"))
