"""The 8-bit window against hand-worked numbers."""

from __future__ import annotations

import numpy as np
import pytest

from spinetk.images import to_uint8


def test_both_ends_of_the_clip_are_reached():
    pixels = np.full((40, 40), 100.0)
    pixels[::2] = 102
    pixels[0, 0], pixels[0, 1] = 1e4, -1e4
    window = to_uint8(pixels)
    assert (window[0, 1], window[0, 0]) == (0, 255)
    counted = pixels[pixels != 0]
    z = np.clip((pixels - counted.mean()) / counted.std(), -2.5, 2.5)
    np.testing.assert_array_equal(window, np.rint((z + 2.5) / 5 * 255))


def test_without_outliers_the_range_is_that_of_the_pixels():
    pixels = np.array([[1.0, 2.0], [3.0, 5.0]])
    np.testing.assert_array_equal(to_uint8(pixels), [[0, 64], [128, 255]])  # 255 / 4 = 63.75, 127.5 to even


def test_zero_pixels_do_not_count_but_are_shown():
    pixels = np.zeros((10, 10))
    pixels[:, 5:] = np.arange(10, 60).reshape(10, 5)
    counted = pixels[pixels != 0]
    low = counted.mean() - 2.5 * counted.std()
    assert low < 0  # so that zero itself is the least
    assert to_uint8(pixels)[0, 0] == 0
    assert to_uint8(pixels).max() == 255


@pytest.mark.parametrize("most", [200, 255, 256, 4095, 65535, 65536])
@pytest.mark.parametrize("hidden", [False, True])
def test_whole_numbers_are_windowed_by_the_published_steps(most, hidden):
    rng = np.random.default_rng(most)
    pixels = (rng.beta(2, 5, (61, 47)) * most).round()
    pixels[0, :2], pixels[:9, :9] = (0, most), 0
    padding = rng.random(pixels.shape) < 0.2 if hidden else None
    seen = pixels if padding is None else pixels[~padding]
    z = (seen - seen[seen != 0].mean()) / seen[seen != 0].std()
    z = z.clip(-2.5, 2.5)
    expected = np.rint((z - z.min()) / (z.max() - z.min()) * 255)
    window = to_uint8(pixels, padding)
    np.testing.assert_allclose(window if padding is None else window[~padding], expected, atol=0 if most < 256 else 1)
    assert padding is None or not window[padding].any()
    # A fraction is windowed pixel by pixel.
    np.testing.assert_array_equal(to_uint8(pixels / 7, padding), window)


def test_padding_and_nan_are_left_out():
    pixels = np.arange(1, 101, dtype=float).reshape(10, 10)
    padding = np.zeros((10, 10), bool)
    padding[0] = True
    spoilt = pixels.copy()
    spoilt[0] = 1e9
    spoilt[0, 0] = np.nan
    window = to_uint8(spoilt, padding)
    assert not window[0].any()
    np.testing.assert_array_equal(window[1:], to_uint8(pixels[1:]))


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan, np.inf])
def test_constant_pictures_are_black(value):
    window = to_uint8(np.full((5, 6), value))
    assert window.dtype == np.uint8
    assert not window.any()


def test_affine_changes_do_not_matter():
    rng = np.random.default_rng(1)
    pixels = rng.normal(500, 50, (50, 50))
    difference = to_uint8(pixels).astype(int) - to_uint8(3 * pixels + 70)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("scale", [1e-42, 1e-20, 1e20, 3e37])
def test_extreme_ranges(scale):
    pixels = (np.arange(1, 65).reshape(8, 8) / 64).astype(np.float32) * np.float32(scale)
    window = to_uint8(pixels)
    assert (window.min(), window.max()) == (0, 255)


def test_whole_numbers_of_8_and_16_bits_are_known_as_such():
    """They are worked out once a value; anything else is no such picture."""
    from spinetk.images.window import _levels

    for values, kind in (([[0.0, 255.0]], np.uint8), ([[0.0, 256.0]], np.uint16), ([[65535.0]], np.uint16)):
        found = _levels(np.array(values))
        assert found.dtype == kind
        np.testing.assert_array_equal(found, values)
    for values in ([[0.5]], [[-1.0]], [[65536.0]], [[np.nan]], np.zeros((0, 2))):
        assert _levels(np.array(values, float)) is None
