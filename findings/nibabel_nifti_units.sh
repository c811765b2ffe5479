#!/usr/bin/env bash
# nibabel 5.4.2 and SimpleITK 2.5.7 on a NIfTI file whose xyzt_units say micrometres (3) or metres (1):
# nibabel's affine and zooms stay as stored; ITK brings lengths to mm. A voxel of 2
# micrometres is 2 in the one and 0.002 in the other, and both are taken for mm from there on.
# Seen, a stored side of 2: units 1: nibabel 2, ITK 2000; units 2: 2, 2; units 3: 2, 0.002.
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

for units, expected in ((1, 2000), (2, 2), (3, 0.002)):
    image = nib.Nifti1Image(np.zeros((4, 4, 4), np.int16), np.diag([2.0, 2, 2, 1]))
    image.set_qform(image.affine, 1)
    image.header["xyzt_units"] = units
    nib.save(image, "volume.nii")
    theirs, itk = nib.load("volume.nii"), sitk.ReadImage("volume.nii").GetSpacing()[0]
    print("units", units, "nibabel", theirs.affine[0, 0], "ITK", itk)
    assert theirs.affine[0, 0] == theirs.header.get_zooms()[0] == 2
    assert abs(itk / expected - 1) < 1e-5
PY
