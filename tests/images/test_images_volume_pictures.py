"""Pictures of NIfTI and NRRD volumes: which plane, which way, square pixels, every type."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from image_seeds import volume
from test_images_series import patient

from spinetk.errors import InputError
from spinetk.images import read_picture


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd"])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_volumes_in_every_axis_order_and_direction(tmp_path, suffix, order):
    """Whatever way the voxels lie, the picture shows the middle sagittal plane, back to the right and feet down."""
    for signs in product((1, -1), repeat=3):
        direction = np.zeros((3, 3))
        for axis, (patient_axis, sign) in enumerate(zip(order, signs, strict=True)):
            direction[patient_axis, axis] = sign
        sizes = [9, 12, 10]
        z, y, x = np.mgrid[: sizes[2], : sizes[1], : sizes[0]]
        at = np.einsum("pa,akji->pkji", direction, np.array([x, y, z], float))
        values = np.rint(patient(*at)).astype(np.int16)
        path = tmp_path / f"volume{suffix}"
        path.write_bytes(volume(values, suffix, (1.0, 1.0, 1.0), tuple(direction.ravel())))
        picture = read_picture(path)
        np.testing.assert_allclose(np.diff(picture.pixels, axis=1), 5)
        np.testing.assert_allclose(np.diff(picture.pixels, axis=0), -7)
        assert (picture.frame.toward_right, picture.frame.toward_bottom, picture.view) == ("P", "F", "sagittal")
        assert picture.frame.anterior == "left"
        count = sizes[order.index(0)]
        to_left = signs[order.index(0)] > 0  # of two slices in the middle the one on the right is read
        assert f"slice {(count - to_left) // 2 + 1} of {count}" in picture.remarks[0]


def test_volume_gets_square_pixels(tmp_path):
    path = tmp_path / "volume.nii.gz"
    path.write_bytes(volume(np.zeros((10, 40, 9), np.int16) + 5, ".nii.gz", (1.0, 0.5, 4.0)))
    picture = read_picture(path)
    assert picture.pixels.shape == (80, 40)
    assert picture.frame.spacing_mm == (0.5, 0.5)
    assert picture.frame.spacing_source == "NIfTI"


def test_packed_nifti_is_not_mixed_up_with_its_unpacked_neighbour(tmp_path):
    cube = np.arange(6 * 7 * 8, dtype=np.int16).reshape(6, 7, 8)
    (tmp_path / "a.nii").write_bytes(volume(cube, ".nii"))
    (tmp_path / "a.nii.gz").write_bytes(volume(cube.astype(np.float32) + 1000, ".nii.gz"))
    assert read_picture(tmp_path / "a.nii.gz").pixels.min() > 999


def test_damaged_packed_nrrd_is_refused(tmp_path):
    path = tmp_path / "a.nrrd"
    whole = volume(np.arange(6 * 7 * 8, dtype=np.int16).reshape(6, 7, 8), ".nrrd")
    path.write_bytes(whole)
    assert read_picture(path).pixels.shape == (12, 7)
    for damaged in (whole[:-40], whole[:-60] + b"\xff" * 60, whole[: whole.index(b"\n\n") + 14]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"unpacked whole|more voxels"):
            read_picture(path)


def test_four_dimensional_nifti_gives_its_first_volume(tmp_path):
    import SimpleITK as sitk

    parts = [sitk.GetImageFromArray(np.full((4, 5, 6), 10 + k, np.int16)) for k in range(3)]
    sitk.WriteImage(sitk.JoinSeries(parts), str(tmp_path / "a.nii"))
    picture = read_picture(tmp_path / "a.nii")
    assert picture.pixels.min() == picture.pixels.max() == 10
    assert "the first of 3 volumes was read" in picture.remarks


@pytest.mark.parametrize("kind", ["uint8", "int8", "uint16", "int16", "float32"])
def test_nrrd_of_every_plain_type(tmp_path, kind):
    """SimpleITK writes "unsigned char" where others write "uint8"."""
    import SimpleITK

    values = np.arange(4 * 5 * 6).reshape(4, 5, 6).astype(kind)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), str(tmp_path / "a.nrrd"))
    assert read_picture(tmp_path / "a.nrrd").pixels.size
