import numpy as np
import pytest
import torch

from spinetk.errors import InputError
from spinetk.keypoints import assembly
from spinetk.keypoints.centre.preset import THORACOLUMBAR, CentrePreset
from spinetk.keypoints.counting import COUNTED, ONE_OFF, ROOM, Count, Counting
from spinetk.keypoints.naming import Naming
from spinetk.keypoints.network import VertebraRCNN
from spinetk.keypoints.original import eval_img
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.preset import FAST
from spinetk.keypoints.sacral_spread import SacralSpread
from spinetk.keypoints.torch_engine import TorchEngine
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA4, VERTEBRA6
from spinetk.views import View


def body(y: float) -> np.ndarray:
    return np.array([[10, y + 9], [30, y + 9], [50, y + 9], [50, y - 9], [30, y - 9], [10, y - 9]], float)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    torch.manual_seed(0)
    return Predictor(TorchEngine(VertebraRCNN(FAST, VERTEBRA6), "cpu"), "random", 0.6)


def chained(predictor: Predictor, heights: list[float], scores: list[float], view: View = "unknown") -> Reading:
    found = {
        "points": np.stack([body(y) for y in heights]),
        "scores": np.array(scores),
        "sigma": np.ones((len(scores), 6)),
    }
    return assembly.chained(found, Reading("a.png", 400, 60, VERTEBRA6, view=view), 0.6, predictor._goes_on(view))


def centres(reading: Reading) -> list[float]:
    return [float(v.centre[1]) for v in reading.vertebrae]


def test_a_weak_detection_fills_a_gap_and_nothing_else(predictor):
    column = [20, 45, 70, 95, 120, 145]
    filled = chained(predictor, column, [0.9, 0.9, 0.3, 0.9, 0.9, 0.3])
    assert centres(filled) == column[:5]
    assert filled.remarks == []
    # Between two sure neighbours there is room for a body only where one is missing.
    crowded = chained(predictor, [20, 45, 57, 70, 95], [0.9, 0.9, 0.3, 0.9, 0.9])
    assert centres(crowded) == [20, 45, 70, 95]
    # Two are missing, and both are seen.
    wide = chained(predictor, [20, 45, 70, 95, 120, 145, 170], [0.9, 0.9, 0.3, 0.35, 0.9, 0.9, 0.9])
    assert centres(wide) == [20, 45, 70, 95, 120, 145, 170]


@pytest.mark.parametrize(
    ("view", "made_for", "goes_on"),
    [
        ("lateral", (), True),
        ("sagittal", ("lateral",), False),
        ("ap", (), False),
        ("unknown", ("lateral",), True),
        ("unknown", ("lateral", "sagittal"), False),
    ],
)
def test_a_dim_body_above_counts_on_lateral_films_alone(predictor, view, made_for, goes_on, monkeypatch):
    monkeypatch.setattr(predictor, "views", made_for)
    reading = chained(predictor, [20, 45, 70, 95, 120], [0.3, 0.9, 0.9, 0.9, 0.9], view)
    assert centres(reading) == [20, 45, 70, 95, 120][0 if goes_on else 1 :]


def test_a_gap_that_stays_is_remarked(predictor):
    reading = chained(predictor, [20, 45, 70, 120, 145], [0.9] * 5)
    assert reading.remarks == ["a vertebra may be missing between #3 and #4 from the top"]


def test_a_body_cut_by_the_edge_has_unseen_points(predictor):
    reading = chained(predictor, [10, 40, 70], [0.9] * 3)
    assert reading.vertebrae[0].visible.tolist() == [True, True, True, False, False, False]
    assert all(v.visible.all() for v in reading.vertebrae[1:])
    assert reading.remarks == ["cut off by the edge of the picture: vertebra #1 from the top"]


def test_nothing_sure_is_nothing(predictor):
    assert chained(predictor, [20, 45], [0.5, 0.4]).vertebrae == []


