#!/usr/bin/env bash
# albumentations 2.0.8, key points under the transforms that bend the picture: ElasticTransform, GridDistortion and their like
# put every point on a whole pixel and miss it by one or two, so that even a warp of nothing moves (50, 30). The affine
# ones carry points to the thousandth of a pixel. Resize and the like multiply the place by the scale, though it counts from pixel
# centres everywhere else (a flip is width - 1 - x): half a pixel at twice the size.
# Seen, a blob at (60, 40), the point and the blob: rotated (58.95, 47.00), (58.95, 47.00); doubled (120, 80), (120.5, 80.5);
# Warped by nothing, ElasticTransform(alpha=0), GridDistortion(distort_limit=0): (50, 30) to (50, 29), (10.5, 30.25) to (10, 29).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q albumentations==2.0.8 numpy==2.4.6 scipy==1.17.1 opencv-python-headless==5.0.0.93
cd "$work"
NO_ALBUMENTATIONS_UPDATE=1 "$work/venv/bin/python" -W ignore - <<'PY'
import albumentations as A
import numpy as np
from scipy.ndimage import center_of_mass

rows, columns = np.mgrid[:100, :200]


def moved(transform, x, y):
    picture = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18).astype(np.float32)
    compose = A.Compose([transform], keypoint_params=A.KeypointParams(format="xy"))
    out = compose(image=picture, keypoints=[(x, y)])
    point = [round(float(value), 2) for value in out["keypoints"][0][:2]]
    blob = [round(float(value), 2) for value in center_of_mass(np.clip(out["image"], 0, None))[::-1]]
    print(type(transform).__name__, (x, y), "point", point, "blob", blob)
    return point, blob


point, blob = moved(A.Affine(rotate=(10, 10), p=1), 60.0, 40.0)
assert np.allclose(point, blob, atol=0.02)
assert moved(A.Resize(200, 400), 60.0, 40.0) == ([120, 80], [120.5, 80.5])
for x, y, seen in ((50.0, 30.0, [50, 29]), (10.5, 30.25, [10, 29])):
    point, blob = moved(A.ElasticTransform(alpha=0, p=1), x, y)
    assert np.allclose(blob, (x, y), atol=0.02) and point == seen, (point, blob)
    point, _ = moved(A.GridDistortion(num_steps=5, distort_limit=0, p=1), x, y)
    assert point == seen
PY
