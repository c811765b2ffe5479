#!/usr/bin/env bash
# ITK 5.4.7 with xarray 2026.9.0, itk.xarray_from_image and back (the way of ITK's volumes into dask, xarray and zarr): the directions of the axes travel as an attribute, while the
# coordinates count from the origin along x, y and z as if there were none. A volume that comes back whole is where it was. A crop of it, by index or by coordinate,
# takes the first coordinates for its origin: of a sagittal volume it lies elsewhere in the patient, by the way that was cut off, along the wrong
# axes, with spacing and directions as they should be. da.sel(z=...) of a sagittal volume cuts across the slices at places that no
# voxel has. The same goes for every tilted volume and for one in RAS. Nothing is said.
# Seen, sagittal, voxels of 0.8 x 0.5 x 4 mm from (16, -60, 100), cropped from voxel (5, 10, 2), which lies at (8, -56, 95): the crop's first voxel (20, -55, 108); coordinates
# z 100 to 128 for slices whose x is 16 to -12; axial, from the same voxel: right; whole: right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q itk==5.4.7 xarray==2026.9.0 numpy==2.4.6
"$work/venv/bin/python" -W ignore - <<'PY'
import itk
import numpy as np

SAGITTAL = np.array([[0, 0, -1.0], [1, 0, 0], [0, -1, 0]])


def volume(direction):
    image = itk.image_from_array(np.zeros((8, 40, 30), np.float32))
    image.SetSpacing((0.8, 0.5, 4.0))
    image.SetOrigin((16.0, -60.0, 100.0))
    image.SetDirection(itk.matrix_from_array(direction))
    return image


def place(image, index):
    return np.round(list(image.TransformIndexToPhysicalPoint(index)), 3).tolist()


for name, direction in (("axial", np.eye(3)), ("sagittal", SAGITTAL)):
    image = volume(direction)
    array = itk.xarray_from_image(image)
    whole = itk.image_from_xarray(array)
    assert place(whole, (5, 10, 2)) == place(image, (5, 10, 2))
    crops = [array.isel(z=slice(2, None), y=slice(10, None), x=slice(5, None))]
    crops.append(array.sel(z=slice(108, None), y=slice(-55, None), x=slice(20 - 1e-6, None)))
    for crop in crops:
        back = itk.image_from_xarray(crop)
        assert itk.size(back)[2] == 6 and np.allclose(itk.array_from_matrix(back.GetDirection()), direction)
        assert np.allclose(list(back.GetSpacing()), (0.8, 0.5, 4))
        print(name, "voxel (5, 10, 2) at", place(image, (5, 10, 2)), "the crop's first at", place(back, (0, 0, 0)))
        assert place(back, (0, 0, 0)) == [20, -55, 108]
    if name == "axial":
        assert place(image, (5, 10, 2)) == [20, -55, 108]
    else:
        assert place(image, (5, 10, 2)) == [8, -56, 95]
        ends = place(image, (0, 0, 0))[0], place(image, (0, 0, 7))[0]
        print("coordinates z", array.z.values[[0, -1]], "x of these slices", ends)
        assert array.z.values[[0, -1]].tolist() == [100, 128] and ends == (16, -12)
PY
