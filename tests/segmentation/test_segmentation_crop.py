"""Crop and paste."""

import numpy as np
import pytest

from spinetk.segmentation.atrium.crop import Box, crop_box, found_box, locator_shape, shrink
from spinetk.segmentation.atrium.predictor import Geometry

ORIGINAL = (96, 640, 640)
ORIGINAL_MM = (0.625, 0.625, 0.625)


def test_published_locator_size():
    assert locator_shape(ORIGINAL, ORIGINAL_MM) == (48, 160, 160)
    assert locator_shape((88, 576, 576), ORIGINAL_MM) == (44, 144, 144)
    assert locator_shape((20, 200, 200), (5, 1, 1)) == (20, 80, 80)


def test_shrink_takes_means():
    values = np.arange(16.0).reshape(1, 4, 4)
    assert shrink(values, (1, 2, 2)).tolist() == [[[2.5, 4.5], [10.5, 12.5]]]


@pytest.mark.parametrize("seed", range(30))
def test_box_holds_the_find_and_pastes_back(seed):
    """Any size, spacing and place; a third of the finds touch the border."""
    random = np.random.default_rng(seed)
    shape = tuple(int(n) for n in random.integers(9, 90, 3))
    spacing = tuple(random.uniform(0.4, 4.0, 3))
    coarse = locator_shape(shape, spacing)
    low = [int(random.integers(0, n)) for n in coarse]
    high = [int(random.integers(a + 1, n + 1)) for a, n in zip(low, coarse, strict=True)]
    if seed % 3 == 0:
        low, high = [0, *low[1:]], [high[0], coarse[1], high[2]]
    found = Box(tuple(low), tuple(b - a for a, b in zip(low, high, strict=True)))
    box = crop_box(found, coarse, shape, spacing, margin_mm=6.0)
    for axis, whole in enumerate(shape):
        assert box.size[axis] % 16 == 0
        scale = whole / coarse[axis]
        assert box.start[axis] <= max(0, low[axis] * scale - 6 / spacing[axis] + 1e-9)
        assert box.stop[axis] >= min(whole, high[axis] * scale + 6 / spacing[axis] - 1e-9)
        if box.size[axis] <= whole:
            assert box.start[axis] >= 0
            assert box.stop[axis] <= whole
        else:
            assert box.size[axis] - whole < 16
    values = random.integers(1, 200, shape)
    patch = box.cut(values, fill=0)
    assert patch.shape == box.size
    pasted = box.paste(patch, shape)
    inside = np.zeros(shape, bool)
    inside[tuple(slice(max(0, a), b) for a, b in zip(box.start, box.stop, strict=True))] = True
    assert np.array_equal(pasted, np.where(inside, values, 0))
    assert np.array_equal(box.cut(pasted, fill=0), patch)


def test_box_of_the_readme():
    """An atrium 60 x 100 x 180 voxels with a margin of 11 mm (17.6 voxels) needs 96 x 144 x 224."""
    box = crop_box(Box((9, 75, 65), (30, 25, 45)), (48, 160, 160), ORIGINAL, ORIGINAL_MM, margin_mm=11.0)
    assert box.size == (96, 144, 224)
    assert box.start[0] == 0


def test_imposed_sides():
    found = Box((4, 4, 4), (2, 2, 2))
    box = crop_box(found, (48, 160, 160), ORIGINAL, ORIGINAL_MM, least=(96, 144, 224))
    assert box.size == (96, 144, 224)
    assert box.start == (0, 0, 0)


def test_far_box_and_wrong_patch():
    values = np.ones((3, 3))
    away = Box((5, -9), (2, 2))
    assert not away.cut(values, fill=0).any()
    assert not away.paste(np.ones((2, 2)), (3, 3)).any()
    assert Box((-1, 0), (2, 2)).cut(np.array([[7, 8], [9, 9]])).tolist() == [[7, 7], [7, 8]]
    with pytest.raises(ValueError, match="not from a box"):
        away.paste(np.ones((3, 2)), (3, 3))


def test_found_box_is_that_of_the_largest_part():
    probability = np.full((8, 8, 8), 0.1)
    probability[0, 0, 0] = 1.0
    probability[3:5, 2:7, 4] = 0.5
    assert found_box(probability) == Box((3, 2, 4), (2, 5, 1))
    assert found_box(np.full((2, 2, 2), 0.49)) is None


def test_spacings_within_one_percent_are_the_same_grid():
    geometry = Geometry((1.0, 0.625, 0.625), (16, 16, 16))
    assert geometry.shape((500, 500, 500), (1.009, 0.63, 0.62)) == (500, 500, 500)
    assert geometry.shape((500, 500, 500), (1.012, 0.6188, 0.66)) == (506, 500, 528)
