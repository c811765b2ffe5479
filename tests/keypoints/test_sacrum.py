"""Names counted up from the sacrum: given where they are known, and only there."""

from dataclasses import replace

import numpy as np
import pytest

from spinetk.cases.folder import write_record
from spinetk.facing import Facing
from spinetk.formats.record import record_of
from spinetk.geometry import Frame
from spinetk.keypoints.calibration import calibrate_landmarks, calibrate_outcomes, sacral_outcomes
from spinetk.keypoints.logistic import calibrated
from spinetk.keypoints.naming import Naming
from spinetk.keypoints.sacrum import (
    ROOM,
    above_sacrum,
    below_sacrum,
    beside_hips,
    facing,
    lies_on_sacrum,
    named,
    seated,
    surest,
    without_stray,
)
from spinetk.landmark import Landmark
from spinetk.measure import lumbar_shape
from spinetk.measure.facing import anterior_side, curvature
from spinetk.phantoms import lateral_radiograph
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6

SURE = Naming((5.0, 0.0, 0.0, 0.0), 0.0)  # 1 / (1 + exp(-4.5)) = 0.989 for an endplate of 0.9


def unnamed(seed=2, score=0.9):
    """A film with the sacrum, its names taken away, and what they were."""
    while True:
        reading = lateral_radiograph(seed, region="lumbar", spacing_mm=1.2, hardware=False).reading
        if reading.landmarks and reading.vertebrae[-1].label == "L5":
            break
        seed += 1
    names = [vertebra.label for vertebra in reading.vertebrae]
    landmarks = [replace(own, score=score) for own in reading.landmarks]
    return replace(reading, vertebrae=[replace(v, label=None) for v in reading.vertebrae], landmarks=landmarks), names


@pytest.fixture(autouse=True)
def _neutral_shape(monkeypatch):
    """What the shape of the bodies says is asked in test_naming.py."""
    monkeypatch.setattr(lumbar_shape, "log_odds", lambda reading, side: 0.0)


@pytest.mark.parametrize("seed", [2, 20, 40])
def test_the_body_on_the_sacrum_is_l5_and_the_probability_is_said(seed):
    reading, names = unnamed(seed)
    found = named(reading, SURE)
    assert [vertebra.label for vertebra in found.vertebrae] == names
    assert found.label_probability == pytest.approx(0.9890, abs=1e-4)
    assert any("probability 0.99" in remark and "transitional" in remark for remark in found.remarks)


def test_what_is_not_sure_is_not_named():
    reading, _ = unnamed(score=0.5)
    found = named(reading, Naming((0.0, 0.0, 0.0, 0.0), 0.0))
    assert all(vertebra.label is None for vertebra in found.vertebrae)
    assert any("0.50 only" in remark for remark in found.remarks)


def test_likely_names_are_given_where_the_card_allows_and_said_to_be_unsure():
    """Weight 5 of a score of 0.3, intercept 1: 0.924, sure. With intercept 0 0.818: likely for a card that asks for
    0.8, and marked; with -0.2 0.786, not enough."""
    reading, names = unnamed(score=0.3)
    for intercept, given, unsure in ((1.0, True, False), (0.0, True, True), (-0.2, False, False)):
        found = named(reading, Naming((5.0, 0.0, 0.0, 0.0, 0.0, 0.0), intercept, least=0.8))
        assert [v.label for v in found.vertebrae] == (names if given else [None] * len(names))
        assert found.levels_are_unsure == unsure
        assert any("likely, not sure" in remark and "probability 0.82" in remark for remark in found.remarks) == unsure
    assert not found.named_by_person().levels_are_unsure


def test_names_likely_by_less_than_a_file_can_tell_are_marked_as_their_remark_says():
    """0.89996 is 0.9000 in four decimals: the remark said likely, and what was read back from the file bore no mark."""
    reading, _ = unnamed()
    naming = Naming((0.0, 0.0, 0.0, 0.0), float(np.log(0.89996 / 0.10004)), least=0.8)
    found = named(reading, naming)
    assert found.label_probability == pytest.approx(0.89996, abs=1e-9)
    for own in (found, found.rounded(), Reading.from_json(found.to_json(), "a.json")):
        assert own.levels_are_unsure
        assert any("likely, not sure" in remark and "(probability 0.8999)" in remark for remark in own.remarks)
    assert found.to_json()["label_probability"] == found.probability_of(found.vertebrae[0]) == 0.8999
    assert replace(found, label_probability=0.90004).to_json()["label_probability"] == 0.9


