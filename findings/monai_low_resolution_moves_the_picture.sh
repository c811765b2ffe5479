#!/usr/bin/env bash
# MONAI 1.6.1, RandSimulateLowResolution: the picture is made small by taking every nth voxel (PyTorch's "nearest", which takes the one before the
# place) and large again about the centres of voxels, so that it comes back half a voxel to a whole one towards the last index of every axis, whatever the
# zoom. As it is for pictures only, masks and points stay: in the slices of 4 mm of a sagittal MR the network is shown a spine 2 to 4 mm
# to the side of its labels. downsample_mode "nearest-exact" moves it by half a voxel the other way, "area" and "trilinear" do not move it. nnU-Net's successor of
# it, batchgeneratorsv2 0.3.6, takes nearest-exact: half a voxel at a zoom of a half, less than 0.2 at others; batchgenerators 0.25.5 none.
# Nothing is said, and a picture so treated looks as it should.
# Seen, a volume that holds its own indices, what a voxel holds less its index, three axes of 80, 64 and 40: MONAI zoom 0.5: -0.5 -0.5 -0.5, 0.55: -0.87 -0.93
# -0.89, 0.75: -0.5 -0.5 -0.5; nearest-exact 0.5: 0.5 0.5 0.5; area 0 0 0; batchgeneratorsv2 0.5: 0.5 0.5 0.5, 0.75: 0.16 0.16 0.16; batchgenerators 0 0 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR="$work" "$work/venv/bin/pip" install -q --no-cache-dir torch==2.14.1 monai==1.6.1 numpy==2.4.6 scipy==1.17.1 scikit-image==0.26.0 pandas==3.1.1 scikit-learn==1.9.1
"$work/venv/bin/pip" install -q --no-deps batchgeneratorsv2==0.3.6 batchgenerators==0.25.5
"$work/venv/bin/python" -W ignore - <<'PY'
import torch
from batchgenerators.augmentations.resample_augmentations import augment_linear_downsampling_scipy
from batchgeneratorsv2.transforms.spatial.low_resolution import SimulateLowResolutionTransform
from monai.transforms import RandSimulateLowResolution

indices = torch.stack(torch.meshgrid(*(torch.arange(n, dtype=torch.float32) for n in (80, 64, 40)), indexing="ij"))


def moved(name, made):
    away = (torch.as_tensor(made) - indices)[:, 12:-12, 12:-12, 12:-12]
    off = [round(float(mean), 2) + 0.0 for mean in away.mean((1, 2, 3))]
    print(name, off)
    return off


def monai(zoom, **how):
    return moved(f"MONAI {zoom} {how}", RandSimulateLowResolution(prob=1, zoom_range=(zoom, zoom), **how)(indices))


def second(zoom):
    transform = SimulateLowResolutionTransform(
        scale=(zoom, zoom), synchronize_channels=True, synchronize_axes=True, ignore_axes=None, allowed_channels=None, p_per_channel=1
    )
    return moved(f"batchgeneratorsv2 {zoom}", transform(image=indices.clone())["image"])


def first(zoom):
    return moved(f"batchgenerators {zoom}", augment_linear_downsampling_scipy(indices.numpy().copy(), (zoom, zoom + 1e-6), per_channel=False))


assert monai(0.5) == [-0.5] * 3
assert monai(0.55) == [-0.87, -0.93, -0.89]
assert monai(0.75) == [-0.5] * 3
assert monai(0.5, downsample_mode="nearest-exact") == [0.5] * 3
assert monai(0.5, downsample_mode="area") == [0] * 3
assert second(0.5) == [0.5] * 3
assert second(0.75) == [0.16] * 3
assert first(0.5) == first(0.75) == [0] * 3
PY
