#!/usr/bin/env bash
# MONAI 1.6.1, Spacing(d) with recompute_affine=True, which its help offers for an affine that takes the rounding of the output's size into account: what becomes the affine is the scale from the voxels of
# the output to those of the input, in the place of the input's affine times it. Spacing, axes and origin of the patient are gone: a sagittal volume brought to 1 mm is one in RAS of 1.23 x 2 x 0.24 "mm" at the
# origin. Voxels are as without it. Lengths, volumes, what is saved as NIfTI, Orientation and everything else after it go by that. Without the flag values and places agree. Nothing is said.
# Seen, a volume of 0.8 x 0.5 x 4.4 mm, axes P I R, that holds its own places, to (1, 1, 1): without: pixdim 1 1 1, the middle voxel's place less its value 0 0 0; with: pixdim 1.231 2 0.245, axes R A S,
# 0.9 13.5 -14.5 mm; isotropic, 0.8 mm, RAS: pixdim 1.222 1.242 1.182, 3 4 1 mm.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR="$work" "$work/venv/bin/pip" install -q --no-cache-dir torch==2.14.1 monai==1.6.1 numpy==2.4.6 nibabel==5.4.2
"$work/venv/bin/python" -W ignore - <<'PY'
import nibabel as nib
import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import Spacing


def check(affine, shape, recompute, pixdim, axes, off):
    indices = np.indices(shape).reshape(3, -1)
    places = (affine @ np.vstack([indices, np.ones(indices.shape[1])]))[:3].reshape(3, *shape)
    made = Spacing((1, 1, 1), recompute_affine=recompute)(MetaTensor(torch.as_tensor(places.astype(np.float32)), affine=torch.as_tensor(affine)))
    middle = [size // 2 for size in made.shape[1:]]
    found = (np.asarray(made.affine) @ [*middle, 1])[:3] - np.asarray(made)[(slice(None), *middle)]
    steps = np.linalg.norm(np.asarray(made.affine)[:3, :3], axis=0)
    print(recompute, np.round(steps, 3), nib.aff2axcodes(np.asarray(made.affine)), np.round(found, 2))
    assert np.allclose(steps, pixdim, atol=0.001) and nib.aff2axcodes(np.asarray(made.affine)) == axes
    assert np.allclose(found, off, atol=0.05)


sagittal = np.array([[0, 0, 4.4, -8.8], [-0.8, 0, 0, 20], [0, -0.5, 0, 30], [0, 0, 0, 1]])
check(sagittal, (32, 40, 12), False, (1, 1, 1), ("P", "I", "R"), (0, 0, 0))
check(sagittal, (32, 40, 12), True, (1.231, 2, 0.245), ("R", "A", "S"), (0.92, 13.5, -14.5))
isotropic = np.diag([0.8, 0.8, 0.8, 1])
check(isotropic, (33, 41, 13), False, (1, 1, 1), ("R", "A", "S"), (0, 0, 0))
check(isotropic, (33, 41, 13), True, (1.222, 1.242, 1.182), ("R", "A", "S"), (3, 4, 1))
PY