def test_a_missing_l5_a_gap_or_no_calibration_leave_the_column_unnamed():
    reading, _ = unnamed()
    without = replace(reading, vertebrae=reading.vertebrae[:-1])
    assert lies_on_sacrum(without) is None
    found = named(without, SURE)
    assert found.remarks == [*without.remarks, ROOM]
    assert replace(found, remarks=without.remarks) == without
    hardly = replace(without, landmarks=[replace(own, score=0.39) for own in without.landmarks])
    assert named(hardly, SURE) is hardly
    assert named(replace(without, landmarks=[]), SURE).remarks == without.remarks
    gap = replace(reading, vertebrae=reading.vertebrae[:2] + reading.vertebrae[3:])
    assert named(gap, SURE) is gap
    assert named(reading, None) is reading


def test_a_body_too_high_for_one_ends_the_count():
    """L3 drawn upward to 1.5 times its height: it may be two bodies, and then those above it are one level off."""
    reading, names = unnamed()
    tall = names.index("L3")
    body = reading.vertebrae[tall].points
    for column in ("left", "middle", "right"):
        top, bottom = (body[VERTEBRA6.index(f"{end}_{column}")] for end in ("top", "bottom"))
        top += 0.5 * (top - bottom)
    found = named(reading, SURE)
    assert [vertebra.label for vertebra in found.vertebrae] == [None] * (tall + 1) + ["L4", "L5"]
    assert (
        f"levels: the count ends below vertebra #{tall + 1} from the top, which is too high for one body"
        in found.remarks
    )
    plate = np.array([reading.vertebrae[tall + 1].point(VERTEBRA6, f"top_{side}") for side in ("left", "right")])
    lowest = replace(reading, vertebrae=reading.vertebrae[: tall + 1], landmarks=[Landmark("s1", plate, None, 0.9)])
    assert lies_on_sacrum(lowest) is not None
    doubt = "levels: none are named, as the lowest body is too high for one body"
    assert named(lowest, SURE) == replace(lowest, remarks=[*lowest.remarks, doubt])


def test_a_body_beneath_metal_ends_the_count():
    reading, names = unnamed()
    beneath = np.array([name in ("L2", "L3") for name in names])
    found = named(reading, SURE, beneath=beneath)
    assert [vertebra.label for vertebra in found.vertebrae] == [None] * (len(names) - 2) + ["L4", "L5"]
    end = f"levels: the count ends below vertebra #{len(names) - 2} from the top, which lies beneath metal"
    assert found.remarks[-1] == end
    none = named(reading, SURE, beneath=np.ones(len(names), bool))
    doubt = "levels: none are named, as the lowest body lies beneath metal"
    assert none == replace(reading, remarks=[*reading.remarks, doubt])


@pytest.mark.parametrize("more_deg", [-60, 60])
def test_a_sacral_endplate_that_no_disc_could_lie_on_is_left_out_with_all_that_follows(more_deg):
    reading, _ = unnamed()
    assert without_stray(reading) is reading
    turn = np.radians(more_deg)
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    own = next(own for own in reading.landmarks if own.kind == "s1")
    middle = own.points.mean(axis=0)
    turned = replace(own, points=(own.points - middle) @ spin + middle)
    stray = replace(reading, landmarks=[turned if mark is own else mark for mark in reading.landmarks])
    assert lies_on_sacrum(stray) is turned
    found = without_stray(stray)
    assert [mark.kind for mark in found.landmarks] == [mark.kind for mark in reading.landmarks if mark is not own]
    assert any("sacral endplate at" in remark for remark in found.remarks)
    weak = replace(stray, landmarks=[replace(turned, score=0.3)])
    assert (without_stray(weak).landmarks, without_stray(weak).remarks) == ([], [])
    assert all(vertebra.label is None for vertebra in named(found, SURE).vertebrae)


def endplate(reading, score, turn_deg=0.0, down=0.0):
    """The S1 endplate of a reading, turned and moved along its perpendicular, in its widths."""
    own = next(own for own in reading.landmarks if own.kind == "s1")
    middle, turn = own.points.mean(axis=0), np.radians(turn_deg)
    across = own.points[1] - own.points[0]
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    moved = middle + down * np.array([-across[1], across[0]])
    return replace(own, points=(own.points - middle) @ spin + moved, score=score)


