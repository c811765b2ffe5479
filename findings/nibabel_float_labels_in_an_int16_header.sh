#!/usr/bin/env bash
# nibabel 5.4.2, a mask of levels saved with its image's header, Nifti1Image(mask, image.affine, image.header): where the mask is
# an array of floats (as get_fdata, np.zeros and most networks give) and the image is int16, the levels are spread over all of
# int16 by a slope of their own, and come back a little above or below whole numbers. Cut to whole numbers, as astype(int) and
# SimpleITK's Cast do, a part of them slips by one: L2 is read as L1, L4 as L3. Compared by ==, none is found. Nothing is said.
# Masks of whole numbers (astype(np.uint8)) pass, with the same header.
# Seen, 17 to 24 (T10 to L5): dataobj.astype(int) 17 17 19 20 20 22 22 23; SimpleITK 2.5.7 as UInt8 17 17 19 20 20 22 22 24;
# get_fdata() == v finds 0 of 8.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q nibabel==5.4.2 SimpleITK==2.5.7 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import nibabel as nib
import numpy as np
import SimpleITK as sitk

image = nib.Nifti1Image(np.zeros((4, 4, 8), np.int16), np.eye(4))
mask = np.zeros(image.shape)
mask[0, 0, :] = np.arange(17, 25)


def read(values):
    nib.save(nib.Nifti1Image(values, image.affine, image.header), "mask.nii.gz")
    stored = nib.load("mask.nii.gz")
    itk = sitk.GetArrayFromImage(sitk.ReadImage("mask.nii.gz", sitk.sitkUInt8)).T
    same = sum((stored.get_fdata() == v).any() for v in range(17, 25))
    return np.asarray(stored.dataobj).astype(int)[0, 0].tolist(), itk[0, 0].tolist(), int(same)


print("floats", floats := read(mask))
print("whole numbers", whole := read(mask.astype(np.uint8)))
assert floats == ([17, 17, 19, 20, 20, 22, 22, 23], [17, 17, 19, 20, 20, 22, 22, 24], 0)
assert whole == (list(range(17, 25)), list(range(17, 25)), 8)
PY
