#!/usr/bin/env bash
# SimpleITK 2.5.7 (ITK's NIfTI library): asked for volume.nii.gz, it reads volume.nii where that lies beside it, without
# a word. A folder that holds an image before and after a change of packing (or a mask saved under both names) gives the
# other file's voxels. nibabel 5.4.2 reads the file it is asked for.
# Seen, volume.nii full of 1, volume.nii.gz full of 2, asked for the second: ITK 1, nibabel 2.
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

for value, name in ((1, "volume.nii"), (2, "volume.nii.gz")):
    nib.save(nib.Nifti1Image(np.full((4, 4, 4), value, np.int16), np.eye(4)), name)
itk = int(sitk.GetArrayFromImage(sitk.ReadImage("volume.nii.gz")).max())
theirs = int(np.asanyarray(nib.load("volume.nii.gz").dataobj).max())
print("asked for volume.nii.gz: ITK", itk, "nibabel", theirs)
assert (itk, theirs) == (1, 2)
PY
