import io
from decimal import Decimal

import numpy as np
import pytest
from PIL import Image, ImageOps

from spinetk.errors import InputError
from spinetk.geometry import Frame, median, turn
from spinetk.upright import Upright, upright, warp


def test_anisotropic_spacing_is_row_then_column():
    frame = Frame((0.5, 0.2), "user")
    np.testing.assert_allclose(frame.to_mm([[10, 10]]), [[2.0, 5.0]])
    np.testing.assert_allclose(frame.to_px(frame.to_mm([[3.25, 7.5]])), [[3.25, 7.5]])


def test_resizing_keeps_the_size_in_mm():
    frame = Frame((0.5, 0.2), "PixelSpacing")
    point = np.array([[40.0, 30.0]])
    np.testing.assert_allclose(frame.resized(2.0, 0.5).to_mm(point * (2.0, 0.5)), frame.to_mm(point))


def test_pixel_centres_lie_at_half_integers():
    """A picture W wide spans 0..W: its mirror image maps the first pixel's centre to the last pixel's."""
    import cv2

    picture = np.zeros((1, 8), np.uint8)
    picture[0, 2] = 255
    x = 2 + 0.5
    assert cv2.flip(picture, 1)[0, int(8 - x)] == 255
    enlarged = cv2.resize(picture, (32, 1), interpolation=cv2.INTER_LINEAR).astype(float)[0]
    centroid = (enlarged * (np.arange(32) + 0.5)).sum() / enlarged.sum()
    assert centroid == pytest.approx(4 * x)


@pytest.mark.parametrize(("letter", "side"), [("A", "right"), ("P", "left"), ("L", None), (None, None)])
def test_anterior_side(letter, side):
    frame = Frame(toward_right=letter)
    assert frame.anterior == side
    mirrored = {"left": "right", "right": "left", None: None}[side]
    assert frame.mirrored().anterior == mirrored


@pytest.mark.parametrize("spacing", [(0, 1), (-1, 1), (float("nan"), 1), (1, float("inf")), (1e-6, 1), (500, 500)])
def test_absurd_spacing_is_refused(spacing):
    with pytest.raises(InputError, match="plausible"):
        Frame(spacing)


def test_unknown_spacing_never_becomes_mm():
    with pytest.raises(InputError, match="spacing is unknown"):
        Frame().to_mm([[1, 1]])


def test_json_round_trip():
    for frame in (Frame(), Frame((0.3, 0.4), "user", "A", "F"), Frame(pixel_aspect=2.0, exif_orientation=6)):
        assert Frame.from_json(frame.to_json()) == frame
    with pytest.raises(InputError, match="spacing_mm"):
        Frame.from_json({"spacing_mm": [1]}, "x.json")


NUMBERED = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_are_those_of_exif(orientation):
    """Pillow's exif_transpose is the judge; every pixel's centre goes where its pixel went, and back."""
    stored = Image.fromarray(NUMBERED)
    exif = stored.getexif()
    exif[274] = orientation
    file = io.BytesIO()
    stored.save(file, "PNG", exif=exif)
    seen = np.asarray(ImageOps.exif_transpose(Image.open(file)))
    np.testing.assert_array_equal(turn(NUMBERED, orientation), seen)
    pixels, way = upright(NUMBERED, Frame(exif_orientation=orientation))
    np.testing.assert_array_equal(pixels, seen)
    assert (way.size, way.frame.exif_orientation) == (seen.shape, 1)
    for row, column in np.ndindex(*NUMBERED.shape):
        place = way.to_upright([column + 0.5, row + 0.5])
        assert seen[int(place[1]), int(place[0])] == NUMBERED[row, column]
        np.testing.assert_allclose(way.to_stored(place), [column + 0.5, row + 0.5])


