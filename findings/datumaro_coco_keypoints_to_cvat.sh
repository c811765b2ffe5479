#!/usr/bin/env bash
# datumaro 1.13.12, COCO keypoints through to CVAT's XML: the numbers pass as they are, though COCO's count from the centre
# of the first pixel and CVAT's from its outer corner, so that everything lies half a pixel up and to the left. A skeleton
# becomes one <points> without sub-labels (the names are lost) and a <box>, tied by group_id; a point with v = 0 becomes a
# place at 0,0 like any other. The level kept in an annotation's "label" field is gone, that in "attributes" is left out
# as undeclared unless export is told otherwise.
# Seen: <points label="body" points="9.25,19.75;30.00,20.00;0.00,0.00" group_id="1"> for [9.25, 19.75, 2, 30, 20, 1, 0, 0, 0]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q datumaro==1.13.12
cd "$work"
"$work/venv/bin/python" - <<'PY'
import json
import logging
from pathlib import Path
from xml.etree import ElementTree

import datumaro
import numpy as np
from PIL import Image

logging.disable()
Path("set/annotations").mkdir(parents=True)
Path("set/images/default").mkdir(parents=True)
Image.fromarray(np.zeros((60, 80), np.uint8)).save("set/images/default/film.png")
names = ["left", "right", "middle"]
entry = {"id": 1, "image_id": 1, "category_id": 1, "keypoints": [9.25, 19.75, 2, 30, 20, 1, 0, 0, 0], "num_keypoints": 2}
entry |= {"bbox": [9, 19, 22, 2], "area": 44, "iscrowd": 0, "label": "L3", "attributes": {"level": "L3"}}
content = {
    "info": {},
    "licenses": [],
    "images": [{"id": 1, "file_name": "film.png", "width": 80, "height": 60}],
    "categories": [{"id": 1, "name": "body", "supercategory": "", "keypoints": names, "skeleton": []}],
    "annotations": [entry],
}
Path("set/annotations/person_keypoints_default.json").write_text(json.dumps(content))
datumaro.Dataset.import_from("set", "coco").export("out", "cvat", save_media=True)
(image,) = ElementTree.parse("out/default.xml").getroot().iter("image")
for shape in image:
    print(shape.tag, shape.attrib, [(a.get("name"), a.text) for a in shape])
assert [shape.tag for shape in image if shape.tag == "skeleton"] == []
(points,) = image.findall("points")
assert points.get("points") == "9.25,19.75;30.00,20.00;0.00,0.00"
assert points.get("label") == "body"
assert not any("L3" in (a.text or "") for a in points)
assert not any(name in ElementTree.tostring(image, encoding="unicode") for name in names)
PY