def test_one_sacrum_seen_twice_is_one_endplate_where_l5_sits_on_it():
    """0.6 steep and 0.5 well seated: one of them is there with 1 - 0.4 * 0.5 = 0.8. Farther than 0.75 widths away, the
    second is another."""
    reading, _ = unnamed()
    steep, good = endplate(reading, 0.6, turn_deg=45, down=0.2), endplate(reading, 0.5)
    (found,) = seated(replace(reading, landmarks=[steep, good])).landmarks
    assert found.score == pytest.approx(0.8)
    np.testing.assert_allclose(found.points, good.points)
    far = endplate(reading, 0.5, down=1.0)
    (found,) = seated(replace(reading, landmarks=[steep, far])).landmarks
    assert (found.score, found.points.tolist()) == (0.6, steep.points.tolist())
    alone = replace(reading, landmarks=[good])
    assert seated(alone) is alone
    # 0.39 and 0.3 would be 0.573 together: surer that it is there, but neither says where exactly.
    (found,) = seated(replace(reading, landmarks=[replace(good, score=0.39), replace(steep, score=0.3)])).landmarks
    assert found.score == pytest.approx(0.39)
    assert surest([found]) is None
    (found,) = seated(replace(reading, landmarks=[replace(good, score=0.2), replace(steep, score=0.1)])).landmarks
    assert found.score == pytest.approx(1 - 0.8 * 0.9)
    # Without a column nobody can say how it sits: the surest stays.
    (found,) = seated(replace(reading, vertebrae=[], landmarks=[good, steep])).landmarks
    np.testing.assert_allclose(found.points, steep.points)


def test_an_endplate_too_unsure_to_measure_names_in_silence_or_not_at_all():
    """Weight 5 of a score of 0.3, intercept 1: 1 / (1 + exp(-2.5)) = 0.924. With intercept 0 it is 0.818: no name, and
    no remark about an endplate that no reading holds. A card that was fitted on sure endplates alone names by no
    other: below a slice cut off at L4 such a one is seen where the edge is, and all names would be one too low."""
    reading, names = unnamed(score=0.3)
    found = named(reading, Naming((5.0, 0.0, 0.0, 0.0, 0.0, 0.0), 1.0))
    assert [vertebra.label for vertebra in found.vertebrae] == names
    assert named(reading, Naming((5.0, 0.0, 0.0, 0.0), 1.0)) is reading
    sure, _ = unnamed(score=0.4)
    assert [v.label for v in named(sure, Naming((5.0, 0.0, 0.0, 0.0), 1.0)).vertebrae] == names
    found = named(reading, Naming((5.0, 0.0, 0.0, 0.0, 0.0, 0.0), 0.0))
    assert found.label_probability == pytest.approx(0.8176, abs=1e-4)
    assert (found.remarks, {vertebra.label for vertebra in found.vertebrae}) == (reading.remarks, {None})


@pytest.mark.parametrize(
    ("widths", "score", "gives"),
    [(1.25, 0.65, False), (1.35, 0.65, True), (1.25, 0.67, True)],
)
def test_an_endplate_near_the_lower_edge_may_be_that_of_a_body_cut_off(widths, score, gives):
    """A picture that ends so many widths below the endplate; the card asks for 0.66 there."""
    reading, names = unnamed(score=score)
    plate = next(own for own in reading.landmarks if own.kind == "s1").points
    square = reading.frame.spacing_mm[0] / reading.frame.spacing_mm[1]
    width = np.hypot(plate[1, 0] - plate[0, 0], (plate[1, 1] - plate[0, 1]) * square)
    reading = replace(reading, height=plate[:, 1].mean() + widths * width / square)
    found = named(reading, Naming((0.0, 0.0, 0.0, 0.0), 5.0, alone=0.66))
    assert [v.label for v in found.vertebrae] == (names if gives else [None] * len(names))
    assert any("a body cut off" in remark for remark in found.remarks) != gives
    assert found.label_probability is None or gives
    free = named(reading, Naming((0.0, 0.0, 0.0, 0.0), 5.0))
    assert [v.label for v in free.vertebrae] == names


def test_a_weak_endplate_tells_the_front_with_a_spine_that_bends_the_same_way():
    """By slope 1 and intercept 2 a score of 0.2 is 1 / (1 + exp(-0.614)) = 0.649; the bend leaves 1 - |curvature|."""
    reading, _ = unnamed(score=0.2)
    front = reading.frame.anterior
    free = replace(reading, frame=Frame(spacing_mm=reading.frame.spacing_mm), facing=None)
    bend = abs(curvature(free))
    assert bend > 0.5
    told = facing(free, (1.0, 2.0))
    assert told == Facing(front, "sacrum and curvature", round(1 - (1 - 0.64878) * (1 - bend), 4))
    assert anterior_side(replace(free, facing=told, landmarks=[])) == told
    # It hangs to the other side, or no body lies on it.
    other = endplate(free, 0.2, turn_deg=-60 if front == "right" else 60)
    assert facing(replace(free, landmarks=[other]), (1.0, 2.0)) is None
    assert facing(replace(free, landmarks=[other]), (1.0, 9.0)) is None
    assert facing(replace(free, landmarks=[endplate(free, 0.2, down=3.0)]), (1.0, 2.0)) is None


