#!/usr/bin/env bash
# DICaugment 1.0.7 (an Albumentations for CT and MR volumes), key points in x, y, z beside their volume: turned in the plane "xy" they go with it to a hundredth
# of a voxel. Turned in "yz" the points turn in "xz", and the other way round, in Rotate and in ShiftScaleRotate: a tilt of a sagittal spine forward
# tilts its landmarks to the side. In the plane that is right Rotate turns both about the centre of the voxels, ShiftScaleRotate the
# points about a place half a voxel beyond it. Resize and its like multiply a place by the scale, as if it counted from the volume's edge, while a flip is
# size - 1 - x. RandomRotate90 is right in all three planes. Nothing is said.
# Seen, a blob and its point at (18, 25, 14) in 50 x 60 x 40 voxels, turned by 20 degrees: xy (16.86, 27.49, 14), (16.85, 27.49, 14); yz (18, 23.39, 15.87), (16.51, 25,
# 16.55); xz (16.51, 25, 16.55), (18, 23.39, 15.87); ShiftScaleRotate xy (16.86, 27.49, 14), (16.71, 27.70, 14); doubled (36.4, 50.4, 28.4), (36, 50, 28).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-cache-dir numpy==2.4.6 scipy==1.17.1 scikit-image==0.26.0 scikit-learn==1.9.1 PyYAML==6.0.4 qudida==0.0.4 \
  pydicom==3.0.2 opencv-python-headless==5.0.0.93
"$work/venv/bin/pip" install -q --no-cache-dir --no-deps dicaugment==1.0.7
"$work/venv/bin/python" -W ignore - <<'PY'
import random

import dicaugment as dca
import numpy as np

SHAPE, POINT = (60, 50, 40), (18.0, 25.0, 14.0)  # rows, columns, slices; x, y, z
rows, columns, slices = np.indices(SHAPE)
squared = (columns - POINT[0]) ** 2 + (rows - POINT[1]) ** 2 + (slices - POINT[2]) ** 2
volume = (1000 * np.exp(-squared / 12.5)).astype(np.int16)


def both(name, transform):
    np.random.seed(0)
    random.seed(0)
    parameters = dca.KeypointParams(format="xyz", remove_invisible=False)
    moved = dca.Compose([transform], keypoint_params=parameters)(image=volume, keypoints=[POINT])
    weight = np.where(moved["image"] > 100, moved["image"], 0).astype(float)
    centre = [float((place * weight).sum() / weight.sum()) for place in np.indices(weight.shape)]
    blob = np.round([centre[1], centre[0], centre[2]], 2)
    point = np.round(moved["keypoints"][0][:3], 2)
    print(f"{name:20s} blob {blob} point {point}")
    return blob, point


def off(name, transform):
    blob, point = both(name, transform)
    return np.abs(blob - point).max()


still = {"scale_limit": (0, 0), "shift_limit": (0, 0), "rotate_limit": (20, 20), "p": 1}
assert off("flip", dca.HorizontalFlip(p=1)) < 0.02
for axes in "xy", "yz", "xz":
    assert off(f"turn by 90 {axes}", dca.RandomRotate90(axes=axes, p=1)) < 0.02
assert off("turn xy", dca.Rotate(limit=(20, 20), axes="xy", p=1)) < 0.02
yz = both("turn yz", dca.Rotate(limit=(20, 20), axes="yz", p=1))
xz = both("turn xz", dca.Rotate(limit=(20, 20), axes="xz", p=1))
assert np.allclose(yz, [(18, 23.39, 15.87), (16.51, 25, 16.55)], atol=0.02)
assert np.allclose(xz, [(16.51, 25, 16.55), (18, 23.39, 15.87)], atol=0.02)
xy = both("shift, scale, turn", dca.ShiftScaleRotate(axes="xy", **still))
assert np.allclose(xy, [(16.86, 27.49, 14), (16.71, 27.70, 14)], atol=0.02)
assert off("shift, scale, turn yz", dca.ShiftScaleRotate(axes="yz", **still)) > 1.5
doubled = both("doubled", dca.Resize(120, 100, 80, p=1))
assert np.allclose(doubled, [(36.4, 50.4, 28.4), (36, 50, 28)], atol=0.1)
PY