def test_points_come_back_in_px_of_the_given_picture(predictor, monkeypatch):
    """A detection at the same relative place, whatever the size of the picture."""

    def detect(picture, least, worth=None):
        _, height, width = picture.shape
        points = np.array([[0.25, 0.5]] * 6) * [width, height]
        return {"scores": np.ones(1), "points": points[None], "sigma": np.ones((1, 6))}

    monkeypatch.setattr(predictor.engine, "detect", detect)
    for height, width in ((100, 60), (2000, 900), (37, 411)):
        reading = predictor.read(np.zeros((height, width), np.uint8))
        np.testing.assert_allclose(reading.vertebrae[0].points, [[width / 4, height / 2]] * 6, rtol=1e-5)


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_threshold_is_a_probability(threshold):
    with pytest.raises(InputError, match="threshold"):
        Predictor(TorchEngine(VertebraRCNN(FAST, VERTEBRA6), "cpu"), "random", threshold)


CORNERS = np.array([[-25.0, -15], [25, -15], [-25, 15], [25, 15]])
WHOLE = np.stack([CORNERS + [100.0, 60.0 + 40 * k] for k in range(17)])
"""Seventeen bodies on a film of 200 x 800 px."""
# 9 bodies at 6 nats are 54 of at most 72: 3/4. logit(p) = 12 (3/4) + 1 - 7 = 3, p = 0.9526.
SURE = Counting((12.0, 0.0, 1.0), -7.0)


class Told:
    """An engine that sees these of the bodies, whatever the film, and is so many nats sure of each one's level."""

    device = runtime = "none"
    schema = VERTEBRA4
    preset = CentrePreset("tall", (200,), 800, levels=THORACOLUMBAR, channels=8, crop_px=32, crop_widths=(8, 8, 8))

    def __init__(self, seen, doubt):
        self.seen = list(seen)
        self.said = np.full((len(self.seen), 17), -doubt)
        self.said[np.arange(len(self.seen)), self.seen] = 0.0

    def detect(self, picture, least, worth=None):
        return self.look(picture, WHOLE[self.seen]) | {"scores": np.full(len(self.seen), 0.9)}

    def look(self, picture, points):
        ones = np.ones((len(points), 4))
        return {"points": points, "point_scores": ones, "sigma": ones}

    def votes(self, picture, centres, line, lowest=None):
        return self.said


@pytest.mark.parametrize(
    ("seen", "doubt", "named"),
    [(range(17), 6.0, True), (range(1, 17), 6.0, True), (range(12), 6.0, False), (range(17), 1.0, False)],
)
def test_levels_are_named_where_they_are_known(seen, doubt, named):
    """Not on a part of the spine, however sure the votes: half a spine can look like its other half. Nor on a whole
    one that might as well be counted one off: the nine lowest, seen alone, each a nat surer of its level than of the
    next, where five and a half are asked for."""
    reading = Predictor(Told(seen, doubt), "tall", 0.6, counting=SURE).read(np.zeros((800, 200), np.uint8), view="ap")
    labels = [v.label for v in reading.vertebrae]
    assert labels == (list(THORACOLUMBAR) if named else [None] * len(seen))
    said = [remark for remark in reading.remarks if remark.startswith((ONE_OFF, COUNTED))]
    assert [remark[:20] for remark in said] == ([ONE_OFF[:20]] if doubt == 1 else [COUNTED[:20]] if named else [])
    if named:
        assert reading.label_probability == pytest.approx(0.9526, abs=1e-4)
        assert {own["label_probability"] for own in reading.to_json()["vertebrae"]} == {0.9526}
    elif doubt == 1:  # 12 / 8 + 1 - 7 = -4.5
        assert reading.label_probability == pytest.approx(0.01099, abs=1e-5)
        assert "T1 to L5 (probability 0.01) or C7 to L4" in said[0]
    else:
        assert reading.label_probability is None


