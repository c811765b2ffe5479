"""What the look of a picture decides: view, turn, front and refusal, where neither the user nor the file says it."""

from dataclasses import replace

import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images import Picture
from spinetk.keypoints import reader as room
from spinetk.keypoints.reader import Reader
from spinetk.keypoints.second_look import (
    FEW,
    NARROWS,
    SHRINKS,
    TURNED,
    evidence,
    growth,
    narrows,
    shows_column,
)
from spinetk.keypoints.viewing.sight import Sight
from spinetk.landmark import Landmark
from spinetk.overrides import Overrides
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

LATERAL = Sight("lateral", 0.97, 1, 0.99, None, "left", 0.98, "a lateral radiograph")
NOTHING = Sight("unknown", 0.99, words="no spine that a model reads")
GREY = np.zeros((200, 150), np.uint8)


class Stub:
    """Stands for a released model."""

    def __init__(self, name, *_, **__):
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


def column(bodies, score=0.95, sacrum=None):
    """A reading of so many bodies, each 40 x 30 px and 45 px below the last."""
    box = np.array([[0, 30], [20, 30], [40, 30], [40, 0], [20, 0], [0, 0]], float)
    vertebrae = [Vertebra.from_points(box + (50, 20 + 45 * k), score=score) for k in range(bodies)]
    landmarks = [] if sacrum is None else [Landmark("s1", np.array([[50.0, 260], [90, 275]]), None, sacrum)]
    return Reading("film.png", 200, 150, VERTEBRA6, vertebrae, view="lateral", landmarks=landmarks)


def test_evidence_is_the_sum_of_scores_and_twice_that_of_the_sacrum():
    assert evidence(column(5, 0.9, 0.75)) == pytest.approx(5 * 0.9 + 2 * 0.75)
    cut = column(3)
    cut.vertebrae[0].visible[3] = False
    assert evidence(cut) == pytest.approx(2 * 0.95)


def test_four_sure_bodies_without_a_gap_show_a_spine():
    assert shows_column(column(4))
    assert not shows_column(column(3))
    assert not shows_column(column(6, 0.7))
    gap = column(6)
    del gap.vertebrae[3]
    assert not shows_column(gap)
    # What is added above the sure ones neither proves a spine nor speaks against it.
    goes_on = column(5)
    goes_on.threshold, goes_on.vertebrae[0].score = 0.6, 0.05
    assert shows_column(goes_on)
    goes_on.vertebrae = goes_on.vertebrae[:4]
    assert not shows_column(goes_on)


@pytest.fixture
def settled(monkeypatch):
    """The reading of a silent file that looks like ``sight``, by a model that finds this in each position."""

    def settled(sight, found, frame=None, **fields):
        monkeypatch.setattr(room.Predictor, "load", Stub)
        monkeypatch.setattr(
            Stub, "read", lambda self, grey, *, file, frame, view: found[frame.exif_orientation], raising=False
        )
        picture = Picture(GREY.astype(np.float32), None, frame or Frame(), "png", **fields)
        return Reader(view_finder=lambda grey: sight).read_picture(picture, "film.png")[0]

    return settled


def test_what_a_picture_likely_shows_is_settled_by_what_is_found_in_it(settled):
    reading = settled(LATERAL._replace(probability=0.6), {1: column(5)})
    assert reading.view == "lateral"
    assert any("probability 0.60) and borne out by what was found in it" in remark for remark in reading.remarks)
    with pytest.raises(InputError, match="does not say which view it is"):
        settled(LATERAL._replace(probability=0.6), {1: column(1)})


def test_a_lateral_film_is_turned_only_where_more_is_found_in_it_turned(settled):
    """The look alone is often wrong about lateral films: a sacrum that shows in one position only decides."""
    upside_down = LATERAL._replace(turn=3, posed=False)
    turned = settled(upside_down, {1: column(5), 3: column(5, sacrum=0.8)})
    assert len(turned.landmarks) == 1
    assert TURNED in turned.remarks
    for other in (column(5), column(5, sacrum=0.4), column(2, sacrum=0.9)):
        kept = settled(upside_down, {1: column(5), 3: other})
        assert not kept.landmarks
        assert not any("turned" in remark for remark in kept.remarks)


