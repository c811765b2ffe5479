"""What the look of a picture decides: view, turn, front and refusal, where neither the user nor the file says it."""

import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images import Picture
from spinetk.keypoints import reader as room
from spinetk.keypoints.reader import Reader
from spinetk.keypoints.viewing.sight import Sight
from spinetk.overrides import Overrides

LATERAL = Sight("lateral", 0.97, 1, 0.99, None, "left", 0.98, "a lateral radiograph")
NOTHING = Sight("unknown", 0.99, words="no spine that a model reads")
GREY = np.zeros((200, 150), np.uint8)


class Stub:
    """Stands for a released model."""

    def __init__(self, name, *_):
        self.name, self.views, self.modalities, self.threshold = name, (), (), 0.6


@pytest.fixture
def decide(monkeypatch):
    monkeypatch.setattr(room.Predictor, "load", Stub)

    def decide(sight, frame=None, said=None, **fields):
        picture = Picture(GREY.astype(np.float32), None, frame or Frame(), "png", **fields)
        return Reader(view_finder=lambda grey: sight).decide(picture, GREY, "film.png", said or Overrides())

    return decide


def test_a_silent_file_is_what_it_looks_like(decide):
    found = decide(LATERAL)
    assert (found.view, found.predictor.name) == ("lateral", "xray-lateral")
    assert (found.front.side, found.front.source, found.front.confidence) == ("left", "look of the picture", 0.98)
    assert any("as the picture looks (probability 0.97)" in remark for remark in found.remarks)


def test_a_slice_that_looks_like_mr_is_read_by_the_model_of_mr(decide):
    assert decide(LATERAL._replace(view="sagittal", modality="MR")).predictor.name == "sagittal-mr"


def test_what_looks_like_no_spine_is_refused_by_name_and_reason(decide):
    with pytest.raises(InputError, match=r"film.png: shows no spine that a model reads, as it looks"):
        decide(NOTHING)


def test_the_users_word_and_the_file_win_over_the_look(decide):
    assert decide(NOTHING, said=Overrides(view="ap")).view == "ap"
    found = decide(LATERAL, view="ap")
    assert found.view == "ap"
    assert any("looks like a lateral radiograph" in remark and "against the file" in remark for remark in found.remarks)
    assert not any("against the file" in remark for remark in decide(LATERAL, view="lateral").remarks)


@pytest.mark.parametrize("sight", [None, LATERAL._replace(probability=0.6), NOTHING._replace(probability=0.92)])
def test_what_is_not_sure_decides_nothing(decide, sight):
    with pytest.raises(InputError, match="does not say which view it is"):
        decide(sight)


def test_a_turned_picture_is_turned_where_the_file_does_not_say_how_it_stands(decide):
    turned = LATERAL._replace(turn=6)
    assert decide(turned).frame.exif_orientation == 6
    assert decide(turned._replace(turn_probability=0.7)).frame.exif_orientation == 1
    standing = Frame(toward_right="P", toward_bottom="F")
    assert decide(turned, frame=standing, view="lateral").frame == standing


def test_a_front_that_is_not_sure_is_left_to_the_other_clues(decide):
    assert decide(LATERAL._replace(front_probability=0.7)).front is None
    assert decide(LATERAL._replace(view="ap", front=None)).front is None


def test_a_named_view_leaves_the_modality_to_the_look(decide):
    slice_ = LATERAL._replace(view="sagittal", modality="MR")
    assert decide(slice_, said=Overrides(view="sagittal")).predictor.name == "sagittal-mr"
