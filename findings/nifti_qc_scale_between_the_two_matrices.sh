#!/usr/bin/env bash
# nifti-qc 0.1.0 ("silently-broken NIfTI geometry"), whose first check is whether the two matrices of a NIfTI file agree: it compares the place of the first voxel and the turn, after each axis has been brought to length 1. Where they
# differ in scale alone, as when a resampling or an edit of the voxel size wrote one of them, the file passes without a remark, though nibabel (sform) and ITK (spacing of pixdim) put the last row of a spine 20 cm apart. The other
# checks ask pixdim alone for the size of the voxels: of two files whose sforms differ by a factor of two nothing is said where the pixdim of both is the same. A shift of 0.01 mm and a turn of 0.1 degree are errors.
# Seen, sform 0.5 x 0.5 x 4.4 mm, pixdim and qform 1 x 1 x 4.4 mm, 400 rows: findings none, nibabel 199.5 mm from the first row to the last, the qform 399; shift 0.01 mm: qform_sform_mismatch.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 nibabel==5.4.2
"$work/venv/bin/pip" install -q --no-compile --no-deps nifti-qc==0.1.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import nibabel as nib
import numpy as np
from nifti_qc.checks import check_alignment, check_image


def sagittal(row, column, step=4.4, shift=0.0, turn=0.0):
    """Affine of a sagittal volume: back, foot, right."""
    c, s = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    affine = np.array([[0, 0, step, -24 + shift], [-column, 0, 0, 30], [0, -row, 0, 100], [0, 0, 0, 1.0]])
    affine[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ affine[:3, :3]
    return affine


def image(sform, qform):
    made = nib.Nifti1Image(np.ones((320, 400, 12), np.int16), sform)
    made.set_qform(qform, 1, update_affine=False)
    made.set_sform(sform, 1, update_affine=False)
    return nib.Nifti1Image.from_bytes(made.to_bytes())


def codes(what, sform, qform):
    made = image(sform, qform)
    assert np.allclose(made.affine, sform) and np.allclose(made.get_qform(), qform, atol=1e-3)
    far = [float(np.linalg.norm(matrix[:3, 1]) * 399) for matrix in (made.affine, made.get_qform())]
    found = [finding.code for finding in check_image(made)]
    print(f"{what}: rows {far[0]:.1f} mm by the sform, {far[1]:.1f} by the qform, findings {found}")
    return [code for code in found if code != "extreme_anisotropy"]


true, other = sagittal(0.5, 0.5), sagittal(1, 1)
assert codes("scale", true, other) == []
assert codes("one axis", sagittal(0.5, 0.5), sagittal(2, 0.5)) == []
assert codes("shift of 0.01 mm", true, sagittal(0.5, 0.5, shift=0.01)) == ["qform_sform_mismatch"]
assert codes("turn of 0.1 degree", true, sagittal(0.5, 0.5, turn=0.1)) == ["qform_sform_mismatch"]
pair = check_alignment([image(true, other), image(other, other)])
print("two files, sforms of 0.5 and 1 mm, the same pixdim:", [finding.code for finding in pair])
assert pair == []
PY
