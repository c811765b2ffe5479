#!/usr/bin/env bash
# Ultralytics 8.4.190 (YOLO), how near a key point has to be in the mAP of pose networks (PoseValidator): the tolerance of object key point similarity, sigma, which COCO
# gives each point by how well people agree on it, is 1 / (number of points) for any set of points but COCO's own, unless the file of the data names kpt_oks_sigmas. Four corners of a vertebra
# get 0.25, ten times COCO's eye: they pass all ten thresholds, 0.50 to 0.95, that mAP50-95 is the mean of, while every one is a tenth of the body's width off, 3.5 mm, with
# a sigma of 0.05 none. The centre of a body alone passes with any error; the same corners as one set of 68, from T1 to L5 in the box of the whole spine, pass four. So values of
# networks with another count of points cannot be compared, and a value near 1 says little of corners. A set of 17 points in x, y, visible, as the centres of T1 to L5 are, is taken
# for COCO's person: T1 to T5 have the tolerance of nose, eyes and ears, L2 to L5 that of knees and ankles. Nothing is said.
# Seen, thresholds passed of ten, box 70 x 52 px of 0.5 mm, every point off by 1, 2, 7, 10, 20 px: 1 point 10, 10, 10, 10, 10; 4 points 10, 10, 10, 9, 4; 68 points, box 150 x 900, 10, 10, 4, 0, 0; 4 at sigma 0.05 10, 9, 0, 0, 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR="$work" "$work/venv/bin/pip" install -q --no-cache-dir torch==2.14.1 torchvision==0.29.1 numpy==2.4.6 opencv-python-headless==5.0.0.93 matplotlib pillow pyyaml requests psutil
"$work/venv/bin/pip" install -q --no-cache-dir --no-deps ultralytics==8.4.190
cd "$work"
YOLO_CONFIG_DIR="$work" "$work/venv/bin/python" -W ignore - <<'PY'
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from ultralytics.models.yolo.pose import PoseValidator

BODY, SPINE = (70.0, 52.0), (150.0, 900.0)  # width and height of the box, in px
COCO = [0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089]


def validated(count, off_px, box=BODY, **data):
    """How many of the ten thresholds an object passes whose points are off by ``off_px``, and the tolerances."""
    validator = PoseValidator(save_dir=Path("runs"), args={"task": "pose", "plots": False})
    validator.training = True  # no loader of files
    validator.data = {"kpt_shape": [count, 3], **data}
    validator.init_metrics(SimpleNamespace(names={0: "vertebra"}))
    points = torch.full((1, count, 3), 2.0)
    points[0, :, 0], points[0, :, 1] = torch.linspace(0, box[0], count), torch.linspace(0, box[1], count)
    found = points.clone()
    found[0, :, 0] += off_px
    true = {"bboxes": torch.tensor([[0, 0, *box]]), "cls": torch.zeros(1), "keypoints": points}
    passed = validator._process_batch({**true, "conf": torch.ones(1), "keypoints": found}, true)
    return int(passed["tp_p"].sum()), np.asarray(validator.sigma)


def passes(count, box=BODY, **data):
    found = [validated(count, off, box, **data)[0] for off in (1, 2, 7, 10, 20)]
    print(count, "points, box", *box, data, found)
    return found


assert passes(1) == [10, 10, 10, 10, 10]
assert passes(4) == [10, 10, 10, 9, 4]
assert passes(68, SPINE) == [10, 10, 4, 0, 0]
assert passes(4, kpt_oks_sigmas=[0.05] * 4) == [10, 9, 0, 0, 0]
assert np.allclose(validated(4, 0)[1], 1 / 4) and np.allclose(validated(68, 0)[1], 1 / 68)
print("17 points", validated(17, 0)[1])
assert np.allclose(validated(17, 0)[1], COCO)
PY
