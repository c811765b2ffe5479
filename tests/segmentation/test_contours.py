"""Pictures of cases: outlines where the masks' borders are, the image untouched inside them."""

import numpy as np
import pytest

from spinetk.segmentation.slices.contours import (
    INK,
    PREDICTION,
    TRUTH,
    _magnify,
    choose_slices,
    outline,
    picture_case,
    volume_case,
)


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


def test_the_worst_small_lesion_is_enlarged_in_the_far_corner():
    """4 x 4 px missed at row 10, column 20; a window of 16 px about them, from row 3 and column 13, becomes 150 px."""
    picture = np.full((100, 120, 3), 50, np.uint8)
    picture[10:14, 20:24] = 200
    truth = np.zeros((100, 120), bool)
    truth[60:80, 70:90] = True
    predicted = truth.copy()
    truth[10:14, 20:24] = True
    panel = np.zeros((400, 480, 3), np.uint8)
    drawn = _magnify(panel.copy(), picture, predicted, truth)
    inset = drawn[400 - 154 :, 480 - 154 :]
    for line in (inset[0], inset[-1], inset[:, 0], inset[:, -1]):
        assert (line == INK).all()
    # The lesion lies from 7/16 to 11/16 of the 150 px, that is from 65.6 to 103.1, behind a frame of 2.
    assert (inset[76:96, 76:96] > 190).all()
    assert (abs(inset[10:50].astype(int)[:, 10:140] - 50) < 3).all()
    assert (abs(inset[122:145].astype(int)[:, 10:140] - 50) < 3).all()
    edge = np.argwhere(colours(inset, TRUTH))
    assert edge.min(0).tolist() == pytest.approx([67.6, 67.6], abs=4)
    assert edge.max(0).tolist() == pytest.approx([105.1, 105.1], abs=4)
    # Where it was taken from: 4 times the window's corners.
    for line in (drawn[12, 52:117], drawn[76, 52:117], drawn[12:77, 52], drawn[12:77, 116]):
        assert (line == INK).all()
    # The far corner of a lesion at the lower right is the upper left one.
    other = _magnify(panel.copy(), picture[::-1, ::-1], predicted[::-1, ::-1], truth[::-1, ::-1])
    assert (other[153, :154] == INK).all()
    assert (other[:154, 153] == INK).all()


def test_nothing_is_enlarged_that_is_large_or_not_there():
    picture, large = np.full((100, 120, 3), 50, np.uint8), np.zeros((100, 120), bool)
    panel = np.zeros((400, 480, 3), np.uint8)
    assert not _magnify(panel.copy(), picture, large, None).any()
    large[20:43, 30:40] = True  # 1.8 times 23 rows are 41 px, and 40 are small
    assert not _magnify(panel.copy(), picture, large, None).any()
    large[42] = False
    assert _magnify(panel.copy(), picture, large, None).any()