def test_names_that_are_there_stay():
    reading, _ = unnamed()
    reading.vertebrae[0].label = "T9"
    assert named(reading, SURE) is reading


def test_calibration_gives_the_share_that_was_right_and_never_certainty():
    """60 of 60 right at one score is 61 of 62 by Platt's targets; half right at a low score pulls that end down."""
    calm = calibrate_outcomes([(0.9, True)] * 60)
    assert calibrated(0.9, calm) == pytest.approx(61 / 62, abs=0.02)
    mixed = calibrate_outcomes([(0.95, True)] * 80 + [(0.45, k % 2 == 0) for k in range(40)])
    assert calibrated(0.95, mixed) > 0.9
    assert calibrated(0.45, mixed) < 0.7
    assert calibrate_outcomes([(0.9, True)] * 5) is None
    backwards = calibrate_outcomes([(0.5, True)] * 40 + [(0.99, k % 2 == 0) for k in range(20)])
    assert backwards[0] == 0.0
    np.testing.assert_allclose(calibrated(0.5, backwards), calibrated(0.99, backwards))


def test_what_lies_in_the_sacrum_is_no_free_body():
    """The endplate runs from (100, 200) to (140, 230), 50 long; its normal into the sacrum is (-30, 40)/50."""
    sacral = Landmark("s1", np.array([[100.0, 200.0], [140.0, 230.0]]), None, 0.8)
    middle, normal = np.array([120.0, 215.0]), np.array([-0.6, 0.8])
    centres = middle + np.outer([-25, 5, 10, 60], normal)
    assert below_sacrum(centres, sacral).tolist() == [False, False, True, True]
    assert not below_sacrum(centres, replace(sacral, score=0.4)).any()
    assert not below_sacrum(middle + np.outer([10, 60, 110], normal), sacral).any()


def test_what_lies_beside_a_hip_is_no_body():
    """Bodies 20 px high; a femoral head two heights below the last one, or four."""
    box = np.array([[-15, 10], [0, 10], [15, 10], [15, -10], [0, -10], [-15, -10]], float)
    points = np.array([box + (100, y) for y in (50, 80, 110, 140)])
    for y, expected in ((180, [False, False, False, True]), (220, [False] * 4)):
        head = Landmark("femoral_head", np.array([[100.0, y]]), score=0.6)
        assert beside_hips(points, [head], VERTEBRA6).tolist() == expected
    # One in the middle of the column, beside which three lie, is wrong itself.
    assert not beside_hips(points, [Landmark("femoral_head", np.array([[100.0, 80.0]]), score=0.6)], VERTEBRA6).any()


def test_of_all_that_is_seen_what_lies_in_the_pelvis_is_left_out():
    """Bodies 20 px high: the fourth lies 20 px under the endplate of 0.8, the fifth 22 px beside a hip; a sixth under
    the endplate is too weak to be asked about. The endplate of 0.45 across the column is not the surest."""
    box = np.array([[-15, 10], [0, 10], [15, 10], [15, -10], [0, -10], [-15, -10]], float)
    places = [(100, 50), (100, 80), (100, 110), (100, 150), (40, 100), (100, 170)]
    scores = np.array([0.9, 0.9, 0.9, 0.5, 0.2, 0.19])
    found = {"points": np.array([box + at for at in places]), "scores": scores, "sigma": np.arange(6.0)}
    plates = [Landmark("s1", np.array([[85.0, y], [115.0, y]]), None, score) for y, score in ((65, 0.45), (130, 0.8))]
    head = Landmark("femoral_head", np.array([[30.0, 120.0]]), score=0.6)
    for marks, kept in (
        ([*plates, head], [0, 1, 2, 5]),
        (plates, [0, 1, 2, 4, 5]),
        ([head], [0, 1, 2, 3, 5]),
        ([], [0, 1, 2, 3, 4, 5]),
    ):
        left = above_sacrum(found, marks, 0.2, VERTEBRA6)
        assert left["sigma"].tolist() == kept
        np.testing.assert_array_equal(left["points"], found["points"][kept])
        np.testing.assert_array_equal(left["scores"], scores[kept])


