#!/usr/bin/env bash
# MONAI 1.6.1, NrrdReader (LoadImage of .nrrd): a NRRD names the directions of its numbers in "space". Of "left-posterior-superior" the affine is turned into NIfTI's, right-anterior-superior;
# any other is left as it stands and called so by what follows. For right-anterior-superior that is right; a volume whose space is left-anterior-superior, the third of the anatomical ones that the
# format has names for, is mirrored, its left side on the right. SimpleITK 2.5.7 reads all three. With index_order="C", which the reader offers for numpy's order of axes, not the axes alone
# change their order but x, y and z of the patient, too, and then the first two of these change sign: the affine is of no space at all, also for left-posterior-superior. Nothing is said.
# Seen, the voxel at 12 mm right, 24 front, 28 up: left-posterior-superior and right-anterior-superior so; left-anterior-superior 12 mm left; index_order="C" at (-28, 23, -14).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR="$work" "$work/venv/bin/pip" install -q --no-cache-dir torch==2.14.1 monai==1.6.1 pynrrd==1.1.3 SimpleITK==2.5.7 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import nrrd
import numpy as np
import SimpleITK as sitk
from monai.data import NrrdReader
from monai.transforms import LoadImage

INDEX = 1, 2, 3
RIGHT_FRONT_UP = np.array([12.0, 24, 28])  # where the voxel INDEX is
SIGNS = {"left-posterior-superior": (-1, -1, 1), "right-anterior-superior": (1, 1, 1), "left-anterior-superior": (-1, 1, 1)}
voxels = np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4)
axes = np.array([[0, 4.0, 0], [0, 0, -1], [2, 0, 0]])  # of a sagittal stack, right, front, up


def read(space, order):
    directions = axes * SIGNS[space]
    origin = RIGHT_FRONT_UP * SIGNS[space] - np.array(INDEX) @ directions
    nrrd.write("volume.nrrd", voxels, {"space": space, "space directions": directions, "space origin": origin, "kinds": ["domain"] * 3})
    image = LoadImage(reader=NrrdReader(index_order=order), image_only=True)("volume.nrrd")
    index = INDEX if order == "F" else INDEX[::-1]
    monai = [round(float(v), 3) for v in (image.affine.numpy() @ [*index, 1])[:3]]
    assert int(image[index]) == voxels[INDEX]
    itk = sitk.ReadImage("volume.nrrd")
    other = [round(v * sign, 3) for v, sign in zip(itk.TransformIndexToPhysicalPoint(INDEX), (-1, -1, 1))]
    print(space, order, "MONAI", monai, "SimpleITK", other)
    assert other == [12, 24, 28]
    return monai


assert read("left-posterior-superior", "F") == [12, 24, 28]
assert read("right-anterior-superior", "F") == [12, 24, 28]
assert read("left-anterior-superior", "F") == [-12, 24, 28]
assert read("left-posterior-superior", "C") == [-28, 23, -14]
PY
