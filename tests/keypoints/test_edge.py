"""A closer look where the picture's upper edge cuts the column: where, how large, and what of it counts."""

import numpy as np
import pytest

from spinetk.keypoints import edge
from spinetk.keypoints.centre.preset import CENTRE_LATERAL
from spinetk.keypoints.predictor import Predictor
from spinetk.schema import VERTEBRA6

SIZE = (400, 300)


def body(x: float, y: float, height: float = 30.0, width: float = 44.0) -> np.ndarray:
    """Six points of an upright rectangle about (x, y)."""
    w, h = width / 2, height / 2
    return np.array([[-w, h], [0, h], [w, h], [w, -h], [0, -h], [-w, -h]]) + (x, y)


def column(first: float) -> list[np.ndarray]:
    """Four bodies 30 px high, 40 px from each other, the highest about y = ``first``."""
    return [body(150, first + 40 * k) for k in range(4)]


def place(*others: tuple[np.ndarray, float], first: float = 50.0):
    """What :func:`edge.window` says of such a column, 0.9 each, and other bodies with their scores."""
    points = np.stack([*column(first), *(own for own, _ in others)])
    scores = np.array([0.9] * 4 + [score for _, score in others])
    return edge.window(np.zeros(SIZE, np.uint8), points, scores, VERTEBRA6, 0.6, 0.24)


@pytest.mark.parametrize(
    ("first", "looked"),
    [(50, True), (23, True), (22, False), (119, True), (121, False)],
)
def test_it_looks_where_there_is_room_for_a_body_but_not_for_a_skull(first, looked):
    """A quarter of 30 px above the highest body's upper endplate, 15 px above its centre: 22.5; four heights: 120."""
    assert (place(first=first) is not None) is looked


@pytest.mark.parametrize(
    ("other", "looked"),
    [
        ((body(150, 10), 0.3), False),  # the next body, seen well enough to fill a gap
        ((body(150, 10), 0.2), True),
        ((body(220, 10), 0.3), True),  # beside the column
    ],
)
def test_it_looks_where_nothing_is_seen_well_enough(other, looked):
    assert (place(other) is not None) is looked


def test_it_looks_above_three_sure_bodies_not_above_two():
    for count, looked in ((3, True), (2, False)):
        points = np.stack(column(50))
        scores = np.where(np.arange(4) < count, 0.9, 0.5)
        found = edge.window(np.zeros(SIZE, np.uint8), points, scores, VERTEBRA6, 0.6, 0.24)
        assert (found is not None) is looked