def test_the_front_by_the_sacrum_bears_the_models_own_probability():
    """Slope 1, intercept 1: 1 / (1 + 1 / e) = 0.7311 at a score of 0.5, too little; 9 e / (1 + 9 e) = 0.9607 at 0.9."""
    for score, chance, side in ((0.5, 0.7311, None), (0.9, 0.9607, "left")):
        # The left end hangs lower: the front is on the left.
        s1 = Landmark("s1", np.array([[100.0, 220.0], [140.0, 200.0]]), None, score)
        reading = Reading("film.png", 300, 240, VERTEBRA6, view="lateral", landmarks=[s1])
        reading.facing = facing(reading, (1.0, 1.0))
        assert reading.facing == Facing("left", "sacrum", chance)
        assert anterior_side(reading).side == side
    assert anterior_side(reading).confidence == chance
    moved = replace(reading, landmarks=[replace(s1, points=np.array([[100.0, 200.0], [140.0, 220.0]]))])
    assert anterior_side(moved) == Facing("right", "sacrum", 0.97)
    assert facing(reading, (1.0, 9.0)).confidence == 0.99  # phantoms bear out no more
    assert facing(reading, None) is None
    assert facing(replace(reading, frame=Frame(toward_right="P", toward_bottom="F")), (1.0, 1.0)) is None


class Seer:
    """Sees the landmarks of a picture where they are told, and one that is not there."""

    def __init__(self, found):
        self.found = found

    def landmarks(self, picture):
        return self.found


def test_landmarks_are_calibrated_by_the_share_that_lies_on_true_ones(tmp_path):
    """Scores of 0.3 on the true endplate, of 0.1 a whole width beside it: 0.3 must come to mean nearly sure."""
    phantom = lateral_radiograph(2, region="lumbar", spacing_mm=1.2, hardware=False)
    true = next(own for own in phantom.reading.landmarks if own.kind == "s1")
    path = tmp_path / "src-0.json"
    record = record_of(phantom.reading, "film", case="film")
    write_record(path, record, np.zeros((phantom.reading.height, phantom.reading.width), np.uint8))
    record |= {"file_name": str(path.with_suffix(".png"))}
    away = replace(true, points=true.points + (true.points[1] - true.points[0]), score=0.1)
    found = calibrate_landmarks(Seer([replace(true, score=0.3), away]), [record] * 30)
    assert set(found) == {"s1"}
    assert calibrated(0.3, found["s1"]) > 0.85
    assert calibrated(0.1, found["s1"]) < 0.15
    unknown = {**record}
    del unknown["landmarks"]
    assert calibrate_landmarks(Seer([true]), [unknown] * 30) == {}


class Follows:
    """Finds the column it is told, and evidence for its names."""

    def __init__(self, reading):
        self.reading = reading

    def sacral_evidence(self, picture, frame=None, view="unknown"):
        return self.reading, (0.9, 0.9, 0.9, 0.5, 1.0, 1.0)


def hanging_back(reading):
    """The S1 endplate of a reading, turned until its back end hangs lower."""
    return endplate(reading, 0.9, turn_deg=-90 if reading.frame.anterior == "right" else 90)


@pytest.mark.parametrize(
    ("change", "names", "fronts"),
    [
        (lambda own: own, [True], [True]),
        (lambda own: replace(own, vertebrae=own.vertebrae[:-1]), [False], [True]),  # L4 would be called L5
        (lambda own: replace(own, landmarks=[hanging_back(own)]), [True], [False]),
        (lambda own: replace(own, landmarks=[endplate(own, 0.2, down=3.0)]), [True], []),  # too unsure, and far away
        (lambda own: replace(own, vertebrae=[]), [], [True]),
    ],
)  # fmt: skip
def test_what_the_sacrum_tells_is_held_against_the_truth(tmp_path, change, names, fronts):
    reading, labels = unnamed()
    named_all = [replace(v, label=own) for v, own in zip(reading.vertebrae, labels, strict=True)]
    path = tmp_path / "src-0.json"
    record = record_of(replace(reading, vertebrae=named_all), "film", case="film")
    write_record(path, record, np.zeros((reading.height, reading.width), np.uint8))
    record |= {"file_name": str(path.with_suffix(".png"))}
    told = sacral_outcomes(Follows(change(reading)), [record])
    assert [right for _, right in told.names] == names
    assert [right for _, right in told.fronts] == fronts