LETTERS = {"sagittal": ("P", "F"), "frontal": ("L", "F")}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("letters", LETTERS.values(), ids=LETTERS)
@pytest.mark.parametrize("scale", [{}, {"spacing_mm": (0.75, 0.5)}, {"pixel_aspect": 1.5}], ids=["px", "mm", "aspect"])
def test_all_eight_ways_to_store_a_picture_become_one(orientation, letters, scale):
    usual = Frame(toward_right=letters[0], toward_bottom=letters[1], **scale)
    standing, straight = upright(NUMBERED, usual)
    frame = usual.turned(orientation)
    pixels, way = upright(turn(NUMBERED, orientation), frame)
    if letters == ("P", "F") and orientation == 2:  # upright, facing right: read as it stands
        assert way.orientation == 1
        return
    np.testing.assert_array_equal(pixels, standing)
    assert standing.shape == ((4 if scale else 3), 4)  # 3 rows 1.5 times as high as the columns are wide
    assert way.frame == straight.frame
    if way.frame.spacing_mm:
        np.testing.assert_allclose(way.frame.spacing_mm, 0.5, rtol=0.2)
    points = np.array([[0.0, 0.0], [2.5, 1.25]])
    np.testing.assert_allclose(way.to_stored(way.to_upright(points)), points)
    assert upright(pixels, way.frame)[0] is pixels
    only = Upright.of(frame, NUMBERED.shape, mirror=False)
    assert only.frame.toward_bottom == "F"
    assert np.linalg.det(only.matrix[:, :2]) > 0


def test_a_picture_that_says_nothing_is_left_as_it_is():
    for frame in (Frame(), Frame(toward_right="L", toward_bottom="P"), Frame(toward_right="A"), Frame((0.5, 0.5))):
        pixels, way = upright(NUMBERED, frame)
        assert pixels is NUMBERED
        assert not way.changes
        assert way.frame == frame


def test_letters_are_believed_before_exif():
    frame = Frame(toward_right="A", toward_bottom="H", exif_orientation=6)
    assert frame.upright_orientation() == 3


@pytest.mark.parametrize(
    ("letters", "side", "plane"),
    [
        (("A", "F"), "right", "sagittal"),
        (("P", "F"), "left", "sagittal"),
        (("A", "H"), "left", "sagittal"),
        (("F", "A"), "left", "sagittal"),
        (("H", "A"), "right", "sagittal"),
        (("L", "F"), None, "coronal"),
        (("A", "R"), None, "axial"),
        ((None, "F"), None, None),
    ],
)
def test_anterior_side_is_seen_with_the_head_up(letters, side, plane):
    frame = Frame(toward_right=letters[0], toward_bottom=letters[1])
    assert (frame.anterior, frame.plane) == (side, plane)


@pytest.mark.parametrize("aspect", [0, -1, float("nan"), 1000])
def test_absurd_aspect_is_refused(aspect):
    with pytest.raises(InputError, match="aspect"):
        Frame(pixel_aspect=aspect)


def test_resizing_and_aspect():
    assert Frame(pixel_aspect=2.0).resized(1.0, 2.0).pixel_aspect is None
    assert Frame().resized(1.0, 2.0).pixel_aspect == 0.5


@pytest.mark.parametrize("exif", range(1, 9))
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_named_front_is_on_that_side_as_the_picture_is_looked_at(exif, side):
    """Whatever EXIF asks for; where that is a mirror, it stays one, so that the side can be named again."""
    frame = Frame(exif_orientation=exif).with_anterior(side)
    assert frame.anterior == side
    assert frame.shown_mirrored == (exif in (2, 4, 5, 7))
    other = frame.with_anterior("left" if side == "right" else "right")
    assert other.anterior == ("left" if side == "right" else "right")


