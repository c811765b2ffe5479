#!/usr/bin/env bash
# panoptica 2.1.7 (instance metrics of the group around VerSe and SPINEPS), distances between the same two masks: given as file names, or as SimpleITK
# images, the array is slices first and the spacing slices last, and the one is used on the other. In the thick slices of a
# sagittal MR that is a factor of eight: a vertebra that is a slice of 4 mm off is 0.5 mm off, one that is 1 mm too low 8 mm. Given
# as nibabel images, or as arrays with voxelspacing, the distances are right; arrays alone are in voxels. HD95, ASSD and NSD go along; Dice
# and the counts are the same whichever way. Nothing is said, and on isotropic voxels nothing shows. Where SimpleITK is not installed the same
# file names are read by nibabel, so that a result hangs on a package that nobody named.
# Seen, Hausdorff distance in voxels of 0.5 x 0.5 x 4 mm, a body moved by a slice (4 mm): nibabel 4.0, file names 0.5, SimpleITK 0.5; by
# two voxels of the first axis (1 mm): 1.0, 8.0, 8.0; voxelspacing 4.0 and 1.0; arrays alone 1.0, 2.0; file names after pip uninstall SimpleITK 4.0, 1.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q panoptica==2.1.7 SimpleITK==2.5.7 nibabel==5.4.2 numpy==2.2.6
cd "$work"
PANOPTICA_CITATION_REMINDER=false "$work/venv/bin/python" -W ignore - <<'PY'
import subprocess
import sys

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from panoptica import InputType, Metric, NaiveThresholdMatching, Panoptica_Evaluator

truth = np.zeros((60, 60, 10), np.uint8)
truth[10:40, 20:44, 2:7] = 1
masks = {"truth": truth, "slice": np.roll(truth, 1, 2), "rows": np.roll(truth, 2, 0)}
for name, mask in masks.items():
    nib.save(nib.Nifti1Image(mask, np.diag([0.5, 0.5, 4, 1])), f"{name}.nii.gz")


def hausdorff(prediction, reference, **options):
    evaluator = Panoptica_Evaluator(
        expected_input=InputType.UNMATCHED_INSTANCE, instance_matcher=NaiveThresholdMatching(), instance_metrics=[Metric.IOU, Metric.DSC, Metric.HD],
        global_metrics=[], verbose=False, log_times=False)
    result = evaluator.evaluate(prediction_arr=prediction, reference_arr=reference, **options)
    result = result[next(iter(result))] if isinstance(result, dict) else result
    return round(float(result.sq_hd), 3), round(float(result.sq_dsc), 3)


ways = {
    "nibabel": lambda name: nib.load(f"{name}.nii.gz"),
    "file names": lambda name: f"{name}.nii.gz",
    "SimpleITK": lambda name: sitk.ReadImage(f"{name}.nii.gz"),
    "arrays": lambda name: masks[name],
}
seen = {way: [hausdorff(load(name), load("truth")) for name in ("slice", "rows")] for way, load in ways.items()}
seen["voxelspacing"] = [hausdorff(masks[name], truth, voxelspacing=(0.5, 0.5, 4.0)) for name in ("slice", "rows")]
for way, distances in seen.items():
    print(way, distances)
assert {way: [hd for hd, _ in distances] for way, distances in seen.items()} == {
    "nibabel": [4, 1], "file names": [0.5, 8], "SimpleITK": [0.5, 8], "arrays": [1, 2], "voxelspacing": [4, 1]}
assert len({tuple(dice for _, dice in distances) for distances in seen.values()}) == 1
subprocess.run([sys.executable, "-m", "pip", "uninstall", "-q", "-y", "SimpleITK"], check=True)
PY
PANOPTICA_CITATION_REMINDER=false "$work/venv/bin/python" -W ignore - <<'PY'
from panoptica import InputType, Metric, NaiveThresholdMatching, Panoptica_Evaluator

evaluator = Panoptica_Evaluator(
    expected_input=InputType.UNMATCHED_INSTANCE, instance_matcher=NaiveThresholdMatching(), instance_metrics=[Metric.IOU, Metric.DSC, Metric.HD],
    global_metrics=[], verbose=False, log_times=False)
seen = []
for name in ("slice", "rows"):
    result = evaluator.evaluate(f"{name}.nii.gz", "truth.nii.gz")
    result = result[next(iter(result))] if isinstance(result, dict) else result
    seen.append(round(float(result.sq_hd), 3))
print("file names, without SimpleITK", seen)
assert seen == [4, 1]
PY
