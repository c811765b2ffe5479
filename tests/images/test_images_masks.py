"""A mask and its image meet in mm, on the same grid or another."""

from __future__ import annotations

import numpy as np
import pytest
from volume_files import CODES, affine_of

from spinetk.errors import InputError
from spinetk.images.foreground import foreground
from spinetk.images.grid import Grid
from spinetk.images.volume import Volume, mask_on


@pytest.mark.parametrize("code", CODES[::5])
def test_masks_meet_their_image_in_mm(code):
    """A mask stored in another order of axes has the same size and place, and is not laid on by index."""
    shape = (6, 6, 6)
    values = np.zeros(shape, np.uint8)
    values[1, 2, 4] = values[5, 0, 3] = 1
    grid = Grid(shape, affine_of(turn=0.2))
    mask, _ = Volume(values, grid).as_closest(code)
    assert np.array_equal(mask_on(mask, grid, "mask.nii", "image.nii"), values > 0)


def test_masks_on_another_grid_are_resampled():
    fine = Grid((12, 12, 12), affine_of(spacing=(1.0, 1.0, 1.0), origin=(0.25, 0.25, 0.25)))
    coarse = Grid((6, 6, 6), affine_of(spacing=(2.0, 2.0, 2.0), origin=(0.75, 0.75, 0.75)))
    values = np.zeros((6, 6, 6), np.uint8)
    values[1:3, 0, 4] = 1
    found = mask_on(Volume(values, coarse), fine, "mask.nii", "image.nii")
    expected = np.kron(values, np.ones((2, 2, 2), np.uint8))
    assert np.array_equal(found, expected > 0)


def test_masks_of_another_place_are_refused():
    image = Grid((6, 6, 6), affine_of())
    mask = Volume(np.ones((6, 6, 6), np.uint8), Grid((6, 6, 6), np.eye(4)))
    with pytest.raises(InputError, match=r"mask\.nii: has the size .* elsewhere: .*RAS.*image\.nii: 6 x 6 x 6 voxels"):
        mask_on(mask, image, "mask.nii", "image.nii")
    larger = Volume(np.ones((9, 9, 9), np.uint8), Grid((9, 9, 9), affine_of()))
    with pytest.raises(InputError, match=r"has 70% of its foreground outside.*9 x 9 x 9.*6 x 6 x 6"):
        mask_on(larger, image, "mask.nii", "image.nii")
    unknown = Grid((6, 6, 6), affine_of(), oriented=False)
    with pytest.raises(InputError, match="unknown directions"):
        mask_on(Volume(mask.values, unknown), image, "mask.nii", "image.nii")
    assert mask_on(Volume(mask.values, unknown), unknown, "mask.nii", "image.nii").all()


def test_masks_elsewhere_say_what_to_do():
    image = Grid((4, 5, 6), np.diag([1.0, 1.0, 2.0, 1.0]))
    moved = np.diag([1.0, 1.0, 2.0, 1.0])
    moved[:3, 3] = 50
    mask = Volume(np.ones((4, 5, 6), np.uint8), Grid((4, 5, 6), moved))
    with pytest.raises(InputError) as error:
        mask_on(mask, image, "mask.nii", "image.nii")
    assert error.value.fault.startswith("has the size of its image and lies elsewhere: 6 x 5 x 4 voxels")
    assert error.value.remedy == "write the mask with the geometry of its image"


def test_half_a_share_counts():
    """As the words of the remark have it; of a mask of 0 and 1 that was halved in size, many pixels are just that."""
    shares = np.array([[0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 1]])
    found, said = foreground(shares)
    assert found.tolist() == [[False] * 4 + [True] * 4]
    assert said is not None
    assert "half and more" in said
