#!/usr/bin/env bash
# medrs 0.2.0 (quick NIfTI loading for training), load_resampled, a patch of a wanted shape "after all transforms", spacing and orientation, as a network takes it: the shape is cut out of the file as it lies there, by the file's own
# axes and voxels, and turned and resampled afterwards. What comes has another shape, another number of mm across and another order of axes than was asked for: 64 voxels of 1 mm become 48 x 48 x 160. As sizes are
# whole numbers the spacing is what is left over, of small patches up to a fifth off. The affine says what it is; nothing else does, and the network is fed a spine of another scale. Where the file has fewer
# slices than the patch has voxels, as every sagittal MR has, an error is raised, however large the patch may be in mm. load_cropped and resample, each by itself, are right.
# Seen, an axial CT of 0.75 x 0.75 x 2.5 mm, 64 x 64 x 64 voxels of 1 mm asked for: 48 x 48 x 160 of 1 mm; of a sagittal MR of 0.8 x 0.5 x 4.4 mm 8 x 10 x 12 voxels of 2 mm in RAS: 26 x 3 x 3, of 2.03 x 2.13 x 1.67
# mm; 20 x 20 x 20 of it: "Crop region exceeds dimension 2".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 nibabel==5.4.2
"$work/venv/bin/pip" install -q --no-compile --no-deps medrs==0.2.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import medrs
import nibabel as nib
import numpy as np

axial = np.diag([0.75, 0.75, 2.5, 1])
sagittal = np.array([[0, 0, 4.4, -24], [-0.8, 0, 0, 30], [0, -0.5, 0, 100], [0, 0, 0, 1.0]])
for name, shape, affine in (("ct", (120, 120, 100), axial), ("mr", (40, 60, 12), sagittal)):
    nib.save(nib.Nifti1Image(np.arange(np.prod(shape), dtype=np.float32).reshape(shape), affine), f"{name}.nii")


def patch(name, shape, **wanted):
    assert "Desired output shape after all transforms" in medrs.load_resampled.__doc__
    read = medrs.load_resampled(f"{name}.nii", shape, **wanted)
    affine = np.array(read.affine).reshape(4, 4)
    spacing = np.linalg.norm(affine[:3, :3], axis=0).round(2).tolist()
    print(name, shape, wanted, "gives", tuple(read.shape), spacing, "".join(nib.aff2axcodes(affine)))
    return tuple(read.shape), spacing


assert patch("ct", (64, 64, 64), target_spacing=(1.0, 1.0, 1.0)) == ((48, 48, 160), [1, 1, 1])
assert patch("mr", (8, 10, 12), target_spacing=(2.0, 2.0, 2.0), target_orientation="RAS") == ((26, 3, 3), [2.03, 2.13, 1.67])
try:
    patch("mr", (20, 20, 20), target_spacing=(2.0, 2.0, 2.0), target_orientation="RAS")
except Exception as error:
    print(error)
    assert "exceeds dimension 2" in str(error)
else:
    raise AssertionError("a patch of 20 voxels was found")
whole = medrs.resample(medrs.load("ct.nii"), (1.0, 1.0, 1.0), "trilinear")
assert tuple(whole.shape) == (90, 90, 250)
PY