def tapered(bodies, wider, turn=1, **more):
    """A column whose bodies are so many px wider from one to the next; found in a picture turned so."""
    found = column(bodies, **more)
    for k, vertebra in enumerate(found.vertebrae):
        vertebra.points = (vertebra.points - vertebra.centre) * (1 + wider * k / 40, 1) + vertebra.centre
    found.frame = Frame(exif_orientation=turn)
    return found


def test_bodies_that_grow_narrower_are_told():
    assert [narrows(tapered(5, wider)) for wider in (1, -1)] == [False, True]
    assert not narrows(tapered(2, -1))
    cut = tapered(5, 1)
    cut.vertebrae[4].points = cut.vertebrae[4].points / 4
    assert narrows(cut)
    cut.vertebrae[4].visible[0] = False
    assert not narrows(cut)


@pytest.mark.parametrize(
    ("found", "position", "said"),
    [
        # Upside down, though the look does not say so.
        ({1: tapered(5, -1), 3: tapered(6, 1, 3, sacrum=0.8)}, 3, TURNED),
        # Narrower, and no more is found the other way up: a remark, or none where a sacrum shows what is down.
        ({1: tapered(5, -1), 3: tapered(5, 1, 3)}, 1, NARROWS),
        ({1: tapered(5, -1, sacrum=0.4), 3: tapered(5, 1, 3)}, 1, None),
        # No column: all positions are tried.
        ({1: tapered(2, 1), 3: tapered(3, 1, 3), 6: tapered(1, 1, 6), 8: tapered(5, 1, 8)}, 8, TURNED),
        ({1: tapered(2, 1), 3: tapered(2, 1, 3), 6: tapered(1, 1, 6), 8: tapered(2, 1, 8)}, 1, FEW),
        # What stands as it should is read once.
        ({1: tapered(5, 1)}, 1, None),
    ],
)
def test_a_lateral_film_is_tried_in_other_positions_where_what_is_found_is_odd(settled, found, position, said):
    for turn, reading in found.items():
        reading.frame, reading.remarks = Frame(exif_orientation=turn), []
    reading = settled(LATERAL._replace(posed=False), found)
    assert reading.frame.exif_orientation == position
    assert [own for own in reading.remarks if own in (TURNED, NARROWS, FEW)] == ([said] if said else [])


@pytest.mark.parametrize(
    ("found", "position"),
    [
        ({1: tapered(5, -1), 3: tapered(5, 1, 3)}, 3),  # both say so, and as much is found
        ({1: tapered(5, -1), 3: tapered(4, 1, 3)}, 3),  # 0.95 less
        ({1: tapered(6, -1), 3: tapered(4, 1, 3)}, 1),  # 1.9 less
        ({1: tapered(5, -1), 3: tapered(5, -1, 3)}, 1),  # narrower either way
        ({1: tapered(5, 1), 3: tapered(5, 1, 3)}, 1),  # the look alone
        ({1: tapered(4, -1), 3: tapered(3, 1, 3)}, 1),  # no column the other way up
        ({1: tapered(5, -1), 6: tapered(5, 1, 6), 3: tapered(5, 1, 3)}, 1),  # the look says another turn
    ],
)
def test_look_and_widths_together_turn_a_picture_that_is_upside_down(settled, found, position):
    for turn, reading in found.items():
        reading.frame, reading.remarks = Frame(exif_orientation=turn), []
    reading = settled(LATERAL._replace(posed=False, turn=6 if 6 in found else 3), found)
    assert reading.frame.exif_orientation == position
    assert (TURNED in reading.remarks) == (position == 3)


SLICE = LATERAL._replace(view="sagittal", modality="MR", words="a sagittal MR slice")


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


