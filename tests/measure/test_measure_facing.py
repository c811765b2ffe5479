from dataclasses import replace

import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.facing import Facing
from spinetk.geometry import Frame
from spinetk.landmark import Landmark
from spinetk.measure import measure
from spinetk.measure.facing import MIN_CONFIDENCE, SACRUM_CONFIDENCE, Seen, anterior_side, brightness

FULL = (27.0, 27.0, 27.0)
LUMBAR = ["L1", "L2", "L3", "L4", "L5"]
LORDOSIS_FACING_LEFT = [10, 6, 0, -10, -22]


def canal(reading, bright):
    """A grey picture with a bright band beside the bodies."""
    picture = np.full((reading.height, reading.width), 60, np.uint8)
    x = [v.points[:, 0] for v in reading.vertebrae]
    low, high = int(np.min(x)), int(np.max(x))
    band = slice(high, high + 30) if bright == "right" else slice(low - 30, low)
    picture[:, band] = 200
    return picture


def small(reading):
    for vertebra in reading.vertebrae:
        vertebra.points = vertebra.points - 600
    reading.height = reading.width = 600
    return reading


def test_the_user_comes_before_the_header(spine):
    reading = spine([FULL] * 3, facing="left")
    assert anterior_side(reading).source == "header"
    found = anterior_side(reading, "right")
    assert (found.side, found.source, found.confidence) == ("right", "user", 1.0)
    assert any("against the header" in remark for remark in measure(reading, facing="right").remarks)


def test_named_lumbar_lordosis_tells_the_side(spine):
    reading = spine([FULL] * 5, tilts=LORDOSIS_FACING_LEFT, labels=LUMBAR, facing=None)
    found = anterior_side(reading)
    assert (found.side, found.source) == ("left", "curvature")
    assert MIN_CONFIDENCE <= found.confidence < 1
    mirrored = spine([FULL] * 5, tilts=[-t for t in LORDOSIS_FACING_LEFT], labels=LUMBAR, facing=None)
    assert anterior_side(mirrored).side == "right"


def test_a_flat_or_unnamed_spine_alone_is_not_enough(spine):
    assert anterior_side(spine([FULL] * 5, tilts=[2, 1, 0, -1, -2], labels=LUMBAR, facing=None)).side is None
    unnamed = spine([FULL] * 5, tilts=LORDOSIS_FACING_LEFT, facing=None, view="sagittal")
    assert anterior_side(unnamed).side is None
    assert anterior_side(spine([FULL] * 2, tilts=[20, -20], facing=None)).side is None
    assert anterior_side(spine([], facing=None)).source == "none"


def test_the_curve_of_five_bodies_tells_the_front_of_a_lateral_film_and_its_brightness_nothing(spine):
    """From 10 to -22 degrees is more than the 20 that count in full: 0.9; of 15 degrees three quarters, too little."""
    reading = small(spine([FULL] * 5, tilts=LORDOSIS_FACING_LEFT, facing=None))
    for picture in (None, canal(reading, "left"), canal(reading, "right")):
        assert anterior_side(reading, picture=picture) == Facing("left", "curvature", pytest.approx(0.9))
    slight = anterior_side(spine([FULL] * 5, tilts=[7, 4, 0, -4, -8], facing=None))
    assert (slight.side, slight.confidence) == (None, pytest.approx(0.9 * 15 / 20))
    four = anterior_side(spine([FULL] * 4, tilts=[10, 0, -10, -22], facing=None))
    assert (four.side, four.confidence) == (None, pytest.approx(0.75))


def test_a_body_far_below_the_others_does_not_bend_the_curve(spine):
    """One found in the pelvis, tilted the other way, would turn the front round."""
    reading = spine([FULL] * 5, tilts=LORDOSIS_FACING_LEFT, facing=None, view="lateral")
    reading.vertebrae[-1].points = reading.vertebrae[-1].points + (0.0, 120.0)
    found = anterior_side(reading)
    assert (found.side, found.confidence) == (None, pytest.approx(0.75))


@pytest.mark.parametrize("side", ["left", "right"])
def test_curve_and_picture_that_agree_tell_the_side(spine, side):
    tilts = LORDOSIS_FACING_LEFT if side == "left" else [-t for t in LORDOSIS_FACING_LEFT]
    reading = small(spine([FULL] * 5, tilts=tilts, facing=None, view="sagittal"))
    back = "right" if side == "left" else "left"
    found = anterior_side(reading, picture=canal(reading, back))
    assert (found.side, found.source) == (side, "curvature and picture")
    assert anterior_side(reading, picture=canal(reading, side)).side is None
    assert anterior_side(reading, picture=Seen(canal(reading, back))) == found
    measured = measure(reading, picture=canal(reading, back))
    assert measured.vertebrae[0].measures["anterior_side"] == side
    assert any("curvature and picture" in remark for remark in measured.remarks)


