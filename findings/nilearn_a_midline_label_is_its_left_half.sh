#!/usr/bin/env bash
# nilearn 0.14.1, find_parcellation_cut_coords (the place in mm of each label of a volume, for graphs and figures): its argument label_hemisphere "applies only in cases where
# atlas labels are lateralized". A label that crosses x = 0 of the scanner counts as such, so that of a vertebra or the sacrum the left half is taken, or the
# right where that is asked for, and there is no third choice: a body of 40 mm has its "centre" 10 mm to the left. As it goes by the zero of the scanner and not by
# the label, a patient who lies 1 mm more to the left has every vertebra jump by 20 mm, and a curve of the spine across the midline
# becomes a step. Front to back and head to foot are right. Nothing is said.
# Seen, a body 40 mm wide, its true x and what is given for "left" and "right": 20.5: 20.5, 20.5; 19.5: 19.5, 19.5; 18.5: -1, 19; 9.5: -5.5, 14.5; 0: -10.5, 9.5;
# -19.5: -20, 0; of a curve 8, 2, -4, -10, -16, -22 along z: -6.5, -9.5, -12.5, -15.5, -18.5, -22.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q nilearn==0.14.1 nibabel==5.4.2 numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
"$work/venv/bin/python" -W ignore - <<'PY'
import nibabel
import numpy as np
from nilearn.plotting.find_cuts import find_parcellation_cut_coords
from scipy.ndimage import center_of_mass


def centres(shifts, side="left"):
    """x of bodies 40 mm wide, stacked along z; the truth first."""
    labels = np.zeros((120, 50, 16 * len(shifts)), np.int32)
    for level, shift in enumerate(shifts):
        labels[40 + shift : 80 + shift, 10:40, 16 * level : 16 * level + 12] = level + 1
    affine = np.eye(4)
    affine[:3, 3] = -59.5, -80, -100
    numbers = np.arange(len(shifts)) + 1
    truth = nibabel.affines.apply_affine(affine, center_of_mass(labels > 0, labels, numbers))
    found = find_parcellation_cut_coords(nibabel.Nifti1Image(labels, affine), label_hemisphere=side)
    assert np.allclose(found[:, 1:], truth[:, 1:])
    return truth[:, 0], found[:, 0]


def one(x):
    """A body whose centre lies at x; the scanner's zero between two voxels or on one."""
    labels = np.zeros((120, 50, 20), np.int32)
    labels[40:80, 10:40, 4:16] = 20
    affine = np.eye(4)
    affine[:3, 3] = x - 59.5, -80, -100
    image = nibabel.Nifti1Image(labels, affine)
    pair = [float(find_parcellation_cut_coords(image, label_hemisphere=side)[0, 0]) for side in ("left", "right")]
    print(f"true x {x}: left {pair[0]}, right {pair[1]}")
    return pair


assert one(20.5) == [20.5, 20.5]
assert one(19.5) == [19.5, 19.5]
assert one(18.5) == [-1, 19]
assert one(9.5) == [-5.5, 14.5]
assert one(0) == [-10.5, 9.5]
assert one(-19.5) == [-20, 0]
truth, found = centres([8, 2, -4, -10, -16, -22])
print("curve", truth, found)
assert np.allclose(truth, [8, 2, -4, -10, -16, -22])
assert np.allclose(found, [-6.5, -9.5, -12.5, -15.5, -18.5, -22])
PY
