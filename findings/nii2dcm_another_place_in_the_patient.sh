#!/usr/bin/env bash
# nii2dcm 0.1.6, a NIfTI volume or a network's mask back to DICOM, the way into a PACS. NIfTI counts to the right and to the front, DICOM to the left and to the back: the places are written
# as they stand, of the directions all three change sign, that from foot to head as well. A vertebra of an axial volume lies on the other side of the patient and before the belly, in a
# sagittal one upside down, and the first slice takes the place of one before the first, so that all is a slice off, too.
# Numbers below 0 go round: air of -1000 in a CT is 64536, brighter than metal, with Rescale Intercept 0. Steps are rounded to 0.01 mm, so that 0.625 mm is 0.62, 0.8 % short. Nothing is said.
# Seen, a body at (x to the right, y to the front, z up) and by SimpleITK 2.5.7 from the files: axial (-3.6, -16.8, 36.6): (14, 23.2, 32.2); sagittal (-2.2, 14.8, 26.8): (6.6, -25.2, 33.2); CT -1000
# and 400: 64536, 400; 0.625 mm: 0.62.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==1.23.2 nibabel==5.0.0 pydicom==2.3.0 SimpleITK==2.5.7
"$work/venv/bin/pip" install -q --no-deps nii2dcm==0.1.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import SimpleITK as sitk
from nii2dcm.run import run_nii2dcm


def through(voxels, affine):
    """Files of a NIfTI volume, as the program writes them."""
    shutil.rmtree("out", ignore_errors=True)
    Path("out").mkdir()
    nib.save(nib.Nifti1Image(voxels, affine), "volume.nii.gz")
    run_nii2dcm("volume.nii.gz", "out", "MR")
    return sitk.ImageSeriesReader.GetGDCMSeriesFileNames("out")


def check(name, affine, truth, seen):
    voxels = np.zeros((24, 20, 5), np.int16)
    voxels[4:10, 5:9, 1:3] = 1000
    where = (affine @ [*np.argwhere(voxels).mean(0), 1])[:3]
    assert np.allclose(where, truth, atol=0.06), where
    image = sitk.ReadImage(through(voxels, affine))
    k, j, i = np.argwhere(sitk.GetArrayFromImage(image)).mean(0)
    left, back, up = image.TransformContinuousIndexToPhysicalPoint((i, j, k))
    print(name, where, "DICOM", [round(value, 2) for value in (-left, -back, up)])
    assert np.allclose((-left, -back, up), seen, atol=0.06)


check("axial", np.array([[0.8, 0, 0, -8.8], [0, 0.5, 0, -20], [0, 0, 4.4, 30], [0, 0, 0, 1]]), (-3.6, -16.75, 36.6), (14, 23.25, 32.2))
check("sagittal", np.array([[0, 0, 4.4, -8.8], [-0.8, 0, 0, 20], [0, -0.5, 0, 30], [0, 0, 0, 1]]), (-2.2, 14.8, 26.75), (6.6, -25.2, 33.25))

ct = np.full((24, 20, 5), -1000, np.int16)
ct[4:10, 5:9] = 400
data = pydicom.dcmread(through(ct, np.diag([0.625, 0.625, 1, 1]))[0])
print(np.unique(data.pixel_array), data.RescaleIntercept, data.PixelSpacing)
assert np.unique(data.pixel_array).tolist() == [400, 64536] and data.RescaleIntercept == 0 and data.PixelRepresentation == 0
assert data.PixelSpacing == [0.62, 0.62]
PY
