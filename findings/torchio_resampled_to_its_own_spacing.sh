#!/usr/bin/env bash
# TorchIO 1.2.1, Resample to a spacing in mm that keeps the slices as they are and changes the pixels alone, as networks in two and a half dimensions ask for: (3.3, 0.6, 0.6) on a sagittal MR of slices of 3.3 mm. A NIfTI file holds 3.3 in single
# precision, 3.2999999523, the new count of slices is rounded down from 14.9999998, and 14 are laid about the middle of the 15: every slice that comes out is the mean of two neighbours, a foramen or a
# spinous process smeared over twice its width, and at the ends half a slice is cut off. Of a mask, which takes the nearest voxel, the middle slice is lost, and all others move by half a slice towards it. 3.3, 3.6, 3.85 and 4.2 mm do it, and 0.7 mm in a
# plane; 3, 3.5, 4, 4.4, 4.8 and 5 mm do not: it hangs on which way the number is rounded. So does RandomAnisotropy, along the axes that it leaves alone. Places in mm are right. Nothing is said.
# Seen, slices of 0, 100, 0, 100, ..: 3.3 mm: 14 of 15 slices, 50 50 50 50; 3.6, 3.85, 4.2 mm the same; 4.4 mm: 15 slices, 0 100 0 100; a mask whose slices are numbered 1 to 15, of 3.3 mm: 1 to 7 and 9 to 15, 1 at 1.65 and 15 at 44.55 mm (0 and 46.2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR="$work" "$work/venv/bin/pip" install -q --no-cache-dir torch==2.14.1 torchio==1.2.1 nibabel==5.4.2 SimpleITK==2.5.7
cd "$work"
"$work/venv/bin/python" -W error::RuntimeWarning - <<'PY'
import nibabel as nib
import numpy as np
import torchio as tio


def saved(voxels, slice_mm):
    path = f"{slice_mm}_{voxels.dtype}.nii.gz"
    nib.save(nib.Nifti1Image(voxels, np.diag([slice_mm, 0.5, 0.5, 1.0])), path)
    return path


striped = np.zeros((15, 40, 40), np.float32)
striped[1::2] = 100
seen = {}
for slice_mm in (3.0, 3.3, 3.5, 3.6, 3.85, 4.0, 4.2, 4.4, 4.8, 5.0):
    image = tio.ScalarImage(saved(striped, slice_mm))
    assert abs(image.spacing[0] - slice_mm) < 1e-6, image.spacing
    resampled = tio.Resample((slice_mm, 0.6, 0.6))(image)
    slices = resampled.data.numpy()[0, :, 15, 15]
    seen[slice_mm] = len(slices), np.round(slices[:4], 2).tolist()
    print(slice_mm, "mm:", *seen[slice_mm])
blurred, kept = (14, [50.0] * 4), (15, [0.0, 100.0, 0.0, 100.0])
assert {mm for mm, what in seen.items() if what == blurred} == {3.3, 3.6, 3.85, 4.2}, seen
assert all(what == kept for what in seen.values() if what != blurred), seen

numbered = np.repeat(np.arange(1, 16, dtype=np.uint8), 40 * 40).reshape(15, 40, 40)
mask = tio.Resample((3.3, 0.6, 0.6))(tio.LabelMap(saved(numbered, 3.3)))
labels = mask.data.numpy()[0, :, 15, 15].tolist()
first, last = mask.affine[0, 3], mask.affine[0, 3] + mask.affine[0, 0] * (len(labels) - 1)
print("mask:", labels, "from", round(float(first), 2), "to", round(float(last), 2), "mm")
assert labels == [*range(1, 8), *range(9, 16)]
assert abs(first - 1.65) < 1e-3 and abs(last - 44.55) < 1e-3
PY
