"""What a mask marks: labels, shares, noise, what is no number; masks that mark the background."""

import numpy as np
import pytest
from scipy import ndimage

from spinetk.images.foreground import foreground, may_be_inverted


def disc(radius: float = 6.0, side: int = 32) -> np.ndarray:
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    return rows**2 + columns**2 <= radius**2


@pytest.mark.parametrize("one", [1, 255, 29, 65535, 0.0039, 0.5, 1.0])
def test_two_values_are_taken_as_they_are(one):
    found, remark = foreground(disc() * np.asarray(one))
    assert (found == disc()).all()
    assert remark is None


def test_labels_all_count():
    labels = np.zeros((40, 60), np.uint8)
    for number in range(8):  # bodies, the last of them void, which is most of what is marked
        labels[4 * number : 4 * number + 3, 5:25] = number + 1
    labels[32:] = 255
    found, remark = foreground(labels)
    assert (found == (labels > 0)).all()
    assert remark is None
    # Instances numbered to 255, and halves as labels.
    assert foreground(np.arange(256, dtype=np.uint8)[None])[0].sum() == 255
    assert foreground(np.array([[0, 0.5, 1.0, 1.5]]))[0].sum() == 3


@pytest.mark.parametrize(("top", "kind"), [(1.0, np.float32), (255, np.uint8), (255, np.float64)])
def test_soft_edges_do_not_grow_a_mask(top, kind):
    whole = disc(6)
    soft = (ndimage.gaussian_filter(whole.astype(float), 1.0) * top).astype(kind)
    found, remark = foreground(soft)
    assert "half" in remark
    assert abs(int(found.sum()) - int(whole.sum())) <= 4 < (soft > 0).sum() - whole.sum()


def test_traces_of_interpolation_are_no_foreground():
    values = disc() + np.random.default_rng(0).uniform(-1e-7, 1e-7, disc().shape)
    assert (foreground(values)[0] == disc()).all()


def test_what_is_no_number_marks_nothing():
    values = np.array([[np.nan, np.inf, -1.0, 0.0, 1.0]])
    assert foreground(values)[0].tolist() == [[False, False, False, False, True]]
    assert not foreground(np.full((3, 3), np.nan))[0].any()
    assert not foreground(np.zeros((2, 2), np.int16))[0].any()


def test_background_marked():
    assert may_be_inverted(~disc())
    assert not may_be_inverted(disc())
    assert may_be_inverted(np.ones((2, 3, 4), bool))
    assert not may_be_inverted(np.zeros((2, 3, 4), bool))
    frame = np.zeros((9, 9), bool)
    frame[[0, -1]] = frame[:, [0, -1]] = True
    assert not may_be_inverted(frame)  # all corners, and less than half
    assert not may_be_inverted(np.zeros((0, 3), bool))
