"""Pictures of cases: outlines where the masks' borders are, the image untouched inside them."""

import numpy as np

from spinetk.segmentation.slices.contours import PREDICTION, TRUTH, choose_slices, outline, picture_case, volume_case


def colours(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(picture.astype(int) - colour).sum(-1) < 60


def test_the_line_follows_the_border():
    mask = np.zeros((20, 30), bool)
    mask[5:12, 8:20] = True
    canvas = np.zeros((200, 300, 3), np.uint8)
    outline(canvas, mask, 10.0, TRUTH)
    rows, columns = np.nonzero(colours(canvas, TRUTH))
    assert abs(rows.min() - 50) <= 5
    assert abs(rows.max() - 119) <= 5
    assert abs(columns.min() - 80) <= 5
    assert abs(columns.max() - 199) <= 5
    assert not canvas[60:110, 90:190].any()
    dot = np.zeros((200, 300, 3), np.uint8)
    outline(dot, np.eye(20, 30, dtype=bool) & (np.arange(30) == 7), 10.0, TRUTH)
    assert colours(dot, TRUTH)[70:80, 70:80].any()


def test_slices_that_matter_are_shown():
    truth, predicted = np.zeros((30, 8, 8), bool), np.zeros((30, 8, 8), bool)
    truth[4:26, 2:4, 2:4] = True
    predicted[4:26, 2:4, 2:4] = True
    predicted[17, 5:8, 5:8] = True
    chosen = choose_slices(predicted, truth, 6)
    assert 17 in chosen
    assert len(chosen) == 6
    assert chosen == sorted(set(chosen))
    assert all(4 <= number < 26 for number in chosen)
    assert choose_slices(truth & False, truth & False, 6) == [15]
    assert choose_slices(truth, None, 4)[0] == 4


def test_pictures_of_a_volume_and_of_a_picture():
    random = np.random.default_rng(0)
    values = random.normal(50, 3, (12, 40, 36))
    truth, predicted = np.zeros(values.shape, bool), np.zeros(values.shape, bool)
    truth[5, 10:13, 20:24] = True
    predicted[5, 11:14, 20:24] = True
    drawn = volume_case(values, predicted, truth, "case", (3.0, 1.0, 1.5))
    assert drawn.dtype == np.uint8
    assert colours(drawn, TRUTH).sum() > 20
    assert colours(drawn, PREDICTION).sum() > 20
    nothing = volume_case(values, truth & False, None, "a long title " * 20)
    assert not colours(nothing[:-40], PREDICTION).any()
    framed = picture_case(np.full((40, 36, 3), 128, np.uint8), predicted[5], truth[5], "case")
    assert framed.shape[0] > 640
    assert colours(framed[40:-60], TRUTH).sum() > 100
