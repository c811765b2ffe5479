"""Bodies at the end of what is seen: a volume that ends aslant, a shutter, a frame inside the picture."""

import numpy as np
import pytest
from looks import LATERAL, Stub, column

from spinetk.geometry import turn
from spinetk.images import Picture
from spinetk.keypoints.blank import without_cut_points
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.reader import Reader
from spinetk.measure import measure

# Of `column`: bodies of 40 x 30 px from x = 50 on, the first from y = 20 to 50, each 45 px below the last.
TOP, BOTTOM = (3, 4, 5), (0, 1, 2)
CUT = "cut off where nothing but one grey value lies beyond it: vertebra #{} from the top"


def tissue() -> np.ndarray:
    return np.random.default_rng(0).integers(60, 200, (200, 150)).astype(np.uint8)


def unseen(reading, place: int) -> list[int]:
    return np.flatnonzero(~reading.vertebrae[place].visible).tolist()


@pytest.mark.parametrize("value", [0, 12, 255])
def test_a_shutter_at_the_first_endplate_hides_it(value):
    grey = tissue()
    grey[:18] = value  # a body is 30 px high: 8 % of that are 2.4
    found = without_cut_points(grey, column(4))
    assert (unseen(found, 0), unseen(found, 3)) == (list(TOP), [])
    assert found.remarks == [CUT.format(1)]
    body = measure(found).vertebrae[0].measures
    assert body["heights_px"]["middle"] is None
    assert body["deformity"] is None


@pytest.mark.parametrize(("seam", "hidden"), [(16, list(TOP)), (17, [])])
def test_a_faint_seam_is_of_the_shutter(seam, hidden):
    """Where a volume was resampled, its end is no step: the first row beyond 8 % of the height is row 17."""
    grey = tissue()
    grey[:18] = 12
    grey[17] += seam
    assert unseen(without_cut_points(grey, column(4)), 0) == hidden


def test_what_lies_farther_beyond_is_no_cut():
    grey = tissue()
    grey[:16] = 0
    assert without_cut_points(grey, column(4)).remarks == []


def test_the_last_body_is_cut_below():
    grey = tissue()
    grey[186:] = 0  # the last of four ends at 185
    found = without_cut_points(grey, column(4))
    assert (unseen(found, 0), unseen(found, 3)) == ([], list(BOTTOM))
    assert found.remarks == [CUT.format(4)]


def test_a_volume_that_ends_aslant_hides_the_corner_that_it_cuts():
    grey = tissue()
    rows, columns = np.indices(grey.shape)
    grey[rows < 25 - (columns - 50) * 0.5] = 7
    found = without_cut_points(grey, column(4))
    assert unseen(found, 0) == [5]  # top left
    assert measure(found).vertebrae[0].measures["heights_px"]["right"] == pytest.approx(30)


def test_the_edge_of_the_picture_is_not_told_twice_nor_one_grain_of_noise_passed():
    grey = tissue()
    grey[:18] = 0
    grey[4] = 1
    assert without_cut_points(grey, column(4)).remarks == []
    assert without_cut_points(tissue()[16:], column(4)).remarks == []  # four rows are left above the first body


def test_a_body_of_a_picture_that_lies_is_cut_toward_its_own_head():
    grey = tissue()
    grey[:18] = 0
    lying = turn(grey, 6)  # turned clockwise: the head is to the right
    found = column(4)
    height = grey.shape[0]
    for vertebra in found.vertebrae:
        vertebra.points = np.stack([height - vertebra.points[:, 1], vertebra.points[:, 0]], axis=1)
    assert unseen(without_cut_points(lying, found), 0) == list(TOP)
    assert without_cut_points(turn(tissue(), 6), found).remarks == []


def test_no_body_and_one_body():
    grey = tissue()
    grey[:18] = 9
    assert without_cut_points(grey, column(0)).vertebrae == []
    assert unseen(without_cut_points(grey, column(1)), 0) == list(TOP)


def test_a_drawing_in_which_all_but_bone_is_alike_cuts_nothing():
    assert without_cut_points(np.full((200, 150), 9, np.uint8), column(3)).remarks == []


def test_a_reading_holds_it(monkeypatch):
    monkeypatch.setattr(Predictor, "load", Stub)
    monkeypatch.setattr(Stub, "read", lambda self, grey, **about: column(4), raising=False)
    grey = tissue()
    grey[:18] = 0
    reading, _ = Reader(view_finder=lambda grey: LATERAL).read_picture(Picture(grey.astype(np.float32)), "film.png")
    assert unseen(reading, 0) == list(TOP)
    assert CUT.format(1) in reading.remarks
