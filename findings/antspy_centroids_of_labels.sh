#!/usr/bin/env bash
# ANTsPy 0.6.3 (antspyx), label_image_centroids: the voxels are counted last axis first and their places first axis first. In a
# cube the centroid of each label comes out with its axes reversed; in a volume of unequal sides, as every sagittal MR is, each is a
# mixture of places all over the volume, and can lie outside it. Nothing is said. get_centroids of the same package, the mean
# place in mm, is right.
# Seen, 40 x 60 x 5 voxels of 1 mm, centres (14.5, 24.5, 2) and (27, 44.5, 2): (18.5, 27.4, 22.0) and (18.9, 27.6, 41.2);
# in 60 x 60 x 60: (2, 24.5, 14.5) and (2, 44.5, 27).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-cache-dir antspyx==0.6.3 numpy==2.3.5
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import ants
import numpy as np

truth = [[14.5, 24.5, 2], [27, 44.5, 2]]
for shape, seen in (((40, 60, 5), [[18.5, 27.4, 22], [18.9, 27.64, 41.2]]), ((60, 60, 60), [[2, 24.5, 14.5], [2, 44.5, 27]])):
    labels = np.zeros(shape, np.float32)
    labels[10:20, 20:30, 1:4] = 1
    labels[25:30, 40:50, 1:4] = 2
    assert [np.argwhere(labels == label).mean(0).tolist() for label in (1, 2)] == truth
    image = ants.from_numpy(labels)
    found = ants.label_image_centroids(image)
    print(shape, np.round(found["vertices"], 2).tolist(), "get_centroids", ants.get_centroids(image)[:, :3].tolist())
    assert found["labels"].tolist() == [1, 2] and np.allclose(found["vertices"], seen, atol=0.01)
    assert np.allclose(ants.get_centroids(image)[:, :3], truth, atol=1e-3)
PY
