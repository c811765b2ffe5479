"""Rulers: hand-worked figures, and that they move with the picture and survive files."""

from __future__ import annotations

import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.formats.record import check_record, reading_of, record_of
from spinetk.geometry import Frame
from spinetk.reading import Reading
from spinetk.ruler import Ruler, rulers_from

OBLONG = Frame((0.5, 0.5 * np.sqrt(3)), "user")


def ruler(kind: str, *points: tuple[float, float]) -> Ruler:
    return Ruler(kind, np.array(points, np.float64))


@pytest.mark.parametrize(
    ("drawn", "frame", "text"),
    [
        (ruler("length", (1, 1), (4, 5)), Frame(), "5.0 px"),
        (ruler("length", (1, 1), (4, 5)), Frame((0.75, 1.0), "user"), "4.2 mm"),
        (ruler("angle", (0, 9), (0, 0), (5, 0)), Frame(), "90.0\N{DEGREE SIGN}"),
        (ruler("angle", (0, 2), (0, 0), (1, 1)), OBLONG, "60.0\N{DEGREE SIGN}"),
        (ruler("angle", (0, 2), (0, 0), (1, 1)), Frame(pixel_aspect=1 / np.sqrt(3)), "60.0\N{DEGREE SIGN}"),
        (ruler("cobb", (0, 0), (10, 0), (10, 5), (0, 5 + 10 * np.tan(np.radians(10)))), Frame(), "10.0\N{DEGREE SIGN}"),
    ],
)
def test_figures(drawn, frame, text):
    assert drawn.text(frame) == text
    assert Ruler.from_json(drawn.to_json(frame)).text(frame) == text


def test_a_ruler_follows_its_picture_and_its_files(drawn):
    drawn.rulers = [ruler("length", (3, 4), (9, 12)), ruler("angle", (0, 9), (0, 0), (5, 0))]
    value = drawn.rulers[0].figure(drawn.frame)[0]
    half = drawn.resized(drawn.height // 2, drawn.width // 2)
    assert half.rulers[0].points == pytest.approx(drawn.rulers[0].points / 2, abs=0.05)
    assert half.rulers[0].figure(half.frame)[0] == pytest.approx(value, rel=1e-3)
    turned = drawn.turned(6)
    assert turned.rulers[0].figure(turned.frame)[0] == pytest.approx(value)
    assert [own.kind for own in drawn.cropped(2, 3, 40, 40).rulers] == ["length"]  # the other lies partly outside
    again = Reading.from_json(drawn.to_json())
    assert [own.points.tolist() for own in again.rulers] == [own.points.tolist() for own in drawn.rulers]
    record = check_record(record_of(drawn, "x"), "x.json")
    assert [own.kind for own in reading_of(record).rulers] == ["length", "angle"]


@pytest.mark.parametrize(
    "content",
    [
        "length",
        {"kind": "length"},
        [{"kind": "width", "points": [[0, 0], [1, 1]]}],
        [{"kind": "angle", "points": [[0, 0], [1, 1]]}],
        [{"kind": "length", "points": [[0, 0], [1, float("nan")]]}],
        [{"kind": "length", "points": [[0, 0], [1, "a"]]}],
        [7],
    ],
)
def test_what_is_no_ruler_is_refused_by_name(content):
    with pytest.raises(InputError, match="rulers"):
        rulers_from(content, "a.json")
