"""What the look of a picture decides: view, turn, front and refusal, where neither the user nor the file says it."""

from dataclasses import replace

import numpy as np
import pytest
from looks import GREY, LATERAL, NOTHING, SLICE, Stub, column

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images import Picture
from spinetk.keypoints import reader as room
from spinetk.keypoints.reader import Reader
from spinetk.landmark import Landmark
from spinetk.overrides import Overrides


def test_a_silent_file_is_what_it_looks_like(decide):
    found = decide(LATERAL)
    assert (found.view, found.predictor.name) == ("lateral", "xray-lateral")
    assert (found.front.side, found.front.source, found.front.confidence) == ("left", "look of the picture", 0.98)
    assert any("judged from the picture (probability 0.97)" in remark for remark in found.remarks)


def test_a_slice_that_looks_like_mr_is_read_by_the_model_of_mr(decide):
    assert decide(LATERAL._replace(view="sagittal", modality="MR")).predictor.name == "sagittal-mr"


def test_what_looks_like_no_spine_is_refused_by_name_and_reason(decide):
    with pytest.raises(InputError, match=r"film.png: does not look like a spine that a model reads"):
        decide(NOTHING)


def test_the_users_word_and_the_file_win_over_the_look(decide):
    assert decide(NOTHING, said=Overrides(view="ap")).view == "ap"
    found = decide(LATERAL, view="ap")
    assert found.view == "ap"
    assert any(
        "looks like a lateral radiograph" in remark and "contradicts the file" in remark for remark in found.remarks
    )
    assert not any("contradicts the file" in remark for remark in decide(LATERAL, view="lateral").remarks)


@pytest.mark.parametrize(
    ("sight", "view", "said"),
    [
        (LATERAL, "ap", "looks like a lateral radiograph (probability 0.97)"),
        (NOTHING, "ap", "looks like no spine that a model reads (probability 0.99)"),
        (LATERAL._replace(probability=0.94), "ap", None),
        (LATERAL, "lateral", None),
        # Trunk and neck are told apart less surely than from the rest.
        (LATERAL, "cervical", None),
    ],
)
def test_a_view_that_the_user_gave_and_that_the_picture_surely_does_not_look_like_bears_a_remark(
    decide, sight, view, said
):
    found = decide(sight, said=Overrides(view=view))
    assert found.view == view
    assert [own for own in found.remarks if own.startswith("looks like")] == (
        [f"{said}, which contradicts the view that was given (AP): check it"] if said else []
    )


@pytest.mark.parametrize("sight", [None, LATERAL._replace(probability=0.3), NOTHING._replace(probability=0.92)])
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


def test_slices_of_ct_and_mr_have_a_model_each(decide):
    ct = LATERAL._replace(view="sagittal", modality="CT")
    assert decide(ct).predictor.name == "sagittal-ct"
    assert decide(None, view="sagittal", modality="CT").predictor.name == "sagittal-ct"
    # The file's word stands against the look.
    assert decide(ct, view="sagittal", modality="MR").predictor.name == "sagittal-mr"


@pytest.mark.parametrize("modality", [None, "OT"])
def test_where_nothing_says_mr_or_ct_the_user_is_told_which_was_taken(decide, modality):
    sagittal = Overrides(view="sagittal")
    found = decide(None, said=sagittal, modality=modality)
    assert found.predictor.name == "sagittal-mr"
    assert "modality: taken for MR, as is usual; if it is not, give --model sagittal-ct" in found.remarks
    found = decide(LATERAL._replace(view="sagittal", modality="CT"), said=sagittal, modality=modality)
    assert found.predictor.name == "sagittal-ct"
    remark = "modality: taken for CT, judged from the picture; if it is not, give --model sagittal-mr"
    assert remark in found.remarks
    # Where one model reads the view, whatever the modality, there is nothing to say.
    assert not any(own.startswith("modality:") for own in decide(LATERAL, modality=modality).remarks)


@pytest.mark.parametrize(
    ("letters", "seen", "side"),
    [
        # Standing: x toward the back is a front on the left, and the picture is looked at as it is.
        (("P", "F"), "right", "right"),
        (("P", "F"), "left", None),
        (("A", "F"), "left", "left"),
        # On its head, x toward the back: turned by half it faces right. It is looked at mirrored, front on the left.
        (("P", "H"), "right", "left"),
        (("P", "H"), "left", None),
        # Lying, the head to the left, y toward the front: rotated to stand it faces left; looked at just so.
        (("F", "A"), "right", "right"),
        (("F", "A"), "left", None),
    ],
)
def test_a_slice_whose_file_names_the_wrong_front_by_its_look_bears_a_remark(decide, letters, seen, side):
    frame = Frame(toward_right=letters[0], toward_bottom=letters[1])
    sight = SLICE._replace(front=seen)

    def said(sight, facing="auto"):
        found = decide(sight, frame, Overrides(facing=facing), view="sagittal", modality="MR")
        return [remark for remark in found.remarks if "contradicts the file" in remark]

    assert [remark.split(" (")[0] for remark in said(sight)] == (
        [f"the front looks to be on the {side}"] if side else []
    )
    if side:
        assert {frame.anterior, side} == {"left", "right"}
    # The user's word stands; so does the file's against a look that is not sure, or at films, where it often is wrong.
    for other in (
        sight._replace(front_probability=0.94),
        sight._replace(probability=0.94),
        sight._replace(posed=False),
    ):
        assert not said(other)
    assert not said(sight, facing="left")