def test_clues_that_disagree_cancel_even_where_one_would_do_alone(spine):
    """A named lumbar lordosis is 0.9 sure of the left; a picture whose canal is on the left takes half of it away."""
    reading = small(spine([FULL] * 5, tilts=LORDOSIS_FACING_LEFT, labels=LUMBAR, facing=None, view="sagittal"))
    alone, against = anterior_side(reading), anterior_side(reading, picture=canal(reading, "left"))
    assert (alone.side, alone.confidence) == ("left", pytest.approx(0.9))
    assert (against.side, against.confidence) == (None, pytest.approx(0.45))
    assert against.source == "curvature and picture"


def striped(reading, left, right):
    """A black picture, grey close beside the bodies: from a tenth to seven tenths of their width from the wall."""
    picture = np.zeros((reading.height, reading.width), np.uint8)
    for vertebra in reading.vertebrae:
        (low, top), (high, bottom) = vertebra.points.min(0), vertebra.points.max(0)
        middle, width, half = (top + bottom) / 2, high - low, (bottom - top) / 2
        rows = slice(int(middle - half) - 2, int(middle + half) + 3)
        picture[rows, int(low - 0.7 * width) - 2 : int(low - 0.1 * width) + 2] = left
        picture[rows, int(high + 0.1 * width) - 2 : int(high + 0.7 * width) + 2] = right
    return picture


def test_brightness_is_the_difference_of_both_sides_in_spreads_of_the_picture(spine):
    """Half a spread counts in full, 0.75; less in proportion; the bright side is the back."""
    reading = small(spine([FULL] * 4, facing=None, view="sagittal"))
    for left, right in ((90, 100), (100, 90), (60, 180), (180, 60)):
        picture = striped(reading, left, right)
        share = min(abs(left - right) / picture.std() / 0.5, 1.0)
        expected = 0.75 * share * (1 if left > right else -1)
        assert brightness(reading, picture) == pytest.approx(expected, rel=1e-6)
        # Of a straight column it is all there is, and too little.
        assert anterior_side(reading, picture=picture) == Facing(None, "picture", pytest.approx(abs(expected)))
        assert 0.1 < abs(expected) <= 0.75
    assert brightness(replace(reading, vertebrae=reading.vertebrae[:2]), striped(reading, 90, 100)) == 0
    assert brightness(replace(reading, vertebrae=[]), picture) == 0


def test_what_lies_outside_of_the_picture_is_not_looked_at(spine):
    """Of a column at the left edge nothing is seen on that side; one a little further in is judged by what is."""
    reading = small(spine([FULL] * 4, facing=None, view="sagittal"))
    picture = striped(reading, 100, 90)
    start = min(float(v.points[:, 0].min()) for v in reading.vertebrae)
    width = max(float(np.ptp(v.points[:, 0])) for v in reading.vertebrae)
    for gap, seen in ((0.0, False), (0.3 * width, False), (0.5 * width, True)):
        cut = int(start - gap)
        moved = [replace(v, points=v.points - (cut, 0)) for v in reading.vertebrae]
        near = replace(reading, vertebrae=moved, width=reading.width - cut)
        assert (brightness(near, picture[:, cut:]) != 0) == seen


def test_a_plain_picture_says_nothing(spine):
    reading = small(spine([FULL] * 5, facing=None, view="sagittal"))
    assert anterior_side(reading, picture=np.zeros((600, 600), np.uint8)).source == "none"


def test_wrong_words_and_wrong_pictures_are_refused(spine):
    with pytest.raises(InputError, match="facing"):
        measure(spine([FULL]), facing="up")
    with pytest.raises(InputError, match="picture"):
        measure(spine([FULL], facing=None, view="sagittal"), picture=np.zeros((5, 5), np.uint8))


