#!/usr/bin/env bash
# sleap-io 0.9.5, key points of COCO with a category a level: categories with the same points and lines are taken for one skeleton,
# and the first name stays. L4 becomes L3 on reading, and is written as L3 again; nothing is said. (Where the lines differ,
# both names are kept.) A point that is hidden but placed (v = 1) is visible (2) after a round trip, and bbox and area, by which OKS
# is scaled, are made anew from the points: 0 for points in one row. For Ultralytics the class is "animal" and flip_idx
# 0, 1, 2, 3, so that training with flips teaches left corners as right ones.
# Seen: COCO to COCO: L3, L4 to L3, L3; v [2, 1, 0, 2] to [2, 2, 0, 2]; area 400 to 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q sleap-io==0.9.5 numpy==2.4.6 pillow==13.0.0 pyyaml==6.0.4
cd "$work"
"$work/venv/bin/python" -W ignore - 2>errors.txt <<'PY'
import json
from pathlib import Path

import numpy as np
import sleap_io
import yaml
from PIL import Image

Image.fromarray(np.zeros((60, 80), np.uint8)).save("film.png")
corners = ["upper left", "upper right", "lower left", "lower right"]


def level(number, name, points):
    category = {"id": number, "name": name, "keypoints": corners, "skeleton": [[1, 2]]}
    row = {"id": number, "image_id": 1, "category_id": number, "keypoints": points, "num_keypoints": 4, "iscrowd": 0}
    return category, row | {"bbox": [9, 9, 20, 20], "area": 400}


levels = [
    level(1, "L3", [9.25, 20, 2, 30, 20, 1, 0, 0, 0, 12, 20, 2]),
    level(2, "L4", [9, 30, 2, 30, 30, 2, 9, 50, 2, 30, 50, 2]),
]
images = [{"id": 1, "file_name": "film.png", "width": 80, "height": 60}]
categories, annotations = zip(*levels)
Path("in.json").write_text(json.dumps({"images": images, "categories": categories, "annotations": annotations}))
read = sleap_io.load_coco("in.json", dataset_root=".")
names = [instance.skeleton.name for frame in read for instance in frame.instances]
print("read", names)
assert names == ["L3", "L3"]

sleap_io.save_coco(read, "out.json")
written = json.loads(Path("out.json").read_text())
first, second = written["annotations"]
assert [category["name"] for category in written["categories"]] == ["L3"]
assert first["category_id"] == second["category_id"] == written["categories"][0]["id"]
print("COCO", first["keypoints"], "area", first["area"], second["area"])
assert first["keypoints"] == [9.25, 20, 2, 30, 20, 2, 0, 0, 0, 12, 20, 2]
assert (first["area"], second["area"]) == (0, 420)

sleap_io.save_ultralytics(read, "yolo")
described = yaml.safe_load(Path("yolo/data.yaml").read_text())
rows = Path("yolo/train/labels/0000000.txt").read_text().splitlines()
print("Ultralytics", described["names"], described["flip_idx"], *rows, sep="\n")
assert described["names"] == {0: "animal"} and described["flip_idx"] == [0, 1, 2, 3]
assert [row.split()[0] for row in rows] == ["0", "0"]
assert rows[0].split()[7::3] == ["2", "2", "0", "2"]
PY
