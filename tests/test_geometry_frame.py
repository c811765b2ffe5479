"""Everything that a frame says, against what its letters and turns mean."""

import itertools

import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.geometry import Frame, turn
from spinetk.upright import Upright

NUMBERED = np.arange(12, dtype=np.uint8).reshape(3, 4)
ALL = [Frame(toward_right=a, toward_bottom=b, exif_orientation=n)
       for a, b in itertools.product([None, *"LRAPHF"], repeat=2) for n in range(1, 9)]  # fmt: skip
AXES = {"L": 0, "R": 0, "A": 1, "P": 1, "H": 2, "F": 2, None: None}


@pytest.mark.parametrize("mirror", [True, False])
def test_every_picture_stands_on_its_feet_where_anything_says_where_they_are(mirror):
    for frame in ALL:
        letters = (frame.toward_right, frame.toward_bottom)
        number = frame.upright_orientation(mirror=mirror)
        axes = [AXES[letter] for letter in letters]
        if axes.count(2) != 1:
            assert number == frame.exif_orientation, frame
            continue
        seen = frame.turned(number)
        assert seen.toward_bottom == "F", frame
        rotated = number in (1, 3, 6, 8)
        if not mirror or None in letters or letters in (("A", "F"), ("P", "F")):
            assert rotated, frame
        else:
            assert seen.toward_right in ("L", "P"), frame


def test_planes_and_fronts_of_all_pictures():
    planes = {frozenset((1, 2)): "sagittal", frozenset((0, 2)): "coronal", frozenset((0, 1)): "axial"}
    for frame in ALL:
        letters = (frame.toward_right, frame.toward_bottom)
        assert frame.plane == planes.get(frozenset(AXES[v] for v in letters if v)), frame
        assert frame.says_head == (bool({*letters} & {"H", "F"}) or frame.exif_orientation != 1), frame
        number = frame.upright_orientation(mirror=False)
        assert frame.shown_mirrored == (number in (2, 4, 5, 7)), frame
        right = frame.turned(number).toward_right
        known = None not in letters and frame.plane != "sagittal"
        assert frame.anterior == (None if known else {"A": "right", "P": "left"}.get(right)), frame


@pytest.mark.parametrize(("exif", "first"), list(itertools.product(range(1, 9), range(1, 9))))
def test_two_turns_make_the_turn_that_was_asked_for(exif, first):
    """What is left to do after a turn ends where EXIF wanted to; a picture that EXIF leaves is left by it again."""
    left = Frame(exif_orientation=exif).turned(first).exif_orientation
    wanted = turn(NUMBERED, exif if exif != 1 else first)
    np.testing.assert_array_equal(turn(turn(NUMBERED, first), left), wanted)


def test_a_turn_exchanges_what_is_of_rows_and_columns():
    frame = Frame((0.5, 0.25), "user", "H", "P", None)
    for number in range(1, 9):
        lies = number >= 5
        assert frame.turned(number).spacing_mm == ((0.25, 0.5) if lies else (0.5, 0.25))
        assert frame.turned(number).spacing_source == "user"
        assert Frame(pixel_aspect=2.0).turned(number).pixel_aspect == (0.5 if lies else 2)
    assert frame.mirrored() == Frame((0.5, 0.25), "user", "F", "P")


