"""Phantoms of skin and glands, and the sets they are written to."""

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import label

from spinetk.errors import InputError
from spinetk.phantoms.gland import gland_picture
from spinetk.phantoms.mask_set import write_mask_set
from spinetk.phantoms.skin import skin_picture
from spinetk.segmentation.data.layouts import find_cases


@pytest.mark.parametrize("draw", [skin_picture, gland_picture])
def test_equal_seeds_give_equal_bits(draw):
    one, again, other = draw(3, size=(64, 80)), draw(3, size=(64, 80)), draw(4, size=(64, 80))
    assert np.array_equal(one.pixels, again.pixels)
    assert np.array_equal(one.mask, again.mask)
    assert not np.array_equal(one.pixels, other.pixels)
    assert one.pixels.shape == (64, 80, 3)
    assert (one.pixels.dtype, one.mask.dtype) == (np.uint8, bool)


def test_the_lesion_is_darker_than_the_skin_beside_it():
    for seed in range(8):
        phantom = skin_picture(seed, hairs=0)
        grey = phantom.pixels.mean(-1)
        assert 0.02 < phantom.mask.mean() < 0.6
        assert label(phantom.mask)[1] == 1
        assert grey[phantom.mask].mean() < np.median(grey[~phantom.mask]) - 25


def test_glands_are_apart():
    for seed in range(8):
        phantom = gland_picture(seed)
        assert label(phantom.mask, np.ones((3, 3)))[1] == phantom.parts
    assert gland_picture(1, count=0).parts == 0


def test_what_cannot_be_drawn():
    for draw in (skin_picture, gland_picture):
        with pytest.raises(InputError, match="cannot be drawn"):
            draw(0, size=(8, 64))
    with pytest.raises(InputError, match="glands"):
        gland_picture(0, count=-1)
    with pytest.raises(InputError, match="unknown"):
        write_mask_set("nowhere", "cells")
    with pytest.raises(InputError, match="needs a case"):
        write_mask_set("nowhere", "skin", 0)


def test_sets_are_found_by_the_importers(tmp_path):
    names = write_mask_set(tmp_path / "skin", "skin", 2, seed=5, size=(40, 48))
    layout, found = find_cases(tmp_path / "skin", "skin")
    assert (layout, [case.name for case in found.cases]) == ("pairs", names)
    pixels, mask = found.cases[1].read()
    drawn = skin_picture(5_000_016, size=(40, 48))
    assert np.array_equal(pixels, drawn.pixels)
    assert np.array_equal(mask, drawn.mask)
    assert set(np.unique(Image.open(tmp_path / "skin" / "masks" / f"{names[0]}.png"))) <= {0, 255}
    shape = (4, 24, 24)
    names = write_mask_set(tmp_path / "brain", "lesion", 2, shape=shape, spacing_mm=(9.0, 7.0, 7.0), contrast="FLAIR")
    layout, found = find_cases(tmp_path / "brain", "lesion")
    assert (layout, [case.name for case in found.cases]) == ("bids", names)
    values, mask = found.cases[0].read()
    assert values.values.shape == shape
    assert values.spacing_mm == pytest.approx((9, 7, 7))
    assert mask.any()