@pytest.mark.parametrize(
    ("spacing", "stored", "size"),
    [
        ((1.0, 0.5), (100, 60), (200, 60)),  # the finer side keeps its px
        ((0.5, 1.0), (100, 60), (100, 120)),
        ((0.6, 0.4), (3, 5), (4, 5)),  # 4.5 rows, and half goes to the even number
        ((1.0, 0.992), (100, 60), (100, 60)),  # less than one in a hundred counts as square
        ((1.0, 0.985), (100, 60), (102, 60)),
        ((0.985, 1.0), (100, 60), (100, 61)),
        ((0.5, 1.0), (1, 4), (1, 8)),
        ((1.0, 0.5), (4, 1), (8, 1)),
        ((16.0, 1.0), (100, 60), (1600, 60)),  # at most sixteen times the pixels
        ((16.1, 1.0), (100, 60), (100, 60)),
        ((1.6, 1.0), (20_000, 10), (32_000, 10)),  # at most 32,000 a side
        ((1.7, 1.0), (20_000, 10), (20_000, 10)),
        ((1.0, 1.7), (10, 20_000), (10, 20_000)),
    ],
)
def test_pixels_are_made_square_by_enlarging_one_side(spacing, stored, size):
    frame = Frame(spacing, "user")
    way = Upright.of(frame, stored)
    assert (way.stored, way.stored_frame, way.orientation, way.size) == (stored, frame, 1, size)
    assert way.changes == (size != stored)
    down, across = size[0] / stored[0], size[1] / stored[1]
    assert way.frame.spacing_mm == pytest.approx((spacing[0] / down, spacing[1] / across))
    assert way.frame.spacing_source == "user"
    np.testing.assert_allclose(way.matrix, [[across, 0, 0], [0, down, 0]])
    as_they_are = Upright.of(frame, stored, square=False)
    assert (as_they_are.size, as_they_are.frame, as_they_are.changes) == (stored, frame, False)


def test_a_picture_that_lies_on_its_side_stands_up_with_square_pixels():
    """Stored 10 x 40, feet on the right, columns twice as far apart as rows: upright 80 x 10 (H, W)."""
    frame = Frame((0.5, 1.0), "user", toward_right="F", toward_bottom="L")
    way = Upright.of(frame, (10, 40))
    assert (way.size, way.frame.spacing_mm) == ((80, 10), (0.5, 0.5))
    assert (way.frame.toward_right, way.frame.toward_bottom) == ("L", "F")
    np.testing.assert_allclose(way.to_upright([[0, 0], [40, 0], [0, 10]]), [[0, 0], [0, 80], [10, 0]])
    only_turned = Upright.of(frame, (10, 40), square=False)
    assert (only_turned.size, only_turned.frame.spacing_mm) == ((40, 10), (1.0, 0.5))


def test_a_mirrored_frontal_picture_is_turned_over_unless_letters_are_to_stay_readable():
    frame = Frame(toward_right="R", toward_bottom="F")
    assert Upright.of(frame, (5, 4)).orientation == frame.upright_orientation() == 2
    assert Upright.of(frame, (5, 4), mirror=False).orientation == frame.upright_orientation(mirror=False) == 1
    assert upright(NUMBERED, frame, mirror=False)[0] is NUMBERED
    np.testing.assert_array_equal(upright(NUMBERED, frame)[0], NUMBERED[:, ::-1])


def test_a_mask_that_is_enlarged_stays_a_mask():
    mask = np.array([[True, False], [False, True]])
    found = Upright.of(Frame((1.0, 0.5)), mask.shape).pixels(mask)
    assert found.dtype == bool
    np.testing.assert_array_equal(found, mask.repeat(2, axis=0))


def test_a_mask_is_enlarged_without_new_edges():
    """By 1.6: each new pixel is that of the old ones which its centre lies in."""
    mask = np.array([[True, False, True, False, True]])
    found = Upright.of(Frame((1.0, 1.6)), mask.shape).pixels(mask)
    assert found.shape == (1, 8)
    np.testing.assert_array_equal(found[0], mask[0, ((np.arange(8) + 0.5) / 1.6).astype(int)])


def test_a_picture_of_16_bits_is_enlarged_with_all_of_them():
    picture = np.full((2, 3), 40_000, np.uint16)
    found = Upright.of(Frame((1.0, 0.5)), picture.shape).pixels(picture)
    np.testing.assert_array_equal(found, np.full((4, 3), 40_000, np.uint16))


def test_median_is_that_of_numpy():
    for values in ([3.0], [3.0, 1.0], [5.0, -1.0, 2.0], [[4.0, 1.0], [2.0, 3.0]], [np.inf, 1.0, 2.0]):
        assert median(values) == np.median(values)
    for values in ([np.nan], [1.0, np.nan], [np.nan, 2.0, 1.0]):
        assert np.isnan(median(values))
    assert np.isnan(median([]))
    assert median(np.array([200, 250], np.uint8)) == 225