def test_a_turned_picture_of_colours_has_its_own_memory():
    picture = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert turn(picture, 1) is picture
    for number in range(2, 9):
        found = turn(picture, number)
        assert found.flags.c_contiguous
        assert not np.shares_memory(found, picture)
        np.testing.assert_array_equal(found[..., 1], turn(np.ascontiguousarray(picture[..., 1]), number))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"spacing_mm": (0.0049, 1)}, "pixel spacing: (0.0049, 1.0) mm is not plausible (give row and column spacing "
         "between 0.005 and 20.0 mm)"),
        ({"spacing_mm": (1, 20.1)}, "pixel spacing: (1.0, 20.1) mm is not plausible (give row and column spacing "
         "between 0.005 and 20.0 mm)"),
        ({"toward_right": "X"}, "orientation: 'X' is not one of LRAPHF (leave it out if unknown)"),
        ({"toward_bottom": "l"}, "orientation: 'l' is not one of LRAPHF (leave it out if unknown)"),
        ({"pixel_aspect": 0.09}, "pixel aspect: 0.09 is not between 0.1 and 10.0 (it is the height of a pixel by its "
         "width; leave it out if unknown)"),
        ({"exif_orientation": 0}, "EXIF orientation: 0 is not one of 1 to 8 (1 leaves the picture as it is)"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_frame_that_cannot_be(fields, said):
    with pytest.raises(InputError) as error:
        Frame(**fields)
    assert str(error.value) == said


def test_the_least_and_the_greatest_are_plausible():
    assert Frame((0.005, 20)).spacing_mm == (0.005, 20.0)
    assert all(type(v) is float for v in Frame((1, 20)).spacing_mm)
    assert [Frame(pixel_aspect=v).pixel_aspect for v in (0.1, 10.0)] == [0.1, 10.0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"spacing_mm": [0, 1]}, "a.json: field 'spacing_mm': (0.0, 1.0) mm is not plausible (give row and column "
         "spacing between 0.005 and 20.0 mm)"),
        ({"spacing_mm": [1]}, "a.json: field 'spacing_mm' is not [row, column] in mm (use null when unknown)"),
        ({"spacing_mm": ["x", 1]}, "a.json: field 'spacing_mm' is not [row, column] in mm (use null when unknown)"),
        ({"spacing_mm": {"row": 1}}, "a.json: field 'spacing_mm' is not [row, column] in mm (use null when unknown)"),
        ({"spacing_mm": 1}, "a.json: field 'spacing_mm' is not [row, column] in mm (use null when unknown)"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_field_that_cannot_be(content, said):
    with pytest.raises(InputError) as error:
        Frame.from_json(content, "a.json")
    assert str(error.value) == said
    with pytest.raises(InputError) as error:
        Frame.from_json(content)
    assert error.value.source == "frame"


def test_a_frame_as_json():
    whole = Frame((0.5, 0.25), "user", "A", "F", 2.0, 6)
    assert whole.to_json() == {
        "spacing_mm": [0.5, 0.25], "spacing_source": "user", "orientation": ["A", "F"], "pixel_aspect": 2.0,
        "exif_orientation": 6,
    }  # fmt: skip
    assert Frame.from_json({**whole.to_json(), "more": 1}) == whole
    assert Frame().to_json() == {"spacing_mm": None, "spacing_source": None}
    assert Frame.from_json({}) == Frame.from_json({"orientation": None}) == Frame()
    assert Frame(toward_right="L").to_json()["orientation"] == ["L", None]
    assert Frame(toward_bottom="H").to_json()["orientation"] == [None, "H"]
    read = Frame.from_json({"spacing_mm": [1, 2, 3], "pixel_aspect": 1})
    assert (read.spacing_mm, type(read.spacing_mm[0]), type(read.pixel_aspect)) == ((1.0, 2.0), float, float)


def test_factors_that_make_pixels_square():
    assert Frame((0.5, 0.25)).square.tolist() == [1, 2]
    assert Frame((0.25, 0.5)).square.tolist() == [2, 1]
    assert Frame(pixel_aspect=2.0).square.tolist() == [1, 2]
    assert Frame(pixel_aspect=0.5).square.tolist() == [2, 1]
    assert Frame((0.25, 0.5), pixel_aspect=3.0).square.tolist() == [2, 1]
    assert Frame().square.tolist() == [1, 1]
    assert Frame().resized(1.009, 1.0).pixel_aspect is None
    assert Frame().resized(1.02, 1.0).pixel_aspect == pytest.approx(1.02)
    assert Frame().resized(1.0, 1.02).pixel_aspect == pytest.approx(1 / 1.02)


def test_grey_values_are_interpolated_and_keep_their_type():
    """Twice as high: each new row lies a quarter of a pixel from an old one."""
    picture = np.array([[0], [100]], np.float32)
    found = Upright.of(Frame((1.0, 0.5)), picture.shape).pixels(picture)
    assert found.dtype == np.float32
    assert found.tolist() == [[0], [25], [75], [100]]
    colours = np.zeros((2, 2, 3), np.uint8)
    assert Upright.of(Frame((1.0, 0.5)), (2, 2)).pixels(colours).shape == (4, 2, 3)