def test_a_count_that_is_likely_and_not_sure_names_nothing():
    """9 bodies at 5 nats are 45 of at most 72: logit(p) = 12 (5/8) + 1 - 7 = 1.5, p = 0.8176."""
    film = np.zeros((800, 200), np.uint8)
    reading = Predictor(Told(range(17), 5.0), "tall", 0.6, counting=SURE).read(film, view="ap")
    assert reading.label_probability == pytest.approx(0.8176, abs=1e-4)
    assert not any(v.label for v in reading.vertebrae)


@pytest.mark.parametrize("lacks", [3, 8, 14])
def test_a_count_that_closes_up_over_a_missing_body_names_nothing(lacks):
    """A body is not seen, and the votes of all above it are for the next level down: consecutive, sure, and one off.
    There is room for a body where they close up, which tells."""
    engine = Told([k for k in range(17) if k != lacks], 6.0)
    assert len(engine.seen) == 16
    engine.said[:] = -6.0
    engine.said[np.arange(16), np.arange(1, 17)] = 0.0
    reading = Predictor(engine, "tall", 0.6, counting=SURE).read(np.zeros((800, 200), np.uint8), view="ap")
    assert any("a vertebra may be missing between" in remark for remark in reading.remarks)
    assert [v.label for v in reading.vertebrae] == [None] * len(reading.vertebrae)
    assert (ROOM in reading.remarks, reading.label_probability) == (True, None)
    assert not any(remark.startswith((COUNTED, ONE_OFF)) for remark in reading.remarks)


def test_a_counted_column_says_what_is_cut_off_as_well():
    """The lowest body ends at y = 715."""
    film = np.zeros((712, 200), np.uint8)
    reading = Predictor(Told(range(17), 6.0), "tall", 0.6, counting=SURE).read(film, view="ap")
    assert "cut off by the edge of the picture: vertebra #17 from the top" in reading.remarks


@pytest.mark.parametrize(("rods", "named"), [(0, True), (4, True), (9, False)])
def test_beneath_metal_nothing_is_named(rods, named):
    """Two rods 6 px wide, 20 px beside the midline, over the bodies 3 to 6, or 3 to 11, of 17."""
    film = np.full((800, 200), 90, np.uint8)
    if rods:
        for x in (78, 116):
            film[125 : 125 + 40 * rods - 10, x : x + 6] = 250
    reading = Predictor(Told(range(17), 6.0), "tall", 0.6, counting=SURE).read(film, view="ap")
    assert all((v.label is not None) == named for v in reading.vertebrae)
    beneath = [said for said in reading.remarks if said.startswith("metal over at least 9 of 17 bodies")]
    assert bool(beneath) != named
    if not named:
        assert reading.label_probability is None
        assert "T1 to L5 (not calibrated)" in reading.remarks[-1]


def test_counted_levels_are_not_named_where_nothing_says_how_sure_they_are():
    """A network that was never calibrated: the two likeliest counts in a remark, no name."""
    count = Count(list(THORACOLUMBAR), (40.0, 30.0), (0.5, 0.9, 0.9))
    assert count.probability(None) is None
    assert count.remark(None).startswith(f"{ONE_OFF}: T1 to L5 (not calibrated) or T2 to S1")


class Says:
    """Stands for an engine: one body of known points in px of the network's input, each 2 px uncertain there."""

    device = runtime = "none"
    schema = VERTEBRA6

    def __init__(self, preset, points):
        self.preset, self.points = preset, points

    def detect(self, picture, least, worth=None):
        return {"points": self.points[None], "scores": np.array([0.9]), "sigma": np.full((1, 6), 2.0)}


