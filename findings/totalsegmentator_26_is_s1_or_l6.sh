#!/usr/bin/env bash
# TotalSegmentator 2.18.0, the numbers that its tasks give to vertebrae: 26 is S1 in "total" and L6 in "total_v3", all others as they were; "total" and "vertebrae_mr" count upwards
# from the sacrum, the two "vertebrae_pp" downwards from C1, so that L5 is 27, 2 or 24 (18 in version 1) and 20 to 24 are L1 to L5 of a CT by one task and
# C6 to C2 of an MR by another. Two tasks of one package, run after each other, cannot be compared by number, and a table for "total" names S1 what
# total_v3 calls L6, in just those patients in whom the count is in doubt. Which task it was stands in an extension of the NIfTI header; SimpleITK 2.5.7 drops
# it when it writes the mask anew, cropped or resampled, and the package's own reader of such files then raises. (VerSe: 20 to 24 are L1 to L5, 25 is L6, 26 the sacrum.)
# Seen, 26: total S1, total_v3 L6; 24: vertebrae_mr C2, vertebrae_pp L5; L5: 18, 27, 27, 2, 24, 24; after SimpleITK: IndexError.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 nibabel==5.4.2 SimpleITK==2.5.7 xmltodict==1.0.4
"$work/venv/bin/pip" install -q --no-deps TotalSegmentator==2.18.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import nibabel as nib
import numpy as np
import SimpleITK as sitk
from totalsegmentator.map_to_binary import class_map
from totalsegmentator.nifti_ext_header import add_label_map_to_nifti, load_multilabel_nifti

TASKS = ("total_v1", "total", "total_v3", "vertebrae_mr", "vertebrae_pp", "vertebrae_pp_refined")
names = {task: {number: name.removeprefix("vertebrae_") for number, name in class_map[task].items()} for task in TASKS}
for number in (20, 24, 26):
    print(number, {task: names[task].get(number) for task in TASKS})
l5 = [next(number for number, name in names[task].items() if name == "L5") for task in TASKS]
print("L5", l5)
assert (names["total"][26], names["total_v3"][26]) == ("S1", "L6")
spine = {number: names["total"][number] for number in range(25, 51)}
assert {number: name for number, name in spine.items() if names["total_v3"][number] != name} == {26: "S1"}
assert (names["vertebrae_mr"][24], names["vertebrae_pp"][24]) == ("C2", "L5") and l5 == [18, 27, 27, 2, 24, 24]
assert [names["vertebrae_pp"][n] for n in range(20, 25)] == ["L1", "L2", "L3", "L4", "L5"]
assert [names["vertebrae_mr"][n] for n in range(20, 25)] == ["C6", "C5", "C4", "C3", "C2"]

mask = np.zeros((8, 8, 8), np.uint8)
mask[2:5] = 26
nib.save(add_label_map_to_nifti(nib.Nifti1Image(mask, np.eye(4)), {26: class_map["total_v3"][26]}), "mask.nii.gz")
print("as written:", load_multilabel_nifti("mask.nii.gz")[1])
assert load_multilabel_nifti("mask.nii.gz")[1] == {26: "vertebrae_L6"}
sitk.WriteImage(sitk.ReadImage("mask.nii.gz"), "again.nii.gz")
try:
    load_multilabel_nifti("again.nii.gz")
except Exception as error:
    print("after SimpleITK:", type(error).__name__, error)
    assert type(error) is IndexError
else:
    raise AssertionError("the names are still there")
PY
