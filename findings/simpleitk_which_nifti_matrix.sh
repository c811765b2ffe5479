#!/usr/bin/env bash
# SimpleITK 2.5.7 and nibabel 5.4.2, one NIfTI file with both matrices: nibabel takes the sform whenever its code is set.
# ITK takes it only where its code is 1 (scanner); with 2, 3 or 4 (aligned, Talairach, MNI) beside a set qform it takes
# the qform. A mask made by the one lies as far off in the other as the matrices are apart, and nothing is said.
# With both codes 0 the guesses differ, too: nibabel LAS about the middle of the volume, ITK LPS from the first voxel.
# Seen (x of the first voxel, RAS; sform says 10, qform 20):
#   sform 1 qform 1: nibabel 10 ITK 10    sform 2 qform 1: nibabel 10 ITK 20    sform 4 qform 1: nibabel 10 ITK 20
#   sform 2 qform 0: nibabel 10 ITK 10    sform 0 qform 1: nibabel 20 ITK 20
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

sform, qform = np.eye(4), np.eye(4)
sform[0, 3], qform[0, 3] = 10, 20


def write(s, q):
    image = nib.Nifti1Image(np.zeros((4, 4, 4), np.int16), None)
    image.set_sform(sform if s else None, s)
    image.set_qform(qform if q else None, q)
    nib.save(image, "volume.nii")


for s in range(5):
    for q in range(5):
        if s == q == 0:
            continue
        write(s, q)
        theirs, itk = nib.load("volume.nii").affine[0, 3], -sitk.ReadImage("volume.nii").GetOrigin()[0]
        print(f"sform {s} qform {q}: nibabel {theirs:.0f} ITK {itk:.0f}")
        assert theirs == (10 if s else 20)
        assert itk == (10 if s == 1 or not q else 20)
write(0, 0)
print(nib.load("volume.nii").affine.tolist(), sitk.ReadImage("volume.nii").GetDirection())
assert nib.aff2axcodes(nib.load("volume.nii").affine) == ("L", "A", "S")
assert nib.load("volume.nii").affine[:3, 3].tolist() == [1.5, -1.5, -1.5]
itk = sitk.ReadImage("volume.nii")
assert itk.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1) and max(map(abs, itk.GetOrigin())) == 0
PY
