#!/usr/bin/env bash
# TotalSegmentator 2.18.0, change_spacing, by which every picture is brought to the voxels of its network: scipy's zoom lays the first voxel on the
# first and the last on the last, while the matrix is divided by the ratio of the sizes, as if edges lay on edges. What is stored and where the file says
# it lies drift apart from the first slice on, up to 2.9 mm across the 15 slices of a sagittal MR, 3.5 mm down 60 slices of a CT, the more the thicker
# the old slices. The network is given a spine 4.7 % wider than its voxels say, and what is kept at this size (--save_lowres) lies beside the picture
# that it was made of. The same call back to the old size and matrix puts a mask in its slices again, so that no round trip shows it. Nothing is said.
# Seen, a volume that holds its own places in mm, brought to 1.5 mm: what the last voxel holds less its place by the matrix: 15 slices of 4.4 mm: -2.9 across,
# 0.9 in the plane of 0.6 mm; 60 slices of 5 mm: -3.5; a step of "1.5" mm across the slices is one of 1.433; slices 3 to 13, there and back: 3 to 13.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 scipy==1.17.1 nibabel==5.4.2 joblib==1.6.0
"$work/venv/bin/pip" install -q --no-deps TotalSegmentator==2.18.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import nibabel as nib
import numpy as np
from totalsegmentator.resampling import change_spacing


def places(shape, affine):
    return nib.affines.apply_affine(affine, np.moveaxis(np.indices(shape), 0, -1))


def drift(shape, spacing):
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -30, -90, -90
    off, steps = [], []
    for axis in range(3):
        small = change_spacing(nib.Nifti1Image(places(shape, affine)[..., axis].astype(np.float32), affine), 1.5, order=1)
        away = small.get_fdata() - places(small.shape, small.affine)[..., axis]
        assert abs(away[0, 0, 0]) < 1e-4
        off.append(round(float(away[-1, -1, -1]), 1))
        steps.append(round(float(np.diff(small.get_fdata(), axis=axis).mean()), 3))
    print(shape, spacing, "to", small.shape, small.header.get_zooms(), "off by", off, "true steps", steps)
    return off, steps


assert drift((15, 320, 320), (4.4, 0.6, 0.6)) == ([-2.9, 0.9, 0.9], [1.433, 1.507, 1.507])
assert drift((64, 64, 60), (0.8, 0.8, 5))[0] == [0.9, 0.9, -3.5]

mask = np.zeros((15, 320, 320), np.uint8)
mask[3:14, 80:120, 80:120] = 1
affine = np.diag([4.4, 0.6, 0.6, 1])
small = change_spacing(nib.Nifti1Image(mask, affine), 1.5, dtype=np.uint8)
back = change_spacing(small, 1.5, mask.shape, dtype=np.uint8, force_affine=affine)
slices = np.unique(np.nonzero(back.get_fdata())[0]).tolist()
print("slices 3 to 13 there and back:", slices)
assert slices == list(range(3, 14))
PY
