#!/usr/bin/env bash
# ngff-zarr 0.50.0 (OME-Zarr for ITK's images, the format in which large CT and MR volumes are shared), a volume written in three sizes and read back: what holds the
# directions of its axes are words, "anterior-to-posterior". They give a sagittal volume back where it was, but the full size alone: a smaller one is moved by half a
# step of its columns along x, of its rows along y and of its slices along z, wherever these run in the patient, 2.6 mm to the left and to the head at half the
# size of a sagittal MR. The smaller, the further; an axial volume in ITK's own axes shows nothing of it. A volume that is tilted, as
# along a scoliotic spine, is straightened to the nearest words. Nothing is said.
# Seen, a volume of 0.8 x 0.8 x 4.4 mm that holds its own places, the middle voxel's value less its place, whole, half, quarter: axial 0, 0, 0; sagittal x 0, -2.6,
# -7.8, y 0, 0, 0, z 0, -2.6, -7.8; tilted by 15 degrees x -5.4, -8.1, -13.3, y -10.0, -10.6, -11.7, z 0, -2.6, -7.8.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q ngff-zarr==0.50.0 itkwasm==1.0b201 itkwasm-downsample==2.0.2 numpy==2.4.6 dask==2026.8.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import numpy as np
from itkwasm import Image, ImageType
from ngff_zarr import from_ngff_zarr, itk_image_to_ngff_image, ngff_image_to_itk_image, to_multiscales, to_ngff_zarr

SPACING, ORIGIN = np.array([0.8, 0.8, 4.4]), np.array([30.0, -60.0, 100.0])
KIND = ImageType(dimension=3, componentType="float32", pixelType="Scalar", components=1)
AXIAL, SAGITTAL = np.eye(3), np.array([[0, 0, -1.0], [1, 0, 0], [0, -1, 0]])
cosine, sine = np.cos(np.radians(15)), np.sin(np.radians(15))
TILTED = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]) @ SAGITTAL


def places(direction, origin, spacing, index):
    return origin + direction @ (np.asarray(spacing) * index)


def off(name, direction):
    index = np.moveaxis(np.indices((16, 64, 64))[::-1], 0, -1)
    truth = ORIGIN + (index * SPACING) @ direction.T
    away = []
    for axis in range(3):
        values = truth[..., axis].astype(np.float32)
        image = Image(KIND, "mr", list(ORIGIN), list(SPACING), direction.copy(), [64, 64, 16], {}, values)
        store = f"{name}{axis}.ome.zarr"
        to_ngff_zarr(store, to_multiscales(itk_image_to_ngff_image(image), scale_factors=[2, 4]))
        away.append([])
        for size in from_ngff_zarr(store).images:
            back = ngff_image_to_itk_image(size)
            middle = [length // 2 for length in back.data.shape]
            place = places(np.asarray(back.direction), np.asarray(back.origin), back.spacing, middle[::-1])
            away[-1].append(float(np.asarray(back.data)[tuple(middle)] - place[axis]))
    print(name, *(f"{letter} {np.round(values, 1) + 0.0}" for letter, values in zip("xyz", away)))
    return away


assert np.allclose(off("axial", AXIAL), 0, atol=0.05)
assert np.allclose(off("sagittal", SAGITTAL), [[0, -2.6, -7.8], [0, 0, 0], [0, -2.6, -7.8]], atol=0.05)
tilted = off("tilted", TILTED)
assert np.allclose(tilted, [[-5.4, -8.1, -13.3], [-10, -10.6, -11.7], [0, -2.6, -7.8]], atol=0.06)
PY
