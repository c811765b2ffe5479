#!/usr/bin/env bash
# niimath 1.0.20261016 (fslmaths' commands, as a program and as a package), -subsamp2 and -subsamp2offc, by which a volume is brought to half its resolution: the first voxel has another place afterwards, and of the two matrices of the
# NIfTI file the sform is given it, the qform keeps the old one, beside its code. The file lies in two places, half a voxel of the input apart in every axis (offc), or one along the first (subsamp2). Who reads the sform, as
# nibabel does, is right. SimpleITK 2.5.7 takes the qform where the sform's code is not 1 (2 to 4: aligned, Talairach, MNI, as after a registration): half a slice, 2.2 mm, to the side of a sagittal MR, and with it the
# landmarks and masks that are laid on the volume. -resize writes both. Nothing is said.
# Seen, voxels of 0.8 x 0.5 x 4.4 mm, sform code 2, a blob at (28.8, 14.0, 85.0) mm: halved by -subsamp2offc: nibabel 28.8 14.0 85.0, SimpleITK 26.6 14.4 85.3; -subsamp2: 28.8 14.0 85.0 and 28.8 14.8 85.0; -resize: both right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 nibabel==5.4.2 SimpleITK==2.5.7
"$work/venv/bin/pip" install -q --no-compile --no-deps niimath==1.0.20261016
cd "$work"
PATH="$work/venv/bin:$PATH" "$work/venv/bin/python" -W ignore - <<'PY'
import subprocess

import nibabel as nib
import numpy as np
import SimpleITK as sitk

affine = np.array([[0, 0, 4.4, -24], [-0.8, 0, 0, 30], [0, -0.5, 0, 100], [0, 0, 0, 1.0]])  # back, foot, right
indices = np.indices((40, 60, 24))
away = (indices - np.reshape((20, 30, 12), (3, 1, 1, 1))) * np.reshape((0.8, 0.5, 4.4), (3, 1, 1, 1))
blob = np.exp(-(away**2).sum(0) / 72).astype(np.float32)


def places(path):
    """Centre of the blob in mm (right, front, head) by nibabel and by SimpleITK."""
    volume, image = nib.load(path), sitk.ReadImage(path)
    grey = volume.get_fdata()
    centre = [float((grey * index).sum() / grey.sum()) for index in np.indices(grey.shape)]
    by_itk = np.array(image.TransformContinuousIndexToPhysicalPoint(centre)) * (-1, -1, 1)
    return nib.affines.apply_affine(volume.affine, centre), by_itk


seen = {}
for code in (1, 2):
    volume = nib.Nifti1Image(blob, affine)
    volume.set_qform(affine, 1)
    volume.set_sform(affine, code)
    volume.header.set_xyzt_units("mm")
    nib.save(volume, "in.nii.gz")
    true = places("in.nii.gz")[0]
    for command in ("-subsamp2offc", "-subsamp2", "-resize 0.5 0.5 0.5 2"):
        said = subprocess.run(["niimath", "in.nii.gz", *command.split(), "out.nii.gz"], check=True, capture_output=True, text=True)
        assert not said.stdout + said.stderr
        by_nibabel, by_itk = places("out.nii.gz")
        print("sform code", code, command, "nibabel", by_nibabel.round(1), "SimpleITK", by_itk.round(1), "true", true.round(1))
        assert np.abs(by_nibabel - true).max() < 0.15
        seen[code, command] = (by_itk - by_nibabel).round(2).tolist()
assert seen[1, "-subsamp2offc"] == seen[1, "-subsamp2"] == [0, 0, 0]
assert seen[2, "-subsamp2offc"] == [-2.2, 0.4, 0.25]
assert seen[2, "-subsamp2"] == [0, 0.8, 0]
assert seen[2, "-resize 0.5 0.5 0.5 2"] == [0, 0, 0]
PY