def test_points_and_their_uncertainty_come_back_in_px_of_the_picture(predictor):
    """A picture of twice the size of the network's input: all lengths double."""
    preset = predictor.engine.preset
    side = 2 * preset.short_px[-1]
    reading = Predictor(Says(preset, body(60)), "says").read(np.zeros((side, side), np.uint8))
    (vertebra,) = reading.vertebrae
    np.testing.assert_allclose(vertebra.points, 2 * body(60), atol=1e-3)
    np.testing.assert_allclose(vertebra.point_sigma_px, 4.0)
    spread = Predictor(Says(preset, body(60)), "says")
    spread.spread = np.array([0.5, 1, 1, 1, 1, 2])
    (vertebra,) = spread.read(np.zeros((side, side), np.uint8)).vertebrae
    np.testing.assert_allclose(vertebra.point_sigma_px, [2, 4, 4, 4, 4, 8])


class SeesAtLeast(Says):
    """Bodies of 0.9 and one of 0.35, as far as they are asked for."""

    def detect(self, picture, least, worth=None):
        points, scores = np.stack([body(y) for y in (30, 55, 80, 105)]), np.array([0.35, 0.9, 0.9, 0.9])
        kept = scores >= least
        return {"points": points[kept], "scores": scores[kept], "sigma": np.ones((kept.sum(), 6))}


def test_several_thresholds_ask_for_what_the_least_needs_and_readings_carry_the_factors_of_intervals():
    predictor = Predictor(SeesAtLeast(CentrePreset("says", short_px=(192,), long_px=192), None), "says")
    predictor.scales = {"height": 1.5}
    strict, loose = predictor.read_at(np.zeros((192, 192), np.uint8), (0.95, 0.3))
    assert [len(own.vertebrae) for own in (strict, loose)] == [0, 4]
    assert [own.threshold for own in (strict, loose)] == [0.95, 0.3]
    assert strict.interval_scale == loose.interval_scale == {"height": 1.5}
    # Everything, as the network scores it.
    predictor.calibration = (1.0, 2.0)
    points, scores = predictor.detections(np.zeros((192, 192), np.uint8))
    assert (len(points), scores.tolist()) == (4, pytest.approx([0.35, 0.9, 0.9, 0.9]))


class SeesSacrum(Says):
    """Five bodies, one more where the sacrum lies, and the S1 endplate between; all that a decoder says of them."""

    def detect(self, picture, least, worth=None):
        points = np.stack([body(y) for y in (30, 55, 80, 105, 130, 165)])
        s1 = body(160)[None]  # its upper side is the endplate: y = 151
        count, ones = len(points), np.ones((1, 6))
        return {
            "boxes": np.zeros((count, 4)), "points": points, "scores": np.full(count, 0.9),
            "point_scores": np.ones((count, 6)), "sigma": np.ones((count, 6)),
            "landmark_boxes": np.zeros((1, 4)), "landmark_points": s1, "landmark_scores": np.array([0.2]),
            "landmark_point_scores": ones, "landmark_sigma": ones, "landmark_kinds": np.zeros(1, int),
        }  # fmt: skip


def test_a_body_in_the_sacrum_is_left_out_once_the_endplate_is_sure():
    """By slope 1 and intercept 3 a score of 0.2 (logit -1.386) is a probability of 1 / (1 + exp(-1.614)) = 0.834."""
    preset = CentrePreset("sacrum", short_px=(192,), long_px=192, landmarks=("s1", "femoral_head"))
    predictor = Predictor(SeesSacrum(preset, None), "says")
    picture = np.zeros((192, 192), np.uint8)
    unsure = predictor.read(picture)
    assert (len(unsure.vertebrae), unsure.landmarks) == (6, [])
    predictor.landmark_calibration = {"s1": (1.0, 3.0)}
    reading = predictor.read(picture)
    assert len(reading.vertebrae) == 5
    (s1,) = reading.landmarks
    assert s1.score == pytest.approx(0.834, abs=1e-3)
    np.testing.assert_allclose(s1.points, [[10, 151], [50, 151]])
    (plain,) = predictor.landmarks(picture)
    assert plain.score == pytest.approx(0.2)