def test_a_slice_that_its_file_stands_on_its_head_by_its_look_bears_a_remark(decide):
    feet = Frame(toward_right="P", toward_bottom="H")
    found = decide(SLICE._replace(turn=3), feet, view="sagittal", modality="MR")
    assert "the head does not look to be where the file says (probability 0.99): check how the picture stands" in (
        found.remarks
    )
    assert found.frame == feet
    unsure = decide(SLICE._replace(turn=3, turn_probability=0.9), feet, view="sagittal", modality="MR")
    assert not any("where the file says" in remark for remark in unsure.remarks)
    silent = decide(SLICE._replace(turn=3), view="sagittal", modality="MR")
    assert not any("where the file says" in remark for remark in silent.remarks)


def test_the_front_of_a_lateral_film_is_not_taken_from_its_look(decide):
    assert decide(LATERAL._replace(posed=False)).front is None


NECK = LATERAL._replace(view="cervical", words="a lateral radiograph of the neck", posed=False)


def test_a_film_of_the_neck_is_read_by_the_model_of_necks(decide):
    found = decide(NECK)
    assert (found.view, found.predictor.name, found.trunk.name) == ("cervical", "xray-cervical", "xray-lateral")
    # A file that says lateral and names no part may show a neck; one that names the neck is believed.
    assert decide(NECK, view="lateral").view == decide(NECK, view="lateral", body_part="SPINE").view == "cervical"
    named = decide(LATERAL, view="lateral", body_part="CSPINE")
    assert (named.view, named.predictor.name, named.trunk) == ("cervical", "xray-cervical", None)
    assert not any("contradicts" in remark for remark in named.remarks)
    # A loin under the name of a neck was read as one without a word.
    said = "BodyPartExamined is CSPINE, but it looks like a film of the trunk (probability 0.97): give --view lateral"
    assert any(remark.startswith(said) for remark in named.remarks)
    for sight in (NECK, LATERAL._replace(probability=0.94), None):
        quiet = decide(sight, view="lateral", body_part="CSPINE")
        assert quiet.view == "cervical"
        assert not any("film of the trunk" in remark for remark in quiet.remarks)
    assert decide(NECK, view="lateral", body_part="LSPINE").view == "lateral"


@pytest.mark.parametrize(
    ("part", "modality", "said"),
    [
        ("CHEST", "CR", True),
        ("Chest Abdomen", "DX", True),
        ("ABDOMEN", None, True),
        ("PELVIS", "RF", True),
        ("CHEST", "MR", False),  # in a slice the spine is seen as well
        ("TSPINE", "CR", False),
        ("SPINE", "CR", False),
        ("WHOLEBODY", "CR", False),
        ("BWS", "CR", False),  # no defined term
        (None, "CR", False),
    ],
)
def test_a_film_that_was_not_taken_of_the_spine_bears_a_remark(decide, part, modality, said):
    view = "sagittal" if modality == "MR" else "lateral"
    remarks = decide(None, view=view, modality=modality, body_part=part).remarks
    words = f"BodyPartExamined is {part}, not the spine: its bodies may be too dim to be placed well, look at each"
    assert [own for own in remarks if "BodyPartExamined" in own] == ([words] if said else [])


def test_the_users_word_wins_over_a_neck(decide):
    found = decide(NECK, said=Overrides(view="lateral"), body_part="CSPINE")
    assert (found.view, found.predictor.name) == ("lateral", "xray-lateral")
    assert "BodyPartExamined is CSPINE: give --view cervical" in found.remarks
    said = decide(LATERAL, said=Overrides(view="cervical"))
    assert (said.view, said.trunk) == ("cervical", None)


@pytest.mark.parametrize(
    ("bodies", "named", "sacrum", "hip", "view"),
    [
        (5, True, None, None, "cervical"),
        (5, True, 0.9, None, "cervical"),  # what is taken for a sacrum may be the lower end of a neck
        (5, False, 0.9, 0.5, "cervical"),
        (5, True, 0.9, 0.5, "lateral"),
        (5, False, None, 0.9, "lateral"),
        (6, True, None, None, "cervical"),  # 0.9 more
        (7, True, None, None, "lateral"),
        (7, False, None, None, "lateral"),
    ],
)
def test_what_looks_like_a_neck_and_shows_a_trunk_is_one(monkeypatch, bodies, named, sacrum, hip, view):
    """By a sure hip, by names and a hip, or by clearly more bodies; the trunk keeps its names."""
    monkeypatch.setattr(room.Predictor, "load", Stub)

    def read(self, grey, *, file, frame, view):
        if self.name != "xray-lateral":
            return replace(column(5), view=view, model=self.name)
        found = replace(column(bodies, sacrum=sacrum), view=view, model=self.name)
        found.vertebrae[-1].label = "L5" if named else None
        if hip is not None:
            found.landmarks.append(Landmark("femoral_head", np.array([[70.0, 280]]), 9.0, hip))
        return found

    monkeypatch.setattr(Stub, "read", read, raising=False)
    picture = Picture(GREY.astype(np.float32), None, Frame(), "png")
    reading = Reader(view_finder=lambda grey: NECK).read_picture(picture, "film.png")[0]
    assert reading.view == view
    assert any("more of a trunk is found" in remark for remark in reading.remarks) == (view == "lateral")
    assert (reading.vertebrae[-1].label == "L5") == (view == "lateral" and named)
