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
    assert remark == "it holds 9 values beside 0, up to 255: all of them count as marked"
    assert foreground(np.array([[0, 1, 1, 3]]))[1] == "it holds 2 values beside 0, up to 3: all of them count as marked"
    assert foreground(np.array([[0, 3, 3]]))[1] is None
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


@pytest.mark.parametrize("sides", [(6, 60), (60, 6)])
def test_soft_edges_along_rows_and_columns(sides):
    """Along such an edge each value stands beside its like; the mask is a box whose edges lie on pixels."""
    box = np.zeros((80, 80), bool)
    box[10 : 10 + sides[0], 10 : 10 + sides[1]] = True
    soft = (ndimage.gaussian_filter(box.astype(float), 0.7) * 255).round().astype(np.uint8)
    assert (foreground(soft)[0] == box).all()
    thick = np.repeat(box[None], 9, axis=0)
    thick[[0, 1, -2, -1]] = False
    through = (ndimage.gaussian_filter1d(thick.astype(float), 0.7, axis=0) * 255).round().astype(np.uint8)
    found, remark = foreground(through)
    assert (found == thick).all()
    assert "half" in remark


@pytest.mark.parametrize("side", [2, 3, 5])
def test_small_labels_up_to_255_all_count(side):
    labels = np.random.default_rng(0).choice([0, 20, 60, 70, 119, 142, 152, 220, 255], (32, 32))
    labels = np.kron(labels, np.ones((side, side), int)).astype(np.uint8)
    assert (foreground(labels)[0] == (labels > 0)).all()


def test_labels_that_were_written_as_scaled_bytes_all_count():
    labels = np.repeat(np.arange(9.0), 6)[None]
    stored = np.round(labels / (8 / 255)) * (8 / 255)  # what a header of bytes makes of numbers with fractions
    assert np.abs(stored - labels).max() > 0.01
    assert (foreground(stored)[0] == (labels > 0)).all()


def test_traces_of_interpolation_are_no_foreground():
    values = disc() + np.random.default_rng(0).uniform(-1e-7, 1e-7, disc().shape)
    assert (foreground(values)[0] == disc()).all()


def test_what_is_no_number_marks_nothing():
    values = np.array([[np.nan, np.inf, -1.0, 0.0, 1.0]])
    assert foreground(values)[0].tolist() == [[False, False, False, False, True]]
    assert not foreground(np.full((3, 3), np.nan))[0].any()
    assert not foreground(np.zeros((2, 2), np.int16))[0].any()


def test_values_below_zero_alone_mark_nothing_and_that_is_said():
    """255 written as a signed byte is -1: a truth would be empty without a word."""
    values = np.where(disc() > 0, -1, 0).astype(np.int8)
    found, said = foreground(values)
    assert not found.any()
    assert said == "its values run from -1 to 0: what is below 0 does not count as marked"
    assert foreground(np.zeros((3, 3), np.int8))[1] is None


def test_background_marked():
    assert may_be_inverted(~disc())
    assert not may_be_inverted(disc())
    assert may_be_inverted(np.ones((2, 3, 4), bool))
    assert not may_be_inverted(np.zeros((2, 3, 4), bool))
    frame = np.zeros((9, 9), bool)
    frame[[0, -1]] = frame[:, [0, -1]] = True
    assert not may_be_inverted(frame)  # all corners, and less than half
    assert not may_be_inverted(np.zeros((0, 3), bool))