def test_bodies_are_shown_60_px_high_and_points_come_back():
    """5.2 heights of 30 px are 156 px of the picture, 312 of the network: from x = 150 - 78 on, and, since the next
    body's centre is expected at y = 10, from the 24 px (0.8 heights) above the picture on that may be shown."""
    picture = np.tile(np.arange(SIZE[1]) // 2, (SIZE[0], 1)).astype(np.uint8)
    part, highest = edge.window(picture, np.stack(column(50)), np.full(4, 0.9), VERTEBRA6, 0.6, 0.24)
    assert part.shown.shape == (312, 312)
    np.testing.assert_allclose(part.factors, 2.0)
    np.testing.assert_allclose(part.to_picture(np.array([[0.0, 0.0], [312, 312]])), [[72, -24], [228, 132]])
    np.testing.assert_array_equal(highest, np.stack(column(50)[:2]))
    # Grey values from 36 to 113, of which 1 % become black and 1 % white: in the middle half way.
    assert part.shown.min() == 0
    assert part.shown.max() == 255
    assert abs(int(part.shown[200, 156]) - 128) <= 3


@pytest.mark.parametrize(("height", "side", "shown"), [(20, 104, 312), (31, 161, 312), (120, 624, 312)])
def test_bodies_of_any_height_are_shown_60_px_high(height, side, shown):
    """5.2 heights, rounded to whole px, and the window to whole px again: its far corner comes back to where it is."""
    points = np.stack([body(700, (3.5 + 1.3 * k) * height, height) for k in range(4)])
    part, _ = edge.window(np.zeros((1400, 1400), np.uint8), points, np.full(4, 0.9), VERTEBRA6, 0.6, 0.24)
    assert part.shown.shape == (shown, shown)
    across = part.to_picture(np.array([[shown, shown], [0.0, 0.0]]))
    np.testing.assert_allclose(across[0] - across[1], side)


def test_the_window_lies_between_the_highest_body_and_the_next():
    """x = 150 and 160: the next is expected at 140, so that the window, 156 px wide, begins at 145 - 78."""
    points = np.stack(column(50)) + np.array([0, 10, 20, 30])[:, None, None] * [1, 0]
    part, _ = edge.window(np.zeros(SIZE, np.uint8), points, np.full(4, 0.9), VERTEBRA6, 0.6, 0.24)
    assert part.to_picture(np.zeros(2))[0] == 67
    # About (140, 10), as near as the height of the highest body, 30 px; its px in the window are twice as many.
    near = [body(140 + away, 10) for away in (29, -29, 31, -31)]
    assert part.is_near((np.stack(near) - [67, -24]) * 2).tolist() == [True, True, False, False]


def test_grey_values_are_averaged_where_the_window_is_reduced_and_run_on_where_it_is_enlarged():
    """Black and white columns in turn at half the size are grey; the step of an edge at twice the size has a middle.
    Of a ramp 1 % is black and 1 % white."""
    stripes = np.tile(np.array([0, 255] * 700, np.uint8), (1400, 1))
    points = np.stack([body(700, 300 + 156 * k, 120) for k in range(4)])
    part, _ = edge.window(stripes, points, np.full(4, 0.9), VERTEBRA6, 0.6, 0.24)
    assert np.abs(part.shown.astype(int) - 127).max() <= 1
    step = np.repeat(np.array([[0, 200]], np.uint8), 150, axis=1).repeat(SIZE[0], axis=0)
    part, _ = edge.window(step, np.stack(column(50)), np.full(4, 0.9), VERTEBRA6, 0.6, 0.24)
    assert ((part.shown > 0) & (part.shown < 255)).any()
    ramp = np.tile(np.arange(SIZE[1]) // 2, (SIZE[0], 1)).astype(np.uint8)
    part, _ = edge.window(ramp, np.stack(column(50)), np.full(4, 0.9), VERTEBRA6, 0.6, 0.24)
    assert (part.shown == 0).mean() < 0.03
    assert (part.shown == 255).mean() < 0.03


def test_above_the_picture_its_first_row_is_repeated():
    picture = np.random.default_rng(3).integers(0, 256, SIZE).astype(np.uint8)
    part, _ = edge.window(picture, np.stack(column(50)), np.full(4, 0.9), VERTEBRA6, 0.6, 0.24)
    # 24 px of it at twice the size, and a row more, which the enlargement takes from the last of these and the first.
    np.testing.assert_array_equal(part.shown[:49], np.tile(part.shown[48], (49, 1)))
    assert part.shown[48].std() > 30
    assert (part.shown[60] != part.shown[10]).any()


def test_at_the_side_of_the_picture_nothing_is_repeated():
    """The column's middle lies 10 px from the left side: 78 px to its left cannot be shown."""
    points = np.stack(column(50)) - [140, 0]
    part, _ = edge.window(np.zeros(SIZE, np.uint8), points, np.full(4, 0.9), VERTEBRA6, 0.6, 0.24)
    assert part.shown.shape == (312, 2 * 88)
    np.testing.assert_allclose(part.to_picture(np.zeros(2)), [0, -24])


class Looks:
    """Stands for an engine: a column in the whole picture, and bodies in the closer one, in px of the picture."""

    device = runtime = "none"
    schema = VERTEBRA6
    preset = CENTRE_LATERAL

    def __init__(self, closer: list[np.ndarray], score: float = 0.5) -> None:
        self.closer, self.score, self.calls = np.stack(closer), score, 0

    def detect(self, picture, least, worth=None):
        self.calls += 1
        whole = self.calls == 1
        # SIZE at 768 px of its long side; the window at twice the picture, its corner at (72, -24).
        points = np.stack(column(50)) * 1.92 if whole else (self.closer - [72, -24]) * 2
        scores = np.full(len(points), 0.9 if whole else self.score)
        kept = worth(points, scores, True)
        points, scores = points[kept], scores[kept]
        return {"points": points, "scores": scores, "sigma": np.full((len(points), 6), 2.0)}


def read(engine: Looks, view: str = "lateral"):
    """The reading of a picture by such an engine."""
    return Predictor(engine, "looks").read(np.zeros(SIZE, np.uint8), view=view)


@pytest.mark.parametrize("score", [0.05, 0.5, 0.9])
def test_the_next_body_up_is_added_with_its_own_score_and_spread(score):
    """Half of it is seen: its upper corners are not."""
    reading = read(Looks([body(150, 8)], score))
    assert len(reading.vertebrae) == 5
    added = reading.vertebrae[0]
    np.testing.assert_allclose(added.points, body(150, 8), atol=1e-6)
    assert added.score == pytest.approx(score)
    np.testing.assert_allclose(added.point_sigma_px, 1.0)  # 2 px of the window, which is twice as large
    assert added.visible.tolist() == [True] * 3 + [False] * 3
    assert edge.REMARK in reading.remarks


def test_scores_of_the_closer_look_are_made_probabilities_too():
    """By slope 1 and intercept 1 a score of 0.5, a logit of 0, is 1 / (1 + exp(-1))."""
    predictor = Predictor(Looks([body(150, 8)], 0.5), "looks", calibration=(1.0, 1.0))
    reading = predictor.read(np.zeros(SIZE, np.uint8), view="lateral")
    assert reading.vertebrae[0].score == pytest.approx(0.7311, abs=1e-4)


@pytest.mark.parametrize(
    "other",
    [
        body(190, 8),  # beside the column
        body(150, 8, width=22),
        body(150, -12),  # less than a quarter of a height seen
        body(150, 90),  # one of the column, seen again
    ],
)
def test_what_cannot_be_the_next_body_is_left_out(other):
    reading = read(Looks([other]))
    assert len(reading.vertebrae) == 4
    assert edge.REMARK not in reading.remarks


class SeesTheNext(Looks):
    """The next body up is seen with 0.3 in the whole picture: enough to fill a gap at a threshold of 0.6."""

    def detect(self, picture, least, worth=None):
        found = super().detect(picture, least, worth)
        if self.calls > 1:
            return found
        points = np.concatenate([found["points"], body(150, 10)[None] * 1.92])
        return {"points": points, "scores": np.append(found["scores"], 0.3), "sigma": np.full((len(points), 6), 2.0)}


@pytest.mark.parametrize(("threshold", "calls"), [(0.6, 1), (0.8, 2)])
def test_what_would_fill_a_gap_is_seen_well_enough(threshold, calls):
    engine = SeesTheNext([body(150, 10)])
    Predictor(engine, "looks", threshold).read(np.zeros(SIZE, np.uint8), view="lateral")
    assert engine.calls == calls


def test_other_views_are_looked_at_once():
    engine = Looks([body(150, 8)])
    assert len(read(engine, "sagittal").vertebrae) == 4
    assert engine.calls == 1