class SeesHeads(SeesSacrum):
    """Three femoral heads, and a fourth that is hardly seen; the first two kinds of landmarks are S1 and the head."""

    def detect(self, picture, least, worth=None):
        places = np.array([[20.0, 170], [40, 172], [30, 175], [60, 170]])
        heads = places[:, None] + (body(60) - body(60).mean(axis=0)) / 2
        ones = np.ones((4, 6))
        return super().detect(picture, least) | {
            "landmark_boxes": np.zeros((4, 4)), "landmark_points": heads, "landmark_point_scores": ones,
            "landmark_scores": np.array([0.5, 0.8, 0.7, 0.3]), "landmark_sigma": ones,
            "landmark_kinds": np.ones(4, int),
        }  # fmt: skip


def test_at_most_two_femoral_heads_count_the_surest_and_none_below_0_4():
    preset = CentrePreset("sacrum", short_px=(192,), long_px=192, landmarks=("s1", "femoral_head"))
    predictor = Predictor(SeesHeads(preset, None), "says")
    picture = np.zeros((192, 192), np.uint8)
    assert [own.score for own in predictor.read(picture).landmarks] == pytest.approx([0.8, 0.7])
    predictor.landmark_calibration = {"femoral_head": (1.0, -1.3)}  # 0.8 becomes 0.52, 0.7 0.39
    assert [own.score for own in predictor.read(picture).landmarks] == pytest.approx([0.5215], abs=1e-3)


class SeesSacrumTwice(SeesSacrum):
    """A second endplate, 2 px lower."""

    def detect(self, picture, least, worth=None):
        found = super().detect(picture, least, worth)
        again = {"landmark_points": found["landmark_points"] + [0, 2], "landmark_scores": np.array([0.1])}
        return found | {
            key: np.concatenate([values, again.get(key, values)])
            for key, values in found.items()
            if key.startswith("landmark_")
        }


def test_one_sacrum_seen_twice_is_as_sure_as_either_makes_it():
    """By slope 1 and intercept 2, 0.2 is 1 / (1 + exp(-0.614)) = 0.6488 and 0.1 is 0.4509: 1 - 0.3512 * 0.5491."""
    preset = CentrePreset("sacrum", short_px=(192,), long_px=192, landmarks=("s1",))
    predictor = Predictor(SeesSacrumTwice(preset, None), "says")
    predictor.landmark_calibration = {"s1": (1.0, 2.0)}
    (s1,) = predictor.read(np.zeros((192, 192), np.uint8)).landmarks
    assert s1.score == pytest.approx(0.8072, abs=1e-3)


def test_a_body_seen_in_the_sacrum_speaks_against_the_names_though_it_is_left_out():
    """0.9 below the endplate: 10 * 0.1 - 5 is a probability of 0.018; without it, 10 - 5 would be 0.993."""
    preset = CentrePreset("sacrum", short_px=(192,), long_px=192, landmarks=("s1",))
    naming = Naming((0.0, 0.0, 0.0, 0.0, 10.0, 0.0), -5.0)
    predictor = Predictor(SeesSacrum(preset, None), "says", naming=naming)
    predictor.landmark_calibration = {"s1": (1.0, 3.0)}
    reading = predictor.read(np.zeros((192, 192), np.uint8))
    assert len(reading.vertebrae) == 5
    assert reading.label_probability == pytest.approx(0.018, abs=1e-3)


def test_metal_across_a_body_is_said_of_lateral_films_alone_and_ends_the_names():
    """A screw 4 px thick from behind into the third of five bodies that are 18 px high."""
    preset = CentrePreset("sacrum", short_px=(192,), long_px=192, landmarks=("s1",))
    predictor = Predictor(SeesSacrum(preset, None), "says", naming=Naming((0.0, 0.0, 0.0, 0.0), 5.0))
    predictor.landmark_calibration = {"s1": (1.0, 3.0)}
    picture = np.full((192, 192), 60, np.uint8)
    picture[78:82, 25:70] = 250
    said = "metal over at least 1 of 5 bodies, counted from the top: #3; what lies beneath is guessed"
    for view, names in (("lateral", [None, None, None, "L4", "L5"]), ("sagittal", ["L1", "L2", "L3", "L4", "L5"])):
        reading = predictor.read(picture, view=view)
        assert (said in reading.remarks) == (view == "lateral")
        assert [own.label for own in reading.vertebrae] == names
    predictor.views = ("lateral",)
    assert said in predictor.read(picture).remarks


