"""What is found in a picture decides where its look alone does not: view, turn, and doubts."""

from dataclasses import replace

import numpy as np
import pytest
from looks import GREY, LATERAL, SLICE, Stub, column, growing, tapered

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images import Picture
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.reader import Reader
from spinetk.keypoints.second_look import FEW, NARROWS, SHRINKS, TURNED, evidence, growth, narrows, shows_column


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


@pytest.mark.parametrize(("found", "said"), [(tapered(5, 1), 0), (tapered(5, -1), 1), (tapered(3, 1), 1)])
def test_a_film_that_looks_turned_against_its_file_bears_a_remark_unless_its_bodies_stand(settled, found, said):
    found.remarks = []
    sight = LATERAL._replace(turn=3, posed=False)
    reading = settled(sight, {1: found}, Frame(toward_right="P", toward_bottom="F"), view="lateral")
    assert sum("where the file says" in remark for remark in reading.remarks) == said


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
        (1, 0.7, {turn: growing(2, 1.05, turn) for turn in (1, 3, 6, 8)}, 1, FEW),
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


class Exact(Stub):
    """Finds a column of which each body counts that reaches the threshold."""

    seen = column(5)

    def __init__(self, name, threshold, *_, **__):
        super().__init__(name)
        self.threshold = threshold

    def read(self, grey, **about):
        return self.read_at(grey, (self.threshold,), **about)[0]

    def read_at(self, grey, thresholds, *, file, frame, view):
        reaching = ([v for v in self.seen.vertebrae if v.score >= least] for least in thresholds)
        least = zip(reaching, thresholds, strict=True)
        return [replace(self.seen, vertebrae=own, threshold=t, frame=frame, model=self.name) for own, t in least]


@pytest.mark.parametrize(
    ("threshold", "said"),
    [
        (1, "none of the 5 bodies that are seen reaches the confidence of 1 that was asked for: the surest has 0.9999"),
        (0.97, "1 of the 5 bodies that are seen reaches the confidence of 0.97 that was asked for: the surest has 0.9"),
    ],
)
def test_a_threshold_that_leaves_out_what_is_seen_is_to_blame(monkeypatch, threshold, said):
    monkeypatch.setattr(Predictor, "load", Exact)
    seen = column(5, 0.9)
    seen.vertebrae[2].score = 0.99996
    monkeypatch.setattr(Exact, "seen", seen)
    for probability, view in ((0.97, "unknown"), (0.6, "unknown"), (0.97, "lateral")):
        picture = Picture(GREY.astype(np.float32), None, Frame(), "png", view=view)
        reader = Reader(view_finder=lambda grey: LATERAL._replace(probability=probability), threshold=threshold)  # noqa: B023
        if view == "lateral" and threshold < 1:  # the file's word and one body: a reading
            assert len(reader.read_picture(picture, "film.png")[0].vertebrae) == 1
            continue
        with pytest.raises(InputError) as error:
            reader.read_picture(picture, "film.png")
        assert error.value.fault.startswith(said)
        assert error.value.remedy == "give a lower --threshold"
    # Where no more is seen with the usual one, the picture is to blame.
    monkeypatch.setattr(Exact, "seen", column(1, 0.7))
    picture = Picture(GREY.astype(np.float32), None, Frame(), "png")
    with pytest.raises(InputError, match="hardly a vertebra is found"):
        Reader(view_finder=lambda grey: LATERAL, threshold=threshold).read_picture(picture, "film.png")
