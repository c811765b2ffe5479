#!/usr/bin/env bash
# torchvision 0.29.1, transforms.v2 on KeyPoints: a flip counts them from pixel centres (x becomes width - 1 - x), everything
# else from the picture's edge, as boxes are in every transform. So a point on the corner of its own box leaves it by a pixel
# when both are flipped, a half turn is not what two flips are, and flip then resize differs from resize then flip.
# Seen, in a picture of 200 x 100, the point (10, 20): flipped (189, 20), its box's corner (190, 20); both flips (189, 79),
# turned by 180 degrees (190, 80); flipped and doubled (378, 40), doubled and flipped (379, 40).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR="$work" "$work/venv/bin/pip" install -q --no-cache-dir torch==2.14.1 torchvision==0.29.1
"$work/venv/bin/python" - <<'PY'
import torch
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

size = (100, 200)
point = tv_tensors.KeyPoints(torch.tensor([[[10.0, 20.0]]]), canvas_size=size)
box = tv_tensors.BoundingBoxes(torch.tensor([[10.0, 20.0, 30.0, 40.0]]), format="XYXY", canvas_size=size)


def xy(points):
    return tuple(points.flatten().tolist()[:2])


double = [200, 400]
seen = {
    "point flipped": xy(F.horizontal_flip(point)),
    "box flipped": tuple(F.horizontal_flip(box).flatten().tolist()),
    "both flips": xy(F.vertical_flip(F.horizontal_flip(point))),
    "half turn": xy(F.rotate(point, 180)),
    "half turn of the box": tuple(F.rotate(box, 180).flatten().tolist()),
    "flipped and doubled": xy(F.resize(F.horizontal_flip(point), double)),
    "doubled and flipped": xy(F.horizontal_flip(F.resize(point, double))),
}
for what, where in seen.items():
    print(what, where)
assert seen == {
    "point flipped": (189.0, 20.0),
    "box flipped": (170.0, 20.0, 190.0, 40.0),
    "both flips": (189.0, 79.0),
    "half turn": (190.0, 80.0),
    "half turn of the box": (170.0, 60.0, 190.0, 80.0),
    "flipped and doubled": (378.0, 40.0),
    "doubled and flipped": (379.0, 40.0),
}
PY
