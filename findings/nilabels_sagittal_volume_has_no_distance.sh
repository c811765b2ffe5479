#!/usr/bin/env bash
# nilabels 0.0.8 (labels of NIfTI volumes and the measures between them), everything in mm: the size of a voxel is taken from the diagonal of the affine. Of a volume whose axes run from right to left, front to back and foot to
# head, in that order, that is right. Of a sagittal one, as most converters leave it, first axis from front to back, the diagonal is three zeros: the Hausdorff distance of two vertebrae is 0 mm wherever they lie, every side of a
# box is 0, the volume of a voxel is 0. Where an axis runs against the patient's, as in all that ITK writes, its number is negative, and the distance is neither that nor the right one. The centroid in mm leaves out the
# origin, so that it is a place of no patient. Nothing is said.
# Seen, a body moved by 2.4 mm, voxels of 0.8 x 0.5 x 4.4 mm: right, front, head 2.4 mm; left, back, head 5.52 mm; sagittal 0 mm, box 0 0 0, one voxel 0 mm3 (1.76); centroid 11.6 14.75 24.2 where -12.4 44.75 124.2 is right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==1.26.4 scipy==1.13.1 nibabel==4.0.2 pandas==2.2.3 setuptools==80.9.0
"$work/venv/bin/pip" install -q --no-compile --no-deps nilabels==0.0.8
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import importlib.util
import sys
import types

import nibabel as nib
import numpy as np

# The package itself asks for scikit-image, SymPy and more; these modules of it do not.
package = types.ModuleType("nilabels")
package.__path__ = list(importlib.util.find_spec("nilabels").submodule_search_locations)
sys.modules["nilabels"] = package
from nilabels.tools.aux_methods.utils_nib import one_voxel_volume  # noqa: E402
from nilabels.tools.caliber.distances import box_sides_length, centroid, hausdorff_distance_one_label  # noqa: E402

body, moved = np.zeros((2, 40, 60, 12), np.uint8)
body[10:20, 20:40, 4:8] = 22
moved[13:23, 20:40, 4:8] = 22
axial = np.array([[0.8, 0, 0, -24], [0, 0.5, 0, 30], [0, 0, 4.4, 100], [0, 0, 0, 1.0]])
against = np.array([[-0.8, 0, 0, 0], [0, -0.5, 0, 0], [0, 0, 4.4, 0], [0, 0, 0, 1.0]])
sagittal = np.array([[0, 0, 4.4, -24], [-0.8, 0, 0, 30], [0, -0.5, 0, 100], [0, 0, 0, 1.0]])

seen = {}
for name, affine in (("axial", axial), ("against", against), ("sagittal", sagittal)):
    first, second = (nib.Nifti1Image(voxels, affine) for voxels in (body, moved))
    distance = float(hausdorff_distance_one_label(first, second, 22, True))
    sides = [round(float(side), 2) for side in box_sides_length(first, [22], ["L3"])["L3"]]
    place = centroid(first, [22])[0].round(3).tolist()
    true = nib.affines.apply_affine(affine, np.argwhere(body == 22).mean(0)).round(3).tolist()
    seen[name] = round(distance, 2), sides, float(one_voxel_volume(first)), place, true
    print(name, "".join("".join(nib.aff2axcodes(affine))), *seen[name])
assert seen["axial"] == (2.4, [7.2, 9.5, 13.2], 1.76, [11.6, 14.75, 24.2], [-12.4, 44.75, 124.2])
assert seen["against"][0] == 5.52
assert seen["sagittal"][:3] == (0, [0, 0, 0], 0) and seen["sagittal"][3] != seen["sagittal"][4]
PY