@pytest.mark.parametrize(("found", "said"), [(tapered(5, 1), 0), (tapered(5, -1), 1), (tapered(3, 1), 1)])
def test_a_film_that_looks_turned_against_its_file_bears_a_remark_unless_its_bodies_stand(settled, found, said):
    found.remarks = []
    sight = LATERAL._replace(turn=3, posed=False)
    reading = settled(sight, {1: found}, Frame(toward_right="P", toward_bottom="F"), view="lateral")
    assert sum("where the file says" in remark for remark in reading.remarks) == said


def growing(bodies, factor, turn=1):
    """A column in which each body, and its distance to the next, is so many times those of the one above it."""
    found, y = column(bodies), 20.0
    for k, vertebra in enumerate(found.vertebrae):
        vertebra.points = (vertebra.points - vertebra.points.min(0)) * factor**k + (60, y)
        y += 45 * factor**k
    found.frame = Frame(exif_orientation=turn)
    return found


def test_growth_is_that_of_width_height_and_distance():
    assert growth(growing(6, 1.05)) == pytest.approx(3 * np.log(1.05), abs=1e-9)
    assert growth(growing(5, 0.98)) == pytest.approx(3 * np.log(0.98), abs=1e-9)
    # The widths alone: bodies 40, 41, ... px wide.
    slope = np.polyfit(range(5), np.log([40, 41, 42, 43, 44]), 1)[0]
    assert growth(tapered(5, 1)) == pytest.approx(slope, abs=1e-6)
    assert growth(growing(3, 0.5)) == 0
    cut = growing(4, 0.5)
    cut.vertebrae[2].visible[0] = False
    assert growth(cut) == 0


@pytest.mark.parametrize(
    ("turn", "sure", "found", "position", "said"),
    [
        # The bodies speak against a sure turn, which is said; the slice is not turned for it.
        (3, 0.98, {3: growing(5, 0.95, 3), 1: growing(5, 1.05)}, 3, SHRINKS),
        (1, 0.98, {1: growing(5, 0.95), 3: growing(5, 1.05, 3)}, 1, SHRINKS),
        (3, 0.98, {3: growing(5, 1.05, 3)}, 3, None),
        # Little taper proves nothing: 3 times log 0.995 is -0.015.
        (3, 0.98, {3: growing(5, 0.995, 3)}, 3, None),
        # Where the turn is not sure all positions are tried if there is no column.
        (1, 0.7, {1: growing(2, 1.05), 3: growing(3, 1.05, 3), 6: growing(5, 1.05, 6), 8: growing(2, 1, 8)}, 6, TURNED),
        (1, 0.7, {1: growing(5, 1.05)}, 1, None),
    ],
)
def test_a_slice_is_turned_as_it_looks_and_doubted_where_its_bodies_shrink(settled, turn, sure, found, position, said):
    for reading in found.values():
        reading.remarks = []
    reading = settled(SLICE._replace(turn=turn, turn_probability=sure), found)
    assert reading.frame.exif_orientation == position
    ours = (TURNED, NARROWS, FEW, SHRINKS)
    assert [own for own in reading.remarks if own in ours] == ([said] if said else [])
    # What the look says of the front holds for the picture as its look turns it.
    assert (reading.facing is not None and reading.facing.source == "look of the picture") == (position == turn)


def test_a_frontal_film_and_a_file_that_says_where_the_head_is_are_not_doubted(settled):
    found = growing(5, 0.95)
    found.remarks = []
    reading = settled(SLICE, {1: found}, view="sagittal", frame=Frame(toward_right="P", toward_bottom="F"))
    assert SHRINKS not in reading.remarks
    frontal = growing(5, 0.95)
    frontal.remarks = []
    assert SHRINKS not in settled(LATERAL._replace(view="ap", front=None), {1: frontal}).remarks


def test_what_only_looks_like_a_view_and_shows_no_bodies_is_refused(settled):
    with pytest.raises(
        InputError, match=r"looks like a lateral radiograph, but hardly a vertebra is found in it .*give --view"
    ):
        settled(LATERAL, {turn: column(1) for turn in (1, 3, 6, 8)})
    assert len(settled(LATERAL, {1: column(2)}).vertebrae) == 2
    # The file's word stands.
    assert len(settled(LATERAL, {1: column(1)}, view="lateral").vertebrae) == 1


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