def test_naming_one_vertebra_takes_nothing_away(spine):
    """Fewer than three names of each region say nothing about its curve: it is read as one without names."""
    plain = small(spine([FULL] * 5, tilts=LORDOSIS_FACING_LEFT, facing=None, view="sagittal"))
    picture = canal(plain, "right")
    assert anterior_side(plain, picture=picture).side == "left"
    for place, name in ((0, "L1"), (2, "T9"), (4, "L5")):
        plain.vertebrae[place].label = name
        assert anterior_side(plain, picture=picture).side == "left"
        plain.vertebrae[place].label = None


def test_what_is_kept_stands_until_the_user_or_the_header_says_otherwise(spine):
    reading = small(spine([FULL] * 5, tilts=LORDOSIS_FACING_LEFT, labels=LUMBAR, facing=None, view="sagittal"))
    reading.facing = Facing("right", "picture", 0.85)
    assert anterior_side(reading) == reading.facing
    assert anterior_side(reading, "left").side == "left"
    reading.frame = replace(reading.frame, toward_right="P", toward_bottom="F")
    assert anterior_side(reading).source == "header"
    reading.facing = Facing("right", "user", 1.0)
    assert anterior_side(reading) == reading.facing


@pytest.mark.parametrize("exif", range(1, 9))
def test_the_front_is_about_the_picture_as_exif_has_it_looked_at(spine, exif):
    """A wedge whose front, seen on the left of the picture in any viewer, is lower; stored in eight ways."""
    shown = spine([FULL, (20.0, 24.0, 27.0), FULL], labels=LUMBAR[:3])
    shown.frame = Frame((0.5, 0.5), "user")
    back = {6: 8, 8: 6}.get(exif, exif)
    stored = replace(shown.turned(back), frame=Frame((0.5, 0.5), "user", exif_orientation=exif))
    measured = measure(stored, facing="left")
    heights = measured.vertebrae[1].measures["heights_mm"]
    expected = measure(shown, facing="left").vertebrae[1].measures["heights_mm"]
    assert heights["anterior"] == heights["left"] == pytest.approx(expected["left"])
    assert heights["posterior"] == pytest.approx(expected["right"])
    assert heights["anterior"] < heights["posterior"]
    # What is measured again, or turned as EXIF says and then measured, keeps its front.
    again = measure(measured)
    assert again.vertebrae[1].measures["heights_mm"] == heights
    assert again.facing.side == measured.facing.side == measured.turned(exif).facing.side == "left"
    # Turned over, what EXIF still asks for makes the same picture of it; without EXIF it is another.
    assert measured.flipped().facing.side == ("right" if exif == 1 else "left")


def test_a_front_by_the_sacrum_keeps_the_probability_of_the_model_that_found_it(spine):
    """A point that was moved to the other side since, or a reading by hand, counts with what is said of everyone."""
    reading = spine([FULL] * 5, labels=LUMBAR)
    reading.frame = Frame((1.0, 1.0), "user")  # whose header says nothing
    reading.landmarks = [Landmark("s1", np.array([[300.0, 700.0], [340.0, 730.0]]))]  # its end on the right is lower
    assert (anterior_side(reading).side, anterior_side(reading).confidence) == ("right", SACRUM_CONFIDENCE)
    reading.facing = Facing("right", "sacrum", 0.987)
    assert anterior_side(reading) == Facing("right", "sacrum", 0.987)
    reading.facing = Facing("left", "sacrum", 0.987)
    assert anterior_side(reading) == Facing("right", "sacrum", SACRUM_CONFIDENCE)


@pytest.mark.parametrize(("facing", "word"), [("auto", "the header"), ("right", "the user's word")])
def test_a_front_named_against_the_spine_of_a_film_is_believed_with_a_remark(spine, facing, word):
    """Lordosis with the front on the left, named right: -22 to 10 degrees is a full bend the other way."""
    reading = spine([FULL] * 5, tilts=LORDOSIS_FACING_LEFT, facing="right", view="lateral")
    found = measure(reading, facing=facing)
    assert anterior_side(reading, facing).side == "right"
    (remark,) = [line for line in found.remarks if "the wrong way round" in line]
    assert f"anterior is right by {word}, but the spine bends as if the front were on the left" in remark
    reading.landmarks = [Landmark("s1", np.array([[300.0, 700.0], [340.0, 670.0]]))]  # its end on the left is lower
    assert any("the endplate of S1 hangs lower on the left" in line for line in measure(reading, facing=facing).remarks)
    for other in (
        replace(reading, view="sagittal"),
        spine([FULL] * 5, tilts=LORDOSIS_FACING_LEFT, facing="left", view="lateral"),
    ):
        assert not any("the wrong way round" in line for line in measure(other).remarks)