def test_a_picture_is_moved_as_its_points_are():
    """By two to the right and one up; and turned clockwise, where (x, y) comes to (3 - y, x)."""
    moved = warp(NUMBERED, np.array([[1.0, 0, 2], [0, 1, -1]]), (3, 4))
    np.testing.assert_array_equal(moved, [[0, 0, 4, 5], [0, 0, 8, 9], [0, 0, 0, 0]])
    turned = warp(NUMBERED, np.array([[0, -1, 3.0], [1, 0, 0]]), (4, 3))
    np.testing.assert_array_equal(turned, np.rot90(NUMBERED, -1))


def test_pixels_that_are_made_narrower_are_taller_than_wide():
    """The aspect is height by width; twice as many columns halve the width."""
    assert Frame().resized(2.0, 1.0).pixel_aspect == 2
    assert Frame().resized(1.0, 2.0).pixel_aspect == 0.5
    assert Frame(pixel_aspect=2.0).resized(0.5, 1.0).pixel_aspect is None
    assert Frame(pixel_aspect=1.5).resized(3.0, 3.0).pixel_aspect == 1.5


@pytest.mark.parametrize(("first", "left"), [(6, 1), (8, 3), (3, 8), (1, 6)])
def test_what_is_left_to_turn_after_a_turn(first, left):
    """A picture to be turned by 90 degrees clockwise (6): after that nothing; the other way round (8), half a turn."""
    assert Frame(exif_orientation=6).turned(first).exif_orientation == left


def test_json_says_a_turn_only_where_there_is_one():
    assert [Frame(exif_orientation=n).to_json().get("exif_orientation") for n in range(1, 9)] == [None, *range(2, 9)]


def test_points_may_be_whole_numbers_or_lists_and_need_a_spacing_both_ways():
    frame = Frame((0.5, 0.25), "user")
    assert frame.to_px([[1, 2]]).tolist() == [[4, 4]]
    assert (
        frame.to_mm(np.array([[1, 2]], np.float16)).dtype == frame.to_px(np.array([[1, 2]], np.float16)).dtype == float
    )
    with pytest.raises(InputError) as error:
        Frame().to_px([[1, 1]])
    assert (error.value.source, error.value.fault) == ("picture", "pixel spacing is unknown")


@pytest.mark.parametrize("fields", [{"toward_right": "X"}, {"exif_orientation": 9}, {"pixel_aspect": 11.0}])
def test_what_a_frame_cannot_be_is_refused_with_a_remedy(fields):
    with pytest.raises(InputError) as error:
        Frame(**fields)
    assert error.value.remedy


def test_a_warp_takes_plain_lists_and_mixes_neighbours():
    picture = np.zeros((3, 4), np.float32)
    picture[1, 1] = 8
    assert warp(picture, [[1, 0, 1], [0, 1, 0]], (3, 4))[1].tolist() == [0, 0, 8, 0]
    assert warp(picture, [[1, 0, 0.5], [0, 1, 0]], (3, 4))[1].tolist() == [0, 4, 4, 0]


@pytest.mark.parametrize("kind", [object, Decimal])
def test_points_of_a_table_of_objects_become_numbers(kind):
    """Columns of mixed kind come out of pandas as objects, values of DICOM (DS) out of pydicom as decimals."""
    points = np.array([[Decimal(1), Decimal(2)]] if kind is Decimal else [[1, 2.0]], dtype=object)
    frame = Frame((0.5, 0.25), "user")
    way = Upright.of(Frame(exif_orientation=3), (4, 6))
    for found, wanted in (
        (frame.to_mm(points), [[0.25, 1]]),
        (frame.to_px(points), [[4, 4]]),
        (way.to_upright(points), [[5, 2]]),
        (way.to_stored(points), [[5, 2]]),
    ):
        assert found.dtype == np.float64
        assert found.tolist() == wanted


@pytest.mark.parametrize("orientation", range(1, 9))
def test_letters_go_round_with_the_picture(orientation):
    """Of a picture that grows by 1 towards the head and by 3 towards the back."""
    turned = turn(np.arange(6).reshape(2, 3), orientation)
    found = Frame(toward_right="H", toward_bottom="P").turned(orientation)
    letters = {1: "H", -1: "F", 3: "P", -3: "A"}
    assert found.toward_right == letters[turned[0, 1] - turned[0, 0]]
    assert found.toward_bottom == letters[turned[1, 0] - turned[0, 0]]