def test_what_a_shutter_leaves_of_a_body_is_no_screw():
    """The last of five bodies ends in its middle, 4 px of it are bright, and all below is of one value."""
    preset = CentrePreset("sacrum", short_px=(192,), long_px=192, landmarks=("s1",))
    predictor = Predictor(SeesSacrum(preset, None), "says")
    predictor.landmark_calibration = {"s1": (1.0, 3.0)}
    picture = np.full((192, 192), 60, np.uint8)
    lowest = predictor.read(picture).vertebrae[-1].centre
    row, first = round(lowest[1]), round(lowest[0]) - 25
    picture[row - 2 : row + 2, first : first + 50] = 250
    screwed, shut = predictor.read(picture, view="lateral"), picture.copy()
    shut[row + 2 :] = 0
    closed = predictor.read(shut, view="lateral")
    said = [[remark for remark in own.remarks if "metal" in remark] for own in (screwed, closed)]
    assert said == [["metal over at least 1 of 5 bodies, counted from the top: #5; what lies beneath is guessed"], []]


def test_landmarks_for_the_names_alone_name_and_stand_in_no_reading():
    """The S1 endplate lies under the fifth body as under an L5; too inexact to measure from, it is not given out."""
    preset = CentrePreset("sacrum", short_px=(192,), long_px=192, landmarks=("s1",))
    predictor = Predictor(SeesSacrum(preset, None), "says", naming=Naming((0.0, 0.0, 0.0, 0.0), 5.0))
    predictor.landmark_calibration = {"s1": (1.0, 3.0)}
    predictor.scales, predictor.sacral_spread = {"height": 1.2}, SacralSpread((0.4,), {"sacral_slope": (2.5,)})
    picture = np.zeros((192, 192), np.uint8)
    measured = predictor.read(picture)
    predictor.unmeasured = ("s1",)
    reading = predictor.read(picture)
    assert measured.interval_scale == {"height": 1.2, "sacral_slope": 2.5}
    assert reading.interval_scale == {"height": 1.2}
    assert [own.label for own in reading.vertebrae] == ["L1", "L2", "L3", "L4", "L5"]
    assert (len(measured.landmarks), reading.landmarks) == (1, [])


def test_what_a_card_warns_of_is_a_remark_on_every_reading():
    preset = CentrePreset("says", short_px=(192,), long_px=192)
    predictor = Predictor(Says(preset, body(60)), "says")
    picture = np.zeros((192, 192), np.uint8)
    assert "look" not in " ".join(predictor.read(picture).remarks)
    predictor.caution = "look at every body"
    for reading in predictor.read_at(picture, (0.6, 0.99)):
        assert reading.remarks[-1] == "look at every body"
    assert "looked at on two" in Predictor.load("sagittal-ct").caution
    assert "not checked on any real film of a neck" in Predictor.load("xray-cervical").caution


@pytest.mark.parametrize(
    "array", [np.full((64, 64), 9000, np.uint16), np.zeros((64, 64)), np.zeros((64, 64, 3), np.uint8)]
)
def test_an_array_that_was_not_windowed_is_refused(predictor, array):
    """16 bits gave no vertebra without a word; other arrays ended in OpenCV."""
    with pytest.raises(InputError, match="to_uint8"):
        predictor.read(array)


def test_eval_img_wants_paths(predictor, tmp_path):
    with pytest.raises(InputError, match="wants two paths, not ndarray and str"):
        eval_img(None, predictor, np.zeros((64, 64), np.uint8), str(tmp_path / "out.png"))
