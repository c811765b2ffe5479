#!/usr/bin/env bash
# SimpleITK 2.5.7: of a NIfTI file placed by its sform, axes and origin come from the sform, the spacing from pixdim.
# Where the two differ (a resampling that wrote one of them alone), lengths are those of pixdim and places are wrong by
# as much: nibabel 5.4.2 takes all of it from the sform.
# Seen, sform of 2 mm at x = 10, pixdim 1 mm: ITK spacing 1, the fourth voxel at x = 13; nibabel 2, at x = 16.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q SimpleITK==2.5.7 nibabel==5.4.2
cd "$work"
"$work/venv/bin/python" - <<'PY' 2>/dev/null
import nibabel as nib
import numpy as np
import SimpleITK as sitk

image = nib.Nifti1Image(np.zeros((4, 4, 4), np.int16), None)
sform = np.diag([2.0, 2, 2, 1])
sform[0, 3] = 10
image.set_sform(sform, 1)
image.header["pixdim"][1:4] = 1
nib.save(image, "volume.nii")
itk = sitk.ReadImage("volume.nii")
theirs = nib.load("volume.nii").affine @ (3, 0, 0, 1)
place = -itk.TransformIndexToPhysicalPoint((3, 0, 0))[0]
print("ITK", itk.GetSpacing(), place, "nibabel", theirs[0])
assert itk.GetSpacing() == (1, 1, 1) and (place, theirs[0]) == (13, 16)
PY
