#!/usr/bin/env bash
# nibabel 5.4.2, processing.conform, the step before many networks: what comes out has 256 x 256 x 256 voxels of 1 mm about the middle of the volume, unless told otherwise, whatever its size. A
# head fits; of a whole spine, 400 mm and more from the skull to the sacrum, 256 mm in the middle are left, and C1 to C7 and the sacrum are cut off at the one and the other end. Widths
# of more than 256 mm, as most bodies have, lose both flanks. Masks go the same way, so that image and mask agree, and a count of vertebrae is short. Neither its help nor a warning says that it
# cuts. resample_to_output of the same module keeps all.
# Seen, a sagittal volume of 15 x 110 x 110 voxels of 4 mm with 22 vertebrae, one every 20 mm: 256 x 256 x 256, 14 of 22 vertebrae left; resample_to_output 22 of 22.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-cache-dir nibabel==5.4.2 scipy==1.17.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W error - <<'PY'
import numpy as np
from nibabel import Nifti1Image
from nibabel.processing import conform, resample_to_output

mask = np.zeros((15, 110, 110), np.uint8)  # towards the right, the front, the head
for level in range(22):
    mask[5:10, 50:58, 105 - 5 * level : 108 - 5 * level] = level + 1
affine = np.diag([4.0, 4, 4, 1])
affine[:3, 3] = -28, -218, -218
spine = Nifti1Image(mask, affine)

left = {}
for name, image in (("conform", conform(spine, order=0)), ("resample_to_output", resample_to_output(spine, (1, 1, 1), order=0))):
    levels = sorted(set(np.unique(np.asarray(image.dataobj)).tolist()) - {0})
    print(name, image.shape, len(levels), "of 22 vertebrae:", *levels)
    left[name] = image.shape, levels
assert left["resample_to_output"][1] == list(range(1, 23))
assert left["conform"][0] == (256, 256, 256) and left["conform"][1] == list(range(5, 19))
assert not any(word in conform.__doc__.lower() for word in ("crop", "cut", "lost", "truncat"))
PY
