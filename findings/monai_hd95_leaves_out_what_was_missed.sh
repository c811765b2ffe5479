#!/usr/bin/env bash
# MONAI 1.6.1, HausdorffDistanceMetric over a set in which one vertebra was missed altogether: the largest distance is infinite, so that the mean says so, but
# with percentile=95, which is what is reported, that case is nan and left out of the mean, as if it had never been there. The more are missed, the better HD95
# can get; an invented vertebra goes the same way. SurfaceDistanceMetric beside it is infinite, SurfaceDiceMetric 0. (MedPy 0.5.2 raises.)
# SurfaceDice is two measures: by default border voxels are counted, with use_subvoxels=True pieces of surface by their area, as by DeepMind's surface-distance 0.1.
# In the thick slices of a sagittal MR a body that is a slice off has 0.24 by the one and 0.66 by the other, at a tolerance of 0.6 mm.
# Seen, a body of 20 x 15 x 20 mm in voxels of 0.5 x 0.5 x 4 mm, found 1 mm off, and another missed: HD inf, HD95 1.0, of 1 case; surface distance inf, Dice
# 0.46; a slice off: 0.239, 0.656, surface-distance 0.656. What is said is a warning that the prediction is all 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR="$work" "$work/venv/bin/pip" install -q --no-cache-dir torch==2.14.1 monai==1.6.1 numpy==2.4.6 scipy==1.17.1 surface-distance-based-measures==0.1 medpy==0.5.2
"$work/venv/bin/python" -W ignore - <<'PY'
import numpy as np
import surface_distance
import torch
from medpy.metric import binary
from monai.metrics import HausdorffDistanceMetric, SurfaceDiceMetric, SurfaceDistanceMetric

SPACING = (0.5, 0.5, 4.0)
truth = np.zeros((60, 60, 12), bool)
truth[10:50, 10:40, 3:8] = True
down, slice_off, nothing = np.roll(truth, 2, 0), np.roll(truth, 1, 2), np.zeros_like(truth)


def one_hot(mask):
    return torch.from_numpy(np.stack([~mask, mask])[None].astype(np.float32))


def over(metric, *pairs):
    for predicted, true in pairs:
        metric(one_hot(predicted), one_hot(true), spacing=SPACING)
    mean = metric.aggregate()
    print(type(metric).__name__, [round(float(value), 3) for value in metric.get_buffer().ravel()], "mean", round(float(mean), 3))
    return float(mean)


for pair in ((nothing, truth), (truth, nothing)):
    assert over(HausdorffDistanceMetric(), (down, truth), pair) == np.inf
    assert over(HausdorffDistanceMetric(percentile=95), (down, truth), pair) == 1
    assert over(SurfaceDistanceMetric(symmetric=True), (down, truth), pair) == np.inf
    assert round(over(SurfaceDiceMetric([0.6]), (down, truth), pair), 2) == 0.46
hd95 = HausdorffDistanceMetric(percentile=95, get_not_nans=True)
for predicted in (down, nothing):
    hd95(one_hot(predicted), one_hot(truth), spacing=SPACING)
print("HD95 and the cases in it", *(float(value) for value in hd95.aggregate()))
assert [float(value) for value in hd95.aggregate()] == [1, 1]
try:
    binary.hd95(nothing, truth, SPACING)
except RuntimeError as error:
    print("MedPy:", error)
else:
    raise AssertionError("MedPy has a distance")

counted = over(SurfaceDiceMetric([0.6]), (slice_off, truth))
area = over(SurfaceDiceMetric([0.6], use_subvoxels=True), (slice_off, truth))
other = surface_distance.compute_surface_dice_at_tolerance(surface_distance.compute_surface_distances(truth, slice_off, SPACING), 0.6)
print("surface Dice of a slice off", round(counted, 3), round(area, 3), "surface-distance", round(float(other), 3))
assert (round(counted, 3), round(area, 3), round(float(other), 3)) == (0.239, 0.656, 0.656)
PY
